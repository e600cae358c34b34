//! A file of weights whose numbers become tensors.

use crate::lower::error::Result;
use crate::weights::{Element, Stored, WeightFile};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;

/// A [`WeightFile`] that is read as tensors.
#[derive(Debug)]
pub struct Checkpoint(WeightFile);

impl Deref for Checkpoint {
    type Target = WeightFile;

    fn deref(&self) -> &WeightFile {
        &self.0
    }
}

impl Checkpoint {
    /// Opens a `.safetensors` file or a zip `.pth`.
    ///
    /// # Errors
    /// As [`WeightFile::open`].
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self(WeightFile::open(path)?))
    }

    /// Reads one tensor, to the CPU and in its stored type; `I8` becomes `I64` and `Bool` `U8`, which candle has.
    ///
    /// # Errors
    /// `E0810` where the file is cut short, or the tensor reaches out of its storage.
    pub fn read(&self, stored: &Stored) -> Result<Tensor> {
        let bytes = self.bytes(stored)?;
        let tensor = tensor(stored.element, &bytes, &stored.dims)?;
        self.release(stored);
        Ok(tensor)
    }

    /// Reads every tensor, by name.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_all(&self) -> Result<BTreeMap<String, Tensor>> {
        self.tensors.iter().map(|stored| Ok((stored.name.clone(), self.read(stored)?))).collect()
    }
}

fn tensor(element: Element, bytes: &[u8], dims: &[usize]) -> candle_core::Result<Tensor> {
    let dtype = match element {
        Element::F64 => DType::F64,
        Element::F32 => DType::F32,
        Element::F16 => DType::F16,
        Element::Bf16 => DType::BF16,
        Element::I64 => DType::I64,
        Element::I32 => DType::I32,
        Element::I16 => DType::I16,
        Element::U8 | Element::Bool => DType::U8,
        Element::I8 => {
            let wide: Vec<i64> = bytes.iter().map(|&b| (b as i8).into()).collect();
            return Tensor::from_vec(wide, dims, &Device::Cpu);
        }
    };
    Tensor::from_raw_buffer(bytes, dtype, dims, &Device::Cpu)
}
