//! Arguments and their values; lines and parts of recipes.

use super::super::{hover, manual};
use super::{Offer, Request, expression_words, names};
use crate::editor::context::{Argument, Context, Place};
use crate::elaborate::vocabulary;
use crate::ops::{self, ArgSpec, ArgType, init};
use crate::syntax::ast::{Block, Item};
use lsp_types::CompletionItemKind as Kind;

/// What may stand in the parentheses of a layer or a block; in those of `set`, names alone.
pub fn call(request: &Request<'_>, context: &Context, argument: &Argument, set: bool) -> Vec<Offer> {
    if let Some(spec) = ops::layer(&argument.callee) {
        return layer(request, context, argument, spec, set);
    }
    match block(request, &argument.callee) {
        Some(block) => of_block(request, context, argument, block),
        None => names::expressions(request, context),
    }
}

fn block<'a>(request: &'a Request<'_>, name: &str) -> Option<&'a Block> {
    let known = request.known.first()?;
    match known.program.named(known.file(request.path)?, name) {
        Some((_, Item::Block(block))) => Some(block),
        _ => known.views.program.root().items.iter().find_map(|item| match item {
            Item::Block(block) if block.name.node == name => Some(block),
            _ => None,
        }),
    }
}

fn layer(
    request: &Request<'_>,
    context: &Context,
    argument: &Argument,
    spec: &ops::LayerSpec,
    set: bool,
) -> Vec<Offer> {
    let meant = match &argument.name {
        Some(name) => spec.arg(name),
        None => spec.args.get(argument.position).filter(|_| !set),
    };
    let mut offers = match meant {
        Some(arg) if arg.ty == ArgType::Operand => names::paths(request, context),
        Some(arg) => values(arg).into_iter().chain(names::expressions(request, context)).collect(),
        None if argument.name.is_some() => names::expressions(request, context),
        None => Vec::new(),
    };
    if argument.starts && argument.name.is_none() {
        let positional = |name: &str| spec.args.iter().take(argument.position).any(|arg| arg.name == name);
        let free = |arg: &&ArgSpec| !argument.given.iter().any(|given| given == arg.name) && !positional(arg.name);
        offers.extend(spec.args.iter().filter(free).map(name));
    }
    offers
}

/// `stride=`
fn name(arg: &ArgSpec) -> Offer {
    let detail = match arg.default {
        Some(default) if !default.is_empty() => format!("default {default}"),
        _ => String::new(),
    };
    Offer::new(format!("{}=", arg.name), Kind::PROPERTY, detail).doc(manual::argument(arg)).rank(2)
}

/// The words that an argument accepts.
fn values(arg: &ArgSpec) -> Vec<Offer> {
    let words: Vec<String> = match arg.ty {
        ArgType::Init => init::FORMS.iter().map(ToString::to_string).collect(),
        ArgType::Choice(choices) => choices.iter().map(|choice| format!("\"{choice}\"")).collect(),
        ArgType::Bool => vec!["true".into(), "false".into()],
        ArgType::SizesOrSame => vec!["same".into()],
        ArgType::SizesOrGlobal => vec!["global".into()],
        _ => Vec::new(),
    };
    let offer = |word: String| {
        let detail = if arg.default == Some(word.trim_matches('"')) { "the default" } else { "" };
        let offer = Offer::new(word.clone(), Kind::ENUM_MEMBER, detail).rank(1);
        if word.contains('(') { offer.snippet(word.replace("std", "${1:0.02}")) } else { offer }
    };
    words.into_iter().map(offer).collect()
}

fn of_block(request: &Request<'_>, context: &Context, argument: &Argument, block: &Block) -> Vec<Offer> {
    let meant = match &argument.name {
        Some(name) => block.params.iter().find(|param| param.name.node == *name),
        None => block.params.get(argument.position),
    };
    let mut offers = match meant {
        Some(param) if param.value => names::paths(request, context),
        _ => names::expressions(request, context),
    };
    if argument.starts && argument.name.is_none() {
        let rest = block.params.iter().skip(argument.position);
        let program = request.known.first().map(|known| &known.program);
        for param in rest.filter(|param| !argument.given.contains(&param.name.node)) {
            let written = program.map(|program| hover::parameter(program, param)).unwrap_or_default();
            offers.push(Offer::new(format!("{}=", param.name.node), Kind::PROPERTY, written).rank(2));
        }
    }
    offers
}

/// `scale=`, `drop_path=`, `order=`
pub fn skip(request: &Request<'_>, context: &Context, argument: &Argument) -> Vec<Offer> {
    match argument.name.as_deref() {
        Some("order") => ["first", "last"].map(|word| Offer::new(word, Kind::ENUM_MEMBER, "").rank(1)).into(),
        Some(_) => names::expressions(request, context),
        None => {
            let free = vocabulary::skip_arguments(&argument.callee).iter();
            let free = free.filter(|name| !argument.given.iter().any(|given| given == *name));
            free.map(|name| Offer::new(format!("{name}="), Kind::PROPERTY, "").rank(1)).collect()
        }
    }
}

/// Within quotes: the choices of an argument, without theirs.
pub fn quoted(place: &Place) -> Vec<Offer> {
    let (Place::Argument(argument) | Place::SetArgument(argument)) = place else { return Vec::new() };
    let spec = ops::layer(&argument.callee);
    let arg = spec.and_then(|spec| match &argument.name {
        Some(name) => spec.arg(name),
        None => spec.args.get(argument.position),
    });
    match arg.map(|arg| arg.ty) {
        Some(ArgType::Choice(choices)) => choices.iter().map(|c| Offer::new(*c, Kind::ENUM_MEMBER, "")).collect(),
        _ => Vec::new(),
    }
}

/// Lines that the recipe does not have yet.
pub fn recipe_lines(request: &Request<'_>, context: &Context) -> Vec<Offer> {
    let text = &request.text.text;
    let before = text.get(..context.word.start).unwrap_or("");
    let after = text.get(context.word.end..).unwrap_or("");
    let recipe = before.rsplit('{').next().unwrap_or("").lines().chain(after.split('}').next().unwrap_or("").lines());
    let written: Vec<&str> = recipe.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim()).collect();
    let free = vocabulary::RECIPE_LINES.iter().enumerate().filter(|(_, line)| !written.contains(line));
    let offer = |(rank, line): (usize, &&str)| {
        let doc = manual::recipe_line(line).unwrap_or_default();
        Offer::new(*line, Kind::PROPERTY, "").snippet(format!("{line} = $0")).doc(doc).rank(rank.min(9) as u8)
    };
    free.map(offer).collect()
}

/// The parts that a line may be made of.
pub fn recipe_values(line: &str) -> Vec<Offer> {
    if line == "normalize" {
        return vec![Offer::new("(mean=[…], std=[…])", Kind::STRUCT, "").snippet("(mean=[$1], std=[$2])")];
    }
    let offer = |(name, args): (&'static str, &'static [&'static str])| {
        let offer = Offer::new(name, Kind::FUNCTION, manual::part(name, args)).rank(2);
        let required = match (line, name) {
            ("schedule", "step") => "at=[$1]",
            ("optimizer", "sgd") => "lr=${1:0.1}, momentum=${2:0.9}",
            ("optimizer", _) => "lr=${1:1e-3}",
            ("augment", _) if !args.is_empty() => "$1",
            _ => "",
        };
        match (line, required) {
            ("metrics", _) => offer,
            ("augment", "") => offer,
            _ => offer.snippet(format!("{name}({required})")),
        }
    };
    vocabulary::parts(line).into_iter().map(offer).collect()
}

/// The arguments of a part.
pub fn recipe_arguments(line: &str, argument: &Argument) -> Vec<Offer> {
    if argument.name.is_some() {
        return expression_words().into_iter().filter(|offer| ["true", "false"].contains(&&*offer.label)).collect();
    }
    let parts = vocabulary::parts(line);
    let args = parts.iter().find(|(name, _)| *name == argument.callee).map_or(&[][..], |(_, args)| *args);
    let free = args.iter().skip(argument.position).filter(|name| !argument.given.iter().any(|given| given == *name));
    free.map(|name| Offer::new(format!("{name}="), Kind::PROPERTY, "").rank(1)).collect()
}
