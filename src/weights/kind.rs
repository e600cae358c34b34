//! What a file is that is none of weights, and what to do then.

use super::file::unreadable;
use crate::base::Diagnostic;
use crate::base::instead::Instead;
use std::path::Path;

/// What to do about a download that broke off.
pub(super) const AGAIN: &str = "fetch it again, and compare its size with the original's";

/// What a file is, in words, and the remedy, in which `FILE` stands for its path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind(&'static str, &'static str);

impl Kind {
    /// The error that says so.
    pub fn refuse(self, path: &Path) -> Box<Diagnostic> {
        Box::new(unreadable(path, self.0).help(self.1.replace("FILE", &path.display().to_string())))
    }
}

const EMPTY: Kind = Kind("it is empty", AGAIN);
const LFS: Kind = Kind(
    "it is a git-lfs pointer, which only names the file",
    "fetch the file itself: `git lfs pull` in its repository, or download it from the page of the file",
);
const PAGE: Kind = Kind(
    "it is a web page, not a file of weights",
    "the download gave a page, perhaps to log in or to confirm: open the address in a browser",
);
const HDF5: Kind = Kind(
    "it is an HDF5 file, as Keras writes",
    "convert it in Python: read it with h5py and write a dictionary of arrays with safetensors.numpy.save_file",
);
const KERAS: Kind = Kind("it is a Keras archive", HDF5.1);
const ONNX: Kind = Kind("it is an ONNX model", "read the network and its weights: archc import FILE");
const TFLITE: Kind = Kind(
    "it is a TensorFlow Lite model",
    "convert it to ONNX (python -m tf2onnx.convert --tflite FILE --output net.onnx), then: archc import net.onnx",
);
const GGUF: Kind =
    Kind("it is a GGUF file, whose numbers are quantised", "use the .safetensors file of the same model");
const NPY: Kind = Kind(
    "it is one numpy array",
    "save every tensor under its name: safetensors.numpy.save_file({\"conv.weight\": array, …}, \"weights.safetensors\")",
);
const NPZ: Kind = Kind(
    "it is an .npz file of numpy arrays",
    "save it as .safetensors: safetensors.numpy.save_file(dict(numpy.load(\"FILE\")), \"weights.safetensors\")",
);
const SCRIPT: Kind = Kind(
    "it is a TorchScript archive, which holds a program",
    "save its tensors: torch.save(torch.jit.load(\"FILE\").state_dict(), \"weights.pth\")",
);
const EXPORTED: Kind = Kind(
    "it is a program that `torch.export` saved",
    "save its tensors: torch.save(torch.export.load(\"FILE\").state_dict, \"weights.pth\")",
);
const TAR: Kind = Kind(
    "it is a tar file, as PyTorch wrote before 0.1.10 or as an archive of files",
    "unpack it; an old checkpoint is saved again by PyTorch: torch.save(torch.load(\"FILE\"), \"new.pth\")",
);
const PACKED: Kind = Kind("it is compressed", "unpack it first (gunzip, unxz, unzstd, 7z), and name what was in it");
const ARCHIVE: Kind = Kind("it is an archive of files", "unpack it, and name the file of weights that was in it");
const MESSAGE: Kind = Kind(
    "it is a text, not a file of weights",
    "the download may have given a message instead: look at it, and fetch the file itself",
);

/// Of a checkpoint that a big-endian machine wrote.
pub(super) const BIG_ENDIAN: Kind =
    Kind("its numbers are big-endian", "save it again on a little-endian machine, such as any x86-64 or ARM one");

/// The first bytes of files of one kind.
const STARTS: [(&[u8], Kind); 10] = [
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"GGUF", GGUF),
    (b"\x93NUMPY", NPY),
    (b"\x1f\x8b", PACKED),
    (b"BZh", PACKED),
    (b"\xfd7zXZ\0", PACKED),
    (b"\x28\xb5\x2f\xfd", PACKED),
    (b"7z\xbc\xaf\x27\x1c", PACKED),
    (b"Rar!", PACKED),
    (b"PK\x05\x06", EMPTY),
];

/// What a file that is no zip, no pickle and no `.safetensors` is, by its bytes.
pub(super) fn of(path: &Path, bytes: &[u8]) -> Option<Kind> {
    match Instead::of(bytes) {
        Some(Instead::Nothing) => return Some(EMPTY),
        Some(Instead::Pointer) => return Some(LFS),
        Some(Instead::Page) => return Some(PAGE),
        None => {}
    }
    let by_start = STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|&(_, kind)| kind);
    let named = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    match () {
        () if by_start.is_some() => by_start,
        // An object store says by XML that a file is not there, or not for everybody.
        () if bytes.trim_ascii_start().starts_with(b"<?xml") => Some(PAGE),
        () if bytes.get(4..8) == Some(b"TFL3") => Some(TFLITE),
        () if bytes.get(257..262) == Some(b"ustar") => Some(TAR),
        // A protobuf whose first field is a small version.
        () if named("onnx") || matches!(bytes, [8, 1..=20, 0x12 | 0x3a, ..]) => Some(ONNX),
        () if bytes.iter().take(512).all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) => Some(MESSAGE),
        () => None,
    }
}

/// What a zip file is that is no checkpoint, by the names in it.
pub(super) fn of_archive(names: &[String]) -> Option<Kind> {
    let has = |ending: &str| names.iter().any(|name| name.ends_with(ending));
    let files = || names.iter().filter(|name| !name.ends_with('/'));
    match () {
        () if has("constants.pkl") => Some(SCRIPT),
        () if has("archive_format") || has("models/model.json") => Some(EXPORTED),
        () if has("data.pkl") => None,
        () if has("model.weights.h5") => Some(KERAS),
        () if names.is_empty() => Some(EMPTY),
        () if files().all(|name| name.ends_with(".npy")) => Some(NPZ),
        () if ["pth", "pt", "ckpt", "bin", "safetensors", "h5"].iter().any(|end| has(&format!(".{end}"))) => {
            Some(ARCHIVE)
        }
        () => None,
    }
}
