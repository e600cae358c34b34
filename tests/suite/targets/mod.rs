//! Targets that do not fit, through the commands: each is named with its file, value and place before the first step, in
//! text and in JSON, by `train` and by `eval`; and what the help says to set, works when it is set.

mod labels;
mod masks;
mod pictures;

use super::cli::expect;
use super::data_tensors::{npy, npz};
use serde_json::Value;
use std::path::Path;

/// A classifier of two numbers, `CHANNELS` outputs.
pub(super) fn classifier(channels: usize, loss: &str) -> String {
    format!(
        "model Net(classes={channels}) {{\n    input x [N, 2]\n    linear(classes)\n}}\n\
         train Net {{\n    loss      = {loss}\n    optimizer = sgd(lr=0.05)\n    epochs    = 1\n    batch     = 4\n}}\n"
    )
}

/// A segmenter of 4×4.
pub(super) fn segmenter(channels: usize, loss: &str) -> String {
    classifier(channels, loss).replace("x [N, 2]", "image [N, 1, 4, 4]").replace("linear(classes)", "conv(classes, 1)")
}

/// An array of this type.
pub(super) struct Y(pub(super) &'static str, pub(super) Vec<f64>);

impl Y {
    fn bytes(&self) -> Vec<u8> {
        let each = |v: &f64| match self.0 {
            "|u1" => vec![*v as u8],
            "|i1" => (*v as i8).to_le_bytes().to_vec(),
            "|b1" => vec![u8::from(*v != 0.0)],
            "<i8" => (*v as i64).to_le_bytes().to_vec(),
            "<f4" => (*v as f32).to_le_bytes().to_vec(),
            "<f8" => v.to_le_bytes().to_vec(),
            other => panic!("no numbers of type {other}"),
        };
        self.1.iter().flat_map(each).collect()
    }
}

/// Writes `NAME.npz`, as many samples as `shape` says.
pub(super) fn save(folder: &Path, name: &str, input: &[usize], shape: &[usize], y: &Y) {
    let list = |dims: &[usize]| format!("({},)", dims.iter().map(usize::to_string).collect::<Vec<_>>().join(", "));
    let dims = [&shape[..1], input].concat();
    let x: Vec<u8> = (0..dims.iter().product()).flat_map(|i: usize| ((i % 7) as f32 / 7.0).to_le_bytes()).collect();
    let arrays = [("x", npy("<f4", &list(&dims), &x)), ("y", npy(y.0, &list(shape), &y.bytes()))];
    npz(&folder.join(format!("{name}.npz")), &arrays);
}

/// What a command says in JSON: its only error.
pub(super) fn error(folder: &Path, args: &[&str]) -> Value {
    let args = [args, &["--format", "json"]].concat();
    let (out, err) = expect(folder, &args, 1);
    let lines = out.lines().chain(err.lines()).filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors: Vec<Value> = lines.filter(|line| line["severity"] == "error").collect();
    assert_eq!(errors.len(), 1, "{args:?}\n{out}\n{err}");
    errors[0].clone()
}

/// The settings that each alternative of a help names, as arguments: `` `--set classes=4` ``.
pub(super) fn settings(help: &str) -> Vec<Vec<String>> {
    let alternative = |part: &str| -> Vec<String> {
        let quoted = part.split('`').filter_map(|word| word.strip_prefix("--set "));
        quoted.flat_map(|setting| ["--set".to_string(), setting.replace('"', "")]).collect()
    };
    help.split(", or ").map(alternative).filter(|args| !args.is_empty()).collect()
}

/// One kind of wrong data, and what is said of it.
pub(super) struct Case<'a> {
    pub(super) net: String,
    pub(super) shape: &'a [usize],
    pub(super) y: Y,
    pub(super) code: &'a str,
    pub(super) says: &'a [&'a str],
    /// How many alternatives of the help can be pasted.
    pub(super) pasted: usize,
}

/// Trains with the data `bad`, which must be refused as the case says in text, in JSON, and by `eval` of a network of the same
/// shape; then with what the help says.
pub(super) fn refused(case: &Case, input: &[usize]) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("net.arch"), &case.net).unwrap();
    save(folder, "bad", input, case.shape, &case.y);
    let train = ["train", "net.arch", "--data", "bad.npz", "--out", "run", "--no-report"];
    let (_, err) = expect(folder, &train, 1);
    assert!(err.contains(&format!("error[{}]", case.code)) && !err.contains("E0904"), "{:?}: {err}", case.says);
    assert!(!folder.join("run/log.jsonl").exists(), "it was said before the first step");
    let said = error(folder, &train);
    let all = format!("{} {} {}", said["message"], said["help"], said["notes"]).replace("\\\"", "\"");
    assert_eq!(said["code"], case.code, "{all}");
    case.says.iter().for_each(|part| assert!(all.contains(part), "`{part}` is not in\n{all}"));
    let help = said["help"].as_str().unwrap_or_default();
    let alternatives = settings(help);
    assert_eq!(alternatives.len(), case.pasted, "{help}");
    for (number, settings) in alternatives.iter().enumerate() {
        let out = format!("set{number}");
        let mut args = vec!["train", "net.arch", "--data", "bad.npz", "--no-report", "--out", &out];
        args.extend(settings.iter().map(String::as_str));
        expect(folder, &args, 0);
    }
    std::fs::create_dir(folder.join("weights")).unwrap();
    let weights = weights(folder);
    let measured = error(folder, &["eval", "net.arch", "--data", "bad.npz", "--weights", &weights]);
    assert_eq!((&measured["code"], &measured["message"]), (&said["code"], &said["message"]), "eval says the same");
}

/// Weights that fit the network, learnt from numbers that fit it.
pub(super) fn weights(folder: &Path) -> String {
    let net = std::fs::read_to_string(folder.join("net.arch")).unwrap();
    let (start, rest) = net.split_once("loss      = ").unwrap();
    let (_, end) = rest.split_once('\n').unwrap();
    std::fs::write(folder.join("plain.arch"), format!("{start}loss      = mse\n{end}")).unwrap();
    let channels: usize = start.split_once("classes=").unwrap().1.split_once(')').unwrap().0.parse().unwrap();
    let side = if start.contains("stride=2") { 2 } else { 4 };
    let numbers = vec![0.5; 2 * channels * side * side];
    match start.contains("conv(") {
        true => save(folder, "plain", &[1, 4, 4], &[2, channels, side, side], &Y("<f4", numbers)),
        false => save(folder, "plain", &[2], &[2, channels], &Y("<f4", vec![0.5; 2 * channels])),
    }
    let out = folder.join("weights/run").display().to_string();
    expect(folder, &["train", "plain.arch", "--data", "plain.npz", "--no-report", "--out", &out], 0);
    format!("{out}/best.safetensors")
}

/// What is taken, and what comes of it.
pub(super) fn taken(net: &str, input: &[usize], shape: &[usize], y: &Y, settings: &[&str]) -> (f64, String) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("net.arch"), net).unwrap();
    save(folder, "d", input, shape, y);
    let args =
        [&["train", "net.arch", "--data", "d.npz", "--out", "run", "--no-report", "--format", "json"][..], settings];
    let (out, _) = expect(folder, &args.concat(), 0);
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    (last["best"]["loss"].as_f64().expect("a loss that is a number"), out)
}
