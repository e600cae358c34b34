//! Steps whose values nobody reads.

use super::edit::Edit;

/// Drops, last first, what is neither read nor an output.
pub fn run(edit: &mut Edit<'_>) {
    for position in edit.positions().rev() {
        let Some(step) = edit.step(position) else { continue };
        let makes = step.makes;
        if edit.readers(makes).is_empty() && !edit.is_output(makes) {
            edit.drop_step(position);
            edit.did(makes.node, "nobody reads it");
        }
    }
}
