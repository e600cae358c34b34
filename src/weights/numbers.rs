//! Every number that a network's parameters hold, wherever it comes from.

use super::load::{Ask, Assignment, Wanted, assign};
use super::report::Report;
use super::{Result, Stored, WeightFile, init};
use crate::elaborate::Network;
use crate::ops::ParamSpec;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of a parameter from which its pages are given back by themselves.
pub(super) const LEAST_RELEASED: u64 = 1 << 16;

/// A network's parameters and buffers by path: from a file those that it has, the others as drawn from a seed. Without a
/// file they are those that a training run with this seed starts from.
///
/// Nothing is in memory until it is asked for, and what comes from a file may be given back ([`release`](Self::release)),
/// so that whoever packs weights holds each of them once.
#[derive(Debug)]
pub struct Numbers {
    specs: BTreeMap<String, ParamSpec>,
    file: Option<WeightFile>,
    /// Which of the file's tensors a parameter is.
    places: BTreeMap<String, usize>,
    seed: u64,
}

impl Numbers {
    /// All drawn.
    pub fn seeded(network: &Network, seed: u64) -> Self {
        let specs = network.graph.named_params().into_iter().collect();
        Self { specs, file: None, places: BTreeMap::new(), seed }
    }

    /// Those of a file, and what fits of it. Where `ask` is [`Fit::Partial`](super::Fit::Partial), what the file lacks is drawn.
    ///
    /// # Errors
    /// `E0810` where the file cannot be read, and as [`assign`].
    pub fn load(network: &Network, path: &Path, ask: impl Into<Ask>, seed: u64) -> Result<(Self, Report)> {
        let file = WeightFile::open(path)?;
        let wanted = Wanted::of(network);
        let Assignment { report, tensors: places } = assign(&wanted, &file, &ask.into())?;
        // Where a tensor reaches out of the file is found here, so that nothing can fail later.
        places.values().filter_map(|&at| file.tensors.get(at)).try_for_each(|stored| file.check(stored))?;
        Ok((Self { specs: wanted.params.into_iter().collect(), file: Some(file), places, seed }, report))
    }

    /// The tensor of the file that a parameter is.
    fn stored(&self, path: &str) -> Option<(&WeightFile, &Stored)> {
        let file = self.file.as_ref()?;
        Some((file, file.tensors.get(*self.places.get(path)?)?))
    }

    /// The values of the parameter at a path, row-major; the file's own memory where that holds them so. `None` where the
    /// network has no such parameter.
    pub fn get(&self, path: &str) -> Option<Cow<'_, [f32]>> {
        let spec = self.specs.get(path)?;
        match self.stored(path) {
            Some((file, stored)) => file.floats(stored).ok(),
            None => Some(Cow::Owned(init::values(spec, path, self.seed))),
        }
    }

    /// Lets go of the memory that one parameter's pages of the file take up; few pages are not worth the call.
    pub fn release(&self, path: &str) {
        let large = |(_, stored): &(&WeightFile, &Stored)| stored.storage_bytes >= LEAST_RELEASED;
        self.stored(path).filter(large).into_iter().for_each(|(file, stored)| file.release(stored));
    }

    /// Lets go of the memory that all of the file's pages take up. They come back when they are read again.
    pub fn release_all(&self) {
        self.file.iter().for_each(WeightFile::release_all);
    }
}
