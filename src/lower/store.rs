//! Where a network's numbers live: parameters and buffers by path, in the network's order.

use super::error::{Error, Result};
use super::init;
use crate::base::{Diagnostic, codes};
use crate::elaborate::Network;
use crate::ops::ParamSpec;
use crate::weights::Wanted;
use candle_core::{DType, Device, Shape, Tensor, Var};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;

/// One parameter or buffer.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its full path: `layer1.0.conv1.weight`.
    pub path: String,
    /// What it is.
    pub spec: ParamSpec,
    /// Its value; writing to it changes every module made from the store.
    pub var: Var,
}

/// Every parameter and buffer of a network, in evaluation order.
///
/// Clones share their values, as clones of candle's `VarMap` do. Counters
/// (`num_batches_tracked`) are 64-bit integers, everything else has the store's type.
#[derive(Clone, Debug)]
pub struct ParamStore {
    network: String,
    settings: BTreeMap<String, String>,
    dtype: DType,
    device: Device,
    entries: Vec<Entry>,
    index: BTreeMap<String, usize>,
}

impl ParamStore {
    /// The parameters of a network at their initial values, which depend on nothing but the seed and each
    /// parameter's path and sizes. `dtype` is `F32` or `F64`.
    ///
    /// # Errors
    /// Where the type is another one, or the device cannot hold the parameters.
    pub fn new(network: &Network, seed: u64, dtype: DType, device: &Device) -> Result<Self> {
        if !matches!(dtype, DType::F32 | DType::F64) {
            return Err(Error::internal(format!("parameters of type {} are not supported", dtype.as_str())));
        }
        let entry = |(path, spec): (String, ParamSpec)| {
            let var = Var::from_tensor(&init::values(&spec, &path, seed, dtype, device)?)?;
            Ok(Entry { path, spec, var })
        };
        // Each parameter has a stream of its own, so they can be drawn beside each other.
        let entries = network.graph.named_params().into_par_iter().map(entry).collect::<Result<Vec<_>>>()?;
        let index = entries.iter().enumerate().map(|(i, e)| (e.path.clone(), i)).collect();
        let (name, settings) = (network.name.clone(), network.settings.clone());
        Ok(Self { network: name, settings, dtype, device: device.clone(), entries, index })
    }

    /// The name of the network.
    pub fn network(&self) -> &str {
        &self.network
    }

    /// The parameters of the model as they came out: `classes = 10`.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// The type of all values but counters.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Where the values live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Parameters and buffers, in evaluation order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry at a path.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.index.get(path).map(|&i| &self.entries[i])
    }

    /// What the store wants of a file of weights.
    pub fn wanted(&self) -> Wanted {
        let params = self.entries.iter().map(|e| (e.path.clone(), e.spec.clone())).collect();
        Wanted { network: self.network.clone(), settings: self.settings.clone(), params }
    }

    /// What an optimizer changes, in evaluation order: no running statistics.
    pub fn trainable(&self) -> Vec<(&str, &Var)> {
        self.entries.iter().filter(|e| e.spec.trainable).map(|e| (e.path.as_str(), &e.var)).collect()
    }

    /// The store as candle modules ask for it. It gives the variables themselves, so that modules see
    /// every later change, and refuses names that the network does not have.
    pub fn var_builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), self.dtype, self.device.clone())
    }

    /// A copy of every value, by path.
    ///
    /// # Errors
    /// Where the device cannot hold it.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>> {
        let copy = |e: &Entry| Ok((e.path.clone(), e.var.as_detached_tensor().copy()?));
        self.entries.iter().map(copy).collect()
    }

    /// Sets every value from a snapshot; other types and devices are converted.
    ///
    /// # Errors
    /// `E0810` where a value is missing or has other sizes; nothing is changed then.
    pub fn restore(&self, values: &BTreeMap<String, Tensor>) -> Result<()> {
        let unfit = |what: String| {
            Diagnostic::new(codes::WEIGHTS_UNREADABLE, format!("the snapshot does not fit `{}`: {what}", self.network))
        };
        for entry in &self.entries {
            match values.get(&entry.path) {
                None => return Err(unfit(format!("`{}` is missing", entry.path)).into()),
                Some(value) if value.dims() != entry.spec.dims => {
                    let (found, want) = (value.dims(), &entry.spec.dims);
                    return Err(unfit(format!("`{}` is {found:?}, want {want:?}", entry.path)).into());
                }
                Some(_) => {}
            }
        }
        self.entries.iter().try_for_each(|entry| entry.set(&values[&entry.path]))
    }
}

impl Entry {
    /// Sets the value, converted to the entry's type and device.
    ///
    /// # Errors
    /// Where the sizes differ, or the device fails.
    pub fn set(&self, value: &Tensor) -> Result<()> {
        Ok(self.var.set(&value.to_dtype(self.var.dtype())?.to_device(self.var.device())?)?)
    }
}

impl SimpleBackend for ParamStore {
    fn get(&self, s: Shape, name: &str, _: candle_nn::Init, dtype: DType, dev: &Device) -> candle_core::Result<Tensor> {
        let tensor = self.get_unchecked(name, dtype, dev)?;
        if tensor.shape() != &s {
            candle_core::bail!("`{name}` is {:?}, not {:?}", tensor.dims(), s.dims())
        }
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, dev: &Device) -> candle_core::Result<Tensor> {
        let entry = self.get(name).ok_or_else(|| candle_core::Error::msg(format!("there is no parameter `{name}`")))?;
        entry.var.as_tensor().to_device(dev)?.to_dtype(dtype)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }
}
