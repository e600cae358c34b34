//! Operators that are layers: which reads which.

use super::item::Value;
use super::lift::Lift;
use super::reader::{Read, Reader};
use super::refused::{Refused, lacking};
use super::tensor::{Tensor, type_name};
use super::{activations, convs, norms, padding, patterns, pooling, resizing, shapes, turned};
use crate::exchange::onnx::proto::dtype;
use crate::ops::merge::{Add, Concat};
use std::rc::Rc;

/// What an operator gives, or why it is not read.
pub(super) type Made = Read<Value>;

/// Parameters by PyTorch's names.
pub(super) type Params = Vec<(&'static str, Rc<Tensor>)>;

/// An operator that is read where it computes with values.
pub(super) struct Operator {
    name: &'static str,
    versions: &'static [i64],
    /// Whether it works on each number by itself, or on numbers at the same place.
    by_number: bool,
    read: fn(&mut Lift, &mut Reader) -> Made,
}

/// An operator with the versions that are read. Versions before 6 wrote memory to be shared (`consumed_inputs`), those before 7
/// how to stretch.
pub(super) const fn read(
    name: &'static str,
    versions: &'static [i64],
    read: fn(&mut Lift, &mut Reader) -> Made,
) -> Operator {
    Operator { name, versions, by_number: false, read }
}

/// One that works on each number by itself, or on numbers at the same place.
pub(super) const fn each(
    name: &'static str,
    versions: &'static [i64],
    read: fn(&mut Lift, &mut Reader) -> Made,
) -> Operator {
    Operator { name, versions, by_number: true, read }
}

/// The operators of no family.
const OPERATORS: &[Operator] = &[
    each("Cast", &[6, 9, 13, 19, 21, 23, 24, 25, 28], |lift, node| lift.cast(node)),
    read("Concat", &[4, 11, 13], |lift, node| lift.concat(node)),
    each("Dropout", &[7, 10, 12, 13, 22], |lift, node| lift.dropout(node)),
    each("Identity", &[1, 13, 14, 16, 19, 21, 23, 24, 25], |_, node| Ok(Value::Item(node.item(0)?))),
    read("Split", &[2, 11, 13, 18], |lift, node| lift.split(node)),
];

/// All, by the files that read them.
const TABLES: [&[Operator]; 10] = [
    OPERATORS,
    activations::OPERATORS,
    convs::OPERATORS,
    norms::OPERATORS,
    padding::OPERATORS,
    patterns::OPERATORS,
    pooling::OPERATORS,
    resizing::OPERATORS,
    shapes::OPERATORS,
    turned::OPERATORS,
];

fn operator(name: &str) -> Option<&'static Operator> {
    TABLES.into_iter().flatten().find(|operator| operator.name == name)
}

/// The versions of an operator that are read where it computes with values.
pub(super) fn versions(name: &str) -> Option<&'static [i64]> {
    operator(name).map(|operator| operator.versions)
}

impl Lift<'_> {
    /// What an operator gives. One that works on each number by itself does so whatever the order of the axes is.
    pub(super) fn operator(&mut self, node: &mut Reader) -> Made {
        let operator = operator(node.op()).ok_or_else(|| lacking(node.op()))?;
        let turned = if operator.by_number { self.unturned(node)? } else { None };
        let made = (operator.read)(self, node)?;
        self.turn_again(made, turned)
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
