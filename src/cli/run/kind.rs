//! What is an output, for people? Scores of classes, a mask, a picture, or numbers.

use crate::analysis::canvas::Follow;
use crate::elaborate::Network;
use crate::elaborate::recipe::{Loss, LossTerm};
use crate::ops::Op;
use crate::ops::activation::Activation;
use clap::ValueEnum;

/// How an answer for each pixel is written as a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Drawn {
    /// The likeliest class of each pixel.
    Mask,
    /// The values themselves, 0 black and 1 white.
    Picture,
}

/// What an output is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A class for each pixel: the highest score, or, of one channel, what is above a threshold.
    Mask {
        /// The threshold.
        threshold: f32,
    },
    /// A picture of 1 or 3 channels.
    Picture {
        /// The values that are black and white.
        range: [f32; 2],
    },
    /// Anything else.
    Numbers,
}

/// The position of the output that the network is about: the one that its first loss reads, or the first.
pub fn main(network: &Network) -> usize {
    let name = network.recipe.as_ref().and_then(|recipe| recipe.loss.first()?.output.as_deref());
    name.and_then(|name| network.graph.outputs.iter().position(|output| output.name == name)).unwrap_or(0)
}

/// What an output is, by what it learnt from, its shape, and what the command line says.
pub fn of(network: &Network, output: usize, follow: Option<&Follow>, drawn: Option<Drawn>) -> Kind {
    let Some(it) = network.graph.outputs.get(output) else { return Kind::Numbers };
    let (node, shape) = (network.graph.node(it.node), network.graph.shape(it.node));
    let channels = shape.channels().unwrap_or(0);
    if shape.spatial().len() != 2 {
        return Kind::Numbers;
    }
    let function = match &node.op {
        Op::Activation(function) => Some(*function),
        _ => None,
    };
    let picture = Kind::Picture { range: if function == Some(Activation::Tanh) { [-1.0, 1.0] } else { [0.0, 1.0] } };
    let mask = Kind::Mask { threshold: if function == Some(Activation::Sigmoid) { 0.5 } else { 0.0 } };
    let drawable = matches!(channels, 1 | 3);
    match drawn {
        Some(Drawn::Mask) if channels <= 256 => return mask,
        Some(Drawn::Picture) if drawable => return picture,
        Some(_) => return Kind::Numbers,
        None => {}
    }
    let larger = follow.is_some_and(|[rows, _]| rows.num > rows.den);
    let compares = |term: &LossTerm| matches!(term.loss, Loss::Mse | Loss::L1);
    match loss(network, output) {
        Some(term) if compares(term) && drawable => picture,
        Some(term) if compares(term) => Kind::Numbers,
        // Without a recipe, only a picture grows, or is brought to a range about 0.
        None if drawable && (larger || function == Some(Activation::Tanh)) => picture,
        _ if channels <= 256 => mask,
        _ => Kind::Numbers,
    }
}

/// The first loss that reads an output.
fn loss(network: &Network, output: usize) -> Option<&LossTerm> {
    let name = &network.graph.outputs.get(output)?.name;
    let reads = |term: &&LossTerm| term.output.as_ref().map_or(output == 0, |read| read == name);
    network.recipe.as_ref()?.loss.iter().find(reads)
}

/// Whether an output learnt classes: then shares of them mean something.
pub fn learns_classes(network: &Network, output: usize) -> bool {
    loss(network, output).is_some_and(|term| !matches!(term.loss, Loss::Mse | Loss::L1))
}
