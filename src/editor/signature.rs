//! What a call takes, while it is being written.

use super::analysis::Analysis;
use super::context::{self, Argument, Place};
use super::{hover, manual};
use crate::elaborate::vocabulary;
use crate::ops;
use crate::syntax::ast::Item;
use lsp_types::{
    Documentation, MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, SignatureHelp, SignatureInformation,
};
use std::path::Path;

/// A callee: its parameters as written, their names and what each is, and what it does.
struct Callee {
    name: String,
    params: Vec<(String, String, String)>,
    doc: String,
}

/// The signature of the call around a byte, and which argument stands there.
pub fn help(known: &Analysis, path: &Path, text: &str, offset: usize) -> Option<SignatureHelp> {
    let (callee, argument) = match context::at(text, offset).place {
        Place::Argument(argument) | Place::SetArgument(argument) => (callee(known, path, &argument.callee)?, argument),
        Place::SkipArgument(argument) => (skip(&argument.callee), argument),
        Place::RecipeArgument { line, argument } => (part(&line, &argument.callee)?, argument),
        _ => return None,
    };
    let active = active(&callee, &argument);
    let labels: Vec<&str> = callee.params.iter().map(|(written, ..)| written.as_str()).collect();
    let markdown = |value: String| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value });
    let parameter = |(written, _, doc): &(String, String, String)| ParameterInformation {
        label: ParameterLabel::Simple(written.clone()),
        documentation: Some(doc).filter(|doc| !doc.is_empty()).map(|doc| markdown(doc.clone())),
    };
    let signature = SignatureInformation {
        label: format!("{}({})", callee.name, labels.join(", ")),
        documentation: Some(callee.doc).filter(|doc| !doc.is_empty()).map(markdown),
        parameters: Some(callee.params.iter().map(parameter).collect()),
        active_parameter: active,
    };
    Some(SignatureHelp { signatures: vec![signature], active_signature: Some(0), active_parameter: active })
}

fn active(callee: &Callee, argument: &Argument) -> Option<u32> {
    let at = match &argument.name {
        Some(name) => callee.params.iter().position(|(_, known, _)| known == name)?,
        None => argument.position,
    };
    (at < callee.params.len()).then_some(at as u32)
}

fn callee(known: &Analysis, path: &Path, name: &str) -> Option<Callee> {
    if let Some(spec) = ops::layer(name) {
        let param = |arg: &ops::ArgSpec| {
            let written = match arg.default {
                None | Some("") => arg.name.to_string(),
                Some(default) => format!("{}={default}", arg.name),
            };
            (written, arg.name.to_string(), manual::argument(arg))
        };
        let params = spec.args.iter().map(param).collect();
        return Some(Callee { name: name.into(), params, doc: spec.doc.into() });
    }
    let Some((_, Item::Block(block))) = known.program.named(known.file(path)?, name) else { return None };
    let param = |param: &crate::syntax::ast::Param| {
        (hover::parameter(&known.program, param), param.name.node.clone(), String::new())
    };
    let params = block.params.iter().map(param).collect();
    Some(Callee { name: name.into(), params, doc: block.doc.clone().unwrap_or_default() })
}

fn named(names: &[&str]) -> Vec<(String, String, String)> {
    names.iter().map(|name| (name.to_string(), name.to_string(), String::new())).collect()
}

fn skip(kind: &str) -> Callee {
    let params = named(vocabulary::skip_arguments(kind));
    Callee { name: format!("skip {kind}"), params, doc: manual::merge(kind).unwrap_or_default().into() }
}

fn part(line: &str, name: &str) -> Option<Callee> {
    let (_, args) = vocabulary::parts(line).into_iter().find(|(known, _)| *known == name)?;
    Some(Callee { name: name.into(), params: named(args), doc: String::new() })
}
