//! Data sets as networks open them whose losses ask for other things, and as runs that know classes or levels do.

use super::data::{MEMORY, judged};
use super::{Verdict, refused};
use archc::elaborate::compile_text;
use archc::train::data::{DataSpec, Levels, Split, open};
use archc::train::{Options as Training, fit, training_loader};
use archc::{Network, Options};
use std::collections::BTreeMap;

/// What opens data.
struct Case {
    /// The network behind its input, and the loss of its recipe.
    body: &'static str,
    loss: &'static str,
    /// The classes that a run knows, and whether others may come to these.
    known: &'static [&'static str],
    growing: bool,
    /// How a run read masks.
    levels: Option<Levels>,
}

fn cases() -> Vec<Case> {
    let case = |body, loss| Case { body, loss, known: &[], growing: false, levels: None };
    let white = Levels { white: Some(255), palette: BTreeMap::new() };
    let colours = Levels { white: None, palette: BTreeMap::from([(1, [128, 0, 0])]) };
    vec![
        case("flatten -> linear(3)", "cross_entropy()"),
        case("flatten -> linear(1)", "mse()"),
        case("conv(3, 1)", "cross_entropy(ignore_index=255)"),
        Case { levels: Some(white), ..case("conv(1, 1)", "bce_with_logits() + dice()") },
        Case { levels: Some(colours), ..case("conv(3, 1)", "dice()") },
        Case { known: &["cat", "dog", "owl"], ..case("flatten -> linear(3)", "cross_entropy()") },
        Case { known: &["owl", "cat"], growing: true, ..case("flatten -> linear(3)", "cross_entropy()") },
    ]
}

/// Opens data for every case that has inputs of this shape.
pub fn read(spec: &str, shape: &[usize]) -> Verdict {
    // Vectors need no flattening, and have no masks.
    let fits = |case: &Case| shape.len() == 3 || case.body.starts_with("flatten");
    cases().iter().filter(|case| fits(case)).try_for_each(|case| case.read(spec, shape))
}

/// The parts of a data set.
pub fn parts(split: Split) -> impl Iterator<Item = std::sync::Arc<dyn archc::train::data::Dataset>> {
    [Some(split.train), split.val, split.test].into_iter().flatten()
}

impl Case {
    fn network(&self, shape: &[usize]) -> Result<Network, String> {
        let dims: Vec<String> = shape.iter().map(usize::to_string).collect();
        let body = if shape.len() == 3 { self.body } else { self.body.trim_start_matches("flatten -> ") };
        let text = format!(
            "model Net {{\n    input x [N, {}]\n    {body}\n}}\ntrain Net {{\n    loss = {}\n    optimizer = sgd(lr=0.1)\n    \
             batch = 4\n    epochs = 1\n}}\n",
            dims.join(", "),
            self.loss
        );
        compile_text("net.arch", &text, &Options::default()).network.ok_or_else(|| format!("no network:\n{text}"))
    }

    fn read(&self, spec: &str, shape: &[usize]) -> Verdict {
        let network = self.network(shape)?;
        let recipe = network.recipe.as_ref().ok_or("a case has no recipe")?;
        let want = DataSpec {
            memory: MEMORY,
            known: self.known.iter().map(|name| name.to_string()).collect(),
            growing: self.growing,
            aim: fit::aim(&network, self.levels.clone()),
            ..DataSpec::new(shape)
        };
        let split = match open(spec, &want) {
            Ok(split) => split,
            Err(error) => return judged(Err(error)),
        };
        for part in parts(split) {
            fit::warnings(&network, recipe, part.as_ref()).iter().try_for_each(refused)?;
            match training_loader(&network, recipe, &part, &Training::default()) {
                Ok(loader) => judged(loader.epoch(0).take(4).try_for_each(|batch| batch.map(drop)))?,
                Err(error) => refused(&error.into_diagnostic())?,
            }
        }
        Ok(())
    }
}
