//! Operators that are layers: which reads which.

use super::activations::function;
use super::fold::known;
use super::item::{Raw, Value};
use super::lift::Lift;
use super::reader::{Read, Reader};
use super::refused::{Refused, lacking};
use super::tensor::{Tensor, type_name};
use super::versions::Versions;
use crate::exchange::onnx::proto::dtype;
use crate::ops::merge::{Add, Concat};
use std::rc::Rc;

/// What an operator gives, or why it is not read.
pub(super) type Made = Read<Value>;

/// Parameters by PyTorch's names.
pub(super) type Params = Vec<(&'static str, Rc<Tensor>)>;

/// What is computed of values, with the versions that are read. Versions before 6 wrote memory to be shared (`consumed_inputs`), those before 7 how to stretch.
pub(super) const READ: [Versions; 59] = [
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

impl Lift<'_> {
    /// What an operator gives. One that works on each number by itself does so whatever the order of the axes is.
    pub(super) fn operator(&mut self, node: &mut Reader) -> Made {
        let turned = if by_number(node.op()) { self.unturned(node)? } else { None };
        let made = self.made(node)?;
        self.turn_again(made, turned)
    }

    fn made(&mut self, node: &mut Reader) -> Made {
        if let Some(function) = function(node)? {
            let x = node.item(0)?;
            return self.layer(function, vec![x], Vec::new());
        }
        match node.op() {
            "Shape" => {
                let x = node.item(0)?;
                let dims = self.items[x].dims.clone();
                Ok(known(super::shapes::sizes(node, &dims, self.form.number)?))
            }
            "Add" | "Sum" | "Mean" | "Mul" | "Sub" | "Div" => self.arithmetic(node),
            "Identity" => Ok(Value::Item(node.item(0)?)),
            "Neg" => {
                let x = node.item(0)?;
                self.affine(x, Some(Rc::new(Tensor::of(Vec::new(), vec![-1.0]))), None)
            }
            "Dropout" => self.dropout(node),
            "Cast" => self.cast(node),
            "Conv" => self.conv(node),
            "ConvTranspose" => self.conv_transpose(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.matmul(node),
            "BatchNormalization" => self.batch_norm(node),
            "InstanceNormalization" => self.instance_norm(node),
            "LayerNormalization" => self.layer_norm(node),
            "GroupNormalization" => self.group_norm(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" | "GlobalMaxPool" => {
                let x = node.item(0)?;
                self.global(node.op() == "GlobalMaxPool", x)
            }
            "ReduceMean" | "ReduceMax" => self.reduce(node),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshaped(node),
            "Transpose" => self.transpose(node),
            "Resize" | "Upsample" => self.resize(node),
            "Gather" => self.gather(node),
            "Pad" => self.pad(node),
            "Slice" => self.slice(node),
            "Split" => self.split(node),
            "Concat" => self.concat(node),
            "Clip" => self.clip(node),
            "Max" | "Min" => self.extreme(node),
            "PRelu" => self.prelu(node),
            "Selu" => self.selu(node),
            "Softmax" => self.softmax(node),
            "Pow" => self.power(node),
            "Sqrt" => self.root(node),
            "Erf" => {
                let x = node.item(0)?;
                Ok(self.raw(Raw::Erf, x, self.items[x].dims.clone()))
            }
            op => Err(lacking(op)),
        }
    }

    fn concat(&mut self, node: &mut Reader) -> Made {
        let item = |value: &Value| match value {
            Value::Item(i) => Ok(*i),
            _ => Err(Refused::from("joins a constant")),
        };
        let items: Vec<usize> = node.all()?.iter().map(item).collect::<Read<_>>()?;
        let (sources, turned) = self.all_before_turn(&items);
        let rank = sources.first().map_or(0, |&i| self.items[i].dims.len()) as i64;
        let axis = node.need_int("axis")?;
        let place = usize::try_from(if axis < 0 { axis + rank } else { axis }).unwrap_or(usize::MAX);
        let own = turned.as_ref().and_then(|perm| perm.get(place).copied()).unwrap_or(place);
        if own != 1 {
            return Err(format!("joins along axis {axis}; the language's `concat` joins channels").into());
        }
        let made = match sources.as_slice() {
            [one] => Value::Item(*one),
            _ => self.layer(Concat {}, sources, Vec::new())?,
        };
        self.turn_again(made, turned)
    }

    /// Into one part; the language has no layer for more.
    fn split(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let axis = node.int("axis", 0)?;
        let parts = node.list("split", 1, 13)?;
        let count = if node.version >= 18 { node.int("num_outputs", 0)? } else { 0 };
        if node.gives() == 1 && count <= 1 && parts.is_none_or(|parts| parts.len() == 1) {
            return Ok(Value::Item(x));
        }
        let what = if axis == 1 || axis + self.items[x].dims.len() as i64 == 1 { "channels" } else { "positions" };
        Err(format!("splits along `axis` = {axis}: the language cannot split {what}").into())
    }

    /// At inference nothing, and in training what no file can say again.
    fn dropout(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        match drops(node)? {
            None => Ok(Value::Item(x)),
            Some(ratio) => Err(Refused::from(format!(
                "is in training mode and drops {ratio} of its operand at random (`training_mode`)"
            ))
            .help("model.eval()")),
        }
    }

    /// Between floating-point types nothing; to others, numbers are cut off.
    fn cast(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        // Both are about types that are not read.
        node.idle(&["saturate", "round_mode"]);
        let to = i32::try_from(node.need_int("to")?).unwrap_or(-1);
        match to {
            dtype::FLOAT | dtype::DOUBLE => {}
            dtype::FLOAT16 | dtype::BFLOAT16 => self.half(&type_name(to)),
            _ => {
                let name = type_name(to);
                return Err(format!("has `to` = {name}: the language's values are floating-point numbers").into());
            }
        }
        Ok(Value::Item(x))
    }

    /// Says once that the file computes in fewer bits.
    pub(super) fn half(&mut self, name: &str) {
        let note = format!("the file computes in {name}, and the imported model in single precision");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The sum of some items; in a mean, divided by how many they are.
    pub(super) fn many(&mut self, items: Vec<usize>, mean: bool) -> Made {
        let share = 1.0 / items.len() as f64;
        let sum = match items.as_slice() {
            [one] => return Ok(Value::Item(*one)),
            _ => self.layer(Add { scale: 1.0, drop_path: 0.0 }, items, Vec::new())?,
        };
        match sum {
            Value::Item(sum) if mean => self.affine(sum, Some(Rc::new(Tensor::of(Vec::new(), vec![share]))), None),
            sum => Ok(sum),
        }
    }
}

/// Which share a `Dropout` drops, if it drops at all.
///
/// # Errors
/// Where its operands are computed.
pub(super) fn drops(node: &mut Reader) -> Read<Option<f64>> {
    if node.version < 12 {
        node.idle(&["ratio"]);
        return Ok(None);
    }
    node.idle(&["seed"]);
    let one = |tensor: Option<Rc<Tensor>>, otherwise: f64| tensor.map_or(Some(otherwise), |t| t.single());
    let ratio = one(node.constant(1, "ratio")?, 0.5).ok_or("has a `ratio` that is no number")?;
    let training = one(node.constant(2, "`training_mode`")?, 0.0).ok_or("has a `training_mode` that is no number")?;
    Ok((training != 0.0 && ratio != 0.0).then_some(ratio))
}

/// Operators that work on each number by itself, or on numbers at the same place.
fn by_number(op: &str) -> bool {
    const ALL: [&str; 28] = [
        "Add",
        "Cast",
        "Celu",
        "Clip",
        "Div",
        "Dropout",
        "Elu",
        "Erf",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Max",
        "Mean",
        "Min",
        "Mul",
        "Neg",
        "PRelu",
        "Pow",
        "Relu",
        "Selu",
        "Sigmoid",
        "Sqrt",
        "Sub",
        "Sum",
        "Swish",
        "Tanh",
    ];
    ALL.contains(&op)
}
