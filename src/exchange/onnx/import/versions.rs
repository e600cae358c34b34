//! Which versions of which operators are read.
//!
//! An operator's version is the opset that last changed it. Of every operator that is read, all versions from the first that
//! is understood to the newest opset known here stand in the table; what differs between them is said where it is read.

use super::refused::Refused;

/// The newest opset whose operators are known.
pub const NEWEST: i64 = 28;

/// Versions, oldest first; a negative number is the opset that dropped the operator.
type Versions = (&'static str, &'static [i64]);

/// What is computed of values. Versions before 6 wrote memory to be shared (`consumed_inputs`), those before 7 how to stretch.
const VALUES: [Versions; 59] = [
    ("Add", &[7, 13, 14]),
    ("AveragePool", &[1, 7, 10, 11, 19, 22]),
    ("BatchNormalization", &[7, 9, 14, 15]),
    ("Cast", &[6, 9, 13, 19, 21, 23, 24, 25, 28]),
    ("Celu", &[12, 28]),
    ("Clip", &[6, 11, 12, 13]),
    ("Concat", &[4, 11, 13]),
    ("Conv", &[1, 11, 22]),
    ("ConvTranspose", &[1, 11, 22]),
    ("DequantizeLinear", &[10, 13, 19, 21, 23, 24, 25, 28]),
    ("Div", &[7, 13, 14]),
    ("Dropout", &[7, 10, 12, 13, 22]),
    ("Elu", &[6, 22]),
    ("Erf", &[9, 13]),
    ("Flatten", &[1, 9, 11, 13, 21, 23, 24, 25]),
    ("Gather", &[1, 11, 13]),
    ("Gelu", &[20]),
    ("Gemm", &[7, 9, 11, 13]),
    ("GlobalAveragePool", &[1, 22]),
    ("GlobalMaxPool", &[1, 22]),
    ("GroupNormalization", &[18, 21]),
    ("HardSigmoid", &[6, 22]),
    ("HardSwish", &[14, 22]),
    ("Identity", &[1, 13, 14, 16, 19, 21, 23, 24, 25]),
    ("InstanceNormalization", &[6, 22]),
    ("LayerNormalization", &[17]),
    ("LeakyRelu", &[6, 16]),
    ("MatMul", &[1, 9, 13]),
    ("Max", &[8, 12, 13]),
    ("MaxPool", &[1, 8, 10, 11, 12, 22]),
    ("Mean", &[8, 13]),
    ("Min", &[8, 12, 13]),
    ("Mul", &[7, 13, 14]),
    ("Neg", &[6, 13]),
    ("PRelu", &[7, 9, 16]),
    ("Pad", &[2, 11, 13, 18, 19, 21, 23, 24, 25]),
    ("Pow", &[7, 12, 13, 15]),
    ("Reciprocal", &[6, 13]),
    ("ReduceMax", &[1, 11, 12, 13, 18, 20]),
    ("ReduceMean", &[1, 11, 13, 18]),
    ("Relu", &[6, 13, 14]),
    ("Reshape", &[5, 13, 14, 19, 21, 23, 24, 25]),
    ("Resize", &[10, 11, 13, 18, 19]),
    ("Selu", &[6, 22]),
    ("Shape", &[1, 13, 15, 19, 21, 23, 24, 25]),
    ("Sigmoid", &[6, 13]),
    ("Slice", &[1, 10, 11, 13]),
    ("Softmax", &[1, 11, 13]),
    ("Split", &[2, 11, 13, 18]),
    ("Sqrt", &[6, 13]),
    ("Squeeze", &[1, 11, 13, 21, 23, 24, 25]),
    ("Sub", &[7, 13, 14]),
    ("Sum", &[8, 13]),
    ("Swish", &[24]),
    ("Tanh", &[6, 13]),
    ("ThresholdedRelu", &[10, 22]),
    ("Transpose", &[1, 13, 21, 23, 24, 25]),
    ("Unsqueeze", &[1, 11, 13, 21, 23, 24, 25]),
    ("Upsample", &[7, 9, -10]),
];

/// What is computed of constants alone.
const CONSTANTS: [Versions; 27] = [
    ("Abs", &[6, 13]),
    ("And", &[7]),
    ("CastLike", &[15, 19, 21, 23, 24, 25]),
    ("Ceil", &[6, 13]),
    ("Constant", &[1, 9, 11, 12, 13, 19, 21, 23, 24, 25]),
    ("ConstantOfShape", &[9, 20, 21, 23, 24, 25]),
    ("Equal", &[7, 11, 13, 19]),
    ("Exp", &[6, 13]),
    ("Expand", &[8, 13]),
    ("Floor", &[6, 13]),
    ("Greater", &[7, 9, 13]),
    ("GreaterOrEqual", &[12, 16]),
    ("Less", &[7, 9, 13]),
    ("LessOrEqual", &[12, 16]),
    ("Log", &[6, 13]),
    ("Mod", &[10, 13, 28]),
    ("Not", &[1]),
    ("Or", &[7]),
    ("Range", &[11, 27]),
    ("ReduceMin", &[1, 11, 12, 13, 18, 20]),
    ("ReduceProd", &[1, 11, 13, 18]),
    ("ReduceSum", &[1, 11, 13]),
    ("Round", &[11, 22]),
    ("Sign", &[9, 13]),
    ("Size", &[1, 13, 19, 21, 23, 24, 25]),
    ("Tile", &[6, 13]),
    ("Where", &[9, 16]),
];

/// The version of an operator that a file of this opset means; `None` for an operator that is not read at all.
///
/// # Errors
/// Where that version is none that is known.
pub fn meant(op: &str, opset: i64) -> Result<Option<i64>, Refused> {
    let all = VALUES.iter().chain(&CONSTANTS);
    let Some((_, versions)) = all.into_iter().find(|(name, _)| *name == op) else { return Ok(None) };
    let converted = |why: String| Refused::from(why).help("onnx.version_converter.convert_version(model, 17)");
    match versions.iter().rfind(|version| version.abs() <= opset) {
        Some(&version) if version > 0 => Ok(Some(version)),
        Some(dropped) => {
            let by = dropped.abs();
            Err(converted(format!("is no operator of opset {opset}: opset {by} dropped it")))
        }
        None => {
            let first = versions.first().copied().unwrap_or(1);
            Err(converted(format!("is of opset {opset}, and this operator is read from opset {first} on")))
        }
    }
}
