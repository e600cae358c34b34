//! Batch norms and learned factors right after a sum of products, whose weights take them up.

use super::edit::Edit;
use super::fuse_epilogue::{Takes, takes as takes_in};
use super::net::EpilogueOp;
use crate::ops::Op;

/// Whether a step is a sum of products that ends in affine maps only.
fn takes(edit: &Edit<'_>, position: usize) -> bool {
    let sums = edit.op(position).is_some_and(|(_, op)| takes_in(op) == Takes::All);
    sums && edit.net.steps[position].epilogue.iter().all(|after| matches!(after, EpilogueOp::Affine(_)))
}

/// Folds each batch norm and factor into the step before it.
pub fn run(edit: &mut Edit<'_>) {
    for position in edit.positions() {
        let Some((node, Op::BatchNorm(_) | Op::Scale(_))) = edit.op(position) else { continue };
        let read = edit.net.steps[position].reads[0];
        match edit.maker(read) {
            None => edit.refused(node, "it reads an input"),
            Some(maker) if !takes(edit, maker) => {
                let path = edit.path(maker);
                edit.refused(node, format!("{path} before it has no weights that could take it up"));
            }
            Some(maker) => match edit.shared(read) {
                Some(why) => edit.refused(node, why),
                None => {
                    edit.append(maker, EpilogueOp::Affine(node), position);
                    let path = edit.path(maker);
                    edit.did(node, format!("folded into {path}"));
                }
            },
        }
    }
}
