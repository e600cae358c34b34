//! What is an output, for people? Scores of classes, a mask, a picture, or numbers.

use archc::analysis::canvas::Follow;
use archc::elaborate::Network;
use archc::elaborate::recipe::{Loss, LossTerm};
use archc::graph::{Graph, NodeId};
use archc::ops::activation::Activation;
use archc::ops::{Op, Values};
use archc::train::data::painted::CLASSES;
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
        /// Whether neither a loss nor the command line says so: other maps of numbers look the same.
        guessed: bool,
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
    let shape = network.graph.shape(it.node);
    let channels = shape.channels().unwrap_or(0);
    if shape.spatial().len() != 2 {
        return Kind::Numbers;
    }
    let bounds = Bounds::of(&network.graph, it.node);
    let picture = Kind::Picture { range: if bounds == Bounds::Signed { [-1.0, 1.0] } else { [0.0, 1.0] } };
    let threshold = if bounds == Bounds::Unit { 0.5 } else { 0.0 };
    let mask = |guessed: bool| Kind::Mask { threshold, guessed };
    let drawable = matches!(channels, 1 | 3);
    match drawn {
        Some(Drawn::Mask) if channels <= CLASSES => return mask(false),
        Some(Drawn::Picture) if drawable => return picture,
        Some(Drawn::Mask | Drawn::Picture) => return Kind::Numbers,
        None => {}
    }
    let larger = follow.is_some_and(|[rows, _]| rows.num > rows.den);
    let loss = loss(network, output);
    match loss.map(|term| learns(&term.loss, channels)) {
        Some(Learns::Values) if drawable => picture,
        Some(Learns::Values | Learns::Labels) => Kind::Numbers,
        // Without a recipe, only a picture grows, or is brought to a range about 0.
        None if drawable && (larger || bounds == Bounds::Signed) => picture,
        Some(Learns::Classes) | None if channels <= CLASSES => mask(loss.is_none()),
        Some(Learns::Classes) | None => Kind::Numbers,
    }
}

/// What an output learns.
enum Learns {
    /// One class of several, or one or none.
    Classes,
    /// Several labels, of which any number may be right at once: none is the likeliest.
    Labels,
    /// Numbers.
    Values,
}

fn learns(loss: &Loss, channels: usize) -> Learns {
    match loss {
        Loss::Mse | Loss::L1 => Learns::Values,
        Loss::BceWithLogits if channels > 1 => Learns::Labels,
        Loss::BceWithLogits | Loss::CrossEntropy { .. } | Loss::Dice { .. } => Learns::Classes,
    }
}

/// Between what an output's values lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bounds {
    /// 0 and 1: probabilities.
    Unit,
    /// −1 and 1.
    Signed,
    /// Nothing that is known.
    Open,
}

impl Bounds {
    /// Those of the last function, where nothing behind it but what takes values, or means of them, elsewhere.
    fn of(graph: &Graph, node: NodeId) -> Self {
        let op = &graph.node(origin(graph, node)).op;
        if matches!(op, Op::Softmax(_)) {
            return Self::Unit;
        }
        let Op::Activation(function) = op else { return Self::Open };
        match function {
            Activation::Sigmoid | Activation::HardSigmoid => Self::Unit,
            Activation::Tanh => Self::Signed,
            _ => Self::Open,
        }
    }
}

/// Where a node's values were computed, before they were taken elsewhere.
pub fn origin(graph: &Graph, node: NodeId) -> NodeId {
    let mut at = node;
    while let Some(&operand) = graph.operands(at).first().filter(|_| graph.node(at).op.nature().values == Values::Moved)
    {
        at = operand;
    }
    at
}

/// The first loss that reads an output.
fn loss(network: &Network, output: usize) -> Option<&LossTerm> {
    let name = &network.graph.outputs.get(output)?.name;
    let reads = |term: &&LossTerm| term.output.as_ref().map_or(output == 0, |read| read == name);
    network.recipe.as_ref()?.loss.iter().find(reads)
}

/// Whether shares of pixels are told of an output: where it is a mask, and a loss or the command line says that it is one.
pub fn tells_shares(network: &Network, output: usize, drawn: Option<Drawn>) -> bool {
    let mask = matches!(of(network, output, None, drawn), Kind::Mask { .. });
    mask && (drawn.is_some() || learns_classes(network, output))
}

/// Whether an output learnt one class of several: then shares of them mean something.
fn learns_classes(network: &Network, output: usize) -> bool {
    let channels = |at: &archc::graph::Output| network.graph.shape(at.node).channels().unwrap_or(0);
    let channels = network.graph.outputs.get(output).map_or(0, channels);
    loss(network, output).is_some_and(|term| matches!(learns(&term.loss, channels), Learns::Classes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use archc::elaborate::{Options, compile_text};

    /// What the output of a network of one grey input is.
    fn kind(body: &str, train: &str) -> Kind {
        let train = if train.is_empty() { String::new() } else { recipe(train) };
        let text = format!("model M {{\n input image [N, 1, H=16, W=16]\n {body}\n}}\n{train}");
        let network = compile_text("m.arch", &text, &Options::default()).network.expect("it compiles");
        of(&network, 0, None, None)
    }

    fn recipe(loss: &str) -> String {
        format!("train M {{\n data = \"none\"\n loss = {loss}()\n optimizer = sgd(lr=0.1)\n epochs = 1\n}}\n")
    }

    #[test]
    fn the_last_function_counts_whatever_moves_its_values() {
        let threshold = |threshold| Kind::Mask { threshold, guessed: true };
        for (end, want) in [("sigmoid", 0.5), ("hard_sigmoid", 0.5), ("relu", 0.0)] {
            assert_eq!(kind(&format!("conv(1, 1) -> {end}"), ""), threshold(want), "{end}");
            for more in ["upsample(2) -> maxpool(2)", "dropout(0.5)", "crop(8)"] {
                assert_eq!(kind(&format!("conv(1, 1) -> {end} -> {more}"), ""), threshold(want), "{end}, {more}");
            }
        }
        assert_eq!(kind("conv(3, 1) -> tanh -> crop(8)", ""), Kind::Picture { range: [-1.0, 1.0] });
        assert_eq!(kind("conv(1, 1) -> sigmoid -> conv(1, 1)", ""), threshold(0.0));
    }

    #[test]
    fn of_several_labels_none_is_the_likeliest() {
        assert_eq!(kind("conv(3, 1)", "bce_with_logits"), Kind::Numbers);
        assert_eq!(kind("conv(1, 1)", "bce_with_logits"), Kind::Mask { threshold: 0.0, guessed: false });
        assert_eq!(kind("conv(3, 1)", "cross_entropy"), Kind::Mask { threshold: 0.0, guessed: false });
        // 255 is no class: masks have it where there is none.
        assert_eq!(kind("conv(255, 1)", "cross_entropy"), Kind::Mask { threshold: 0.0, guessed: false });
        assert_eq!(kind("conv(256, 1)", "cross_entropy"), Kind::Numbers);
    }
}
