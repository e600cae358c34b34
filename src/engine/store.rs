//! Weights, packed once and shared.

use super::Result;
use super::weights::Weights;
use crate::base::{Diagnostic, codes};
use crate::graph::{Graph, NodeId};
use crate::kernels::Arena;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Where parameters come from, and those that are packed already.
pub struct Store {
    source: Arc<dyn Weights>,
    packed: Mutex<BTreeMap<String, Arc<Parameters>>>,
    dry: bool,
}

/// What a step computes with: weights as its kernel wants them, and terms of its epilogue.
#[derive(Debug, Default)]
pub struct Parameters {
    /// Packed weights, aligned.
    pub packed: Option<Arena>,
    /// Numbers a channel, in whole blocks: bias, scale, shift, in the order that the step knows.
    pub channels: Vec<Vec<f32>>,
}

impl Store {
    /// A store over a source.
    pub fn new(source: Arc<dyn Weights>) -> Self {
        Self { source, packed: Mutex::default(), dry: false }
    }

    /// A store whose steps get no weights: for plans that are looked at and never run.
    pub fn dry() -> Self {
        Self { dry: true, ..Self::new(Arc::new(BTreeMap::new())) }
    }

    /// Whether its steps get no weights: they are named, and never run.
    pub fn is_dry(&self) -> bool {
        self.dry
    }

    /// A parameter of a node where it lies; `None` where the node has none of that name.
    fn found(&self, graph: &Graph, node: NodeId, name: &str) -> Result<Option<Cow<'_, [f32]>>> {
        let Some(spec) = graph.params(node).into_iter().find(|spec| spec.name == name) else { return Ok(None) };
        let path = format!("{}.{name}", graph.node(node).path);
        let unfit =
            |fact: &str| Box::new(Diagnostic::new(codes::WEIGHTS_UNFIT, format!("the weights {fact} `{path}`")));
        let found = self.source.get(&path).ok_or_else(|| unfit("lack"))?;
        if found.len() as u64 != spec.elements() {
            return Err(unfit("have another size for"));
        }
        Ok(Some(found))
    }

    /// A parameter of a node; `None` where the node has none of that name.
    ///
    /// # Errors
    /// `E0812` where the source lacks it or has another number of elements.
    pub fn numbers(&self, graph: &Graph, node: NodeId, name: &str) -> Result<Option<Vec<f32>>> {
        Ok(self.found(graph, node, name)?.map(Cow::into_owned))
    }

    /// A parameter that a node has.
    ///
    /// # Errors
    /// As [`numbers`](Self::numbers).
    pub fn need(&self, graph: &Graph, node: NodeId, name: &str) -> Result<Vec<f32>> {
        self.numbers(graph, node, name)?.ok_or_else(|| missing(graph, node, name))
    }

    /// A copy of a node's weight, to be folded into and packed; its memory is given back with it.
    ///
    /// # Errors
    /// As [`need`](Self::need).
    pub fn weight(&self, graph: &Graph, node: NodeId) -> Result<Arena> {
        let path = format!("{}.weight", graph.node(node).path);
        let copy = self.found(graph, node, "weight")?.map(|found| {
            let mut copy = Arena::mapped(found.len());
            copy.floats_mut().copy_from_slice(&found);
            copy
        });
        self.source.release(&path);
        copy.ok_or_else(|| missing(graph, node, "weight"))
    }

    /// The parameters under a key, made where they are not there yet.
    ///
    /// # Errors
    /// What making them reports.
    pub fn parameters(&self, key: String, make: impl FnOnce() -> Result<Parameters>) -> Result<Arc<Parameters>> {
        if self.dry {
            return Ok(Arc::default());
        }
        let lock = || self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(&key) {
            return Ok(found.clone());
        }
        // Made without the lock: others may pack other weights meanwhile. Of two that are equal, the first stays.
        let made = Arc::new(make()?);
        Ok(lock().entry(key).or_insert(made).clone())
    }

    /// Bytes of all packed weights.
    pub fn bytes(&self) -> usize {
        let packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        let floats = |p: &Arc<Parameters>| {
            p.packed.as_ref().map_or(0, Arena::len) + p.channels.iter().map(Vec::len).sum::<usize>()
        };
        packed.values().map(floats).sum::<usize>() * size_of::<f32>()
    }

    /// Gives back what only mirrors the source.
    pub fn release(&self) {
        self.source.release_all();
    }
}

fn missing(graph: &Graph, node: NodeId, name: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(codes::INTERNAL, format!("`{}` has no {name}", graph.node(node).path)))
}
