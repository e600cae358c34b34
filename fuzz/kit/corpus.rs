//! Sound inputs: what the project's folders hold.

use super::{Place, Seed, root};
use archc::elaborate::compile_text;
use archc::exchange::onnx::export::export;
use archc::weights::Numbers;
use archc::{Options, elaborate::Compiled};
use std::path::{Path, PathBuf};

/// Texts longer than this are left out: what is wrong with them is wrong with shorter ones.
const LONGEST: usize = 6000;

/// Files below a folder of the project that end so, in the order of their names.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root().join(folder)) else { return Vec::new() };
    let ends = |path: &PathBuf| path.extension().is_some_and(|found| found == ending);
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(ends).collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Every `.arch` file of the project, and the snippets of the language's page.
pub fn texts(_: &Place) -> Vec<Seed> {
    let folders = ["examples", "tests/corpus", "tests/format", "tests/exchange/layers", "tests/ui"];
    let read = |path: &PathBuf| Some(Seed::new(name(path), std::fs::read(path).ok()?));
    let mut seeds: Vec<Seed> =
        folders.iter().flat_map(|folder| files(folder, "arch")).filter_map(|p| read(&p)).collect();
    let page = std::fs::read_to_string(root().join("docs/language.md")).unwrap_or_default();
    let snippets = page.split("```").skip(1).step_by(2).filter(|text| text.contains("model "));
    seeds.extend(snippets.map(|text| {
        let text = text.split_once('\n').map_or("", |(_, body)| body);
        Seed::new("snippet.arch", text)
    }));
    seeds.retain(|seed| !seed.bytes.is_empty() && seed.bytes.len() <= LONGEST);
    seeds
}

/// ONNX files: PyTorch's, and our own of every layer.
pub fn models(_: &Place) -> Vec<Seed> {
    let read = |path: PathBuf| Some(Seed::new(name(&path), std::fs::read(&path).ok()?));
    let mut seeds: Vec<Seed> = files("tests/exchange/onnx", "onnx").into_iter().filter_map(read).collect();
    for file in files("tests/exchange/layers", "arch") {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let program = compile_text(&name(&file), &text, &Options::default()).program;
        let models = program.models().into_iter().map(String::from).collect::<Vec<_>>();
        seeds.extend(models.into_iter().filter_map(|model| own(&file, &text, model)));
    }
    seeds
}

/// Our own export of a small model.
fn own(file: &Path, text: &str, model: String) -> Option<Seed> {
    let options = Options { model: Some(model.clone()), ..Options::default() };
    let compiled: Compiled = compile_text(&name(file), text, &options);
    let network = compiled.network.as_ref()?;
    let exported = export(&compiled, network, &Numbers::seeded(network, 1)).ok()?;
    (exported.bytes.len() < 100_000).then(|| Seed::new(format!("{model}.onnx"), exported.bytes))
}

/// Checkpoints in both formats.
pub fn weights(_: &Place) -> Vec<Seed> {
    let paths = [files("tests/parity/weights", "pth"), files("tests/exchange/onnx", "safetensors")].concat();
    let read = |path: PathBuf| Some(Seed::new(name(&path), std::fs::read(&path).ok()?));
    let mut seeds: Vec<Seed> = paths.into_iter().filter_map(read).collect();
    seeds.extend(super::weights::own().map(|bytes| Seed::new("own.safetensors", bytes)));
    seeds
}
