//! What `train`, `eval` and `report` say about data and do with them, as people run them.

use super::cli::expect;
use super::data::write;
use super::data_images::save_rgb;
use super::data_tensors::{npy, npz};
use super::targets::{Y, classifier, error, save, settings};
use serde_json::Value;
use std::path::Path;

const NET: &str = "
model Net(classes=3) {
    input image [N, 3, 4, 4]
    flatten -> linear(classes)
}
train Net {
    loss      = cross_entropy()
    optimizer = sgd(lr=0.5)
    batch     = 8
    epochs    = 12
    metrics   = [accuracy]
    seed      = 1
}
";

const COLOURS: [[u8; 3]; 3] = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];

/// `count` pictures of each of these classes (red `a`, green `b`, blue `c`) in `part`.
fn fill(folder: &Path, part: &str, classes: &[&str], count: usize) {
    for class in classes {
        let colour = COLOURS[usize::from(class.as_bytes()[0] - b'a')];
        (0..count).for_each(|i| save_rgb(folder, &format!("{part}/{class}/{i}.png"), [4, 4], colour));
    }
}

fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("net.arch"), NET).unwrap();
    folder
}

fn eval(folder: &Path, args: &[&str]) -> Value {
    let (out, _) = expect(folder, &[&["eval", "net.arch", "--format", "json", "-q"], args].concat(), 0);
    serde_json::from_str(out.trim()).unwrap()
}

/// A text without its line breaks, which come where lines are full.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_run_matches_classes_by_name() {
    let dir = workplace();
    let at = dir.path();
    fill(at, "d/train", &["a", "b", "c"], 8);
    fill(at, "d/val", &["a", "b", "c"], 2);
    expect(at, &["train", "net.arch", "--data", "d", "--out", "run", "--no-report"], 0);
    fill(at, "some", &["b", "c"], 5);
    for weights in ["run", "run/best.safetensors"] {
        let scores = eval(at, &["--weights", weights, "--data", "some"]);
        assert_eq!((&scores["accuracy"], &scores["samples"]), (&1.0.into(), &10.into()), "{scores}");
        assert_eq!(scores["measured_on"], "all of it");
    }
    fill(at, "one", &["c"], 5);
    assert_eq!(eval(at, &["--weights", "run", "--data", "one"])["accuracy"], 1.0);
    let own = eval(at, &["--weights", "run"]);
    assert_eq!((&own["samples"], &own["measured_on"]), (&6.into(), &"`val/`".into()));
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "run", "--data", "some"], 0);
    assert!(err.contains("`some` has no samples of `a`"), "{err}");

    save_rgb(at, "some/dog/0.png", [4, 4], [1; 3]);
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "run", "--data", "some"], 1);
    assert!(err.contains("E0806") && err.contains("the class `dog`, which the run does not know"), "{err}");
    // Weights whose run is not known: the order is all there is, and that is said.
    std::fs::copy(at.join("run/best.safetensors"), at.join("bare.safetensors")).unwrap();
    std::fs::remove_dir_all(at.join("some/dog")).unwrap();
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "bare.safetensors", "--data", "some"], 0);
    assert!(err.contains("the data's are taken in order, `b` as 0 to `c` as 1"), "{err}");
}

#[test]
fn the_best_epoch_is_chosen_on_val_and_test_is_measured_once() {
    let dir = workplace();
    let at = dir.path();
    fill(at, "d/train", &["a", "b", "c"], 8);
    fill(at, "d/val", &["a", "b", "c"], 4);
    fill(at, "d/test", &["a", "b"], 2);
    // A picture of the test part that is not what it is said to be: it tells the parts apart.
    save_rgb(at, "d/test/c/0.png", [4, 4], COLOURS[0]);
    let (out, err) = expect(at, &["train", "net.arch", "--data", "d", "--out", "run", "--tensorboard", "boards"], 0);
    let board = |part: &str| std::fs::read_dir(at.join("boards/run").join(part)).unwrap().count();
    assert_eq!(["train", "val", "test"].map(board), [1; 3], "event files of every part");
    assert!(
        err.contains(
            "24 samples to learn from, 12 to choose the best weights on (`val/`), 5 to measure on at the end (`test/`)"
        ),
        "{err}"
    );
    assert!(out.contains("val acc 100.00 %") && out.contains("best after step "), "{out}");
    assert!(out.contains("measured once with these weights: test acc 80.00 %") && out.contains("(5 samples)"), "{out}");
    let log = std::fs::read_to_string(at.join("run/log.jsonl")).unwrap();
    assert_eq!((log.matches("\"val\":").count(), log.matches("\"measured\":").count()), (12, 1));
    let page = std::fs::read_to_string(at.join("run/report.html")).unwrap();
    assert!(page.contains("on the validation part") && page.contains("Measured once, on the test part"));
    let own = eval(at, &["--weights", "run"]);
    assert_eq!((&own["samples"], &own["accuracy"], &own["measured_on"]), (&5.into(), &0.8.into(), &"`test/`".into()));

    let (out, _) =
        expect(at, &["train", "net.arch", "--data", "d", "--out", "again", "--format", "json", "--no-report"], 0);
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["best_on"], &last["test"]["accuracy"], &last["test"]["samples"]),
        (&"val".into(), &0.8.into(), &5.into())
    );
    // Going on with a run that is done measures it again, and changes nothing.
    expect(at, &["train", "net.arch", "--resume", "again", "--no-report"], 0);
    let weights = |run: &str| std::fs::read(at.join(run).join("last.safetensors")).unwrap();
    assert!(weights("run") == weights("again"), "measuring leaves the parameters as they were");
}

#[test]
fn of_arrays_too_the_best_epoch_is_chosen_on_val() {
    let dir = workplace();
    let at = dir.path();
    let net = NET.replace("image [N, 3, 4, 4]", "x [N, 2]").replace("    flatten -> linear", "    linear");
    std::fs::write(at.join("net.arch"), net).unwrap();
    let mut arrays = Vec::new();
    for (suffix, count) in [("_train", 12), ("_val", 6), ("_test", 3)] {
        let x: Vec<u8> = (0..2 * count).flat_map(|i| ((i % 5) as f32).to_le_bytes()).collect();
        let y: Vec<u8> = (0..count as u8).map(|i| i % 3).collect();
        arrays.push((format!("x{suffix}"), npy("<f4", &format!("({count}, 2)"), &x)));
        arrays.push((format!("y{suffix}"), npy("|u1", &format!("({count},)"), &y)));
    }
    arrays.push(("notes".into(), npy("|u1", "(1,)", &[0])));
    npz(&at.join("d.npz"), &arrays.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect::<Vec<_>>());
    let (out, err) = expect(at, &["train", "net.arch", "--data", "d.npz", "--out", "run", "--no-report"], 0);
    let parts = "12 samples to learn from, 6 to choose the best weights on (the validation part), \
        3 to measure on at the end (the test part)";
    assert!(err.contains(parts) && err.contains("W0802") && err.contains("`notes`"), "{err}");
    assert!(out.contains("val acc") && out.contains("measured once with these weights"), "{out}");
}

#[test]
fn what_readers_noticed_reaches_people() {
    let dir = workplace();
    let at = dir.path();
    fill(at, "d", &["a", "b", "c"], 10);
    write(at, "d/a/empty.png", b"");
    write(at, "d/b/phone.heic", b"");
    let (_, err) = expect(at, &["train", "net.arch", "--data", "d", "--out", "run", "--epochs", "1"], 0);
    assert!(
        err.contains("W0801") && err.contains("d/a/empty.png") && err.contains("W0802") && err.contains("1 `.heic`"),
        "{err}"
    );
    assert!(err.contains("24 samples to learn from, 6 to measure and choose on (the part that is held out)"), "{err}");
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "run"], 0);
    assert!(err.contains("W0801"), "{err}");
    let (_, err) = expect(at, &["train", "net.arch", "--data", "d", "--strict"], 1);
    assert!(err.contains("E0804") && err.contains("empty.png"), "{err}");

    // Damage that only decoding finds: named as it is met, and counted in the end.
    let path = at.join("d/c/0.png");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() - 24;
    bytes[middle..middle + 6].fill(0x55);
    std::fs::write(&path, bytes).unwrap();
    for i in 1..9 {
        std::fs::copy(&path, at.join(format!("d/c/{i}.png"))).unwrap();
    }
    let (_, err) = expect(at, &["train", "net.arch", "--data", "d", "--epochs", "2", "--no-report"], 0);
    assert!(err.matches("passed over: ").count() == 5 && err.contains("9 broken files were passed over"), "{err}");

    // A run that does not say how its data were divided is measured as it was made.
    let recipe = std::fs::read_to_string(at.join("run/recipe.json")).unwrap();
    assert!(recipe.contains("\"held_out\": \"by_name\""), "{recipe}");
    let old: String = recipe.lines().filter(|line| !line.contains("held_out")).collect::<Vec<_>>().join("\n");
    std::fs::write(at.join("run/recipe.json"), old).unwrap();
    fill(at, "d", &["a", "b", "c"], 10);
    std::fs::remove_file(at.join("d/a/empty.png")).unwrap();
    assert_eq!(eval(at, &["--weights", "run"])["samples"], 6);
}

#[test]
fn pixels_are_normalised_as_the_run_did() {
    let dir = workplace();
    let at = dir.path();
    fill(at, "d", &["a", "b", "c"], 10);
    let normalized =
        NET.replace("seed      = 1", "seed      = 1\n    normalize = (mean=[0.4, 0.5, 0.6], std=[0.25, 0.25, 0.25])");
    std::fs::write(at.join("net.arch"), normalized).unwrap();
    expect(at, &["train", "net.arch", "--data", "d", "--out", "run", "--no-report", "--epochs", "2"], 0);
    let before = eval(at, &["--weights", "run"]);
    std::fs::write(at.join("net.arch"), NET).unwrap();
    assert_eq!(eval(at, &["--weights", "run"]), before);
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "run"], 0);
    assert!(
        err.contains("`normalize = (mean=[0.4, 0.5, 0.6], std=[0.25, 0.25, 0.25])`; the file says: no `normalize`"),
        "{err}"
    );

    let resume = ["train", "net.arch", "--resume", "run", "--no-report", "--epochs", "3"];
    let said = error(at, &resume);
    assert_eq!(said["code"], "E0912", "{said}");
    let setting = said["help"].as_str().unwrap().strip_prefix("--set ").unwrap().trim_matches('\'');
    expect(at, &[&resume[..], &["--set", setting]].concat(), 0);
}

#[test]
fn a_finished_run_is_left_alone_and_other_data_or_batches_are_refused() {
    let dir = workplace();
    let at = dir.path();
    fill(at, "d", &["a", "b", "c"], 10);
    fill(at, "more", &["a", "b", "c"], 14);
    expect(at, &["train", "net.arch", "--data", "d", "--out", "run", "--epochs", "2"], 0);
    std::fs::write(at.join("run/report.html"), "as it was").unwrap();
    let resume = ["train", "net.arch", "--resume", "run", "--epochs", "2"];
    let (_, err) = expect(at, &resume, 0);
    assert!(err.contains("nothing more was learnt: to go on, raise `--epochs` above 2"), "{err}");
    assert_eq!(std::fs::read_to_string(at.join("run/report.html")).unwrap(), "as it was");

    let said = error(at, &[&resume[..], &["--data", "more"]].concat());
    assert_eq!(said["code"], "E0912", "{said}");
    assert!(said["message"].as_str().unwrap().contains("the run began with other data: `d`, 24 samples"), "{said}");
    assert!(said["help"].as_str().unwrap().ends_with("archc train net.arch --data more --weights run"), "{said}");
    let said = error(at, &[&resume[..], &["--set", "batch=4"]].concat());
    assert_eq!((&said["code"], &said["help"]), (&"E0912".into(), &"--set batch=8".into()), "{said}");

    std::fs::rename(at.join("d"), at.join("moved")).unwrap();
    let (_, err) = expect(at, &["train", "net.arch", "--resume", "run", "--epochs", "3", "--data", "moved"], 0);
    assert!(err.contains("the run began with `d`, and goes on with `moved`"), "{err}");
    assert_ne!(std::fs::read_to_string(at.join("run/report.html")).unwrap(), "as it was");
    let (_, err) = expect(at, &["train", "net.arch", "--resume", "run", "--epochs", "1", "--data", "moved"], 0);
    assert!(err.contains("the run was at step 9 already, past the 3 of this recipe,"), "{err}");
    assert!(err.contains("raise `--epochs` above 3"), "{err}");
}

#[test]
fn of_one_hot_targets_the_class_is_counted_and_not_each_number() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("net.arch"), classifier(3, "cross_entropy()")).unwrap();
    let classes: Vec<usize> = (0..12).map(|i| i * 5 % 3).collect();
    let hot = classes.iter().flat_map(|&class| (0..3).map(move |c| f64::from(u8::from(c == class)))).collect();
    save(at, "hot", &[2], &[12, 3], &Y("<f4", hot));
    save(at, "numbers", &[2], &[12], &Y("<i8", classes.iter().map(|&class| class as f64).collect()));
    for data in ["hot", "numbers"] {
        let data_file = format!("{data}.npz");
        expect(at, &["train", "net.arch", "--data", &data_file, "--out", data, "--no-report"], 0);
    }
    let measured =
        |data: &str| eval(at, &["--weights", "numbers", "--data", &format!("{data}.npz")])["accuracy"].clone();
    assert_eq!(measured("hot"), measured("numbers"));
    let last = |run: &str| {
        let log = std::fs::read_to_string(at.join(run).join("log.jsonl")).unwrap();
        let line: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        line["train"]["accuracy"].clone()
    };
    assert_eq!(last("hot"), last("numbers"));
}

#[test]
fn arrays_on_another_scale_than_pictures_are_warned_of() {
    let dir = workplace();
    let at = dir.path();
    let floats =
        |white: f32| -> Vec<u8> { (0..6 * 48).flat_map(|i| ((i % 9) as f32 / 8.0 * white).to_le_bytes()).collect() };
    let y = || npy("|u1", "(6,)", &[0, 1, 2, 0, 1, 2]);
    for (name, white) in [("bytes", 255.0), ("unit", 1.0)] {
        npz(&at.join(format!("{name}.npz")), &[("x", npy("<f4", "(6, 3, 4, 4)", &floats(white))), ("y", y())]);
    }
    let slowly = ["train", "net.arch", "--no-report", "--epochs", "1", "--set", "optimizer.lr=0.0001"];
    let train = |data: &str, out: &str| expect(at, &[&slowly[..], &["--data", data, "--out", out]].concat(), 0).1;
    let train = |data: &str, out: &str| flat(&train(data, out));
    let err = train("bytes.npz", "run");
    assert!(err.contains("W0807") && err.contains("`x` in `bytes.npz` runs from 0 to 255"), "{err}");
    assert!(err.contains("d['x'] = d['x'] / 255; np.savez('bytes.npz', **d)"), "{err}");
    assert!(!train("unit.npz", "fine").contains("W0807"));
    fill(at, "pictures", &["a", "b", "c"], 2);
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "run", "--data", "pictures"], 0);
    let err = flat(&err);
    assert!(err.contains("W0807") && err.contains("the run learnt from numbers from 0 to 255"), "{err}");
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "fine", "--data", "pictures"], 0);
    assert!(!err.contains("W0807"), "{err}");
    // Weights that cannot be read are told of before what would come of them.
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "fime", "--data", "pictures"], 1);
    assert!(!err.contains("do not say the names of their classes"), "{err}");
}

#[test]
fn where_nothing_is_held_out_training_says_what_to_do_and_measuring_does_not() {
    let dir = workplace();
    let at = dir.path();
    // By their names, these two are learnt from.
    for (class, colour) in ["a", "b", "c"].into_iter().zip(COLOURS) {
        (1..3).for_each(|i| save_rgb(at, &format!("few/{class}/{i}.png"), [4, 4], colour));
    }
    let (_, err) =
        expect(at, &["train", "net.arch", "--data", "few", "--out", "run", "--no-report", "--epochs", "1"], 0);
    let err = flat(&err);
    assert!(err.contains("W0803") && err.contains("no image of `a`, `b`, `c` was held out"), "{err}");
    assert!(err.contains("make the parts yourself: few/train/cat/1.jpg"), "{err}");
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "run"], 0);
    assert!(!err.contains("W0803") && err.contains("nothing of it was held out"), "{err}");
}

#[test]
fn a_loss_that_is_no_number_is_no_result() {
    let dir = workplace();
    let at = dir.path();
    fill(at, "d", &["a", "b", "c"], 10);
    expect(at, &["train", "net.arch", "--data", "d", "--out", "run", "--no-report", "--epochs", "1"], 0);
    let path = at.join("run/best.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len() - 4;
    bytes[end..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    for engine in ["plan", "candle"] {
        let (out, err) = expect(at, &["eval", "net.arch", "--weights", "run", "--engine", engine], 1);
        assert!(err.contains("E0911") && err.contains("the loss is NaN on what is measured"), "{err}");
        assert!(!out.contains("loss"), "{out}");
    }
}

#[test]
fn what_was_learnt_from_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("net.arch"), classifier(2, "cross_entropy()")).unwrap();
    save(at, "d", &[2], &[8], &Y("|u1", [0., 1.].repeat(4)));
    let (out, _) = expect(at, &["train", "net.arch", "--data", "d.npz", "--out", "run"], 0);
    assert!(out.contains("   train loss ") && out.contains("on what was learnt from"), "{out}");
    assert!(!out.contains("test"), "{out}");
    let page = std::fs::read_to_string(at.join("run/report.html")).unwrap();
    assert!(page.contains("all 8 training samples") && !page.contains("test samples"));
    let (out, _) =
        expect(at, &["train", "net.arch", "--data", "d.npz", "--out", "b", "--no-report", "--format", "json"], 0);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.last().unwrap()["best_on"], "train");
    let epoch = lines.iter().find(|line| line["event"] == "epoch").unwrap();
    assert!(epoch["on_train"]["loss"].is_number() && epoch["train"]["loss"].is_number(), "{out}");
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "run"], 0);
    assert!(err.contains("`d.npz` is what the run learnt from, and nothing of it was held out"), "{err}");
}

#[test]
fn a_runs_own_data_are_known_under_another_path() {
    let dir = workplace();
    let at = dir.path();
    fill(at, "pets/PetImages", &["a", "b", "c"], 10);
    expect(at, &["train", "net.arch", "--data", "pets", "--out", "run", "--no-report", "--epochs", "1"], 0);
    let own = eval(at, &["--weights", "run"]);
    assert_eq!(own["samples"], 6);
    assert_eq!(eval(at, &["--weights", "run", "--data", "pets/PetImages"]), own);

    fill(at, "d/train", &["a", "b", "c"], 10);
    fill(at, "d/val", &["a", "b", "c"], 3);
    expect(at, &["train", "net.arch", "--data", "d", "--out", "parted", "--no-report", "--epochs", "1"], 0);
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "parted", "--data", "d/train"], 0);
    assert!(err.contains("`d/train` shares files with what the run learnt from"), "{err}");
    let (_, err) = expect(at, &["eval", "net.arch", "--weights", "parted", "--data", "d/val"], 0);
    assert!(!err.contains("learnt from"), "{err}");
    assert_eq!(eval(at, &["--weights", "parted", "--data", "d/val"])["samples"], 9);
}

#[test]
fn three_classes_over_one_channel_are_refused_before_the_first_step() {
    let dir = workplace();
    let at = dir.path();
    fill(at, "d", &["a", "b", "c"], 10);
    let one = NET.replace("classes=3", "classes=1").replace("cross_entropy()", "bce_with_logits()");
    std::fs::write(at.join("net.arch"), one.replace("    metrics   = [accuracy]\n", "")).unwrap();
    let train = ["train", "net.arch", "--data", "d", "--no-report", "--epochs", "1"];
    let said = error(at, &train);
    assert_eq!(said["code"], "E0910", "{said}");
    assert!(
        said["message"].as_str().unwrap().contains("`bce_with_logits` knows two classes, and the data have 3"),
        "{said}"
    );
    let alternatives = settings(said["help"].as_str().unwrap());
    assert_eq!(alternatives, [["--set", "classes=3", "--set", "loss=cross_entropy"]]);
    let pasted: Vec<&str> = alternatives[0].iter().map(String::as_str).collect();
    expect(at, &[&train[..], &pasted].concat(), 0);
}
