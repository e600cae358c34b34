//! The program as people and scripts meet it: exit status, streams, JSON, runs that stop and go on.

use archc::train::data::tensor_io::{TensorData, write_npy, write_safetensors};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const NET: &str = "
block Residual(width) { skip add { conv(width, 3, bias=false) -> batch_norm -> relu -> dropout(0.1) } }

model Tiny(classes=10, width=4) {
    input image [N, 1, 8, 8]
    conv(width, 3, bias=false) -> batch_norm -> relu
    Residual(width)
    avgpool(global) -> flatten -> linear(classes)
}

train Tiny {
    data      = \"builtin:digits\"
    loss      = cross_entropy()
    optimizer = sgd(lr=0.1, momentum=0.9)
    schedule  = cosine(warmup=4)
    batch     = 128
    epochs    = 2
    augment   = [shift(1)]
    metrics   = [accuracy]
    seed      = 3
}
";

pub fn archc(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archc"));
    command.current_dir(folder).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    archc(folder).args(args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs a command that must end with this status, and gives its standard output and error.
pub fn expect(folder: &Path, args: &[&str], status: i32) -> (String, String) {
    let output = run(folder, args);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "archc {args:?}\n{out}\n{err}");
    (out, err)
}

pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// A folder with `tiny.arch` in it.
pub fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tiny.arch"), NET).unwrap();
    folder
}

#[test]
fn every_example_checks_without_a_warning() {
    let (out, err) = expect(&examples(), &["check", "."], 0);
    assert!(out.contains("ResNet152") && out.contains("60.19 M parameters"), "{out}");
    assert!(err.contains("all well"), "{err}");
}

#[test]
fn errors_are_json_lines_on_request() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.arch"), "model M {\n  input x [N, 4]\n  linaer(3)\n  flaten\n}\n").unwrap();
    let (out, err) = expect(folder.path(), &["check", "bad.arch", "--format", "json"], 1);
    assert_eq!(err, "");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{out}");
    let label = &lines[0]["labels"][0];
    assert_eq!((&lines[0]["code"], &lines[0]["severity"]), (&"E0203".into(), &"error".into()));
    assert_eq!((label["line"].as_u64(), label["column"].as_u64()), (Some(3), Some(3)));
    assert_eq!((label["start"].as_u64(), label["end"].as_u64()), (Some(29), Some(35)));
    let fix =
        serde_json::json!({ "title": "write `linear`", "file": "bad.arch", "start": 29, "end": 35, "text": "linear" });
    assert_eq!(lines[0]["fix"], fix, "{out}");
    assert!(lines[0]["help"].is_string() || label["text"].as_str().unwrap().contains("linear"), "{out}");
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let folder = workplace();
    for args in [
        &["chekc", "tiny.arch"][..],
        &["check"],
        &["check", "tiny.arch", "--size", "axb"],
        &["check", "tiny.arch", "--limit", "layer=3"],
        &["explain", "E9999"],
        &["plan", "tiny.arch", "--explain", "--train"],
        &["plan", "tiny.arch", "--threads", "0"],
        &["run", "tiny.arch", "--threads", "46151"],
        &["train", "tiny.arch", "--epochs", "0"],
        &["run", "tiny.arch", "--input", "nothing=x.npy"],
    ] {
        let (_, err) = expect(folder.path(), args, 2);
        assert!(err.starts_with("error: "), "{err}");
    }
}

#[test]
fn lines_of_the_recipe_are_found_by_other_names() {
    let folder = workplace();
    for (setting, meant) in [
        ("lr=0.1", "--set optimizer.lr=0.1"),
        ("batch_size=4", "--set batch=4"),
        ("loss=bce", "did you mean `bce_with_logits`?"),
    ] {
        let (_, err) = expect(folder.path(), &["check", "tiny.arch", "--set", setting], 1);
        assert!(err.contains(meant), "{setting}: {err}");
    }
    let (_, err) = expect(folder.path(), &["train", "tiny.arch", "--lr", "0.1"], 2);
    assert_eq!(err, "error: there is no `--lr`: it is a line of the recipe\n  help: --set optimizer.lr=0.1\n");
}

#[test]
fn what_cannot_be_written_says_which_folder_is_missing() {
    let folder = workplace();
    let at = folder.path();
    for args in [
        &["graph", "tiny.arch", "--svg", "no dir/x.svg"][..],
        &["export", "tiny.arch", "--safetensors", "no dir/x.safetensors"],
        &["export", "tiny.arch", "--onnx", "no dir/x.onnx"],
    ] {
        let (_, err) = expect(at, args, 1);
        assert!(err.contains("there is no folder `no dir`") && err.contains("mkdir -p 'no dir'"), "{err}");
    }
    let (_, err) = expect(at, &["train", "tiny.arch", "--out", "tiny.arch"], 1);
    assert!(err.contains("E0913") && err.contains("`tiny.arch` is a file, where a folder is wanted"), "{err}");
}

#[test]
fn files_that_are_not_there_are_errors() {
    let folder = workplace();
    let (_, err) = expect(folder.path(), &["check", "tony.arch"], 1);
    assert!(err.contains("error[E0201]") && err.contains("tony.arch"), "{err}");
    assert!(err.contains("did you mean `tiny.arch`?"), "{err}");
    let (_, err) = expect(folder.path(), &["eval", "tiny.arch", "--weights", "runs/tiny-1"], 1);
    assert!(err.contains("error[E08"), "{err}");
}

#[test]
fn a_file_mistyped_is_guessed() {
    let folder = workplace();
    let here = folder.path();
    std::fs::create_dir_all(here.join("runs/tiny-1")).unwrap();
    std::fs::write(here.join("weights.safetensors"), "").unwrap();
    std::fs::write(here.join("net.onnx"), "").unwrap();
    std::fs::write(here.join("use.arch"), "import Residual from \"tinny.arch\"\nmodel M { input x [N, 4]\n relu }")
        .unwrap();
    let files = [("fmt", "tinny.arch"), ("summary", "tiny.arhc"), ("check", "use.arch"), ("import", "nett.onnx")];
    for (command, file) in files {
        let (_, err) = expect(here, &[command, file], 1);
        let meant = if command == "import" { "net.onnx" } else { "tiny.arch" };
        assert!(err.contains(&format!("did you mean `{meant}`?")), "{err}");
    }
    for (weights, meant) in [("run/tiny-1", "runs/tiny-1"), ("weight.safetensors", "weights.safetensors")] {
        let (_, err) = expect(here, &["eval", "tiny.arch", "--weights", weights], 1);
        assert!(err.contains(&format!("did you mean `{meant}`?")), "{err}");
    }
}

#[test]
fn every_code_is_explained() {
    let (list, _) = expect(&examples(), &["explain"], 0);
    for line in list.lines() {
        let code = line.split_whitespace().next().unwrap();
        let (page, _) = expect(&examples(), &["explain", &code.to_lowercase()], 0);
        assert!(page.starts_with(&format!("# {code}")), "{page}");
    }
}

#[test]
fn a_summary_is_one_json_object() {
    let (out, _) = expect(&examples(), &["summary", "resnet.arch", "--model", "ResNet18", "--json"], 0);
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(summary["parameters"], 11_689_512);
    assert_eq!(summary["macs"].as_u64().unwrap() / 1_000_000, 1_814);
    assert_eq!(summary["outputs"][0]["shape"], serde_json::json!([1000]));
    assert_eq!(summary["skips"].as_array().unwrap().len(), 8);
    assert!(summary["layers"].as_array().unwrap().len() > 60);
}

#[test]
fn the_plain_twin_has_no_skips() {
    let (out, _) = expect(&examples(), &["summary", "resnet.arch", "--model", "ResNet18", "--plain", "--json"], 0);
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(summary["skips"].as_array().unwrap().len(), 0);
    assert!(summary["parameters"].as_u64().unwrap() < 11_689_512);
}

#[test]
fn pictures_are_written_whole() {
    let folder = workplace();
    expect(folder.path(), &["graph", "tiny.arch", "--svg", "net.svg"], 0);
    expect(folder.path(), &["plan", "tiny.arch", "--train", "--svg", "plan.svg"], 0);
    for name in ["net.svg", "plan.svg"] {
        let svg = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{name}");
    }
    let (_, err) = expect(folder.path(), &["graph", "tiny.arch", "--svg", "no/such/net.svg"], 1);
    assert!(err.contains("error[E0905]"), "{err}");
}

#[test]
fn several_pictures_are_drawn_at_once() {
    let folder = workplace();
    let (out, _) =
        expect(folder.path(), &["graph", "tiny.arch", "--html", "net.html", "--dot", "net.dot", "--mermaid"], 0);
    assert!(out.contains("flowchart TB") && !out.contains("digraph"), "{out}");
    expect(folder.path(), &["summary", "tiny.arch", "--html", "layers.html"], 0);
    for name in ["net.html", "layers.html"] {
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"), "{name}");
    }
    assert!(std::fs::read_to_string(folder.path().join("net.dot")).unwrap().starts_with("digraph"));
    let (_, err) = expect(folder.path(), &["graph", "tiny.arch", "--dot", "--mermaid"], 2);
    assert!(err.contains("both want standard output"), "{err}");
    // The network's file is not taken for the drawing's.
    let (out, _) = expect(folder.path(), &["graph", "--dot", "tiny.arch"], 0);
    assert!(out.starts_with("digraph"), "{out}");
    let (_, err) = expect(folder.path(), &["graph", "tiny.arch", "--mermaid", "tiny.arch"], 2);
    assert!(err.contains("would replace it"), "{err}");
    let (_, err) = expect(folder.path(), &["graph", "--dot", "net.dot"], 2);
    assert!(err.contains("no network to draw"), "{err}");
}

#[test]
fn a_plan_is_explained_and_cut_short() {
    let folder = workplace();
    let plan = |args: &[&str]| expect(folder.path(), &[&["plan", "tiny.arch"], args].concat(), 0).0;
    let text = plan(&["--explain"]);
    assert!(text.contains("fold_norm  ") && text.contains("folded into conv1"), "{text}");
    let json =
        |args: &[&str]| -> Value { serde_json::from_str(&plan(&[args, &["--format", "json"]].concat())).unwrap() };
    let (whole, cut) = (json(&["--explain"]), json(&["--explain", "--stop-after", "fold_norm"]));
    let passes = |plan: &Value| plan["passes"].as_array().unwrap().len();
    assert_eq!((passes(&whole), passes(&cut)), (archc::opt::PASSES.len(), 3));
    let fold = &whole["passes"][2];
    assert_eq!((&fold["pass"], &fold["fired"], &fold["refused"]), (&"fold_norm".into(), &2.into(), &0.into()));
    assert_eq!(fold["notes"][0], serde_json::json!({"node": "batch_norm1", "fired": true, "why": "folded into conv1"}));
    let steps = |plan: &Value| plan["steps"].as_array().unwrap().len();
    assert!(steps(&whole) < steps(&cut) && whole["steps"][1]["kernel"].is_string(), "{whole}");
    assert!(json(&[])["passes"].is_null());
    let (_, err) = expect(folder.path(), &["plan", "tiny.arch", "--stop-after", "fold-norm"], 2);
    assert!(err.contains("did you mean `fold_norm`?") && err.contains("fuse_prologue"), "{err}");
}

#[test]
fn a_bench_is_one_json_object() {
    let folder = workplace();
    let common = ["bench", "tiny.arch", "--batch", "2", "--threads", "1", "--repeat", "3", "--json"];
    for extra in [&[][..], &["--profile"], &["--engine", "candle"], &["--train"]] {
        let (out, _) = expect(folder.path(), &[&common, extra].concat(), 0);
        let report: Value = serde_json::from_str(&out).unwrap();
        let number = |name: &str| report[name].as_f64().unwrap_or_else(|| panic!("{name}: {out}"));
        assert!(number("min_ms") <= number("median_ms") && number("median_ms") <= number("max_ms"), "{out}");
        assert!(number("gflops") > 0.0 && number("spread") >= 0.0 && number("resident_bytes") > 0.0, "{out}");
        let plan = !extra.contains(&"--train") && !extra.contains(&"candle");
        assert_eq!(report["engine"], if plan { "plan" } else { "candle" });
        assert_eq!(number("peak_bytes"), number(if plan { "planned_bytes" } else { "resident_bytes" }));
        assert_eq!(report["steps"].is_array(), extra.contains(&"--profile"));
    }
}

/// The weights of a run, by path.
fn weights(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(run.join("last.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    tensors.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect()
}

#[test]
fn a_pipe_gets_plain_lines_and_a_run_can_be_measured() {
    let folder = workplace();
    let (out, err) = expect(folder.path(), &["train", "tiny.arch", "--threads", "1"], 0);
    assert_eq!(out.lines().filter(|line| line.starts_with("epoch")).count(), 2, "{out}");
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{out}{err}");
    assert!(err.contains("archc eval tiny.arch --weights runs/tiny-1"), "{err}");
    let (scores, _) = expect(folder.path(), &["eval", "tiny.arch", "--weights", "runs/tiny-1", "--format", "json"], 0);
    let scores: Value = serde_json::from_str(&scores).unwrap();
    let accuracy = format!("test acc {:.2} %", 100.0 * scores["accuracy"].as_f64().unwrap());
    let best = out.lines().find(|line| line.starts_with("best after step")).unwrap();
    assert!(best.contains(&accuracy), "{best}: {scores}");
}

/// What both engines print and write, given the same arguments.
fn both(folder: &Path, args: &[&str]) -> [(Value, BTreeMap<String, Vec<f32>>); 2] {
    ["plan", "candle"].map(|engine| {
        let file = format!("{engine}.safetensors");
        let output: &[&str] = if args[0] == "run" { &["--output", &file] } else { &[] };
        let common = ["--engine", engine, "--threads", "2", "--format", "json", "-q"];
        let (out, err) = expect(folder, &[args, output, &common].concat(), 0);
        assert_eq!(err, "");
        let bytes = std::fs::read(folder.join(file)).unwrap_or_default();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).map(|t| t.tensors()).unwrap_or_default();
        let floats = |data: &[u8]| data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let values = tensors.into_iter().map(|(name, view)| (name, floats(view.data())));
        (serde_json::from_str(&out).unwrap(), values.collect())
    })
}

fn near(got: f64, want: f64) -> bool {
    (got - want).abs() <= 1e-4 * want.abs().max(1.0)
}

#[test]
fn both_engines_answer_the_same() {
    let folder = workplace();
    write_npy(&folder.path().join("x.npy"), &tensor(&[3, 1, 8, 8], 5)).unwrap();
    expect(folder.path(), &["train", "tiny.arch", "--threads", "1", "--steps", "3", "-q"], 0);
    for weights in [&["--weights", "runs/tiny-1"][..], &["--seed", "4"]] {
        let run = [&["run", "tiny.arch", "--input", "x.npy"], weights].concat();
        let [(plan, of_plan), (module, of_module)] = both(folder.path(), &run);
        assert_eq!(of_plan.keys().collect::<Vec<_>>(), of_module.keys().collect::<Vec<_>>());
        for (name, want) in &of_module {
            assert_eq!((want.len(), of_plan[name].len()), (30, 30));
            assert!(want.iter().zip(&of_plan[name]).all(|(&w, &g)| near(g.into(), w.into())), "{name}");
        }
        let tops = |answer: &Value| -> Vec<Value> {
            let (_, output) = answer["outputs"].as_object().unwrap().iter().next().unwrap();
            let samples = output["top"].as_array().unwrap().iter();
            samples.flat_map(|sample| sample.as_array().unwrap()).cloned().collect()
        };
        assert_eq!(tops(&plan).len(), 15);
        for (got, want) in tops(&plan).iter().zip(tops(&module)) {
            assert_eq!(got["class"], want["class"]);
            assert!(near(got["probability"].as_f64().unwrap(), want["probability"].as_f64().unwrap()));
        }
    }
    let [(plan, _), (module, _)] = both(folder.path(), &["eval", "tiny.arch", "--weights", "runs/tiny-1"]);
    assert_eq!((&plan["samples"], &plan["accuracy"]), (&module["samples"], &module["accuracy"]));
    assert!(near(plan["loss"].as_f64().unwrap(), module["loss"].as_f64().unwrap()), "{plan} {module}");
}

#[test]
fn both_engines_refuse_the_same() {
    let folder = workplace();
    for (name, dims) in [("x.npy", [1, 1, 8, 8]), ("wide.npy", [1, 2, 8, 8])] {
        write_npy(&folder.path().join(name), &tensor(&dims, 5)).unwrap();
    }
    write_safetensors(&folder.path().join("other.safetensors"), &[("x".into(), tensor(&[7], 5))]).unwrap();
    for engine in ["plan", "candle"] {
        let refused = |args: &[&str], status, code: &str| {
            let (_, err) = expect(folder.path(), &[&["run", "tiny.arch", "--engine", engine], args].concat(), status);
            assert!(err.contains(code), "{err}");
            err
        };
        refused(&["--input", "wide.npy"], 1, "error[E0902]");
        refused(&["--input", "x.npy", "--weights", "none.pth"], 1, "error[E0810]");
        refused(&["--input", "x.npy", "--weights", "x.npy"], 1, "error[E0810]");
        refused(&["--input", "x.npy", "--weights", "other.safetensors", "--partial"], 1, "error[E0812]");
        refused(&["--input", "x.npy", "--weights", "."], 1, "error[E0810]");
    }
    for command in ["run", "eval", "bench"] {
        let rest: &[&str] = match command {
            "run" => &["--input", "x.npy"],
            "eval" => &["--weights", "runs/tiny-1"],
            _ => &[],
        };
        let args = [&[command, "tiny.arch", "--engine", "plan", "--device", "cuda"], rest].concat();
        let (_, err) = expect(folder.path(), &args, 2);
        assert!(err.contains("computes on the CPU") && err.contains("--engine candle"), "{err}");
    }
}

/// Normal numbers.
fn tensor(dims: &[usize], seed: u64) -> TensorData {
    let mut rng = archc::base::Rng::new(seed);
    let values = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
    TensorData { shape: dims.to_vec(), values }
}

#[test]
fn a_run_that_stopped_goes_on_to_the_same_bits() {
    let folder = workplace();
    let train = |args: &[&str]| {
        let common = ["train", "tiny.arch", "--threads", "1", "-q"];
        expect(folder.path(), &[&common[..], args].concat(), 0);
    };
    train(&["--steps", "17", "--out", "whole"]);
    let mut child = archc(folder.path())
        .args(["train", "tiny.arch", "--threads", "1", "--steps", "17", "--out", "broken"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&folder.path().join("broken/last.safetensors"), &mut child);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.code() == Some(130) {
        assert!(text(&output.stderr).contains("archc train tiny.arch --resume broken"), "{}", text(&output.stderr));
        train(&["--resume", "broken"]);
    }
    assert_eq!(weights(&folder.path().join("whole")), weights(&folder.path().join("broken")));
}

fn wait_for(path: &Path, child: &mut Child) {
    for _ in 0..600 {
        if path.exists() || child.try_wait().unwrap().is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} never came", path.display());
}

/// The moments are drawn from a generator, over the time that a run needs for some checkpoints.
#[test]
fn a_kill_at_any_moment_leaves_a_checkpoint_that_loads() {
    let folder = workplace();
    let mut rng = archc::base::Rng::new(11);
    let mut loaded = 0;
    for turn in 0..20 {
        let out = format!("run{turn}");
        let mut child = archc(folder.path())
            .args(["train", "tiny.arch", "--threads", "1", "--epochs", "500", "-q", "--out", &out])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let last = folder.path().join(&out).join("last.safetensors");
        wait_for(&last, &mut child);
        std::thread::sleep(Duration::from_millis(rng.below(400) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let weights = last.display().to_string();
        expect(folder.path(), &["eval", "tiny.arch", "--threads", "1", "--weights", &weights, "--partial", "-q"], 0);
        expect(folder.path(), &["train", "tiny.arch", "--threads", "1", "-q", "--resume", &out, "--steps", "1"], 0);
        loaded += 1;
    }
    assert_eq!(loaded, 20);
}
