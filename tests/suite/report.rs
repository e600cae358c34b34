//! What training leaves to be looked at: the report, and event files.

use crate::cli::{expect, workplace};
use archc::train::data::tensor_io::{TensorData, write_safetensors};
use std::fs;
use std::path::Path;

const SCALES: &str = "
model Line() {
    input x [N, 3]
    linear(1)
}

train Line {
    data      = \"line.safetensors\"
    loss      = mse()
    optimizer = sgd(lr=0.05)
    batch     = 16
    epochs    = 2
}
";

fn page(folder: &Path, run: &str) -> String {
    let page = fs::read_to_string(folder.join(run).join("report.html")).unwrap();
    let text = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("NaN"), "{run}");
    assert_eq!(page.matches("<section>").count(), page.matches("</section>").count());
    page
}

#[test]
fn training_ends_with_a_page() {
    let folder = workplace();
    let (_, err) = expect(folder.path(), &["train", "tiny.arch", "--threads", "1", "--set", "batch=64"], 0);
    assert!(err.contains("runs/tiny-1/report.html"), "{err}");
    let first = page(folder.path(), "runs/tiny-1");
    for part in [
        "How it went",
        "Mistakes",
        "Right answers",
        "Confusion",
        "The network",
        "batch     = 64",
        "1,442 samples of 1×8×8",
        "archc eval tiny.arch --weights runs/tiny-1",
        "data:image/png;base64,",
        "recall",
        "seed",
        "settings",
        "<svg",
    ] {
        assert!(first.contains(part), "{part}");
    }
    // The same again, from the folder alone.
    fs::remove_file(folder.path().join("tiny.arch")).unwrap();
    expect(folder.path(), &["report", "runs/tiny-1", "--threads", "1", "--out", "again.html"], 0);
    let again = fs::read_to_string(folder.path().join("again.html")).unwrap();
    let confusion = |page: &str| {
        page.split("<h2>Confusion").nth(1).map(|rest| rest.split("</section>").next().unwrap().to_string())
    };
    assert_eq!(confusion(&first), confusion(&again));
}

#[test]
fn masks_and_numbers_have_pages_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    expect(folder.path(), &["new", "scans", "--template", "unet", "-q"], 0);
    let args = ["train", "scans.arch", "--steps", "1", "--threads", "2", "--set", "batch=8", "--set", "width=2", "-q"];
    expect(folder.path(), &args, 0);
    let masks = page(folder.path(), "runs/scans-1");
    assert!(masks.contains("<h2>Answers") && masks.contains("<b>first</b>") && masks.contains("truth"), "masks");
    let tensor = |dims: &[usize]| {
        let values = (0..dims.iter().product()).map(|i| (i as f32 * 0.7).sin()).collect();
        TensorData { shape: dims.to_vec(), values }
    };
    let data = [("x".to_string(), tensor(&[64, 3])), ("y".to_string(), tensor(&[64, 1]))];
    write_safetensors(&folder.path().join("line.safetensors"), &data).unwrap();
    fs::write(folder.path().join("line.arch"), SCALES).unwrap();
    expect(folder.path(), &["train", "line.arch", "--threads", "1", "-q"], 0);
    let numbers = page(folder.path(), "runs/line-1");
    assert!(numbers.contains("<h2>Residuals") && numbers.contains("root mean square"), "numbers");
}

#[test]
fn a_page_that_cannot_be_made_is_a_warning() {
    let folder = workplace();
    fs::create_dir_all(folder.path().join("run/report.html/in-the-way")).unwrap();
    let train = |args: &[&str]| {
        expect(folder.path(), &[&["train", "tiny.arch", "--steps", "2", "--threads", "1"], args].concat(), 0)
    };
    let (_, err) = train(&["--out", "run"]);
    assert!(err.contains("warning[E0913]") && err.contains("training is done"), "{err}");
    assert!(folder.path().join("run/best.safetensors").exists());
    let (_, err) = train(&["--out", "without", "--no-report"]);
    assert!(!err.contains("report") && !folder.path().join("without/report.html").exists(), "{err}");
    let (_, err) = expect(folder.path(), &["report", "nowhere"], 1);
    assert!(err.contains("error[E0912]"), "{err}");
}

/// The records of an event file, by their lengths; whether the last is whole.
fn records(bytes: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        (at, count) = (at + length + 16, count + 1);
    }
    assert_eq!(at, bytes.len(), "a record is cut short");
    count
}

#[test]
fn event_files_are_written_for_each_session() {
    let folder = workplace();
    let train = |args: &[&str]| {
        let common = ["train", "tiny.arch", "--threads", "1", "--no-report", "-q", "--tensorboard", "boards"];
        expect(folder.path(), &[&common[..], args].concat(), 0);
    };
    train(&["--epochs", "1"]);
    train(&["--resume", "runs/tiny-1", "--epochs", "2"]);
    for (part, least) in [("train", 8), ("test", 3)] {
        let files = fs::read_dir(folder.path().join("boards/tiny-1").join(part)).unwrap();
        let files: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
        assert_eq!(files.len(), 2);
        assert!(files.iter().all(|bytes| records(bytes) >= least), "{part}");
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let (_, err) = expect(folder.path(), &["train", "tiny.arch", "--tensorboard", "file"], 1);
    assert!(err.contains("error[E0913]") && err.contains("`file` is a file"), "{err}");
}
