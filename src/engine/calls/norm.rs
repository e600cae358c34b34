//! Normalisations by what is normalised, and softmax.

use super::{Call, Context, Job, Prepare, final_activation, kernels_of_one};
use crate::engine::Result;
use crate::engine::fold::in_blocks;
use crate::engine::store::Parameters;
use crate::graph::NodeId;
use crate::kernels::blocked::norm::{GroupNorm, LayerNorm};
use crate::kernels::blocked::softmax::Softmax;
use crate::ops::{activation, norm};
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

kernels_of_one! {
    Softmax = "softmax",
}

/// A softmax over channels.
impl Prepare for activation::Softmax {
    fn prepare(&self, context: &Context, _: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        Ok(Box::new(Softmax { channels: context.channels(node), positions: context.positions(node) }))
    }
}

/// A group norm.
impl Prepare for norm::GroupNorm {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        norm(context, node, grouped(context, step, node, self.groups, self.eps), "group_norm")
    }
}

/// An instance norm: a group norm of one channel a group.
impl Prepare for norm::InstanceNorm {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        norm(context, node, grouped(context, step, node, context.channels(node), self.eps), "instance_norm")
    }
}

/// A layer norm.
impl Prepare for norm::LayerNorm {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let (channels, positions) = (context.channels(node), context.positions(node));
        let act = final_activation(context, step);
        norm(context, node, Kind::Layer(LayerNorm { channels, positions, eps: self.eps, act }), "layer_norm")
    }
}

fn grouped(context: &Context, step: &Step, node: NodeId, groups: usize, eps: f64) -> Kind {
    let (channels, positions) = (context.channels(node), context.positions(node));
    Kind::Group(GroupNorm { channels, positions, groups, eps, act: final_activation(context, step) })
}

/// A norm with its weight and bias.
fn norm(context: &Context, node: NodeId, kind: Kind, name: &'static str) -> Result<Box<dyn Call>> {
    let channels = context.channels(node);
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
