//! Which versions of which operators are read.
//!
//! An operator's version is the opset that last changed it. Of every operator that is read, all versions from the first that
//! is understood to the newest opset known here stand in the table; what differs between them is said where it is read.

use super::refused::Refused;

/// The newest opset whose operators are known.
pub const NEWEST: i64 = 28;

/// Versions, oldest first; a negative number is the opset that dropped the operator.
type Versions = (&'static str, &'static [i64]);

/// What is computed of constants alone.
const CONSTANTS: [Versions; 29] = [
    ("Abs", &[6, 13]),
    ("And", &[7]),
    ("CastLike", &[15, 19, 21, 23, 24, 25]),
    ("Ceil", &[6, 13]),
    ("Constant", &[1, 9, 11, 12, 13, 19, 21, 23, 24, 25]),
    ("ConstantOfShape", &[9, 20, 21, 23, 24, 25]),
    ("DequantizeLinear", &[10, 13, 19, 21, 23, 24, 25, 28]),
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
    ("Reciprocal", &[6, 13]),
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
    let constant = || CONSTANTS.iter().find(|(name, _)| *name == op).map(|(_, versions)| *versions);
    let Some(versions) = super::operators::versions(op).or_else(constant) else { return Ok(None) };
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
