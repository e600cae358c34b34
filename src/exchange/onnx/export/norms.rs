//! Norms as operators.

use super::writer::Attr;
use super::{Export, written};
use crate::graph::NodeId;
use crate::ops::norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};

written! {
    BatchNorm: |export, id, norm, inputs| export.batch_norm(id, norm, inputs[0]),
    GroupNorm: |export, id, norm, inputs| export.group_norm(id, norm, inputs[0]),
    LayerNorm: |export, id, norm, inputs| export.layer_norm(id, norm, inputs[0]),
    InstanceNorm: |export, id, norm, inputs| export.instance_norm(id, norm, inputs[0]),
}

impl Export<'_> {
    /// A parameter of one number a channel, or a constant of that length where the norm has none.
    fn channel_parameter(&mut self, id: NodeId, name: &str, otherwise: f32) -> String {
        let channels = self.operand_dims(id).first().copied().unwrap_or(1);
        match self.parameter(id, name, None) {
            Some(parameter) => parameter,
            None => self.writer.own(&format!("no_{name}"), &[channels], &vec![otherwise; channels]),
        }
    }

    fn batch_norm(&mut self, id: NodeId, norm: &BatchNorm, x: &str) -> String {
        let wanted = [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)];
        let params = wanted.map(|(name, otherwise)| self.channel_parameter(id, name, otherwise));
        let [weight, bias, mean, var] = &params;
        let attrs = vec![("epsilon", Attr::Float(norm.eps)), ("momentum", Attr::Float(1.0 - norm.momentum))];
        self.writer.last("BatchNormalization", &[x, weight, bias, mean, var], attrs)
    }

    fn instance_norm(&mut self, id: NodeId, norm: &InstanceNorm, x: &str) -> String {
        let weight = self.channel_parameter(id, "weight", 1.0);
        let bias = self.channel_parameter(id, "bias", 0.0);
        self.writer.last("InstanceNormalization", &[x, &weight, &bias], vec![("epsilon", Attr::Float(norm.eps))])
    }

    /// Over the last axis; a map's channels are moved there and back.
    fn layer_norm(&mut self, id: NodeId, norm: &LayerNorm, x: &str) -> String {
        let weight = self.channel_parameter(id, "weight", 1.0);
        let bias = self.channel_parameter(id, "bias", 0.0);
        let attrs = vec![("axis", Attr::Int(-1)), ("epsilon", Attr::Float(norm.eps))];
        let axes = self.operand_dims(id).len() as i64;
        if axes == 1 {
            return self.writer.last("LayerNormalization", &[x, &weight, &bias], attrs);
        }
        let there: Vec<i64> = std::iter::once(0).chain(2..=axes).chain([1]).collect();
        let back: Vec<i64> = [0, axes].into_iter().chain(1..axes).collect();
        let turned = self.writer.node("Transpose", &[x], vec![("perm", Attr::Ints(there))]);
        let normed = self.writer.node("LayerNormalization", &[&turned, &weight, &bias], attrs);
        self.writer.last("Transpose", &[&normed], vec![("perm", Attr::Ints(back))])
    }

    /// The groups as channels of an instance norm, as PyTorch writes it; `GroupNormalization` came with opset 21.
    fn group_norm(&mut self, id: NodeId, norm: &GroupNorm, x: &str) -> String {
        let groups = norm.groups;
        let dims = self.operand_dims(id);
        let ones = self.writer.own("no_group_weight", &[groups], &vec![1.0; groups]);
        let zeros = self.writer.own("no_group_bias", &[groups], &vec![0.0; groups]);
        let folded = self.writer.ints(&[0, groups as i64, -1]);
        let grouped = self.writer.node("Reshape", &[x, &folded], Vec::new());
        let eps = vec![("epsilon", Attr::Float(norm.eps))];
        let normed = self.writer.node("InstanceNormalization", &[&grouped, &ones, &zeros], eps);
        let shape = match self.free.still(&self.network.graph, id) {
            true => self.writer.ints(&std::iter::once(0).chain(dims.iter().map(|&d| d as i64)).collect::<Vec<_>>()),
            false => self.writer.node("Shape", &[x], Vec::new()),
        };
        if !norm.affine {
            return self.writer.last("Reshape", &[&normed, &shape], Vec::new());
        }
        let unfolded = self.writer.node("Reshape", &[&normed, &shape], Vec::new());
        let per_channel = self.along_channels(id, dims.first().copied().unwrap_or(1));
        let weight = self.parameter(id, "weight", Some(per_channel.clone())).unwrap_or_default();
        let bias = self.parameter(id, "bias", Some(per_channel)).unwrap_or_default();
        let scaled = self.writer.node("Mul", &[&unfolded, &weight], Vec::new());
        self.writer.last("Add", &[&scaled, &bias], Vec::new())
    }
}
