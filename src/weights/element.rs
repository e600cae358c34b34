//! Types of stored numbers.

use crate::base::half::{from_bf16, half};

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

    /// Little-endian bytes as single precision, rounded where they are wider. Bytes beyond the last whole number are passed over.
    pub fn floats(self, bytes: &[u8]) -> Vec<f32> {
        macro_rules! numbers {
            ($ty:ty, $float:expr) => {{
                let (whole, _) = bytes.as_chunks::<{ size_of::<$ty>() }>();
                whole.iter().map(|&b| $float(<$ty>::from_le_bytes(b))).collect()
            }};
        }
        match self {
            Self::F64 => numbers!(f64, |n| n as f32),
            Self::F32 => numbers!(f32, |n| n),
            Self::F16 => numbers!(u16, half),
            Self::Bf16 => numbers!(u16, from_bf16),
            Self::I64 => numbers!(i64, |n| n as f32),
            Self::I32 => numbers!(i32, |n| n as f32),
            Self::I16 => numbers!(i16, f32::from),
            Self::I8 => numbers!(i8, f32::from),
            Self::U8 | Self::Bool => numbers!(u8, f32::from),
        }
    }
}
