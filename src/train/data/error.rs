//! What can be wrong with data.

use super::misfit::Misfit;
use crate::base::{Code, Fault, codes};

/// The result of reading data.
pub type Result<T> = std::result::Result<T, DataError>;

/// What can be wrong with data.
#[derive(Clone, Debug, PartialEq)]
pub enum DataError {
    /// No data set has this name, and no file or directory this path.
    Unknown {
        /// What was written.
        spec: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A directory or file is there, but its layout is none that is known.
    Layout {
        /// The path.
        path: String,
        /// What was found in it.
        found: String,
        /// A directory below it that may have been meant.
        near: Option<String>,
    },
    /// A layout that is none, but like one: what was probably meant can be said.
    Meant {
        /// The path.
        path: String,
        /// What was found in it.
        found: String,
        /// What to do.
        help: String,
    },
    /// Classes that the run does not know whose weights are used.
    Classes {
        /// The data set.
        data: String,
        /// Their names.
        unknown: Vec<String>,
        /// The names that are known.
        known: Vec<String>,
        /// The known name that the first may be meant for.
        near: Option<String>,
    },
    /// A file cannot be opened, read or written.
    Io {
        /// The path.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A file is not what its name says: truncated, or inconsistent.
    Broken {
        /// The path, and the sample in it where there are several.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// An array holds texts or Python's objects.
    Unread {
        /// The array in its file, in backticks.
        place: String,
        /// What it holds.
        kind: &'static str,
    },
    /// Inputs do not have the size that the model wants.
    Size {
        /// The data set.
        data: String,
        /// The shape of its inputs.
        has: Vec<usize>,
        /// The shape that the model wants.
        wants: Vec<usize>,
    },
    /// The data are images, and the model's input is none of 1 or 3 channels.
    Pictures {
        /// Where they lie.
        path: String,
        /// The shape that the model wants.
        wants: Vec<usize>,
    },
    /// A label is outside the classes.
    Label {
        /// Where it stands.
        place: String,
        /// The label.
        label: i64,
        /// How many classes there are.
        classes: usize,
    },
    /// A target is none of the classes, or cannot be told to be one.
    Target(Box<Misfit>),
    /// Nothing usable is left.
    Empty {
        /// The path.
        path: String,
        /// Why.
        reason: String,
    },
    /// A data set that a package brings is not installed.
    NotInstalled {
        /// What was asked for.
        name: String,
        /// The package that brings it.
        package: &'static str,
        /// Where it would be.
        path: String,
    },
    /// A file asks for more memory than there is for it.
    TooLarge {
        /// The path.
        path: String,
        /// Bytes that it asks for.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// An augmentation has no meaning for these inputs.
    Augment {
        /// The augmentation.
        name: &'static str,
        /// Why not.
        reason: String,
    },
    /// The recipe normalises another number of channels than the inputs have.
    Normalize {
        /// How many it normalises.
        has: usize,
        /// How many there are.
        channels: usize,
    },
    /// A file of this kind cannot hold this input or output.
    Format {
        /// The path.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A loader's thread ended on a mistake of ours.
    Internal(String),
}

impl DataError {
    /// A broken file.
    pub fn broken(path: impl std::fmt::Display, reason: impl Into<String>) -> Self {
        DataError::Broken { path: path.to_string(), reason: reason.into() }
    }

    /// A file that the system refuses.
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        DataError::Io { path: path.display().to_string(), reason: error.to_string() }
    }

    /// As a message to the user.
    pub fn fault(&self) -> Fault {
        let mut fault = Fault::new(self.code(), self.to_string());
        if let DataError::Target(misfit) = self {
            fault = misfit.notes.iter().fold(fault, Fault::note);
        }
        match self.help() {
            Some(help) => fault.help(help),
            None => fault,
        }
    }

    fn code(&self) -> Code {
        match self {
            DataError::Unknown { .. } => codes::DATA_UNKNOWN,
            DataError::Layout { .. } | DataError::Meant { .. } => codes::DATA_LAYOUT,
            DataError::Classes { .. } => codes::DATA_LABEL,
            DataError::Io { .. } => codes::DATA_IO,
            DataError::Broken { .. } | DataError::Unread { .. } => codes::DATA_BROKEN,
            DataError::Size { .. } | DataError::Pictures { .. } => codes::DATA_SIZE,
            DataError::Label { .. } | DataError::Target(_) => codes::DATA_LABEL,
            DataError::Empty { .. } => codes::DATA_EMPTY,
            DataError::NotInstalled { .. } => codes::DATA_NOT_INSTALLED,
            DataError::TooLarge { .. } => codes::DATA_TOO_LARGE,
            DataError::Augment { .. } => codes::DATA_AUGMENT,
            DataError::Normalize { .. } => codes::DATA_NORMALIZE,
            DataError::Format { .. } => codes::DATA_FORMAT,
            DataError::Internal(_) => codes::INTERNAL,
        }
    }

    /// What to do instead, where something can be said.
    fn help(&self) -> Option<String> {
        Some(match self {
            DataError::Unknown { near: Some(near), .. } | DataError::Layout { near: Some(near), .. } => {
                format!("did you mean `{near}`?")
            }
            DataError::Meant { help, .. } => help.clone(),
            DataError::Classes { known, near, .. } => {
                let meant = near.as_ref().map(|near| format!("did you mean `{near}`? "));
                format!("{}the run knows {}; take other folders out", meant.unwrap_or_default(), quoted(known))
            }
            DataError::Unknown { spec, near: None } => elsewhere(spec),
            DataError::Layout { near: None, .. } => "known are IDX files, CIFAR binaries, a folder for each class, \
                `images/` with `masks/`, and files `.npz` and `.safetensors`"
                .into(),
            DataError::Size { has, wants, .. } => size_help(has, wants),
            DataError::Pictures { wants, .. } => match wants[..] {
                [_, h, w] => format!("write `input image [N, 3, {h}, {w}]`"),
                _ => "write `input image [N, 3, 64, 64]`, and `flatten` where the layers want vectors".into(),
            },
            DataError::Target(misfit) => misfit.help.clone()?,
            DataError::Unread { .. } => "where they are the names of classes, number them. In Python:  \
                names, y = np.unique(y.astype(str), return_inverse=True)"
                .into(),
            DataError::NotInstalled { package, .. } => format!("sudo apt-get install {package}"),
            DataError::Augment { name, .. } => format!("take `{name}` out of `augment`, or pass `--no-augment`"),
            DataError::Normalize { channels: 1, .. } => "normalize = (mean=[0.5], std=[0.5])".into(),
            DataError::Normalize { .. } => "give one mean and one std for each channel, or one for all".into(),
            _ => return None,
        })
    }
}

/// Data sets that people ask for by name, and what to unpack for them.
const FAMOUS: [(&str, &str); 6] = [
    ("mnist", "the four IDX files (`train-images-idx3-ubyte.gz`, …)"),
    ("kmnist", "the four IDX files (`train-images-idx3-ubyte.gz`, …)"),
    ("cifar10", "`cifar-10-binary.tar.gz` from https://www.cs.toronto.edu/~kriz/cifar.html"),
    ("cifar100", "`cifar-100-binary.tar.gz` from https://www.cs.toronto.edu/~kriz/cifar.html"),
    ("imagenet", "`train/` and `val/` with a folder for each class"),
    ("imagenette", "`train/` and `val/` with a folder for each class"),
];

/// What to say where nothing has this name.
fn elsewhere(spec: &str) -> String {
    let plain = spec.to_lowercase().replace(['-', '_'], "");
    match FAMOUS.iter().find(|(name, _)| *name == plain) {
        Some((_, files)) => format!("archc downloads nothing: fetch {files}, unpack, and name the directory"),
        None => "write `builtin:digits`, `builtin:digits-canvas`, `fashion-mnist`, or the path of a directory or file"
            .into(),
    }
}

fn size_help(has: &[usize], wants: &[usize]) -> String {
    let list = |dims: &[usize]| dims.iter().map(|d| d.to_string()).collect::<Vec<_>>().join(", ");
    match (has, wants) {
        ([h, w, c], [wc, wh, ww]) if (h, w, c) == (wh, ww, wc) => {
            "store channels first, [N, C, H, W]: `x = x.transpose(0, 3, 1, 2)`".to_string()
        }
        ([_, h, w], [_, wh, ww]) if (h, w) != (wh, ww) => {
            format!("write `input image [N, {}]`, or pass `--size {h}x{w}` where the model's sizes are free", list(has))
        }
        _ => format!("write `input image [N, {}]`", list(has)),
    }
}

/// Names that are listed of many.
const LISTED: usize = 12;

/// `` `a`, `b` and 3 more ``
fn quoted(names: &[String]) -> String {
    let list = names.iter().take(LISTED).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED { format!("{list} and {} more", names.len() - LISTED) } else { list }
}

/// A path in backticks; a place that has its own stays as it is: `` `x` in `d.npz` ``.
fn ticked(place: &str) -> String {
    if place.contains('`') { place.to_string() } else { format!("`{place}`") }
}

/// `3×32×32`.
fn times(dims: &[usize]) -> String {
    dims.iter().map(|d| d.to_string()).collect::<Vec<_>>().join("×")
}

impl std::fmt::Display for DataError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DataError::Unknown { spec, .. } => write!(f, "there is no data set, file or directory `{spec}`"),
            DataError::Layout { path, found, .. } | DataError::Meant { path, found, .. } => {
                write!(f, "`{path}` holds no data set that is known: {found}")
            }
            DataError::Classes { data, unknown, .. } => {
                let classes = if unknown.len() == 1 { "the class" } else { "classes" };
                write!(f, "`{data}` has {classes} {}, which the run does not know", quoted(unknown))
            }
            DataError::Format { path, reason } => write!(f, "`{path}` cannot be used here: {reason}"),
            DataError::Io { path, reason } => write!(f, "`{path}`: {reason}"),
            DataError::Broken { path, reason } => write!(f, "{} is broken: {reason}", ticked(path)),
            DataError::Unread { place, kind } => write!(f, "{place} holds {kind}, and numbers are read"),
            DataError::Size { data, has, wants } => {
                write!(f, "inputs of {} are {}, and the model wants {}", ticked(data), times(has), times(wants))
            }
            DataError::Pictures { path, wants } => {
                write!(f, "`{path}` holds images of 1 or 3 channels, and the model wants {}", times(wants))
            }
            DataError::Label { place, label, classes } => {
                write!(
                    f,
                    "`{place}` has label {label}, and there are {classes} classes (0 to {})",
                    classes.saturating_sub(1)
                )
            }
            DataError::Target(misfit) => f.write_str(&misfit.fact),
            DataError::Empty { path, reason } => write!(f, "{} has no sample that can be used: {reason}", ticked(path)),
            DataError::NotInstalled { name, path, .. } => write!(f, "`{name}` is not installed: there is no `{path}`"),
            DataError::TooLarge { path, bytes, limit } => {
                let path = ticked(path);
                write!(f, "{path} wants {} MiB of memory, and {} MiB are allowed", bytes >> 20, limit >> 20)
            }
            DataError::Augment { name, reason } => write!(f, "`{name}` cannot be done here: {reason}"),
            DataError::Normalize { has, channels } => {
                write!(f, "`normalize` has values for {has} channels, and the inputs have {channels}")
            }
            DataError::Internal(what) => write!(f, "reading data failed inside archc: {what}"),
        }
    }
}

impl std::error::Error for DataError {}

impl From<Misfit> for DataError {
    fn from(misfit: Misfit) -> Self {
        DataError::Target(Box::new(misfit))
    }
}
