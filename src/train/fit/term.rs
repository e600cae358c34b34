//! A loss with the output that it reads, and how to change either.

use crate::base::{Diagnostic, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::{Loss, LossTerm, Recipe};
use crate::graph::NodeId;
use crate::shape::Shape;
use crate::train::loss::IGNORED;

/// A loss with the output that it reads.
pub(super) struct Term<'a> {
    pub network: &'a Network,
    pub loss: &'a Loss,
    /// The places of all losses that can leave targets out, where there are several losses.
    places: Vec<usize>,
    /// The output's name, node and shape.
    pub output: &'a str,
    pub node: NodeId,
    pub shape: &'a Shape,
}

/// All losses of a recipe.
pub(super) fn terms<'a>(network: &'a Network, recipe: &'a Recipe) -> Result<Vec<Term<'a>>, Diagnostic> {
    let leaves = |(_, term): &(usize, &LossTerm)| matches!(term.loss, Loss::CrossEntropy { .. } | Loss::Dice { .. });
    let all = recipe.loss.iter().enumerate().filter(leaves).map(|(place, _)| place);
    let places: Vec<usize> = if recipe.loss.len() > 1 { all.collect() } else { Vec::new() };
    recipe.loss.iter().map(|term| Term::new(network, term, places.clone())).collect()
}

impl<'a> Term<'a> {
    fn new(network: &'a Network, term: &'a LossTerm, places: Vec<usize>) -> Result<Self, Diagnostic> {
        let outputs = &network.graph.outputs;
        let found = match &term.output {
            Some(name) => outputs.iter().find(|output| output.name == *name),
            None => outputs.first(),
        };
        let Some(found) = found else {
            let name = term.output.as_deref().unwrap_or("output");
            let names = outputs.iter().map(|output| format!("`{}`", output.name)).collect::<Vec<_>>().join(", ");
            let message = format!("a loss reads the output `{name}`, which `{}` does not have", network.name);
            return Err(Diagnostic::new(codes::TRAIN_UNFIT, message).help(format!("its outputs are {names}")));
        };
        let (output, node, shape) = (&found.name, found.node, network.graph.shape(found.node));
        Ok(Self { network, loss: &term.loss, places, output, node, shape })
    }

    /// The output's channels.
    pub fn channels(&self) -> usize {
        self.shape.channels().unwrap_or(0)
    }

    /// The loss's name.
    pub fn name(&self) -> &'static str {
        match self.loss {
            Loss::CrossEntropy { .. } => "cross_entropy",
            Loss::BceWithLogits => "bce_with_logits",
            Loss::Dice { .. } => "dice",
            Loss::Mse => "mse",
            Loss::L1 => "l1",
        }
    }

    /// How many classes it knows; `None` for losses of numbers.
    pub fn classes(&self) -> Option<i64> {
        let channels = self.channels() as i64;
        match self.loss {
            Loss::CrossEntropy { .. } => Some(channels),
            Loss::Dice { .. } | Loss::BceWithLogits if channels == 1 => Some(2),
            Loss::Dice { .. } => Some(channels),
            Loss::BceWithLogits | Loss::Mse | Loss::L1 => None,
        }
    }

    /// The target that it leaves out.
    pub fn ignore(&self) -> Option<i64> {
        match self.loss {
            Loss::CrossEntropy { ignore_index, .. } => Some(ignore_index.unwrap_or(IGNORED)),
            Loss::Dice { ignore_index, .. } => *ignore_index,
            _ => None,
        }
    }

    /// ``the output `y` is [N, 2]``.
    pub fn is(&self) -> String {
        format!("the output `{}` is {}", self.output, self.shape)
    }

    /// What to write for the output to have this many channels: the parameter of the model that is named for them and has their
    /// number, where there is one.
    pub fn with_channels(&self, wanted: usize) -> String {
        match self.parameter() {
            Some(name) => format!("`--set {name}={wanted}`"),
            None => format!("give the last layer {wanted} {}", channels(wanted)),
        }
    }

    fn parameter(&self) -> Option<&str> {
        let has = self.channels().to_string();
        let equal = self.network.settings.iter().filter(|(_, value)| **value == has).map(|(name, _)| name.as_str());
        let mut named = equal.filter(|name| says_outputs(name));
        let classes = named.clone().find(|name| name.to_lowercase().contains("class"));
        classes.or_else(|| named.next().filter(|_| named.next().is_none()))
    }

    /// What to write for the loss to leave out a target.
    pub fn leave_out(&self, value: i64) -> String {
        match self.loss {
            Loss::CrossEntropy { .. } | Loss::Dice { .. } if !(self.channels() == 1 && value == 0) => {
                let set = |place: &usize| format!("`--set loss.{place}.ignore_index={value}`");
                match &self.places[..] {
                    [] => format!("`--set loss.ignore_index={value}` leaves it out"),
                    [one] => format!("{} leaves it out", set(one)),
                    several => format!("{} leave it out", several.iter().map(set).collect::<Vec<_>>().join(" and ")),
                }
            }
            _ => format!(
                "`{}` leaves nothing out: {}, with `--set loss=\"cross_entropy(ignore_index={value})\"`",
                self.name(),
                self.with_channels(2)
            ),
        }
    }
}

/// Whether a parameter is named for what comes out: `classes`, `num_labels`, `out_channels`. One that has the same number by chance
/// (`depth`) would change something else.
fn says_outputs(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("class") || name.contains("label") || name.split('_').any(|word| word.starts_with("out"))
}

pub(super) fn channels(count: usize) -> &'static str {
    if count == 1 { "channel" } else { "channels" }
}
