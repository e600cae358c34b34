//! Types of stored numbers, and bytes made tensors.

use candle_core::{DType, Device, Tensor};

/// What a file stores its numbers as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 64-bit float.
    F64,
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// The upper half of a 32-bit float.
    Bf16,
    /// 64-bit integer.
    I64,
    /// 32-bit integer.
    I32,
    /// 16-bit integer.
    I16,
    /// 8-bit integer.
    I8,
    /// Byte.
    U8,
    /// One byte, 0 or 1.
    Bool,
}

/// Each type, its name in a `.safetensors` header, and its storage class in PyTorch.
const NAMES: [(Element, &str, &str); 10] = [
    (Element::F64, "F64", "DoubleStorage"),
    (Element::F32, "F32", "FloatStorage"),
    (Element::F16, "F16", "HalfStorage"),
    (Element::Bf16, "BF16", "BFloat16Storage"),
    (Element::I64, "I64", "LongStorage"),
    (Element::I32, "I32", "IntStorage"),
    (Element::I16, "I16", "ShortStorage"),
    (Element::I8, "I8", "CharStorage"),
    (Element::U8, "U8", "ByteStorage"),
    (Element::Bool, "BOOL", "BoolStorage"),
];

impl Element {
    /// By its name in a `.safetensors` header.
    pub fn from_header(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, header, _)| *header == name).map(|&(element, _, _)| element)
    }

    /// By the name of its storage class in PyTorch.
    pub fn from_storage(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, _, storage)| *storage == name).map(|&(element, _, _)| element)
    }

    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// The numbers as a tensor on the CPU; `I8` becomes `I64` and `Bool` `U8`, which candle has.
    /// `bytes` are little-endian and exactly as many as `dims` say.
    ///
    /// # Errors
    /// Where they are not.
    pub fn tensor(self, bytes: &[u8], dims: &[usize]) -> candle_core::Result<Tensor> {
        let dtype = match self {
            Self::F64 => DType::F64,
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
            Self::I64 => DType::I64,
            Self::I32 => DType::I32,
            Self::I16 => DType::I16,
            Self::U8 | Self::Bool => DType::U8,
            Self::I8 => {
                let wide: Vec<i64> = bytes.iter().map(|&b| (b as i8).into()).collect();
                return Tensor::from_vec(wide, dims, &Device::Cpu);
            }
        };
        Tensor::from_raw_buffer(bytes, dtype, dims, &Device::Cpu)
    }
}
