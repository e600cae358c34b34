//! Every code, raised by a command that can raise it, as text and as JSON: whatever a command says can be drawn.

use super::cli::{archc, text, workplace};
use archc::base::codes;
use archc::exchange::onnx::proto::*;
use prost::Message;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

/// Codes that no input brings about, and why.
const NEVER: [(&str, &str); 4] = [
    ("E0821", "the recipe is held against the model's input when it is read, as E0704"),
    ("E0904", "the device has too little memory"),
    ("E0920", "no file gives a network that the language has no words for"),
    ("I0001", "a mistake of ours"),
];

/// A code and a command, in a folder of what [`stage`] lays out, that raises it.
const RAISED: [(&str, &str); 40] = [
    ("E0201", "check gone.arch"),
    ("E0311", "check tiny.arch --set nothing=1"),
    ("E0707", "train bare.arch --data builtin:digits"),
    ("E0707", "study gradients bare.arch --data builtin:digits"),
    ("E0801", "train tiny.arch --data nowhere"),
    ("E0802", "train tiny.arch --data text"),
    ("E0803", "run tiny.arch --input x.npy --output nowhere/x.npy"),
    ("E0804", "train tiny.arch --data noise.npz"),
    ("E0805", "train tiny.arch --data large.npz"),
    ("E0806", "train tiny.arch --data negative.npz"),
    ("E0807", "train tiny.arch --data broken"),
    ("E0808", "train tiny.arch --data fashion-mnist"),
    ("E0809", "train tiny.arch --data endless.npz"),
    ("E0810", "run tiny.arch --weights noise.safetensors --input x.npy"),
    ("E0811", "run object.arch --weights object.pth --input x.npy"),
    ("E0812", "run tiny.arch --weights bare.safetensors --input x.npy"),
    ("E0813", "export tiny.arch --safetensors nowhere/w.safetensors"),
    ("E0820", "train vector.arch --data vectors.npz"),
    ("E0822", "run tiny.arch --input x.npy --output x.png"),
    ("E0830", "import noise.onnx"),
    ("E0831", "import sine.onnx"),
    ("E0832", "import axis.onnx"),
    ("E0833", "export large.arch --onnx large.onnx"),
    ("E0901", "train tiny.arch --device gpu"),
    ("E0902", "run tiny.arch --input wide.npy"),
    ("E0903", "run free.arch --input odd.npy"),
    ("E0905", "graph tiny.arch --svg nowhere/x.svg"),
    ("E0906", "plan tiny.arch --batch 18446744073709551615"),
    ("E0910", "train tiny.arch --data builtin:digits --set classes=5"),
    ("E0911", "train tiny.arch --set optimizer.lr=1e30"),
    ("E0912", "train tiny.arch --resume text"),
    ("E0913", "train tiny.arch --out x.npy/run"),
    ("E0930", "study gradients vector.arch --data vectors.npz"),
    ("W0801", "train tiny.arch --data pictures --epochs 1"),
    ("W0802", "train tiny.arch --data pictures --epochs 1"),
    ("W0803", "train tiny.arch --data pictures --epochs 1"),
    ("W0804", "train tiny.arch --data pictures --epochs 1"),
    ("W0805", "train tiny.arch --epochs 1 --set classes=12"),
    ("W0806", "train tiny.arch --data left.npz --no-shuffle --epochs 1 --set batch=2 --set loss.ignore_index=9"),
    ("W0807", "train tiny.arch --data scaled.npz --epochs 1"),
];

/// What the commands find.
fn stage(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for (name, text) in NETS {
        write(name, text.as_bytes());
    }
    for name in ["noise.npz", "noise.safetensors", "noise.onnx", "broken/a/0.png", "broken/b/0.png", "text/notes.txt"] {
        write(name, b"noise, and more of it");
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/weights");
    write("object.pth", &std::fs::read(fixtures.join("object.pth")).unwrap());
    write("x.npy", &npy("<f4", "(1, 1, 8, 8)", &[0; 256]));
    write("wide.npy", &npy("<f4", "(1, 1, 8, 9)", &[0; 288]));
    write("odd.npy", &npy("<f4", "(1, 1, 7, 8)", &[0; 224]));
    let labels = |of: [i64; 4]| npy("<i8", "(4,)", &of.map(i64::to_le_bytes).concat());
    let maps = |shape: &str, bytes: usize| npy("|u1", shape, &vec![7; bytes]);
    npz(folder, "large.npz", maps("(4, 1, 9, 9)", 324), labels([0, 1, 2, 3]));
    npz(folder, "negative.npz", maps("(4, 1, 8, 8)", 256), labels([0, 1, -2, 3]));
    npz(folder, "left.npz", maps("(4, 1, 8, 8)", 256), labels([9, 9, 0, 1]));
    npz(folder, "scaled.npz", npy("<f4", "(4, 1, 8, 8)", &255f32.to_le_bytes().repeat(256)), labels([0, 1, 2, 3]));
    npz(folder, "endless.npz", npy("<f4", "(4294967296, 4294967296, 2, 2)", &[0; 8]), labels([0, 1, 2, 3]));
    npz(folder, "vectors.npz", npy("<f4", "(4, 4)", &[0; 64]), labels([0, 1, 2, 0]));
    npz(folder, "wide.npz", maps("(4, 1, 8, 8)", 256), maps("(4, 8, 8)", 256));
    write("sine.onnx", &onnx("Sin", &[1, 1, 8, 8]));
    write("axis.onnx", &onnx("Relu", &[8]));
    for (class, level) in [("a", 0), ("b", 200)] {
        std::fs::create_dir_all(folder.join("pictures").join(class)).unwrap();
        for i in 0..10 {
            let path = folder.join(format!("pictures/{class}/{i}.png"));
            image::GrayImage::from_pixel(8, 8, image::Luma([level + i])).save(path).unwrap();
        }
    }
    write("pictures/a/broken.png", b"no picture");
    write("pictures/a/notes.txt", b"no picture");
    std::fs::create_dir(folder.join("pictures/empty")).unwrap();
    let mut gif = Vec::new();
    let frames = [50, 100].map(|level| image::Frame::new(image::RgbaImage::from_pixel(8, 8, image::Rgba([level; 4]))));
    image::codecs::gif::GifEncoder::new(&mut gif).encode_frames(frames).unwrap();
    write("pictures/b/two.gif", &gif);
    let made = archc(folder).args(["export", "bare.arch", "--safetensors", "bare.safetensors"]).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
}

const NETS: [(&str, &str); 5] = [
    ("bare.arch", "model Bare { input x [N, 1, 8, 8]\n    conv(4, 3) -> relu }\n"),
    (
        "vector.arch",
        "model Vector { input x [N, 4]\n    linear(3) }\ntrain Vector { loss = cross_entropy()\n    optimizer = sgd(lr=0.1)\n    \
         batch = 2\n    epochs = 1\n    augment = [flip] }\n",
    ),
    (
        "free.arch",
        "model Free { input image [N, 1, H=8, W=8]\n    long skip concat { maxpool(2) -> conv_transpose(8, 2, stride=2) } }\n\
         train Free { loss = cross_entropy()\n    optimizer = sgd(lr=0.1)\n    batch = 2\n    epochs = 1 }\n",
    ),
    ("object.arch", "model Object { input x [N, 1, 8, 8]\n    flatten -> fc: linear(3) }\n"),
    ("large.arch", "model Large { input x [N, 1, 8, 8]\n    conv(65536, 1) -> conv(65536, 1) }\n"),
];

fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn npz(folder: &Path, name: &str, x: Vec<u8>, y: Vec<u8>) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(folder.join(name)).unwrap());
    for (name, bytes) in [("x.npy", x), ("y.npy", y)] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap();
}

/// A model of one operator.
fn onnx(op: &str, dims: &[i64]) -> Vec<u8> {
    let dim = dims.iter().map(|&d| Dimension { dim_value: Some(d), dim_param: None }).collect();
    let tensor_type = Some(TensorTypeProto { elem_type: 1, shape: Some(TensorShapeProto { dim }) });
    let value =
        |name: &str| ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: tensor_type.clone() }) };
    let node =
        NodeProto { op_type: op.into(), input: vec!["x".into()], output: vec!["y".into()], ..NodeProto::default() };
    let graph =
        GraphProto { node: vec![node], input: vec![value("x")], output: vec![value("y")], ..GraphProto::default() };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 17 }];
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
}

/// Runs a command in both forms, and says what is wrong with what it said.
fn complaints(folder: &Path, code: &str, typed: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for form in ["text", "json"] {
        let output = archc(folder).args(typed.split_whitespace()).args(["--format", form]).output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let word = if code.starts_with('W') { "warning" } else { "error" };
        let said = match form {
            "text" => err.contains(&format!("{word}[{code}]")),
            _ => out.lines().any(|line| line.contains(&format!("\"code\":\"{code}\""))),
        };
        let status = output.status.code();
        if !said || status != Some(i32::from(word == "error")) || err.contains("panicked") {
            wrong.push(format!("{code}: archc {typed} --format {form}: status {status:?}\n{out}{err}"));
        }
        if form == "json" {
            let broken = |line: &&str| serde_json::from_str::<serde_json::Value>(line).is_err();
            wrong.extend(out.lines().filter(broken).map(|line| format!("{code}: no JSON: {line}")));
        }
    }
    wrong
}

#[test]
fn every_code_is_drawn_by_the_command_that_raises_it() {
    let folder = workplace();
    stage(folder.path());
    let installed = Path::new("/usr/share/datasets/fashion-mnist").exists();
    let cases = RAISED.iter().filter(|(code, _)| !(installed && *code == "E0808"));
    let wrong: Vec<String> = cases.flat_map(|(code, typed)| complaints(folder.path(), code, typed)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_study_keeps_its_folder_from_another() {
    let folder = workplace();
    let asked = |seed: &str| {
        let args =
            ["study", "gradients", "tiny.arch", "--steps", "0", "--samples", "8", "--out", "here", "--seed", seed];
        archc(folder.path()).args(args).output().unwrap()
    };
    let first = asked("1");
    assert!(first.status.success(), "{}", text(&first.stderr));
    let err = text(&asked("2").stderr);
    assert!(err.contains("error[E0931]"), "{err}");
}

/// Labelled diagnostics that training raises stand at their place in the file.
#[test]
fn what_training_refuses_is_shown_where_the_recipe_stands() {
    let folder = workplace();
    stage(folder.path());
    for (code, typed) in RAISED.iter().filter(|(code, _)| matches!(*code, "E0910" | "E0911")) {
        let output = archc(folder.path()).args(typed.split_whitespace()).output().unwrap();
        let err = text(&output.stderr);
        assert!(err.contains("╭─[tiny.arch:"), "{code}\n{err}");
    }
}

/// All codes that `check` gives have a case in `tests/ui`, and all others one here.
#[test]
fn no_code_is_left_out() {
    let ui = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")).unwrap();
    let names: BTreeSet<String> = ui.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    let checked = |code: &str| names.iter().any(|name| name.starts_with(code));
    let raised = |code: &str| code == "E0931" || RAISED.iter().any(|(own, _)| *own == code);
    let never = |code: &str| NEVER.iter().any(|(own, _)| *own == code);
    let left: Vec<_> =
        codes::TABLE.iter().map(|(c, ..)| c.0).filter(|c| !checked(c) && !raised(c) && !never(c)).collect();
    assert!(left.is_empty(), "no command is known to raise {left:?}");
}

/// Whatever a file has wrong with it, every command that reads files says it without falling over.
#[test]
fn every_command_draws_what_is_wrong_with_a_file() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut files: Vec<_> = std::fs::read_dir(&ui).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "arch"));
    files.sort();
    let commands: [&[&str]; 6] =
        [&["summary"], &["plan"], &["graph", "--dot"], &["train", "--steps=0"], &["fmt", "--check"], &["bench"]];
    for (i, file) in files.iter().enumerate() {
        let (command, format) = (commands[i % commands.len()], ["text", "json"][i % 2]);
        let (word, rest) = command.split_first().unwrap();
        let output = archc(&ui).arg(word).arg(file).args(rest).args(["--format", format]).output().unwrap();
        let err = text(&output.stderr);
        let sound = matches!(output.status.code(), Some(0..=2)) && !err.contains("panicked") && !err.contains("I0001");
        assert!(sound, "archc {word} {}: {:?}\n{err}", file.display(), output.status);
    }
}
