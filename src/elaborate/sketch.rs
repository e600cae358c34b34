//! A model elaborated for people who look at it while they write: every step with the values around it,
//! errors or not.

use super::compile::Options;
use super::model;
use super::network::Network;
use super::program::Program;
use crate::base::{Diagnostic, Diagnostics, Span};
use crate::graph::{Graph, NodeId, ScopeId};
use std::ops::Range;

/// A step as it was taken once; a step in a loop or in a block is taken several times. The name of a labelled value is
/// noted, too, with that value on both sides.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The step, with its label.
    pub span: Span,
    /// The scope that it stands in.
    pub scope: ScopeId,
    /// The current value before it; `None` where there is none, or it has failed.
    pub before: Option<NodeId>,
    /// The current value after it.
    pub after: Option<NodeId>,
    /// Positions of the nodes that it added.
    pub nodes: Range<usize>,
}

/// What came of one model.
#[derive(Debug)]
pub struct Sketch {
    /// The network; `None` where there is an error.
    pub network: Option<Network>,
    /// As far as it could be built, where there is no network.
    pub(super) partial: Graph,
    /// Every step, in the order in which steps end.
    pub taken: Vec<Taken>,
    /// The limit that ended it (`steps`), where one did.
    pub met: Option<&'static str>,
    /// What is wrong with the model.
    pub diagnostics: Diagnostics,
}

impl Sketch {
    /// What comes of a model that cannot even be begun.
    pub(super) fn of_nothing(why: Diagnostic) -> Self {
        let diagnostics = [why].into_iter().collect();
        Self { network: None, partial: Graph::default(), taken: Vec::new(), met: None, diagnostics }
    }

    /// The graph, whole or as far as it could be built.
    pub fn graph(&self) -> &Graph {
        self.network.as_ref().map_or(&self.partial, |network| &network.graph)
    }
}

impl Program {
    /// Unrolls one model and keeps what is known of every step, even where the texts have errors.
    pub fn sketch(&self, options: &Options) -> Sketch {
        model::elaborate(self, options, true)
    }
}
