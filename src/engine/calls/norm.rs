//! Normalisations by what is normalised, and softmax.

use super::{Call, Context, Job, final_activation, internal};
use crate::engine::Result;
use crate::engine::fold::in_blocks;
use crate::engine::store::Parameters;
use crate::graph::NodeId;
use crate::kernels::blocked::norm::{GroupNorm, LayerNorm};
use crate::kernels::blocked::softmax::Softmax;
use crate::ops::Op;
use crate::opt::Step;
use std::sync::Arc;

enum Kind {
    Group(GroupNorm),
    Layer(LayerNorm),
}

struct Norm {
    kind: Kind,
    name: &'static str,
    parameters: Arc<Parameters>,
}

impl Call for Norm {
    fn name(&self) -> String {
        self.name.into()
    }

    fn run(&self, mut job: Job) {
        let [weight, bias] = self.parameters.channels.as_slice() else { return };
        let (y, _) = job.result();
        match &self.kind {
            Kind::Group(norm) => norm.run(&job.cpu, job.operand(0), weight, bias, y),
            Kind::Layer(norm) => norm.run(&job.cpu, job.operand(0), weight, bias, y),
        }
    }
}

impl Call for Softmax {
    fn name(&self) -> String {
        "softmax".into()
    }

    fn run(&self, mut job: Job) {
        let (y, _) = job.result();
        Softmax::run(self, &job.cpu, job.operand(0), y);
    }
}

/// A group, layer or instance norm, or a softmax.
pub fn norm(context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
    let (channels, positions) = (context.channels(node), context.positions(node));
    let act = final_activation(context, step);
    let group = |groups, eps| Kind::Group(GroupNorm { channels, positions, groups, eps, act });
    let (kind, name) = match &context.graph.node(node).op {
        Op::GroupNorm(op) => (group(op.groups, op.eps), "group_norm"),
        Op::InstanceNorm(op) => (group(channels, op.eps), "instance_norm"),
        Op::LayerNorm(op) => (Kind::Layer(LayerNorm { channels, positions, eps: op.eps, act }), "layer_norm"),
        Op::Softmax(_) => return Ok(Box::new(Softmax { channels, positions })),
        other => return Err(internal(format!("{other:?} is no norm"))),
    };
    let path = &context.graph.node(node).path;
    let parameters = context.store.parameters(format!("{path} norm"), || {
        let read = |parameter: &str, otherwise: f32| -> Result<Vec<f32>> {
            let found = context.store.numbers(context.graph, node, parameter)?;
            Ok(in_blocks(found.unwrap_or_else(|| vec![otherwise; channels]), channels))
        };
        Ok(Parameters { packed: None, channels: vec![read("weight", 1.0)?, read("bias", 0.0)?] })
    })?;
    Ok(Box::new(Norm { kind, name, parameters }))
}
