//! Why skips help, measured on the user's own network.
//!
//! Five studies, each after a paper: [`gradients`] and [`degradation`] train a network and its plain twin, [`landscape`] walks
//! around trained weights, [`lesion`] removes blocks, [`features`] reads weights. A study is made of parts, kept in a
//! [`Folder`] as they finish, so that one that was stopped goes on; what it comes to is a [`Report`]: a table, a
//! figure, findings and a text.

mod curvature;
pub mod degradation;
mod desk;
pub mod features;
mod folder;
pub mod gradients;
pub mod landscape;
pub mod lesion;
mod report;
mod runs;
mod subject;
pub mod surgery;

pub use desk::{Desk, Halt, Outcome, Progress, Watch};
pub use folder::Folder;
pub use report::{Report, Table};
pub use runs::{Curve, Given, Measurable, Weights};
pub use subject::{Case, Subject, Twin, fingerprint, no_recipe};
