//! `archc import`: an ONNX file as an `.arch` file and its weights.

use super::compute::say;
use super::files;
use super::shell::{Exit, Shell};
use archc::exchange::onnx::import::{ImportOptions, import};
use clap::Args;
use std::path::PathBuf;

/// `archc import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The ONNX file.
    pub model: PathBuf,
    /// The `.arch` file to write; `-` is standard output. By default the model's name in this folder.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the weights go; by default beside the `.arch` file, as .safetensors.
    #[arg(long, value_name = "FILE")]
    pub weights_out: Option<PathBuf>,
    /// What the model is called.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What spatial sizes that the file leaves free are planned for: 224x224.
    #[arg(long, value_name = "HxW")]
    pub size: Option<String>,
}

/// Reads a model, and writes the two files.
pub fn run(args: &ImportArgs, shell: &Shell) -> Result<Exit, Exit> {
    let parts = args.size.as_deref().map(|text| text.split(['x', 'X', '×']).map(|n| n.trim().parse::<usize>().ok()));
    let size = parts.map_or(Some(Vec::new()), |parts| parts.map(|n| n.filter(|&n| n > 0)).collect());
    let Some(size) = size else {
        return Err(shell.usage("`--size` is no size", "write --size 224x224"));
    };
    if let Some(name) = args.name.as_ref().filter(|name| !sound(name)) {
        return Err(shell.usage(&format!("`{name}` cannot be a model's name"), "write letters and digits: --name Net"));
    }
    let options = ImportOptions { name: args.name.clone(), size };
    let imported = import(&args.model, &options).map_err(|error| say(*error, shell))?;
    let text_path = target(args, shell)?;
    imported.notes.iter().for_each(|note| shell.note(note));
    let standard = text_path.as_os_str() == "-";
    let weights = args.weights_out.clone().or_else(|| (!standard).then(|| text_path.with_extension("safetensors")));
    match standard {
        true => shell.print(imported.text.trim_end()),
        false => files::write(&text_path, &imported.text, shell)?,
    }
    if let Some(path) = weights {
        files::write_bytes(&path, &imported.weights, shell)?;
    }
    Ok(Exit::Clean)
}

fn sound(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Where the text goes. Files that exist are replaced only where they were named.
fn target(args: &ImportArgs, shell: &Shell) -> Result<PathBuf, Exit> {
    if let Some(path) = &args.output {
        return Ok(path.clone());
    }
    let stem = args.model.file_stem().map_or_else(|| "net".into(), |stem| stem.to_string_lossy().into_owned());
    let path = PathBuf::from(format!("{stem}.arch"));
    let weights = PathBuf::from(format!("{stem}.safetensors"));
    let beside = args.weights_out.is_none() && weights.exists();
    let found = if path.exists() {
        &path
    } else if beside {
        &weights
    } else {
        return Ok(path);
    };
    let help = format!("archc import {} -o {stem}-2.arch", args.model.display());
    Err(shell.usage(&format!("`{}` is there already, and is left as it is", found.display()), &help))
}
