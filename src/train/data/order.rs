//! Which samples come when.

use crate::base::Rng;

/// The order of an epoch: sample indices, fixed by the seed and the epoch.
pub fn epoch_order(len: usize, seed: u64, epoch: usize, shuffle: bool) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    if shuffle {
        Rng::derive(seed, &format!("shuffle {epoch}")).shuffle(&mut order);
    }
    order
}

/// The generator of one sample's augmentation: the same whichever thread asks, and when.
pub fn sample_rng(seed: u64, epoch: usize, sample: usize) -> Rng {
    Rng::derive(seed, &format!("augment {epoch} {sample}"))
}

/// The generator of what a whole batch shares.
pub fn batch_rng(seed: u64, epoch: usize, batch: usize) -> Rng {
    Rng::derive(seed, &format!("batch {epoch} {batch}"))
}

/// How many batches an epoch has. The last may be short; in training a last batch of one sample is left out where
/// there are others, for batch norm has no variance of one value.
pub fn batches(len: usize, batch: usize, training: bool) -> usize {
    let count = len.div_ceil(batch);
    if training && count > 1 && len % batch == 1 && batch > 1 { count - 1 } else { count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_fixed_by_seed_and_epoch() {
        let a = epoch_order(1000, 1, 2, true);
        assert_eq!(a, epoch_order(1000, 1, 2, true));
        assert_ne!(a, epoch_order(1000, 1, 3, true));
        assert_ne!(a, epoch_order(1000, 2, 2, true));
        let mut sorted = a;
        sorted.sort_unstable();
        assert_eq!(sorted, epoch_order(1000, 1, 2, false));
    }

    #[test]
    fn a_last_batch_of_one_is_left_out_of_training_only() {
        assert_eq!(batches(129, 64, true), 2);
        assert_eq!(batches(129, 64, false), 3);
        assert_eq!(batches(130, 64, true), 3);
        assert_eq!(batches(1, 64, true), 1);
        assert_eq!(batches(5, 1, true), 5);
    }
}
