//! What can be made simpler?
//!
//! A [`Net`] is a graph seen as steps: each computes one op, together with what passes have taken into it, and makes
//! one value in one layout. It starts as one step for each node ([`Net::new`]) and is rewritten by the passes of
//! [`PASSES`], in that order. The graph itself never changes: parameters keep their names, and every step says which nodes it
//! stands for. A pass notes what it did and, where it did not fire, why ([`Note`]).
//!
//! Words: a *step* is what one kernel call does; its *head* is the op that it is named for, its *prologue* what is done to numbers
//! as they are read, its *epilogue* ([`EpilogueOp`]) what is done before they are written; a [`TensorRef`] is a node's value in one
//! layout. A pass *did* what it noted, or was *refused*.

mod concat;
mod dead;
mod edit;
mod fold_norm;
mod fuse_epilogue;
mod fuse_prologue;
mod in_place;
mod layout;
pub mod net;
mod noop;
pub mod verify;

pub use net::{EpilogueOp, Net, Note, Slice, Step, TensorRef, Work};

use crate::graph::Graph;
use edit::Edit;
use std::fmt;

/// A rewriting of nets.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    run: fn(&mut Edit<'_>),
}

/// The passes, in the order they run.
pub const PASSES: &[Pass] = &[
    Pass { name: "dead", doc: "drops what nobody reads", run: dead::run },
    Pass { name: "noop", doc: "drops what changes nothing at inference", run: noop::run },
    Pass { name: "fold_norm", doc: "takes batch norms and learned factors into what they follow", run: fold_norm::run },
    Pass { name: "fuse_epilogue", doc: "takes activations and sums into what they follow", run: fuse_epilogue::run },
    Pass {
        name: "fuse_prologue",
        doc: "takes norms and activations into convolutions behind them",
        run: fuse_prologue::run,
    },
    Pass { name: "layout", doc: "holds values in blocks of channels, and converts at the rims", run: layout::run },
    Pass { name: "concat", doc: "lets operands be written straight into their concat", run: concat::run },
    Pass { name: "in_place", doc: "lets results be written over what they read", run: in_place::run },
];

/// A pass that did not keep what a [`Net`] promises: an error of this crate, not of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The pass.
    pub pass: String,
    /// What is wrong after it.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pass `{}`: {}", self.pass, self.what)
    }
}

impl std::error::Error for Broken {}

/// Runs the passes over the steps of a graph, up to and including the one named.
///
/// # Errors
/// Where a pass breaks what a net promises, or none is called so.
pub fn optimise(graph: &Graph, stop_after: Option<&str>) -> Result<Net, Broken> {
    if let Some(name) = stop_after.filter(|name| PASSES.iter().all(|pass| pass.name != *name)) {
        return Err(Broken { pass: name.into(), what: "there is no such pass".into() });
    }
    let mut net = Net::new(graph);
    for pass in PASSES {
        let mut edit = Edit::new(graph, &mut net, pass.name);
        (pass.run)(&mut edit);
        edit.finish();
        verify::verify(graph, &net).map_err(|what| Broken { pass: pass.name.into(), what })?;
        if stop_after == Some(pass.name) {
            break;
        }
    }
    Ok(net)
}
