//! Operators that are activations.

use super::fold::known;
use super::item::{Kind, Raw, Value};
use super::lift::Lift;
use super::operators::{Made, Operator, each, read};
use super::patterns::per_channel;
use super::reader::{Read, Reader};
use super::refused::{Refused, lacking, sizes_of};
use super::tensor::Tensor;
use crate::ops::activation::{Activation, Prelu, Softmax};
use crate::ops::{Op, Values};
use std::rc::Rc;

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] = &[
    each("Celu", &[12, 28], |lift, node| lift.activation(node)),
    each("Clip", &[6, 11, 12, 13], |lift, node| lift.clip(node)),
    each("Elu", &[6, 22], |lift, node| lift.activation(node)),
    each("Gelu", &[20], |lift, node| lift.activation(node)),
    each("HardSigmoid", &[6, 22], |lift, node| lift.activation(node)),
    each("HardSwish", &[14, 22], |lift, node| lift.activation(node)),
    each("LeakyRelu", &[6, 16], |lift, node| lift.activation(node)),
    each("Max", &[8, 12, 13], |lift, node| lift.extreme(node)),
    each("Min", &[8, 12, 13], |lift, node| lift.extreme(node)),
    each("PRelu", &[7, 9, 16], |lift, node| lift.prelu(node)),
    each("Relu", &[6, 13, 14], |lift, node| lift.activation(node)),
    each("Selu", &[6, 22], |lift, node| lift.selu(node)),
    each("Sigmoid", &[6, 13], |lift, node| lift.activation(node)),
    read("Softmax", &[1, 11, 13], |lift, node| lift.softmax(node)),
    each("Swish", &[24], |lift, node| lift.activation(node)),
    each("Tanh", &[6, 13], |lift, node| lift.activation(node)),
    read("ThresholdedRelu", &[10, 22], |lift, node| lift.activation(node)),
];

/// The activation that an operator is; an error where its attributes make it another.
fn function(node: &mut Reader) -> Read<Activation> {
    let is = |holds: bool, made: Activation, why: String| if holds { Ok(made) } else { Err(Refused::from(why)) };
    match node.op() {
        "Relu" => Ok(Activation::Relu),
        "Sigmoid" => Ok(Activation::Sigmoid),
        "Tanh" => Ok(Activation::Tanh),
        "HardSwish" => Ok(Activation::HardSwish),
        "LeakyRelu" => Ok(Activation::LeakyRelu { slope: node.float("alpha", 0.01)? }),
        "Elu" => Ok(Activation::Elu { alpha: node.float("alpha", 1.0)? }),
        "Swish" => {
            let alpha = node.float("alpha", 1.0)?;
            is(alpha == 1.0, Activation::Silu, format!("has `alpha` = {alpha}; the language's `silu` has 1"))
        }
        "Celu" => {
            let alpha = node.float("alpha", 1.0)?;
            let elu = Activation::Elu { alpha: 1.0 };
            is(
                alpha == 1.0,
                elu,
                format!("has `alpha` = {alpha}; the language has no celu but that of 1, which is `elu`"),
            )
        }
        "ThresholdedRelu" => {
            let alpha = node.float("alpha", 1.0)?;
            is(alpha == 0.0, Activation::Relu, format!("has `alpha` = {alpha}; the language has no threshold but 0"))
        }
        "Gelu" => {
            let form = node.word("approximate", "none")?;
            is(
                form == "none",
                Activation::Gelu,
                format!("has `approximate` = \"{form}\"; the language's `gelu` is exact"),
            )
        }
        "HardSigmoid" => {
            let (alpha, beta) = (node.float("alpha", 0.2)?, node.float("beta", 0.5)?);
            let own = (alpha * 6.0 - 1.0).abs() < 1e-6 && beta == 0.5;
            let why =
                format!("has `alpha` = {alpha} and `beta` = {beta}; the language's `hard_sigmoid` has 1/6 and 0.5");
            is(own, Activation::HardSigmoid, why)
        }
        op => Err(lacking(op)),
    }
}

impl Lift<'_> {
    fn activation(&mut self, node: &mut Reader) -> Made {
        let function = function(node)?;
        let x = node.item(0)?;
        self.layer(function, vec![x], Vec::new())
    }

    /// Between limits that are attributes before version 11, and operands from then on.
    pub(super) fn clip(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let mut limit = |i: usize, name: &str, otherwise: f64| -> Read<f64> {
            if node.version < 11 {
                return node.float(name, otherwise);
            }
            match node.constant(i, name)? {
                Some(tensor) => {
                    tensor.single().ok_or_else(|| format!("has a `{name}` of {:?} numbers", tensor.dims).into())
                }
                None => Ok(otherwise),
            }
        };
        let (low, high) = (limit(1, "min", f64::NEG_INFINITY)?, limit(2, "max", f64::INFINITY)?);
        self.between(x, low, high)
    }

    /// No less than one number and no more than another.
    fn between(&mut self, x: usize, low: f64, high: f64) -> Made {
        let most = f64::from(f32::MAX);
        match (low, high) {
            (l, h) if l <= -most && h >= most => Ok(Value::Item(x)),
            (0.0, 6.0) => self.layer(Activation::Relu6, vec![x], Vec::new()),
            (0.0, h) if h >= most => self.layer(Activation::Relu, vec![x], Vec::new()),
            // What is no less than 0 anyway.
            (l, 6.0) if l <= 0.0 && self.never_negative(x) => self.layer(Activation::Relu6, vec![x], Vec::new()),
            (l, h) if l <= 0.0 && h >= most && self.never_negative(x) => Ok(Value::Item(x)),
            (l, h) => {
                let range = match (l <= -most, h >= most) {
                    (true, _) => format!("at most {h}"),
                    (false, true) => format!("at least {l}"),
                    (false, false) => format!("{l} … {h}"),
                };
                let layers = "the language's layers clip to at least 0 (`relu`) and to 0 … 6 (`relu6`)";
                Err(format!("clips to {range}; {layers}").into())
            }
        }
    }

    /// `Max` and `Min` with one number are clips.
    pub(super) fn extreme(&mut self, node: &mut Reader) -> Made {
        let all = node.all()?;
        let high = node.op() == "Min";
        match all.as_slice() {
            [Value::Item(x)] => Ok(Value::Item(*x)),
            [Value::Item(x), Value::Const(c)] | [Value::Const(c), Value::Item(x)] => {
                let limit = c.single().filter(|_| c.dims.len() <= self.items[*x].dims.len());
                let limit =
                    limit.ok_or_else(|| format!("meets a constant {}, and no single number", sizes_of(&c.dims)))?;
                if high { self.between(*x, f64::NEG_INFINITY, limit) } else { self.between(*x, limit, f64::INFINITY) }
            }
            _ => Err(lacking(node.op())),
        }
    }

    /// Whether a value is known to hold no negative number.
    pub(super) fn never_negative(&self, id: usize) -> bool {
        self.not_negative(id, 16)
    }

    /// As far as so many layers back tell.
    fn not_negative(&self, id: usize, back: usize) -> bool {
        let item = &self.items[id];
        let all = || back > 0 && item.inputs.iter().all(|&input| self.not_negative(input, back - 1));
        let Kind::Layer(op) = &item.kind else { return matches!(item.kind, Kind::Raw(Raw::Transpose(_))) && all() };
        if let Op::Activation(function) = op {
            return matches!(
                function,
                Activation::Relu | Activation::Relu6 | Activation::Sigmoid | Activation::HardSigmoid
            );
        }
        matches!(op, Op::Softmax(_)) || (op.nature().values == Values::Moved || matches!(op, Op::Concat(_))) && all()
    }

    /// Slopes are stretched as all operands are: along the last axes, so that one a channel is [C, 1, 1] of [N, C, H, W].
    pub(super) fn prelu(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let slope = node.weight(1, "slope")?;
        let item = &self.items[x];
        let channels = item.dims.get(1).copied().unwrap_or(0);
        let shared = slope.len() == 1;
        if slope.dims.len() > item.dims.len() || per_channel(&slope, item, channels).is_none() {
            let why = format!("has slopes {}, which are neither one nor one a channel", sizes_of(&slope.dims));
            return Err(Refused::from(why).help("slopes of [C, 1, 1] are one a channel"));
        }
        let slope = Rc::new(slope.with_dims(vec![slope.len()]));
        self.layer(Prelu { init: 0.25, shared }, vec![x], vec![("weight", slope)])
    }

    /// Before version 13 over all axes from one on, made one; since then over one axis.
    pub(super) fn softmax(&mut self, node: &mut Reader) -> Made {
        let (x, turned) = self.before_turn(node.item(0)?);
        let item = &self.items[x];
        let rank = item.dims.len();
        let given = node.int("axis", if node.version < 13 { 1 } else { -1 })?;
        let axis = usize::try_from(if given < 0 { given + rank as i64 } else { given }).unwrap_or(rank);
        let own: Vec<usize> = match node.version < 13 {
            false => vec![axis],
            true => (axis..rank).collect(),
        };
        let own: Vec<usize> =
            own.iter().map(|&axis| turned.as_ref().and_then(|p| p.get(axis)).copied().unwrap_or(axis)).collect();
        // Axes of one entry do not count.
        let rest = own.iter().filter(|&&axis| axis != 1).all(|&axis| item.dims.get(axis) == Some(&1));
        if !own.contains(&1) || !rest {
            let behind = if node.version < 13 { " and, before opset 13, all axes behind it" } else { "" };
            let why = format!("is over `axis` = {given}{behind}; the language's `softmax` is over the channels");
            return Err(why.into());
        }
        let made = self.layer(Op::from(Softmax {}), vec![x], Vec::new())?;
        self.turn_again(made, turned)
    }

    /// An exponential linear unit times a factor.
    pub(super) fn selu(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let alpha = node.float("alpha", 1.673_263_2)?;
        let gamma = node.float("gamma", 1.050_701)?;
        let made = self.layer(Activation::Elu { alpha }, vec![x], Vec::new())?;
        let factor = known(Tensor::of(Vec::new(), vec![gamma]));
        match (made, factor) {
            (Value::Item(elu), Value::Const(factor)) => self.affine(elu, Some(factor), None),
            _ => Err("is not computed".into()),
        }
    }
}
