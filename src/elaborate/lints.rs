//! Warnings that need only the network.

use super::network::Network;
use crate::base::Diagnostic;

/// What probably does not say what was meant.
pub(super) fn check(_: &Network) -> Vec<Diagnostic> {
    Vec::new()
}
