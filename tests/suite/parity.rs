//! Every layer and every way in which edges meet, against PyTorch: outputs, gradients of inputs and
//! parameters, running statistics. The fixtures are made by `tests/parity/make.py`; each carries its model's text.

use archc::lower::weights::Checkpoint;
use archc::lower::{Module, ParamStore, nn};
use archc::{Options, compile_text, ops};
use candle_core::{DType, Device, Tensor, Var};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One fixture, read.
struct Case {
    name: String,
    text: String,
    tensors: BTreeMap<String, Tensor>,
}

impl Case {
    /// The tensors whose names start with `prefix`, without it.
    fn under(&self, prefix: &str) -> BTreeMap<&str, &Tensor> {
        self.tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?, tensor))).collect()
    }
}

fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/parity/fixtures");
    let files = std::fs::read_dir(folder).expect("the fixtures are there").map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "safetensors")).collect();
    files.sort();
    let case = |path: &PathBuf| {
        let checkpoint = Checkpoint::open(path).unwrap();
        assert!(checkpoint.metadata.contains_key("torch"), "{} says which PyTorch made it", path.display());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Case { name, text: checkpoint.metadata["arch"].clone(), tensors: checkpoint.read_all().unwrap() }
    };
    files.iter().map(case).collect()
}

/// What one pass gave: outputs, gradients and buffers, named as in the fixture after the mode.
fn pass(case: &Case, module: &Module, store: &ParamStore, train: bool) -> BTreeMap<String, Tensor> {
    let dtype = store.dtype();
    let cast = |tensor: &Tensor| tensor.to_dtype(dtype).unwrap();
    let leaf = |(name, tensor): (&str, &Tensor)| (name.to_string(), Var::from_tensor(&cast(tensor)).unwrap());
    let inputs: BTreeMap<String, Var> = case.under("in.").into_iter().map(leaf).collect();
    let given: Vec<(&str, &Tensor)> = inputs.iter().map(|(name, var)| (name.as_str(), var.as_tensor())).collect();
    let outputs = module.forward_all(&given, train).unwrap();
    let cotangents = case.under("cot.");
    assert_eq!(outputs.len(), cotangents.len(), "outputs");
    // The only output is named by the language, after its last label; PyTorch's has no name.
    let names: Vec<&str> = match cotangents.len() {
        1 => cotangents.keys().copied().collect(),
        _ => outputs.keys().map(String::as_str).collect(),
    };
    let mut results = BTreeMap::new();
    let mut loss = Tensor::zeros((), dtype, &Device::Cpu).unwrap();
    for (name, value) in names.iter().zip(outputs.values()) {
        loss = (loss + (value * cast(cotangents[name])).unwrap().sum_all().unwrap()).unwrap();
        results.insert(format!("out.{name}"), value.clone());
    }
    let gradients = loss.backward().unwrap();
    let mut keep = |name: String, var: &Var| {
        let zeros = || var.zeros_like().unwrap();
        results.insert(name, gradients.get(var).cloned().unwrap_or_else(zeros));
    };
    inputs.iter().for_each(|(name, var)| keep(format!("grad.in.{name}"), var));
    store.trainable().iter().for_each(|(path, var)| keep(format!("grad.param.{path}"), var));
    for entry in store.entries().iter().filter(|entry| !entry.spec.trainable) {
        results.insert(format!("buffer.{}", entry.path), entry.var.as_detached_tensor().copy().unwrap());
    }
    results
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// The largest difference over the largest value; infinite where a value is no number.
fn distance(got: &Tensor, want: &Tensor) -> f64 {
    if got.dims() != want.dims() {
        return f64::INFINITY;
    }
    let (got, want) = (numbers(got), numbers(want));
    let largest = want.iter().fold(0f64, |m, v| m.max(v.abs()));
    let apart = got.iter().zip(&want).map(|(a, b)| (a - b).abs());
    let difference = apart.fold(0f64, |m, d| if d.is_nan() { f64::INFINITY } else { m.max(d) });
    if largest == 0.0 { difference } else { difference / largest }
}

fn run(case: &Case, dtype: DType, tolerance: f64) -> Vec<String> {
    let compiled = compile_text(&case.name, &case.text, &Options::default());
    let Some(network) = &compiled.network else {
        let errors: Vec<_> = compiled.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect();
        return vec![format!("{}: {}", case.name, errors.join("; "))];
    };
    let store = ParamStore::new(network, 0, dtype, &Device::Cpu).unwrap();
    let params: BTreeMap<String, Tensor> =
        case.under("param.").into_iter().map(|(path, tensor)| (path.to_string(), tensor.clone())).collect();
    let (ours, theirs): (BTreeSet<&str>, BTreeSet<&str>) =
        (store.entries().iter().map(|e| e.path.as_str()).collect(), params.keys().map(String::as_str).collect());
    if ours != theirs {
        return vec![format!("{}: parameters {ours:?}, want {theirs:?}", case.name)];
    }
    let module = compiled.lower(store.var_builder()).unwrap();
    let mut wrong = Vec::new();
    for (mode, train) in [("train", true), ("eval", false)] {
        let (here, other) = (case.under(&format!("{mode}.")), if train { "eval." } else { "train." });
        // Where both modes are the same the fixture has one; where training is random it has no other.
        let want = match here.is_empty() {
            true if train => continue,
            true => case.under(other),
            false => here,
        };
        store.restore(&params).unwrap();
        let got = pass(case, &module, &store, train);
        for (name, want) in want {
            let distance = got.get(name).map_or(f64::INFINITY, |got| distance(got, want));
            if distance > tolerance {
                wrong.push(format!("{}: {mode} {name} is off by {distance:.1e}", case.name));
            }
        }
    }
    wrong
}

fn compare(dtype: DType, tolerance: f64) {
    let cases = cases();
    let wrong: Vec<String> = cases.iter().flat_map(|case| run(case, dtype, tolerance)).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_kernels_agree_with_pytorch_in_double_precision() {
    compare(DType::F64, 1e-9);
}

#[test]
fn the_kernels_agree_with_pytorch_in_single_precision() {
    compare(DType::F32, 1e-5);
}

#[test]
fn the_portable_path_agrees_with_pytorch_in_double_precision() {
    let _portable = nn::force_portable();
    compare(DType::F64, 1e-9);
}

#[test]
fn the_portable_path_agrees_with_pytorch_in_single_precision() {
    let _portable = nn::force_portable();
    compare(DType::F32, 1e-5);
}

/// The arguments of each use of a layer in a text: given by name, or by position.
fn arguments(text: &str, spec: &ops::LayerSpec) -> Option<BTreeSet<String>> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found: Option<BTreeSet<String>> = None;
    for (at, _) in text.match_indices(spec.name) {
        let (before, after) = (&text[..at], &text[at + spec.name.len()..]);
        if before.ends_with(word) || after.starts_with(word) || after.starts_with([':', '=']) {
            continue;
        }
        let found = found.get_or_insert_default();
        let Some(inside) = after.strip_prefix('(') else { continue };
        let mut depth = 1;
        let end = inside.find(|c| {
            depth += i32::from("([".contains(c)) - i32::from(")]".contains(c));
            depth == 0
        });
        let mut depth = 0;
        let pieces = inside[..end.unwrap_or(0)].split(|c| {
            depth += i32::from("([".contains(c)) - i32::from(")]".contains(c));
            c == ',' && depth == 0
        });
        for (position, piece) in pieces.enumerate() {
            match piece.split_once('=') {
                Some((name, _)) => found.insert(name.trim().to_string()),
                None => found.insert(spec.args[position].name.to_string()),
            };
        }
    }
    found
}

/// How a parameter starts changes no formula; `lower::init` and the ops' own tests check it.
const STARTS: [&str; 3] = ["init", "bias_init", "weight_init"];

#[test]
fn every_layer_and_argument_has_a_case() {
    let cases = cases();
    for spec in ops::layers() {
        let used: Vec<BTreeSet<String>> = cases.iter().filter_map(|case| arguments(&case.text, spec)).collect();
        assert!(!used.is_empty(), "`{}` has no case in tests/parity/cases.py", spec.name);
        for arg in spec.args.iter().filter(|arg| !STARTS.contains(&arg.name)) {
            let has = used.iter().any(|names| names.contains(arg.name));
            assert!(has, "`{}` has no case with `{}` in tests/parity/cases.py", spec.name, arg.name);
        }
    }
}

#[test]
fn every_merge_has_a_case() {
    let mut kinds = BTreeSet::new();
    for case in cases() {
        let network = compile_text(&case.name, &case.text, &Options::default()).network.unwrap();
        kinds.extend(network.graph.order().map(|id| network.graph.node(id).op.layer().kind()));
    }
    for kind in ["add", "concat", "mul", "gate", "fit_crop", "fit_pad", "zero_pad"] {
        assert!(kinds.contains(kind), "`{kind}` has no case in tests/parity/cases.py");
    }
}
