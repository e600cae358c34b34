//! The table of codes. A code is never reused; each has a page in `docs/errors/`.

use super::diagnostic::Severity;

/// A code such as `E0401`, which indexes the table below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl Code {
    /// `E…` and `I…` are errors, `W…` warnings.
    pub fn severity(self) -> Severity {
        if self.0.starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// The page that `archc explain` prints.
    pub fn page(self) -> Option<&'static str> {
        page(self.0)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// The page of a code, by its text in any case.
pub fn page(code: &str) -> Option<&'static str> {
    let code = code.to_uppercase();
    TABLE.iter().find(|(c, _, _)| c.0 == code).map(|(_, _, page)| *page)
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($code);)*

        /// Every code, its title, and its page.
        pub const TABLE: &[(Code, &str, &str)] = &[
            $(($name, $title, include_str!(concat!("../../docs/errors/", $code, ".md"))),)*
        ];
    };
}

codes! {
    SYNTAX = "E0101", "the text is not valid here";
    WEIGHTS_UNREADABLE = "E0810", "a file of weights cannot be read";
    WEIGHTS_REFUSED = "E0811", "a checkpoint holds something that is not a tensor";
    WEIGHTS_UNFIT = "E0812", "weights do not fit the network";
    WEIGHTS_UNWRITABLE = "E0813", "a file of weights cannot be written";
    NO_DEVICE = "E0901", "the device does not exist";
    INPUT_UNFIT = "E0902", "an input does not fit the network";
    SIZES_INVALID = "E0903", "the network does not work at these sizes";
    TENSOR_LIBRARY = "E0904", "the tensor library failed";
    DATA_UNKNOWN = "E0801", "there is no such data set";
    DATA_LAYOUT = "E0802", "a directory or file holds no data set that is known";
    DATA_IO = "E0803", "a data file cannot be read or written";
    DATA_BROKEN = "E0804", "a data file is broken";
    DATA_SIZE = "E0805", "the data do not have the size that the model wants";
    DATA_LABEL = "E0806", "a label is outside the classes";
    DATA_EMPTY = "E0807", "no sample can be used";
    DATA_NOT_INSTALLED = "E0808", "a data set is not installed";
    DATA_TOO_LARGE = "E0809", "a data file asks for too much memory";
    DATA_AUGMENT = "E0820", "an augmentation cannot be done on these data";
    DATA_NORMALIZE = "E0821", "the recipe normalises another number of channels";
    DATA_BROKEN_FILES = "W0801", "broken data files were passed over";
    BRACKET = "E0102", "a bracket has no partner";
    TOO_DEEP = "E0103", "brackets or operators nest too deeply";
    CHARACTER = "E0104", "a character has no meaning here";
    STRING = "E0105", "a string is not well formed";
    NUMBER = "E0106", "a number cannot be written so";
    RESERVED = "E0107", "a word of the language is used as a name";
    TOO_LARGE = "E0108", "the file is too large";
    SKIP_KIND = "E0109", "a skip does not say how it merges";
    CHAINED = "E0110", "comparisons do not chain";
    TRAIN_UNFIT = "E0910", "the data, the loss and the outputs do not fit one another";
    DIVERGED = "E0911", "training diverged";
    RUN_UNUSABLE = "E0912", "a run cannot be used";
    RUN_UNWRITABLE = "E0913", "a file of a run cannot be written";
    INTERNAL = "I0001", "a mistake in archc itself";
}
