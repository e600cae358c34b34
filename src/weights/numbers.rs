//! Every number that a network's parameters hold, wherever it comes from.

use super::load::{Fit, Wanted, compare};
use super::report::Report;
use super::{Result, WeightFile, init};
use crate::elaborate::Network;
use crate::ops::ParamSpec;
use std::borrow::Cow;
use std::path::Path;

/// A network's parameters and buffers: from a file those that it has, the others as drawn from a seed. Without a file they
/// are those that a training run with this seed starts from.
///
/// Nothing is in memory until it is asked for, and what comes from a file may be given back ([`release`](Self::release)),
/// so that whoever packs weights holds each of them once.
#[derive(Debug)]
pub struct Numbers {
    file: Option<WeightFile>,
    seed: u64,
}

impl Numbers {
    /// All drawn.
    pub fn seeded(seed: u64) -> Self {
        Self { file: None, seed }
    }

    /// Those of a file, and what fits of it. Where `fit` is [`Fit::Partial`], what the file lacks is drawn.
    ///
    /// # Errors
    /// `E0810` and `E0811` where the file cannot be read, `E0812` where it does not fit.
    pub fn load(network: &Network, path: &Path, fit: Fit, seed: u64) -> Result<(Self, Report)> {
        let file = WeightFile::open(path)?;
        let report = fit.accept(compare(&Wanted::of(network), &file))?;
        Ok((Self { file: Some(file), seed }, report))
    }

    /// The values of the parameter at a path, row-major; the file's own memory where that holds them so.
    ///
    /// # Errors
    /// `E0810` where the file has it, but its numbers lie outside of it.
    pub fn get(&self, path: &str, spec: &ParamSpec) -> Result<Cow<'_, [f32]>> {
        let stored = self.file.as_ref().and_then(|file| Some((file, file.get(path)?)));
        match stored.filter(|(_, stored)| stored.dims == spec.dims) {
            Some((file, stored)) => file.floats(stored),
            None => Ok(Cow::Owned(init::values(spec, path, self.seed))),
        }
    }

    /// Lets go of the memory that a parameter's pages in the file took up. It can be asked for again.
    pub fn release(&self, path: &str) {
        if let Some((file, stored)) = self.file.as_ref().and_then(|file| Some((file, file.get(path)?))) {
            file.release(stored);
        }
    }
}
