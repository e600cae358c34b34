//! `--set name=value`.

use super::eval::{self, Env, Fault, Words};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Span, codes};
use crate::ops::Value;
use crate::syntax::ast::{self, Expr};

/// The settings of one elaboration, and which of them were used.
#[derive(Debug)]
pub(super) struct Settings {
    list: Vec<Setting>,
}

/// One setting.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub name: String,
    pub text: String,
    used: bool,
}

impl Settings {
    pub(super) fn new(given: &[(String, String)]) -> Self {
        let setting = |(name, text): &(String, String)| Setting { name: name.clone(), text: text.clone(), used: false };
        Self { list: given.iter().map(setting).collect() }
    }

    /// The last setting of this name; all of them count as used.
    pub(super) fn take(&mut self, name: &str) -> Option<Setting> {
        let mut found = None;
        for setting in self.list.iter_mut().filter(|s| s.name == name) {
            setting.used = true;
            found = Some(setting.clone());
        }
        found
    }

    /// The settings whose name begins with `field` and a dot, in order: the rest of the name, and the setting.
    pub(super) fn take_under(&mut self, field: &str) -> Vec<(String, Setting)> {
        let mut found = Vec::new();
        for setting in &mut self.list {
            let rest = setting.name.strip_prefix(field).and_then(|rest| rest.strip_prefix('.')).map(String::from);
            if let Some(rest) = rest {
                setting.used = true;
                found.push((rest, setting.clone()));
            }
        }
        found
    }

    /// Errors for the settings that nothing has used.
    pub(super) fn unused(&self, model: &ast::Model, recipe: bool) -> Vec<Diagnostic> {
        let params: Vec<&str> = model.params.iter().map(|p| p.name.node.as_str()).collect();
        let mut known = params.clone();
        known.extend_from_slice(super::train::FIELDS);
        let unknown = |setting: &&Setting| !setting.used;
        let error = |setting: &Setting| {
            let (name, model) = (&setting.name, &model.name.node);
            let top = name.split('.').next().unwrap_or(name);
            let error = if recipe || !super::train::FIELDS.contains(&top) {
                Diagnostic::new(codes::OPTION, format!("`{model}` has no parameter and no recipe line named `{name}`"))
            } else {
                Diagnostic::new(codes::OPTION, format!("`{name}` cannot be set: `{model}` has no recipe"))
                    .help(format!("write one: train {model} {{ loss = cross_entropy  optimizer = sgd(lr=0.1) … }}"))
            };
            match nearest(name, known.iter().copied()).filter(|meant| recipe || params.contains(meant)) {
                Some(meant) => error.help(format!("did you mean `--set {meant}=…`?")),
                None if error.help.is_none() && !params.is_empty() => {
                    error.help(format!("its parameters are {}", params.join(", ")))
                }
                None => error,
            }
        };
        self.list.iter().filter(unknown).map(error).collect()
    }
}

impl Setting {
    /// The value.
    ///
    /// # Errors
    /// Where the text is no expression, or one that has no value.
    pub(super) fn value(&self) -> Result<Value, Diagnostic> {
        self.value_with(Words::Refused)
    }

    /// The value, where bare words may be allowed.
    ///
    /// # Errors
    /// Where the text is no expression, or one that has no value.
    pub(super) fn value_with(&self, words: Words) -> Result<Value, Diagnostic> {
        let expr = self.expr()?;
        eval::eval(&expr, &Bare, words).map_err(|fault| match fault {
            Fault::Said(said) => self.refused(&said.message),
            Fault::Silent => self.refused("it has no value"),
        })
    }

    /// An error about this setting; it has no place in a file.
    pub(super) fn refused(&self, why: &str) -> Diagnostic {
        Diagnostic::new(codes::OPTION, format!("`--set {}={}`: {why}", self.name, self.text))
    }

    /// The text as an expression. Its spans mean nothing.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn expr(&self) -> Result<Expr, Diagnostic> {
        let mut found = Diagnostics::default();
        let text = format!("train x {{\nx = {}\n}}", self.text);
        let file = crate::syntax::parse(FileId(0), &text, &Limits::default(), &mut found);
        match file.items.into_iter().next() {
            Some(ast::Item::Train(mut train)) if !found.has_errors() && train.fields.len() == 1 => {
                Ok(train.fields.remove(0).value)
            }
            _ => Err(self.refused("this is not a value")),
        }
    }
}

/// An environment without names.
struct Bare;

impl Env for Bare {
    fn name(&self, _: &str, _: Span) -> Option<Result<Value, Fault>> {
        None
    }

    fn it(&self, _: &str, span: Span) -> Result<Value, Fault> {
        Err(Diagnostic::new(codes::NO_IT, "`it` is not known here").label(span, "here").into())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn text(&self, _: Span) -> &str {
        "…"
    }

    fn charge(&self, _: usize, _: Span) -> Result<(), Fault> {
        Ok(())
    }
}
