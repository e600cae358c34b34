//! What can be made simpler?
//!
//! A [`Net`] is a graph seen as steps: each computes one op, together with what passes have taken into it, and makes
//! one value in one layout. It starts as one step for each node ([`Net::new`]) and is rewritten by the passes of
//! [`PASSES`], in that order. The graph itself never changes: parameters keep their names, and every step says which nodes it
//! stands for. A pass notes what it did and, where it did not fire, why ([`Note`]).

pub mod net;

pub use net::{After, Held, Net, Note, Slice, Step, Work};
