//! Operators that are norms, and those that spell one out: `(x − mean) / √(mean of squares + eps)`.

use super::item::{Item, Kind, Raw, Value};
use super::lift::Lift;
use super::operators::{Made, Operator, Params, each, read};
use super::patterns::per_channel;
use super::reader::{Read, Reader};
use super::refused::{Refused, lacking};
use super::tensor::Tensor;
use crate::ops::Op;
use crate::ops::norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};
use std::rc::Rc;

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] = &[
    read("BatchNormalization", &[7, 9, 14, 15], |lift, node| lift.batch_norm(node)),
    read("GroupNormalization", &[18, 21], |lift, node| lift.group_norm(node)),
    read("InstanceNormalization", &[6, 22], |lift, node| lift.instance_norm(node)),
    read("LayerNormalization", &[17], |lift, node| lift.layer_norm(node)),
    each("Pow", &[7, 12, 13, 15], |lift, node| lift.power(node)),
    each("Sqrt", &[6, 13], |lift, node| lift.root(node)),
];

/// A piece of a norm that is spelled out.
#[derive(Clone, Debug)]
pub enum Piece {
    /// The mean over the channels.
    Mean,
    /// A value less its mean over the channels.
    Centred,
    /// What is centred, squared.
    Square,
    /// The root of such a mean and a small number, which is said.
    Root(f64),
}

impl Piece {
    /// Why a piece that is left is no layer, where more can be said than that.
    pub fn complaint(&self) -> Option<&'static str> {
        match self {
            Self::Mean => Some("is the mean over the channels, which the language has only within a layer norm"),
            Self::Centred | Self::Square | Self::Root(_) => None,
        }
    }
}

impl Lift<'_> {
    pub(super) fn batch_norm(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        // Before version 14, more than one result is what says that it is training.
        let results = node.named();
        let training = if node.version >= 14 { node.flag("training_mode")? } else { results > 1 };
        if training {
            let how = if node.version >= 14 { "`training_mode` = 1".into() } else { format!("{results} results") };
            let why = format!("is in training mode ({how}): it normalises by the batch's own statistics");
            return Err(Refused::from(why).help("torch.onnx.export(model.eval(), (example,), \"net.onnx\")"));
        }
        if node.version < 9 && !node.flag_or("spatial", true)? {
            return Err("has `spatial` = 0: the language's `batch_norm` has one mean a channel".into());
        }
        let names = ["weight", "bias", "running_mean", "running_var"];
        let params = names.iter().enumerate().map(|(i, name)| Ok((*name, node.weight(i + 1, name)?)));
        let params = params.collect::<Read<Params>>()?;
        let momentum = 1.0 - node.float("momentum", 0.9)?;
        let momentum = ((momentum * 1e6).round() / 1e6).clamp(0.0, 1.0);
        let eps = node.float("epsilon", 1e-5)?;
        self.layer(BatchNorm { eps, momentum, affine: true, weight_init: 1.0, bias_init: 0.0 }, vec![x], params)
    }

    pub(super) fn instance_norm(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let params = vec![("weight", node.weight(1, "weight")?), ("bias", node.weight(2, "bias")?)];
        let eps = node.float("epsilon", 1e-5)?;
        self.layer(InstanceNorm { eps, affine: true }, vec![x], params)
    }

    /// Before version 21, weight and bias have one number a group.
    pub(super) fn group_norm(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let channels = self.items[x].dims.get(1).copied().unwrap_or(0);
        let groups = usize::try_from(node.need_int("num_groups")?).ok().filter(|&n| n > 0);
        let groups = groups.ok_or("has a `num_groups` that cannot be")?;
        let by_group = node.version < 21;
        if !by_group {
            single_precision(node)?;
        }
        let spread = |tensor: Rc<Tensor>| -> Read<Rc<Tensor>> {
            if !by_group {
                return Ok(tensor);
            }
            if tensor.dims != [groups] || !channels.is_multiple_of(groups) {
                return Err(format!("has {:?} for {groups} groups of {channels} channels", tensor.dims).into());
            }
            let values = tensor.floats().iter().flat_map(|&v| std::iter::repeat_n(v, channels / groups)).collect();
            Ok(Rc::new(Tensor::floats_of(vec![channels], values, &tensor.name)))
        };
        let params = vec![("weight", spread(node.weight(1, "weight")?)?), ("bias", spread(node.weight(2, "bias")?)?)];
        let eps = node.float("epsilon", 1e-5)?;
        self.layer(GroupNorm { groups, eps, affine: true }, vec![x], params)
    }

    /// Of vectors, or of a map whose channels were moved to the end.
    pub(super) fn layer_norm(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let rank = self.items[x].dims.len();
        single_precision(node)?;
        let axis = node.int("axis", -1)?;
        let eps = node.float("epsilon", 1e-5)?;
        let weight = node.weight(1, "weight")?;
        let zeros = || Rc::new(Tensor::floats_of(weight.dims.clone(), vec![0.0; weight.len()], ""));
        let bias = node.constant(2, "bias")?.unwrap_or_else(zeros);
        let (map, turned) = self.before_turn(x);
        let last = turned.as_ref().and_then(|perm| perm.last().copied()).unwrap_or(rank - 1);
        if (axis != -1 && axis != rank as i64 - 1) || last != 1 {
            let why = format!("has `axis` = {axis} of {rank} axes; the language's `layer_norm` is over the channels");
            return Err(why.into());
        }
        let made = self.layer(LayerNorm { eps, affine: true }, vec![map], vec![("weight", weight), ("bias", bias)])?;
        self.turn_again(made, turned)
    }

    /// Groups made channels of an instance norm, and channels again: a group norm.
    pub(super) fn ungrouped(&mut self, x: usize, to: &[usize]) -> Option<Made> {
        let norm = self.items[x].clone();
        let Some(Op::InstanceNorm(op)) = norm.op() else { return None };
        let folded = self.items[norm.inputs[0]].clone();
        let before = *folded.inputs.first()?;
        let same = matches!(folded.op(), Some(Op::Reshape(_))) && self.items[before].dims == to;
        let plain = |name: &str, value: f32| {
            norm.params.iter().any(|(n, t)| *n == name && t.floats().iter().all(|&v| v == value))
        };
        let groups = folded.dims.get(1).copied()?;
        let sound = same && plain("weight", 1.0) && plain("bias", 0.0) && to.get(1)?.is_multiple_of(groups);
        sound.then(|| self.layer(GroupNorm { groups, eps: op.eps, affine: false }, vec![before], Vec::new()))
    }

    /// What two values are where they are parts of a norm.
    pub(super) fn part_of_norm(&mut self, op: &str, a: usize, b: usize) -> Option<Made> {
        let (first, second) = (self.items[a].clone(), self.items[b].clone());
        match (op, &first.kind, &second.kind) {
            ("Sub", _, Kind::Raw(Raw::Norm(Piece::Mean))) if second.inputs == [a] => {
                Some(Ok(self.raw(Raw::Norm(Piece::Centred), a, first.dims)))
            }
            ("Mul", Kind::Raw(Raw::Norm(Piece::Centred)), Kind::Raw(Raw::Norm(Piece::Centred)))
                if first.inputs == second.inputs =>
            {
                Some(Ok(self.raw(Raw::Norm(Piece::Square), first.inputs[0], first.dims)))
            }
            ("Div", Kind::Raw(Raw::Norm(Piece::Centred)), Kind::Raw(Raw::Norm(Piece::Root(eps))))
                if first.inputs == second.inputs =>
            {
                Some(self.layer(LayerNorm { eps: *eps, affine: false }, first.inputs, Vec::new()))
            }
            _ => None,
        }
    }

    /// The square of what is centred.
    pub(super) fn power(&mut self, node: &mut Reader) -> Made {
        let (x, power) = (node.item(0)?, node.constant(1, "power")?);
        let power = power.and_then(|tensor| tensor.single());
        let item = self.items[x].clone();
        match (&item.kind, power) {
            (Kind::Raw(Raw::Norm(Piece::Centred)), Some(2.0)) => {
                Ok(self.raw(Raw::Norm(Piece::Square), item.inputs[0], item.dims))
            }
            (_, Some(1.0)) => Ok(Value::Item(x)),
            _ => Err(lacking("Pow")),
        }
    }

    /// The root of a mean of squares and a small number.
    pub(super) fn root(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let source = || {
            let (mean, factor, eps) = self.affine_of(x)?;
            let mean = &self.items[mean];
            let square = &self.items[*mean.inputs.first()?];
            let own = matches!(mean.kind, Kind::Raw(Raw::Norm(Piece::Mean)))
                && matches!(square.kind, Kind::Raw(Raw::Norm(Piece::Square)));
            (own && factor == 1.0 && eps > 0.0).then_some((*square.inputs.first()?, eps))
        };
        match source() {
            Some((of, eps)) => Ok(self.raw(Raw::Norm(Piece::Root(eps)), of, self.items[x].dims.clone())),
            None => Err(lacking("Sqrt")),
        }
    }

    /// A factor and a sum after a norm without them are its weight and bias.
    pub(super) fn norm_affine(
        &mut self,
        item: &Item,
        mul: &Option<Rc<Tensor>>,
        add: &Option<Rc<Tensor>>,
    ) -> Option<Made> {
        let before = self.items[item.inputs[0]].clone();
        let op = before.op()?;
        let with: Op = if let Op::GroupNorm(norm) = op {
            (!norm.affine).then(|| GroupNorm { affine: true, ..norm.clone() })?.into()
        } else if let Op::LayerNorm(norm) = op {
            (!norm.affine).then(|| LayerNorm { affine: true, ..norm.clone() })?.into()
        } else {
            return None;
        };
        let channels = item.dims.get(1).copied()?;
        let (mul, add) = (mul.as_ref()?, add.as_ref()?);
        let (weight, bias) = (per_channel(mul, item, channels)?, per_channel(add, item, channels)?);
        let tensor = |values, name: &str| Rc::new(Tensor::floats_of(vec![channels], values, name));
        let params = vec![("weight", tensor(weight, &mul.name)), ("bias", tensor(bias, &add.name))];
        Some(self.layer(with, before.inputs, params))
    }
}

/// Refuses statistics that are kept in another precision.
fn single_precision(node: &mut Reader) -> Read<()> {
    match node.int("stash_type", 1)? {
        1 => Ok(()),
        other => Err(format!("has `stash_type` = {other}; statistics are kept in single precision, which is 1").into()),
    }
}
