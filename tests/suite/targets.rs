//! Targets that do not fit, through the commands: each is named with its file, value and place before the first step, in
//! text and in JSON, by `train` and by `eval`; and what the help says to set, works when it is set.

use super::cli::{archc, expect, text};
use super::data_tensors::{npy, npz};
use serde_json::Value;
use std::path::Path;

/// A classifier of two numbers, `CHANNELS` outputs.
fn classifier(channels: usize, loss: &str) -> String {
    format!(
        "model Net(classes={channels}) {{\n    input x [N, 2]\n    linear(classes)\n}}\n\
         train Net {{\n    loss      = {loss}\n    optimizer = sgd(lr=0.05)\n    epochs    = 1\n    batch     = 4\n}}\n"
    )
}

/// A segmenter of 4×4.
fn segmenter(channels: usize, loss: &str) -> String {
    classifier(channels, loss).replace("x [N, 2]", "image [N, 1, 4, 4]").replace("linear(classes)", "conv(classes, 1)")
}

/// An array of this type.
struct Y(&'static str, Vec<f64>);

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
fn save(folder: &Path, name: &str, input: &[usize], shape: &[usize], y: &Y) {
    let list = |dims: &[usize]| format!("({},)", dims.iter().map(usize::to_string).collect::<Vec<_>>().join(", "));
    let dims = [&shape[..1], input].concat();
    let x: Vec<u8> = (0..dims.iter().product()).flat_map(|i: usize| ((i % 7) as f32 / 7.0).to_le_bytes()).collect();
    let arrays = [("x", npy("<f4", &list(&dims), &x)), ("y", npy(y.0, &list(shape), &y.bytes()))];
    npz(&folder.join(format!("{name}.npz")), &arrays);
}

/// What a command says in JSON: its only error.
fn error(folder: &Path, args: &[&str]) -> Value {
    let args = [args, &["--format", "json"]].concat();
    let (out, err) = expect(folder, &args, 1);
    let lines = out.lines().chain(err.lines()).filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors: Vec<Value> = lines.filter(|line| line["severity"] == "error").collect();
    assert_eq!(errors.len(), 1, "{args:?}\n{out}\n{err}");
    errors[0].clone()
}

/// The settings that each alternative of a help names, as arguments: `` `--set classes=4` ``.
fn settings(help: &str) -> Vec<Vec<String>> {
    let alternative = |part: &str| -> Vec<String> {
        let quoted = part.split('`').filter_map(|word| word.strip_prefix("--set "));
        quoted.flat_map(|setting| ["--set".to_string(), setting.replace('"', "")]).collect()
    };
    help.split(", or ").map(alternative).filter(|args| !args.is_empty()).collect()
}

/// One kind of wrong data, and what is said of it.
struct Case<'a> {
    net: String,
    shape: &'a [usize],
    y: Y,
    code: &'a str,
    says: &'a [&'a str],
    /// How many alternatives of the help can be pasted.
    pasted: usize,
}

/// Trains with the data `bad`, which must be refused as the case says in text, in JSON, and by `eval` of a network of the same
/// shape; then with what the help says.
fn refused(case: &Case, input: &[usize]) {
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
fn weights(folder: &Path) -> String {
    let net = std::fs::read_to_string(folder.join("net.arch")).unwrap();
    let (start, rest) = net.split_once("loss      = ").unwrap();
    let (_, end) = rest.split_once('\n').unwrap();
    std::fs::write(folder.join("plain.arch"), format!("{start}loss      = mse\n{end}")).unwrap();
    let channels: usize = start.split_once("classes=").unwrap().1.split_once(')').unwrap().0.parse().unwrap();
    match start.contains("conv(") {
        true => save(folder, "plain", &[1, 4, 4], &[2, channels, 4, 4], &Y("<f4", vec![0.5; 2 * channels * 16])),
        false => save(folder, "plain", &[2], &[2, channels], &Y("<f4", vec![0.5; 2 * channels])),
    }
    let out = folder.join("weights/run").display().to_string();
    expect(folder, &["train", "plain.arch", "--data", "plain.npz", "--no-report", "--out", &out], 0);
    format!("{out}/last.safetensors")
}

fn labels(net: String, y: Y, code: &'static str, says: &[&str], pasted: usize) {
    let shape = [y.1.len()];
    refused(&Case { net, shape: &shape, y, code, says, pasted }, &[2]);
}

#[test]
fn labels_that_are_no_classes_are_named() {
    let three = || classifier(3, "cross_entropy()");
    labels(
        three(),
        Y("<i8", vec![0., 1., 2., 3., 1., 2.]),
        "E0910",
        &["4 classes, 0 to 3", "`y[3]` in `bad.npz` is 3", "`--set classes=4`"],
        1,
    );
    labels(
        three(),
        Y("|u1", vec![1., 2., 3., 3., 1., 2.]),
        "E0806",
        &["`y[2]` in `bad.npz` is 3", "run from 1 to 3", "classes=4"],
        1,
    );
    labels(three(), Y("|i1", vec![0., 1., -1., 2.]), "E0806", &["`y[2]` in `bad.npz` is -1", "ignore_index=-1"], 1);
    labels(three(), Y("|u1", vec![0., 1., 255., 2.]), "E0806", &["`y[2]` in `bad.npz` is 255", "ignore_index=255"], 1);
    labels(
        three(),
        Y("<f8", vec![0., 1., 0.5, 2.]),
        "E0806",
        &["`y[2]` in `bad.npz` is 0.5", "wants class numbers", "`--set loss=mse`"],
        1,
    );
    labels(
        three(),
        Y("<i8", vec![0., 40., 900., 0.]),
        "E0806",
        &["`y[1]` in `bad.npz` is 40", "0 (2×), 40 (1×)", "np.searchsorted([0, 40, 900], y)"],
        0,
    );
    labels(
        classifier(2, "0.5 * cross_entropy() + cross_entropy()"),
        Y("<i8", vec![0., 1., -7., 1.]),
        "E0806",
        &["`--set loss.0.ignore_index=-7`"],
        0,
    );
}

#[test]
fn losses_that_want_other_targets_say_so() {
    labels(
        classifier(3, "mse()"),
        Y("<i8", vec![0., 1., 2., 1.]),
        "E0910",
        &["the output `output` is [3]", "one number each", "`--set classes=1`", "`--set loss=cross_entropy`"],
        1,
    );
    labels(
        classifier(1, "bce_with_logits()"),
        Y("<i8", vec![0., 1., 2., 1.]),
        "E0910",
        &["3 classes, 0 to 2", "`y[2]` in `bad.npz` is 2", "`--set classes=3`"],
        1,
    );
    labels(
        classifier(1, "bce_with_logits()"),
        Y("<f4", vec![0., 1., 1.5, 1.]),
        "E0910",
        &["`y[2]` in `bad.npz` is 1.5", "from 0 to 1", "between 0 and 1.5"],
        0,
    );
    labels(classifier(1, "bce_with_logits()"), Y("|i1", vec![-1., 1., 1., -1.]), "E0806", &["(y + 1) // 2"], 0);
    labels(classifier(1, "dice()"), Y("<f4", vec![-9., 1., 1., 0.]), "E0910", &["`y[0]`", "is -9", "loss=mse"], 1);
    labels(
        classifier(1, "cross_entropy()"),
        Y("<i8", vec![0., 1., 1., 0.]),
        "E0910",
        &["over one channel is always 0"],
        2,
    );
    labels(
        classifier(2, "bce_with_logits()"),
        Y("<i8", vec![0., 1., 1., 0.]),
        "E0910",
        &["one by one", "loss=cross_entropy"],
        1,
    );
    labels(
        classifier(3, "cross_entropy(class_weights=[1, 2])"),
        Y("<i8", vec![0., 1., 2., 0.]),
        "E0910",
        &["`class_weights` has 2 numbers", "give 3"],
        0,
    );
    labels(
        classifier(2, "cross_entropy(ignore_index=1)"),
        Y("<i8", vec![1.; 4]),
        "E0910",
        &["every target is 1", "nothing is left"],
        0,
    );
}

#[test]
fn probabilities_and_shapes_are_looked_at() {
    let case = |net: String, shape: &[usize], y: Y, says: &[&str], pasted: usize| {
        refused(&Case { net, shape, y, code: "E0910", says, pasted }, &[2]);
    };
    let hot = || Y("<f4", vec![1., 0., 1., 0., 1., 0.]);
    case(
        classifier(3, "cross_entropy()"),
        &[2, 3],
        hot(),
        &["`y[0, 0]` in `bad.npz` is 1", "adds up to 2.000", "`--set loss=bce_with_logits`"],
        1,
    );
    case(
        classifier(3, "cross_entropy()"),
        &[2, 3],
        Y("<i8", vec![1., 0., 0., 0., 2., 0.]),
        &["`y[1, 1]` in `bad.npz` is 2", "probabilities"],
        1,
    );
    case(classifier(3, "mse()"), &[3, 2], hot(), &["the output `output` is [3]", "targets are [2]"], 0);
}

/// What is taken, and what comes of it.
fn taken(net: &str, input: &[usize], shape: &[usize], y: &Y, settings: &[&str]) -> (f64, String) {
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

#[test]
fn labels_are_read_whatever_their_type() {
    let net = classifier(2, "cross_entropy()");
    let mut losses = Vec::new();
    for kind in ["<i8", "|u1", "|i1", "|b1", "<f4", "<f8"] {
        losses.push(taken(&net, &[2], &[4], &Y(kind, vec![0., 1., 1., 0.]), &[]).0);
        losses.push(taken(&net, &[2], &[4, 1], &Y(kind, vec![0., 1., 1., 0.]), &[]).0);
    }
    // One-hot labels are the same again.
    losses.push(taken(&net, &[2], &[4, 2], &Y("<f4", vec![1., 0., 0., 1., 0., 1., 1., 0.]), &[]).0);
    assert!(losses.iter().all(|loss| (loss - losses[0]).abs() < 1e-6), "{losses:?}");
    // PyTorch leaves out −100 where nothing else is said.
    taken(&net, &[2], &[4], &Y("<i8", vec![0., 1., -100., 0.]), &[]);
    // Whole numbers are numbers to losses of numbers, of any size and sign.
    taken(&classifier(1, "mse()"), &[2], &[4], &Y("<i8", vec![-3., 1., 0., 2.]), &[]);
}

#[test]
fn ten_outputs_for_two_classes_are_a_warning() {
    let y = || Y("<i8", vec![0., 1., 1., 0.]);
    let (_, out) = taken(&classifier(10, "cross_entropy()"), &[2], &[4], &y(), &[]);
    let warning: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!((&warning["code"], &warning["severity"]), (&"W0805".into(), &"warning".into()), "{out}");
    assert_eq!(warning["help"], "`--set classes=2`");
    let (_, out) = taken(&classifier(10, "cross_entropy()"), &[2], &[4], &y(), &["--set", "classes=2"]);
    assert!(!out.contains("W0805"), "{out}");
    let (_, out) = taken(&classifier(4, "cross_entropy()"), &[2], &[4], &Y("<i8", vec![1., 2., 3., 1.]), &[]);
    assert!(out.contains("W0805") && out.contains("has class 0") && out.contains("count from 1"), "{out}");
}

#[test]
fn a_batch_that_is_left_out_changes_nothing() {
    let net = classifier(2, "cross_entropy(ignore_index=9)").replace("batch     = 4", "batch     = 2");
    let y = Y("<i8", vec![0., 1., 9., 9., 1., 0.]);
    let (loss, out) = taken(&net, &[2], &[6], &y, &["--no-shuffle"]);
    assert!(loss.is_finite() && loss > 0.0, "{out}");
    assert!(out.contains("W0806") && out.contains("batch 2 of epoch 1"), "{out}");
}

#[test]
fn what_is_no_number_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("net.arch"), classifier(1, "mse()")).unwrap();
    save(folder, "bad", &[2], &[4, 1], &Y("<f8", vec![0., 1., f64::NAN, 0.]));
    let said = error(folder, &["train", "net.arch", "--data", "bad.npz"]);
    assert_eq!(said["code"], "E0804");
    assert!(said["message"].as_str().unwrap().contains("`y[2, 0]` is NaN"), "{said}");
    save(folder, "bad", &[2], &[2], &Y("<f8", vec![0., f64::INFINITY]));
    let said = error(folder, &["train", "net.arch", "--data", "bad.npz"]);
    assert!(said["message"].as_str().unwrap().contains("`y[1]` is inf"), "{said}");
}

fn masks(net: String, shape: &[usize], y: Y, code: &str, says: &[&str], pasted: usize) {
    refused(&Case { net, shape, y, code, says, pasted }, &[1, 4, 4]);
}

/// Two masks of 4×4: `levels` over and over, then these pixels of the second.
fn pixels(kind: &'static str, levels: &[f64], changed: &[(usize, f64)]) -> Y {
    let mut all: Vec<f64> = levels.iter().copied().cycle().take(32).collect();
    changed.iter().for_each(|&(at, level)| all[16 + at] = level);
    Y(kind, all)
}

#[test]
fn levels_of_masks_that_are_no_classes_are_named() {
    let two = || segmenter(2, "cross_entropy()");
    masks(
        two(),
        &[2, 4, 4],
        pixels("|u1", &[0., 255.], &[(7, 127.)]),
        "E0806",
        &["`y[1, 1, 3]` in `bad.npz` is 127", "1 pixel is neither 0 nor 255", "m > 127"],
        0,
    );
    masks(
        two(),
        &[2, 1, 4, 4],
        pixels("<i8", &[0., 1.], &[(7, 255.)]),
        "E0806",
        &["`y[1, 0, 1, 3]` in `bad.npz` is 255", "`--set loss.ignore_index=255`"],
        1,
    );
    masks(
        segmenter(1, "bce_with_logits()"),
        &[2, 4, 4],
        pixels("|u1", &[0., 1.], &[(7, 255.)]),
        "E0806",
        &["leaves nothing out", "`--set classes=2`"],
        1,
    );
    masks(
        segmenter(2, "dice()"),
        &[2, 4, 4],
        pixels("|u1", &[0., 1.], &[(7, 255.)]),
        "E0806",
        &["`--set loss.ignore_index=255`"],
        1,
    );
    masks(
        two(),
        &[2, 4, 4],
        pixels("|u1", &[0., 1., 2.], &[(7, 255.)]),
        "E0910",
        &["3 classes, 0 to 2", "`--set classes=3`; 255 marks no class: `--set loss.ignore_index=255`"],
        1,
    );
    masks(
        two(),
        &[2, 4, 4],
        pixels("|u1", &[0., 128., 255.], &[]),
        "E0806",
        &["masks hold 0 (11×), 128 (11×), 255 (10×)", "np.searchsorted([0, 128, 255], m)"],
        0,
    );
    masks(two(), &[2, 4, 4], pixels("<f4", &[0., 0.5], &[]), "E0806", &["`y[0, 0, 1]` in `bad.npz` is 0.5"], 1);
}

#[test]
fn black_and_white_is_two_classes_in_every_array() {
    let net = segmenter(2, "cross_entropy()");
    let mut losses = Vec::new();
    for kind in ["|u1", "<i8", "<f4", "<f8"] {
        losses.push(taken(&net, &[1, 4, 4], &[2, 4, 4], &pixels(kind, &[0., 255.], &[]), &[]).0);
        losses.push(taken(&net, &[1, 4, 4], &[2, 1, 4, 4], &pixels(kind, &[0., 1.], &[]), &[]).0);
    }
    losses.push(taken(&net, &[1, 4, 4], &[2, 4, 4], &pixels("|b1", &[0., 1.], &[]), &[]).0);
    assert!(losses.iter().all(|loss| (loss - losses[0]).abs() < 1e-6), "{losses:?}");
    let bce = segmenter(1, "bce_with_logits()");
    for kind in ["|u1", "<f4"] {
        let (loss, _) = taken(&bce, &[1, 4, 4], &[2, 4, 4], &pixels(kind, &[0., 255.], &[]), &[]);
        assert!(loss > 0.0 && loss < 3.0, "{loss}");
    }
}

#[test]
fn how_levels_are_read_is_kept_in_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("net.arch"), segmenter(2, "cross_entropy()")).unwrap();
    let size = [2, 4, 4];
    for (name, levels) in [("learnt", &[0., 255.][..]), ("white", &[255.]), ("black", &[0.]), ("numbers", &[0., 1.])] {
        save(folder, name, &[1, 4, 4], &size, &pixels("|u1", levels, &[]));
    }
    for (data, out) in [("learnt.npz", "run"), ("numbers.npz", "plain")] {
        expect(folder, &["train", "net.arch", "--data", data, "--out", out, "--no-report"], 0);
    }
    let loss = |data: &str, status: i32| {
        let (out, err) =
            expect(folder, &["eval", "net.arch", "--data", data, "--weights", "run", "--format", "json"], status);
        serde_json::from_str::<Value>(out.lines().last().unwrap_or(&err)).unwrap()
    };
    let mean = |data: &str| loss(data, 0)["loss"].as_f64().unwrap();
    let (white, black, both) = (mean("white.npz"), mean("black.npz"), mean("learnt.npz"));
    assert!(white != black && ((white.min(black))..=(white.max(black))).contains(&both), "{white} {black} {both}");
    let said = loss("numbers.npz", 1);
    assert_eq!(said["code"], "E0806");
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("`y[0, 0, 1]` in `numbers.npz` is 1") && message.contains("black and white"), "{message}");
    // A run of class numbers does not take 255 for one.
    let said = error(folder, &["eval", "net.arch", "--data", "learnt.npz", "--weights", "plain"]);
    assert_eq!(said["code"], "E0806", "{said}");
    assert!(said["message"].as_str().unwrap().contains("is 255"), "{said}");
}

#[test]
fn maps_lie_where_masks_do() {
    let half = segmenter(2, "cross_entropy()").replace("conv(classes, 1)", "conv(classes, 1, stride=2)");
    masks(half, &[2, 4, 4], pixels("|u1", &[0., 1.], &[]), "E0910", &["2×2", "2 pixels apart", "upsample(2"], 0);
    let flipped = segmenter(1, "mse()").replace("epochs ", "augment = [flip]\n    epochs ");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("net.arch"), flipped).unwrap();
    save(folder.path(), "d", &[1, 4, 4], &[2, 4, 4], &pixels("<f4", &[0.5, 0.25], &[]));
    let said = error(folder.path(), &["train", "net.arch", "--data", "d.npz"]);
    assert_eq!(said["code"], "E0820", "{said}");
    expect(folder.path(), &["train", "net.arch", "--data", "d.npz", "--no-augment", "--no-report"], 0);
}

/// `images/` and `masks/` of six pairs, the masks as this writes them.
fn pictures(folder: &Path, save_mask: impl Fn(usize, &Path)) {
    for part in ["images", "masks"] {
        std::fs::create_dir_all(folder.join("d").join(part)).unwrap();
    }
    for i in 0..6 {
        let grey = |x: u32, y: u32| image::Luma([(x * 40 + y * 9 + i as u32) as u8]);
        image::GrayImage::from_fn(4, 4, grey).save(folder.join(format!("d/images/{i}.png"))).unwrap();
        save_mask(i, &folder.join(format!("d/masks/{i}")));
    }
}

fn half<P: image::Pixel>(a: P, b: P) -> image::ImageBuffer<P, Vec<P::Subpixel>> {
    image::ImageBuffer::from_fn(4, 4, |x, _| if x < 2 { a } else { b })
}

/// What training says of masks; `None` where it is done.
fn learnt(save_mask: impl Fn(usize, &Path), channels: usize) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("net.arch"), segmenter(channels, "cross_entropy()")).unwrap();
    pictures(folder, save_mask);
    let args = ["train", "net.arch", "--data", "d", "--out", "run", "--no-report", "--format", "json"];
    let output = archc(folder).args(args).output().unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let lines = out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let said: Vec<Value> = lines.filter(|line| line["severity"] == "error").collect();
    assert_eq!(output.status.code(), Some(i32::from(!said.is_empty())), "{out}\n{err}");
    said.first().cloned()
}

#[test]
fn masks_in_pictures_are_read_by_the_same_rule() {
    use image::{Luma, Rgb, Rgba};
    let png = |path: &Path| path.with_extension("png");
    let jpeg = |path: &Path| path.with_extension("jpg");
    // Black and white, as grey, in 16 bits, as colours that are grey, and as JPEG where nothing was lost.
    assert_eq!(learnt(|_, path| half(Luma([0u8]), Luma([255])).save(png(path)).unwrap(), 2), None);
    assert_eq!(learnt(|_, path| half(Luma([0u16]), Luma([65535])).save(png(path)).unwrap(), 2), None);
    assert_eq!(learnt(|_, path| half(Rgb([0u8; 3]), Rgb([255; 3])).save(png(path)).unwrap(), 2), None);
    assert_eq!(learnt(|_, path| half(Rgba([2u8, 2, 2, 255]), Rgba([1, 1, 1, 255])).save(png(path)).unwrap(), 3), None);
    assert_eq!(
        learnt(|i, path| half(Luma([0u8]), Luma([0])).save(if i > 0 { png(path) } else { jpeg(path) }).unwrap(), 2),
        None
    );

    let says = |said: Option<Value>, parts: &[&str]| {
        let said = said.expect("it is refused");
        let all = format!("{} {} {}", said["message"], said["help"], said["notes"]);
        assert_eq!(said["code"], "E0806", "{all}");
        parts.iter().for_each(|part| assert!(all.contains(part), "`{part}` is not in\n{all}"));
    };
    let stray = |i: usize, path: &Path| {
        let mut mask = half(Luma([0u8]), Luma([255]));
        if i == 4 {
            mask.put_pixel(3, 1, Luma([127]));
        }
        mask.save(png(path)).unwrap();
    };
    says(learnt(stray, 2), &["masks/4.png` has level 127 at row 1, column 3", "1 pixel is neither 0 nor 255"]);
    let void = |i: usize, path: &Path| half(Luma([i as u8 % 2]), Luma([255])).save(png(path)).unwrap();
    says(learnt(void, 2), &["has level 255 at row 0, column 2", "`--set loss.ignore_index=255`"]);
    let colours = |_: usize, path: &Path| half(Rgb([0u8, 0, 0]), Rgb([128, 0, 0])).save(png(path)).unwrap();
    says(learnt(colours, 2), &["the colour (128, 0, 0) at row 0, column 2", "(0, 0, 0), (128, 0, 0)"]);
    let clear = |_: usize, path: &Path| half(Rgba([0u8; 4]), Rgba([0, 0, 0, 255])).save(png(path)).unwrap();
    says(learnt(clear, 2), &["another transparency at row 0, column 2"]);
    let lossy = |_: usize, path: &Path| half(Luma([0u8]), Luma([9])).save(jpeg(path)).unwrap();
    says(learnt(lossy, 2), &["it is a JPEG", "v > 127"]);
}

#[test]
fn palettes_number_the_classes() {
    let indexed = |path: &Path, palette: [u8; 6]| {
        let mut encoder = png::Encoder::new(std::fs::File::create(path.with_extension("png")).unwrap(), 4, 4);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.to_vec());
        encoder.write_header().unwrap().write_image_data(&[0, 1].repeat(8)).unwrap();
    };
    assert_eq!(learnt(|_, path| indexed(path, [0, 0, 0, 128, 0, 0]), 2), None);
    let twisted = |i: usize, path: &Path| match i {
        3 => indexed(path, [128, 0, 0, 0, 0, 0]),
        _ => indexed(path, [0, 0, 0, 128, 0, 0]),
    };
    let said = learnt(twisted, 2).expect("palettes disagree");
    assert_eq!(said["code"], "E0806");
    assert!(said["message"].as_str().unwrap().contains("in the palette of"), "{said}");
}
