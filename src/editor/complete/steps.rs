//! Steps, items, and the words of skips.

use super::super::{hover, manual, shapes};
use super::{Offer, Request};
use crate::editor::context::Context;
use crate::elaborate::vocabulary;
use crate::ops::{self, LayerSpec};
use crate::syntax::ast::{Block, Item};
use lsp_types::CompletionItemKind as Kind;

/// Items of a file.
pub fn items() -> Vec<Offer> {
    [
        ("block", "block ${1:Name}(${2:width}) {\n\t$0\n}"),
        ("model", "model ${1:Net}(classes=${2:10}) {\n\tinput image [N, ${3:3, 224, 224}]\n\t$0\n}"),
        ("train", "train ${1:Net} {\n\tloss      = cross_entropy()\n\toptimizer = sgd(lr=0.1, momentum=0.9)\n\tepochs    = ${2:10}\n}"),
        ("import", "import ${1:Name} from \"${2:path.arch}\""),
        ("set", "set ${1:conv}(${2:bias=false})"),
    ]
    .map(|(word, snippet)| Offer::keyword(word, snippet))
    .into()
}

/// Layers, blocks, and the words that start a step.
pub fn steps(request: &Request<'_>, context: &Context) -> Vec<Offer> {
    let mut offers = callables(request);
    offers.extend(
        [
            ("skip", "skip ${1|add,concat,mul,gate|} {\n\t$0\n}"),
            ("long", "long skip ${1|concat,add|} {\n\t$0\n}"),
            ("parallel", "parallel ${1|concat,add,mul|} {\n\t$0\n}"),
            ("repeat", "repeat ${1:2} { $0 }"),
            ("if", "if ${1:condition} {\n\t$0\n}"),
            ("for", "for ${1:i} in 0..${2:n} { $0 }"),
        ]
        .map(|(word, snippet)| Offer::keyword(word, snippet)),
    );
    if context.first {
        offers.extend(
            [
                ("let", "let ${1:name} = $0"),
                ("from", "from $0"),
                ("output", "output ${1:name}"),
                ("input", "input ${1:image} [N, ${2:3, 224, 224}]"),
                ("set", "set ${1:conv}(${2:bias=false})"),
                ("else", "else {\n\t$0\n}"),
            ]
            .map(|(word, snippet)| Offer::keyword(word, snippet)),
        );
    }
    offers
}

/// What may stand after `via` and `by`.
pub fn side_steps(request: &Request<'_>) -> Vec<Offer> {
    let side = |word: &str| {
        Offer::new(word, Kind::FUNCTION, "after via").doc(manual::side_step(word).unwrap_or_default()).rank(1)
    };
    ["project", "zero_pad"].map(side).into_iter().chain(callables(request)).collect()
}

fn callables(request: &Request<'_>) -> Vec<Offer> {
    let mut offers: Vec<Offer> = ops::layers().iter().map(|spec| layer(spec, true)).collect();
    let Some(known) = request.known.first() else { return offers };
    let Some(file) = known.file(request.path) else { return offers };
    for name in known.program.names(file) {
        if let Some((_, Item::Block(item))) = known.program.named(file, name) {
            offers.push(block(request, item));
        }
    }
    // While a block's head is broken it is known from before.
    let now = offers.len();
    for item in known.views.program.root().items.iter() {
        if let Item::Block(item) = item
            && !offers[..now].iter().any(|offer| offer.label == item.name.node)
        {
            offers.push(block(request, item));
        }
    }
    offers
}

/// A layer, with places for what must be given.
pub fn layer(spec: &LayerSpec, call: bool) -> Offer {
    let required = spec.args.iter().filter(|arg| arg.default.is_none()).map(|arg| arg.name);
    let holes: Vec<String> = required.enumerate().map(|(i, name)| format!("${{{}:{name}}}", i + 1)).collect();
    let offer = Offer::new(spec.name, Kind::FUNCTION, spec.signature()).doc(manual::layer(spec)).rank(3);
    match holes.is_empty() || !call {
        true => offer,
        false => offer.snippet(format!("{}({})$0", spec.name, holes.join(", "))),
    }
}

/// A block, with places for what must be given, and what it costs where it is used first.
fn block(request: &Request<'_>, block: &Block) -> Offer {
    let name = &block.name.node;
    let program = request.known.first().map(|known| &known.program);
    let signature = program.map_or_else(|| name.clone(), |program| hover::signature(program, block));
    let required = block.params.iter().filter(|param| param.default.is_none()).map(|param| match param.value {
        true => format!("{0}=${{NUMBER:{0}}}", param.name.node),
        false => format!("${{NUMBER:{}}}", param.name.node),
    });
    let numbered = |(i, hole): (usize, String)| hole.replace("NUMBER", &(i + 1).to_string());
    let holes: Vec<String> = required.enumerate().map(numbered).collect();
    let offer = Offer::new(name, Kind::CLASS, signature).snippet(format!("{name}({})$0", holes.join(", "))).rank(2);
    match &block.doc {
        Some(doc) => offer.doc(doc),
        None => offer,
    }
}

/// How values are merged.
pub fn kinds(parallel: bool) -> Vec<Offer> {
    let kinds: &[&str] = if parallel { &["concat", "add", "mul"] } else { &["add", "concat", "mul", "gate"] };
    let kind = |(rank, word): (usize, &&str)| {
        Offer::new(*word, Kind::ENUM_MEMBER, manual::merge(word).unwrap_or_default()).rank(rank as u8)
    };
    kinds.iter().enumerate().map(kind).collect()
}

/// What may follow a skip's kind.
pub fn clauses(request: &Request<'_>, context: &Context) -> Vec<Offer> {
    let text = &request.text.text;
    let line = text.get(..context.word.start).unwrap_or("").rsplit('\n').next().unwrap_or("");
    let said = |word: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|known| known == word);
    let clauses = [("from", "from $0"), ("via", "via ${1:project}"), ("by", "by $0"), ("fit", "fit ${1|crop,pad|}")];
    let wanted = clauses.into_iter().filter(|(word, _)| !said(word) && (*word != "by" || said("gate")));
    wanted.map(|(word, snippet)| Offer::keyword(word, snippet)).collect()
}

/// How a skip's ends are made to fit.
pub fn fits() -> Vec<Offer> {
    vec![
        Offer::new("crop", Kind::ENUM_MEMBER, "the skipped value is cut, centred, to the result's size").rank(0),
        Offer::new("pad", Kind::ENUM_MEMBER, "the result is padded with zeros, centred").rank(1),
    ]
}

/// The sizes of the current value, with what they are.
pub fn size(request: &Request<'_>, context: &Context, field: &str) -> Offer {
    let shapes = request.known.iter().filter_map(|known| known.shapes(request.path, &request.text.text));
    let value = shapes.flat_map(|shapes| shapes.before(&context.steps)).find_map(|(view, nodes)| {
        shapes::folded(nodes.into_iter().filter_map(|node| shapes::of_node(&view.sketch, Some(node))).collect())
    });
    let rank = vocabulary::SIZES.iter().position(|known| *known == field).unwrap_or(0) as u8;
    let what = manual::size(field);
    let detail = value.map_or_else(|| what.to_string(), |shape| format!("{what} (of {shape})"));
    Offer::new(field, Kind::PROPERTY, detail).rank(rank)
}
