//! `archc new`: a network to start from, with comments that teach the language.

mod name;

use super::compute::say;
use super::files;
use super::shell::{Exit, Shell};
use archc::base::command::quoted_path;
use archc::base::{Fault, codes};
use clap::{Args, ValueEnum};
use name::Names;
use std::path::PathBuf;

/// `archc new`
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What to call it: `my-net` writes my-net.arch with the model `MyNet`.
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
    /// What to start from.
    #[arg(long, value_enum, default_value_t = Template::Residual)]
    pub template: Template,
}

/// What a new network starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Additive skips, for images of a class each.
    Residual,
    /// Long skips, for a class for each pixel.
    Unet,
    /// Skips that concatenate.
    Dense,
    /// No skips.
    Plain,
}

impl Template {
    /// The file, as it is for a model called `Starter` in `starter.arch`.
    pub fn text(self) -> &'static str {
        match self {
            Self::Residual => include_str!("residual.arch"),
            Self::Unet => include_str!("unet.arch"),
            Self::Dense => include_str!("dense.arch"),
            Self::Plain => include_str!("plain.arch"),
        }
    }
}

/// Writes the file, unless there is one, and says what to do with it.
pub fn run(args: &NewArgs, shell: &Shell) -> Result<Exit, Exit> {
    let text = args.template.text();
    let Some(Names { file, model }) = Names::of(&args.name, text) else {
        let message = format!("`{}` names no file", args.name.display());
        return Err(shell.usage(&message, "name a network: archc new my-net"));
    };
    let shown = file.display().to_string();
    if file.symlink_metadata().is_ok() {
        let message = format!("`{shown}` is there already, and is left as it is");
        let free = Names::free(&file).map(|name| format!("archc new {}", name.display()));
        let help = free.unwrap_or_else(|| "name another file".into());
        return Err(say(Fault::new(codes::UNWRITABLE, message).help(help), shell));
    }
    if let Some(parent) = file.parent().filter(|p| !p.as_os_str().is_empty() && !p.is_dir()) {
        let message = format!("there is no folder `{}`", parent.display());
        let help = format!("mkdir -p {}", quoted_path(parent));
        return Err(say(Fault::new(codes::UNWRITABLE, message).help(help), shell));
    }
    let base = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    files::write(&file, &text.replace("starter.arch", &base).replace("Starter", &model), &shell.quiet_json(true))?;
    match shell.json() {
        true => shell.print_json(&serde_json::json!({ "file": shown, "model": model })),
        false => shell.note(&next(&shown, &model, args.template)),
    }
    Ok(Exit::Clean)
}

/// What to type next.
fn next(file: &str, model: &str, template: Template) -> String {
    let (learnt, about) = match template {
        Template::Unet => ("learns in some minutes to find digits on a canvas", "which sizes of image work"),
        _ => ("learns in seconds to read the digits in archc", "shapes, skips and what it costs"),
    };
    let sizes = if template == Template::Unet { " --sizes" } else { "" };
    let rows = [
        (format!("archc check {file}{sizes}"), about),
        (format!("archc summary {file}"), "the layers as a table"),
        (format!("archc train {file}"), learnt),
    ];
    let width = rows.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let rows = rows.iter().map(|(command, about)| format!("\n  {command:width$}   {about}"));
    format!("wrote {file}, with the model {model}. Next:{}", rows.collect::<String>())
}
