//! Operators that are norms.

use super::lift::Lift;
use super::operators::{Made, Params};
use super::reader::{Read, Reader};
use super::refused::Refused;
use super::tensor::Tensor;
use crate::ops::Op;
use crate::ops::norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};
use std::rc::Rc;

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
}

/// Refuses statistics that are kept in another precision.
fn single_precision(node: &mut Reader) -> Read<()> {
    match node.int("stash_type", 1)? {
        1 => Ok(()),
        other => Err(format!("has `stash_type` = {other}; statistics are kept in single precision, which is 1").into()),
    }
}
