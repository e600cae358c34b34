//! Inputs gone wrong, and what must hold of each: nothing panics, nothing says `I0001`, and what each target promises.
//!
//! A *target* is a part of archc that reads something. Its *seeds* are sound inputs; input `i` is made of one of them by a
//! mutator that knows the format, from the campaign's seed, the target's name and `i` alone. The campaign
//! (`fuzz/campaign.rs`) runs targets for minutes, the tests a few inputs of each.

mod bytes;
mod case;
mod commands;
mod corpus;
mod data;
mod editor;
mod exchange;
mod front;
mod onnx;
mod pack;
mod picture;
mod text;
mod weights;

use archc::base::{Diagnostic, Diagnostics, Rng, codes};
use std::path::{Path, PathBuf};

/// A sound input.
pub struct Seed {
    /// What it is, in a word; for files, how they end (`net.arch`).
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

impl Seed {
    fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// Where a target may write, and which program commands are of.
pub struct Place {
    /// A folder that is the worker's own.
    pub folder: PathBuf,
    /// The program; commands are not tried without it.
    pub program: Option<PathBuf>,
}

/// What is wrong with what a target did.
pub type Verdict = Result<(), String>;

/// A part of archc that reads something.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its sound inputs; may write into the folder.
    pub seeds: fn(&Place) -> Vec<Seed>,
    /// A changed input of the seed at a position.
    pub mutate: fn(&[Seed], usize, &mut Rng) -> Vec<u8>,
    /// Reads an input made of this seed.
    pub read: fn(&Place, &Seed, &[u8]) -> Verdict,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "check", seeds: corpus::texts, mutate: text::mutate, read: front::check },
    Target { name: "fmt", seeds: corpus::texts, mutate: text::mutate, read: front::format },
    Target { name: "draw", seeds: corpus::texts, mutate: text::mutate, read: front::draw },
    Target { name: "export", seeds: corpus::texts, mutate: text::mutate, read: exchange::export },
    Target { name: "editor", seeds: corpus::texts, mutate: text::mutate, read: editor::serve },
    Target { name: "run", seeds: corpus::texts, mutate: text::mutate, read: exchange::run },
    Target { name: "import", seeds: corpus::models, mutate: onnx::mutate, read: exchange::import },
    Target { name: "weights", seeds: corpus::weights, mutate: pack::mutate, read: weights::load },
    Target { name: "data", seeds: data::seeds, mutate: pack::mutate, read: data::open },
    Target { name: "input", seeds: data::inputs, mutate: pack::mutate, read: data::input },
    Target { name: "command", seeds: commands::seeds, mutate: commands::mutate, read: commands::call },
];

/// A target with its seeds, ready to be fed.
pub struct Feeder {
    /// The target.
    pub target: &'static Target,
    /// Its sound inputs.
    pub seeds: Vec<Seed>,
    campaign: u64,
}

impl Feeder {
    /// The target of a campaign.
    pub fn new(target: &'static Target, campaign: u64, place: &Place) -> Self {
        Self { target, seeds: (target.seeds)(place), campaign }
    }

    /// Input `i`: which seed it was made of, and its bytes.
    pub fn input(&self, i: u64) -> (usize, Vec<u8>) {
        let mut rng = Rng::derive(self.campaign, &format!("{}/{i}", self.target.name));
        let seed = rng.below(self.seeds.len());
        // The first inputs are the seeds themselves, which must be as good as any.
        match usize::try_from(i) {
            Ok(i) if i < self.seeds.len() => (i, self.seeds[i].bytes.clone()),
            _ => (seed, (self.target.mutate)(&self.seeds, seed, &mut rng)),
        }
    }

    /// Reads an input of a seed.
    ///
    /// # Errors
    /// What is wrong.
    pub fn read(&self, place: &Place, seed: usize, bytes: &[u8]) -> Verdict {
        match self.seeds.get(seed) {
            Some(seed) => (self.target.read)(place, seed, bytes),
            None => Err(format!("the target has no seed {seed}")),
        }
    }
}

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// An error that must not be one of ours.
fn refused(error: &Diagnostic) -> Verdict {
    if error.code == codes::INTERNAL { Err(format!("I0001: {}", error.message)) } else { Ok(()) }
}

/// Diagnostics, of which none may be one of ours.
fn all_refused(found: &Diagnostics) -> Verdict {
    found.iter().try_for_each(refused)
}

/// One of several.
fn pick<'a, T: ?Sized>(items: &[&'a T], rng: &mut Rng) -> &'a T {
    items[rng.below(items.len())]
}

/// The project's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
