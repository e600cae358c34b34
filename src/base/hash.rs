//! A hash of our own, so that what depends on it is the same on every machine and in every version.

/// 64 bits from bytes: FNV-1a (Fowler, Noll and Vo), then the finalizer of SplitMix64, so that every bit depends on every byte.
pub fn stable_hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    super::rng::mixed(bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, fnv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_change() {
        // FNV-1a of nothing and of `a` are published; the finalizer is SplitMix64's.
        assert_eq!(stable_hash([]), crate::base::rng::mixed(0xcbf2_9ce4_8422_2325));
        assert_eq!(stable_hash(*b"a"), crate::base::rng::mixed(0xaf63_dc4c_8601_ec8c));
        assert_eq!(stable_hash(*b"cat/1.jpg"), stable_hash("cat/1.jpg".bytes()));
    }
}
