//! What `train`, `eval` and `report` say about data and do with them, as people run them.

use super::cli::expect;
use super::data::write;
use super::data_images::save_rgb;
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
    let (out, err) = expect(at, &["train", "net.arch", "--data", "d", "--out", "run"], 0);
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
