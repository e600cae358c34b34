//! `train Model { … }` to a recipe.

use super::frame::Frame;
use super::program::Program;
use super::recipe::Recipe;
use super::settings::Settings;
use super::unroll::Unroller;
use crate::syntax::ast;

/// The lines of a recipe.
pub(super) const FIELDS: &[&str] =
    &["data", "loss", "optimizer", "schedule", "batch", "steps", "epochs", "normalize", "augment", "metrics", "seed"];

/// The recipe of a model, where the root file has one.
pub(super) fn recipe<'p>(
    _: &'p Program,
    _: &mut Unroller<'p>,
    _: &Frame<'p>,
    _: &ast::Model,
    _: &mut Settings,
) -> Option<Recipe> {
    None
}
