//! The short reference: layers, words, lines of recipes, as Markdown.

use crate::elaborate::vocabulary;
use crate::ops::{ArgSpec, LayerSpec};

/// A layer with its arguments and their defaults.
pub fn layer(spec: &LayerSpec) -> String {
    let mut text = format!("```arch\n{}\n```\n{}\n", spec.signature(), spec.doc);
    if !spec.args.is_empty() {
        text.push('\n');
        spec.args.iter().for_each(|arg| text += &format!("- {}\n", argument(arg)));
    }
    text
}

/// `` `stride`: a whole number, …; default `1` ``
pub fn argument(arg: &ArgSpec) -> String {
    let default = match arg.default {
        None => "; must be given".to_string(),
        Some("") => String::new(),
        Some(default) => format!("; default `{default}`"),
    };
    format!("`{}`: {}{default}", arg.name, arg.ty.words())
}

/// What a word of the language does.
pub fn keyword(word: &str) -> Option<&'static str> {
    Some(match word {
        "block" => "`block Name(params) { … }`: a reusable piece of network",
        "model" => "`model Name(params) { … }`: a network; `--set` changes its parameters",
        "train" => "`train Model { … }`: how that model is trained",
        "import" => "`import Name, Other from \"path.arch\"`: blocks and models of another file",
        "set" => {
            "`set LAYER(arg=value, …)`: new defaults for a layer's arguments, to the end of the braces or the file"
        }
        "skip" => "`[long] skip KIND(args) [from NAME] [via STEP] [by STEP] [fit crop|pad] [{ body }]`: a skip edge",
        "long" => "a skip whose path leaves its resolution and comes back to it is long, and says so",
        "parallel" => {
            "`parallel add|concat|mul { … }`: every line is a path from the same value; the results are merged"
        }
        "repeat" => "`repeat n { … }`: the body n times, each in a scope named `0`, `1`, …",
        "for" => "`for i in a..b { … }`: the body for each i; `a..=b` includes b",
        "if" | "else" => "`if c { … } else { … }`: chosen when the file is compiled",
        "let" => "`let name = value`: names a number for the rest of the braces",
        "from" => "`from NAME`: goes on from a labelled value; in a skip, where it starts",
        "output" => "`output NAME`: names the current value an output",
        "input" => "`input NAME [N, 3, H=224, W=224]`: what comes in; the batch first",
        "via" => "`via STEP`: what the skipped value passes through; `project` and `zero_pad` make its shape agree",
        "by" => "`by STEP`: what computes how far a gate opens",
        "fit" => {
            "`fit crop` cuts the skipped value to the result's size; `fit pad` pads the result to the skipped value's"
        }
        "it" => "the current value: `it.channels`, `it.height`, `it.width`, `it.length`, `it.features`, `it.rank`",
        "in" | "and" | "or" | "not" | "true" | "false" => return None,
        _ => return None,
    })
}

/// What stands only after `via`.
pub fn side_step(word: &str) -> Option<&'static str> {
    Some(match word {
        "project" => "the identity where shapes agree, else a 1×1 `conv` and a `batch_norm` (on vectors a `linear`)",
        "zero_pad" => "no parameters: strided subsampling and zero channels (option A of the ResNet paper)",
        _ => return None,
    })
}

/// What a way of merging does.
pub fn merge(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "add" => "S + R; `scale` multiplies R, `drop_path=p` drops R per sample in training",
        "concat" => "channels of S, then of R; `order=last` puts S last",
        "mul" => "S · R, sizes of 1 stretched",
        "gate" => "t·R + (1 − t)·S with t = sigmoid of what `by STEP` makes of S",
        _ => return None,
    })
}

/// A line of a recipe.
pub fn recipe_line(line: &str) -> Option<String> {
    let what = match line {
        "data" => "what `--data` would say, such as `\"cifar10\"`",
        "loss" => "what is made small; sums with factors: `cross_entropy() + 0.5 * dice()`",
        "optimizer" => "how weights follow gradients; PyTorch's semantics",
        "schedule" => "how the learning rate changes, in steps; constant where it is left out",
        "batch" => "samples a step; 64 where it is left out",
        "steps" => "when to stop: after this many steps",
        "epochs" => "when to stop: after this many passes over the data",
        "normalize" => "`(mean=[…], std=[…])`, one number a channel, for pixels in 0–1",
        "augment" => "random changes of training samples, in order",
        "metrics" => "what evaluation reports; the loss's own where it is left out",
        "seed" => "of everything random; 0 where it is left out",
        _ => return None,
    };
    let parts = vocabulary::parts(line);
    let list: Vec<String> = parts.iter().map(|(name, args)| format!("\n- `{}`", part(name, args))).collect();
    Some(if list.is_empty() { what.to_string() } else { format!("{what}\n{}", list.concat()) })
}

/// `sgd(lr, momentum, …)`
pub fn part(name: &str, args: &[&str]) -> String {
    if args.is_empty() { name.to_string() } else { format!("{name}({})", args.join(", ")) }
}

/// What a size of the current value is.
pub fn size(field: &str) -> &'static str {
    match field {
        "channels" => "the size of axis 1",
        "height" => "rows of a map",
        "width" => "columns of a map",
        "length" => "positions of a sequence",
        "features" => "the size of a vector",
        _ => "how many axes, the batch counted",
    }
}

/// What a function of expressions gives.
pub fn function(name: &str) -> &'static str {
    match name {
        "min" => "min(a, b, …): the least",
        "max" => "max(a, b, …): the largest",
        "floor" => "floor(x): rounded down; `floor(a / b)` divides whole numbers",
        "ceil" => "ceil(x): rounded up",
        "round" => "round(x): rounded to the nearest",
        _ => "abs(x): without its sign",
    }
}
