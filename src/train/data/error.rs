//! What can be wrong with data.

use crate::base::{Diagnostic, codes};

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
    /// Inputs do not have the size that the model wants.
    Size {
        /// The data set.
        data: String,
        /// The shape of its inputs.
        has: Vec<usize>,
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

    /// As a message to the user. It has no label: the fault lies outside the source text.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = self.to_string();
        match self {
            DataError::Unknown { near: Some(near), .. } => {
                Diagnostic::new(codes::DATA_UNKNOWN, message).help(format!("did you mean `{near}`?"))
            }
            DataError::Unknown { .. } => Diagnostic::new(codes::DATA_UNKNOWN, message)
                .help("write `builtin:digits`, `builtin:digits-canvas`, `fashion-mnist`, or the path of a directory or file"),
            DataError::Layout { near: Some(near), .. } => {
                Diagnostic::new(codes::DATA_LAYOUT, message).help(format!("did you mean `{near}`?"))
            }
            DataError::Layout { .. } => Diagnostic::new(codes::DATA_LAYOUT, message).help(
                "IDX files, CIFAR binaries, a folder per class, `images/` and `masks/`, `.safetensors` or `.npz` are known",
            ),
            DataError::Io { .. } => Diagnostic::new(codes::DATA_IO, message),
            DataError::Broken { .. } => Diagnostic::new(codes::DATA_BROKEN, message),
            DataError::Size { has, wants, .. } => size_help(Diagnostic::new(codes::DATA_SIZE, message), has, wants),
            DataError::Label { .. } => Diagnostic::new(codes::DATA_LABEL, message),
            DataError::Empty { .. } => Diagnostic::new(codes::DATA_EMPTY, message),
            DataError::NotInstalled { package, .. } => {
                Diagnostic::new(codes::DATA_NOT_INSTALLED, message).help(format!("sudo apt-get install {package}"))
            }
            DataError::TooLarge { .. } => Diagnostic::new(codes::DATA_TOO_LARGE, message),
            DataError::Augment { name, .. } => {
                Diagnostic::new(codes::DATA_AUGMENT, message).help(format!("take `{name}` out of `augment`, or pass `--no-augment`"))
            }
            DataError::Normalize { channels: 1, .. } => {
                Diagnostic::new(codes::DATA_NORMALIZE, message).help("normalize = (mean=[0.5], std=[0.5])")
            }
            DataError::Normalize { .. } => Diagnostic::new(codes::DATA_NORMALIZE, message)
                .help("give one mean and one std for each channel, or one for all"),
            DataError::Format { .. } => Diagnostic::new(codes::DATA_FORMAT, message),
            DataError::Internal(_) => Diagnostic::new(codes::INTERNAL, message),
        }
    }
}

fn size_help(diagnostic: Diagnostic, has: &[usize], wants: &[usize]) -> Diagnostic {
    let list = |dims: &[usize]| dims.iter().map(|d| d.to_string()).collect::<Vec<_>>().join(", ");
    let help = match (has, wants) {
        ([h, w, c], [wc, wh, ww]) if (h, w, c) == (wh, ww, wc) => {
            "store channels first, [N, C, H, W]: `x = x.transpose(0, 3, 1, 2)`".to_string()
        }
        ([_, h, w], [_, wh, ww]) if (h, w) != (wh, ww) => {
            format!("write `input image [N, {}]`, or pass `--size {h}x{w}` where the model's sizes are free", list(has))
        }
        _ => format!("write `input image [N, {}]`", list(has)),
    };
    diagnostic.help(help)
}

/// `3×32×32`.
fn times(dims: &[usize]) -> String {
    dims.iter().map(|d| d.to_string()).collect::<Vec<_>>().join("×")
}

impl std::fmt::Display for DataError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DataError::Unknown { spec, .. } => write!(f, "there is no data set, file or directory `{spec}`"),
            DataError::Layout { path, found, .. } => write!(f, "`{path}` holds no data set that is known: {found}"),
            DataError::Format { path, reason } => write!(f, "`{path}` cannot be used here: {reason}"),
            DataError::Io { path, reason } => write!(f, "`{path}`: {reason}"),
            DataError::Broken { path, reason } => write!(f, "`{path}` is broken: {reason}"),
            DataError::Size { data, has, wants } => {
                write!(f, "inputs of `{data}` are {}, and the model wants {}", times(has), times(wants))
            }
            DataError::Label { place, label, classes } => {
                write!(
                    f,
                    "`{place}` has label {label}, and there are {classes} classes (0 to {})",
                    classes.saturating_sub(1)
                )
            }
            DataError::Empty { path, reason } => write!(f, "`{path}` has no sample that can be used: {reason}"),
            DataError::NotInstalled { name, path, .. } => write!(f, "`{name}` is not installed: there is no `{path}`"),
            DataError::TooLarge { path, bytes, limit } => {
                write!(f, "`{path}` wants {} MiB of memory, and {} MiB are allowed", bytes >> 20, limit >> 20)
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
