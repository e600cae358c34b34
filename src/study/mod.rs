//! Why skips help, measured on the user's own network.
//!
//! Five studies, each after a paper: [`gradients`] and [`degradation`] train a network and its plain twin, [`landscape`] walks
//! around trained weights, [`lesion`] removes blocks, [`features`] reads weights. A study is made of parts, kept in a
//! [`Folder`] as they finish, so that one that was stopped goes on; what it comes to is a [`Report`]: a table, a
//! figure, findings and a text.
//!
//! Words: a [`Subject`] is the network that is asked about, its [`Twin`] the same without skips, a [`Case`] one of them at one depth;
//! a *part* is the smallest piece that is computed and kept; [`surgery`] is the change of a network that a study makes.

mod context;
mod curvature;
pub mod degradation;
pub mod features;
mod folder;
pub mod gradients;
pub mod landscape;
pub mod lesion;
mod report;
mod runs;
mod subject;
pub mod surgery;

pub use context::{Halt, Outcome, Progress, StudyContext, Watch};
pub use folder::Folder;
pub use report::{Report, Table};
pub use runs::{Curve, Given, Measurable, Weights};
pub use subject::{Case, Subject, Twin, fingerprint, no_recipe};
