//! Where parameters come from.

use crate::weights::Numbers;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A source of parameters and running statistics, by their full paths (`layer1.0.conv1.weight`), row-major, in the
/// sizes that the network has them in.
pub trait Weights: Send + Sync {
    /// The numbers of a parameter; `None` where it is not here.
    fn get(&self, path: &str) -> Option<Cow<'_, [f32]>>;
    /// Says that a parameter was copied and will not be read again soon: memory that only mirrors a file may go.
    fn release(&self, _path: &str) {}
    /// Says so of all parameters.
    fn release_all(&self) {}
}

impl Weights for BTreeMap<String, Vec<f32>> {
    fn get(&self, path: &str) -> Option<Cow<'_, [f32]>> {
        self.get(path).map(|values| Cow::Borrowed(values.as_slice()))
    }
}

impl Weights for Numbers {
    fn get(&self, path: &str) -> Option<Cow<'_, [f32]>> {
        Numbers::get(self, path)
    }

    fn release(&self, path: &str) {
        Numbers::release(self, path);
    }

    fn release_all(&self) {
        Numbers::release_all(self);
    }
}
