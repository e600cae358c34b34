//! The run folder: where training leaves what it learnt, and finds it again.
//!
//! `runs/NAME-K/` holds
//!
//! - `last.safetensors`: weights by parameter path, the optimizer's memory under `optimizer/`, and how far training
//!   got, in the file's metadata. One file, replaced whole: a kill at any moment leaves the old state or the new;
//! - `best.safetensors`: the weights that measured best, and nothing else;
//! - `log.jsonl`: one line for each interval of steps and for each evaluation;
//! - `report.html`: what came of it, to be looked at;
//! - `recipe.json` and `source/`: what was asked for, so that `--resume` and `eval` need only the folder.

mod log;
mod run;
mod state;

pub use log::Log;
pub use run::{Run, RunInfo};
pub use state::{Best, State, save_weights};
