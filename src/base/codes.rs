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
    UNWRITABLE = "E0905", "a file cannot be written";
    PLAN_TOO_LARGE = "E0906", "a memory plan is too large to be counted";
    TENSOR_LIBRARY = "E0904", "the tensor library failed";
    EXPORT = "E0920", "a network cannot be written in this form";
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
    DATA_FORMAT = "E0822", "a file of this kind cannot hold this input or output";
    ONNX_UNREADABLE = "E0830", "an ONNX file cannot be read";
    ONNX_UNSUPPORTED = "E0831", "an ONNX model computes something that no layer does";
    ONNX_UNFIT = "E0832", "an ONNX model cannot be said as a network";
    ONNX_UNWRITABLE = "E0833", "a network cannot be written as ONNX";
    DATA_BROKEN_FILES = "W0801", "broken data files were passed over";
    DATA_OTHER_FILES = "W0802", "files that are no pictures, or arrays of no part, were passed over";
    DATA_DOUBTS = "W0803", "classes or parts of a data set may not be what was meant";
    DATA_PICTURES = "W0804", "pictures hold more than what is read of them";
    UNUSED_OUTPUTS = "W0805", "outputs that no target asks for";
    NOTHING_LEFT = "W0806", "a batch has nothing to learn from";
    INPUT_RANGE = "W0807", "inputs are on another scale than pictures";
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
    STUDY_UNFIT = "E0930", "a study has nothing to show of this network";
    STUDY_FOLDER = "E0931", "a folder holds another study";
    UNREADABLE = "E0201", "a file cannot be read";
    OUTSIDE = "E0202", "an import leaves the root file's directory";
    UNKNOWN_STEP = "E0203", "there is no such layer or block";
    CYCLE = "E0204", "imports run in a circle";
    NOT_THERE = "E0205", "an imported file does not define this name";
    DEFINED_TWICE = "E0206", "a name is defined twice";
    TWICE = "E0207", "two labels in one scope are equal";
    NO_SUCH_VALUE = "E0208", "there is no labelled value of this name";
    WHICH_MODEL = "E0209", "it is not clear which model is meant";
    NO_SUCH_NAME = "E0210", "there is no such name in an expression";
    LABEL = "E0211", "a label cannot stand here, or cannot be written so";
    UNKNOWN_ARGUMENT = "E0301", "there is no such argument";
    TOO_MANY = "E0302", "there are too many arguments";
    MISSING_ARGUMENT = "E0303", "an argument is missing";
    REPEATED_ARGUMENT = "E0304", "an argument is given twice";
    ARGUMENT = "E0305", "an argument has a value that is refused";
    WRONG_KIND = "E0306", "a value is of the wrong kind";
    INEXACT = "E0307", "whole numbers do not divide";
    NO_NUMBER = "E0308", "a computation has no result";
    NO_IT = "E0309", "`it` has no such size here";
    INPUT = "E0310", "an input cannot be declared so";
    OPTION = "E0311", "the command line sets what does not exist";
    RANK = "E0401", "a value has the wrong number of axes";
    TOO_SMALL = "E0402", "a window is larger than what it slides over";
    INDIVISIBLE = "E0403", "a size is not a multiple of another";
    SHAPE = "E0405", "a layer cannot work on this shape";
    PATHS_DISAGREE = "E0406", "the paths of a parallel cannot be merged";
    ENDS_DISAGREE = "E0501", "the ends of a skip disagree";
    SKIP_WORDS = "E0502", "words of a skip do not go together";
    FIT = "E0503", "`fit` cannot make the ends agree";
    IS_LONG = "E0504", "a long skip does not say so";
    NOT_LONG = "E0505", "a short skip says that it is long";
    PROJECT = "E0506", "a projection cannot be made";
    LIMIT = "E0601", "a limit was reached";
    ENDLESS = "E0602", "a block does not stop calling itself";
    NO_VALUE = "E0603", "there is no value to work on";
    OUTPUT = "E0604", "an output cannot be named so";
    EMPTY = "E0605", "a `parallel` has no path";
    RECIPE_LINE = "E0701", "a recipe has no such line";
    RECIPE_PART = "E0702", "there is no such loss, optimizer, schedule, augmentation or metric";
    RECIPE_ARGUMENT = "E0703", "a part of a recipe does not take this argument";
    RECIPE_VALUE = "E0704", "a line of a recipe has a value that is refused";
    RECIPE_LINES = "E0705", "lines of a recipe are missing or contradict each other";
    NO_RECIPE = "E0707", "the model has no training recipe";
    RECIPE_MODEL = "E0706", "a recipe is for a model that does not exist";
    UNUSED_LABEL = "W0101", "a label names nothing that is used";
    UNUSED_BLOCK = "W0102", "a block is never used";
    UNUSED_IMPORT = "W0103", "an import is never used";
    UNUSED_NAME = "W0104", "a parameter or a `let` is never used";
    DEAD_SET = "W0105", "a `set` changes nothing";
    OTHER_OUTPUT = "W0202", "an output has the label of another value";
    DEAD_END = "W0201", "a value goes nowhere";
    BIAS_BEFORE_NORM = "W0301", "a bias is taken away again by the norm after it";
    LOGITS = "W0302", "an activation stands before a loss that wants logits";
    TWO_ACTIVATIONS = "W0303", "two activations in a row";
    DROPOUT_BEFORE_NORM = "W0304", "dropout before a batch norm";
    SKIPS_NOTHING = "W0501", "a skip goes around an empty body";
    INTERNAL = "I0001", "a mistake in archc itself";
}
