//! Masks in arrays.

use super::{Case, Y, error, refused, save, segmenter, taken};
use crate::cli::expect;
use serde_json::Value;

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
    // What the network takes for white is right where all is white, and wrong where all is black.
    let right = |data: &str| loss(data, 0)["accuracy"].as_f64().unwrap();
    let (white, black) = (right("white.npz"), right("black.npz"));
    assert!((white + black - 1.0).abs() < 1e-9, "{white} {black}");
    right("learnt.npz");
    let said = loss("numbers.npz", 1);
    assert_eq!(said["code"], "E0806");
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("`y[0, 0, 1]` in `numbers.npz` is 1") && message.contains("black and white"), "{message}");
    // A run of class numbers does not take 255 for one.
    let said = error(folder, &["eval", "net.arch", "--data", "learnt.npz", "--weights", "plain"]);
    assert_eq!(said["code"], "E0806", "{said}");
    assert!(said["message"].as_str().unwrap().contains("is 255"), "{said}");
    let all = said.to_string();
    assert!(all.contains("these masks are black and white (0 and 255)") && !all.contains("ignore_index"), "{all}");
    // Where all of the white is left out, the measure is of one class, which is said.
    let left_out = ["--data", "learnt.npz", "--weights", "plain", "--set", "loss.ignore_index=255"];
    let (_, err) = expect(folder, &[&["eval", "net.arch"], &left_out[..]].concat(), 0);
    let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(err.contains("W0805") && err.contains("class 0 alone is measured"), "{err}");
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

#[test]
fn losses_over_numbers_read_masks_as_numbers() {
    let net = segmenter(1, "mse()");
    let mut losses = Vec::new();
    for kind in ["|u1", "<i8", "<f4"] {
        for shape in [&[2, 4, 4][..], &[2, 1, 4, 4]] {
            losses.push(taken(&net, &[1, 4, 4], shape, &pixels(kind, &[0., 255.], &[]), &[]).0);
        }
    }
    assert!(losses.iter().all(|loss| (loss - losses[0]).abs() < 1e-3 * losses[0]), "{losses:?}");
    // Half of them are 255: a network that has learnt one step is off by thousands.
    assert!(losses[0] > 1000.0, "{losses:?}");
}
