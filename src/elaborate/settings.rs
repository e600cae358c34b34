//! `--set name=value`.

use super::eval::{self, Env, Fault, Words};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Span, codes};
use crate::ops::Value;
use crate::syntax::ast::{self, Expr, ExprKind};

/// Spans in settings have file ids from here on, which no file has: they are replaced by the setting's text.
const FIRST_SETTING: u32 = u32::MAX / 2;

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
    id: FileId,
}

impl Settings {
    pub(super) fn new(given: &[(String, String)]) -> Self {
        let setting = |(i, (name, text)): (usize, &(String, String))| {
            let id = FileId(FIRST_SETTING + i as u32);
            Setting { name: name.clone(), text: text.clone(), used: false, id }
        };
        Self { list: given.iter().enumerate().map(setting).collect() }
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

    /// The error with the setting that it is about, where its places are in none of the files.
    pub(super) fn place(&self, mut error: Diagnostic) -> Diagnostic {
        let about = |setting: &&Setting| error.labels.iter().any(|label| label.span.file == setting.id);
        let Some(setting) = self.list.iter().find(about).cloned() else { return error };
        if let Some(said) = error.labels.iter().find(|l| l.span.file == setting.id).map(|l| l.text.clone())
            && error.help.is_none()
            && said.contains(' ')
        {
            error.help = Some(said.into_boxed_str());
        }
        error.labels.retain(|label| label.span.file != setting.id);
        error.fix = None;
        error.message = format!("`--set {}={}`: {}", setting.name, setting.text, error.message);
        error
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
            if let (Some(line), true) = (line_meant(name), recipe) {
                return error.help(format!("did you mean `--set {line}={}`?", setting.text));
            }
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

/// The line of a recipe, or the part of one, that is called so elsewhere: `optimizer.lr` of `lr` and `learning_rate`.
pub fn line_meant(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().replace(['_', '-'], "").as_str() {
        "lr" | "learningrate" => "optimizer.lr",
        "momentum" => "optimizer.momentum",
        "wd" | "weightdecay" => "optimizer.weight_decay",
        "batchsize" | "bs" => "batch",
        "numepochs" | "nepochs" => "epochs",
        "numsteps" | "maxsteps" | "iterations" => "steps",
        "labelsmoothing" => "loss.label_smoothing",
        "ignoreindex" => "loss.ignore_index",
        "warmup" => "schedule.warmup",
        _ => return None,
    })
}

impl Setting {
    /// The value.
    ///
    /// # Errors
    /// Where the text is no expression, or one that has no value.
    pub(super) fn value(&self) -> Result<Value, Diagnostic> {
        let expr = self.expr()?;
        eval::eval(&expr, &Bare, Words::Refused).map_err(|fault| match fault {
            Fault::Said(said) => self.refused(&said.message),
            Fault::Silent => self.refused("it has no value"),
        })
    }

    /// The text as a line of a recipe; `plain` takes it as it is, without quotes.
    ///
    /// # Errors
    /// Where it is no expression.
    pub(super) fn line(&self, plain: bool) -> Result<Expr, Diagnostic> {
        if !plain {
            return self.expr();
        }
        let text = self.text.trim();
        let bare = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
        Ok(Expr::new(ExprKind::Str(bare.to_string()), Span { file: self.id, start: 0, end: 0 }))
    }

    /// An error about this setting; it has no place in a file.
    pub(super) fn refused(&self, why: &str) -> Diagnostic {
        Diagnostic::new(codes::OPTION, format!("`--set {}={}`: {why}", self.name, self.text))
    }

    /// The text as an expression; its spans are in no file.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn expr(&self) -> Result<Expr, Diagnostic> {
        let mut found = Diagnostics::default();
        let text = format!("train x {{\nx = {}\n}}", self.text);
        let file = crate::syntax::parse(self.id, &text, &Limits::default(), &mut found);
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
