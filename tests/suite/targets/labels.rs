//! Labels and numbers.

use super::{Case, Y, classifier, error, refused, save, taken};
use serde_json::Value;

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
        &["`--set loss.0.ignore_index=-7` and `--set loss.1.ignore_index=-7`"],
        1,
    );
}

#[test]
fn losses_that_want_other_targets_say_so() {
    labels(
        classifier(3, "mse()"),
        Y("<i8", vec![0., 1., 2., 1.]),
        "E0910",
        &["the output `output` is [N, 3]", "one number each", "`--set classes=1`", "`--set loss=cross_entropy`"],
        2,
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
    case(classifier(3, "mse()"), &[3, 2], hot(), &["the output `output` is [N, 3]", "targets are [N, 2]"], 0);
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

#[test]
fn a_parameter_that_has_the_number_by_chance_is_not_proposed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    save(folder, "bad", &[2], &[4], &Y("<i8", vec![0., 1., 2., 3.]));
    let refused = |parameter: &str, last: &str| {
        let net = classifier(3, "cross_entropy()")
            .replace("classes=3", parameter)
            .replace("linear(classes)", &format!("linear({last})"));
        std::fs::write(folder.join("net.arch"), net).unwrap();
        error(folder, &["train", "net.arch", "--data", "bad.npz", "--no-report"])["help"].as_str().unwrap().to_string()
    };
    assert_eq!(refused("depth=3", "3"), "give the last layer 4 channels");
    assert_eq!(refused("layout=3", "3"), "give the last layer 4 channels");
    assert_eq!(refused("depth=3, num_labels=3", "num_labels"), "`--set num_labels=4`");
    assert_eq!(refused("out_channels=3", "out_channels"), "`--set out_channels=4`");
}
