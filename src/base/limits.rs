//! Bounds that keep hostile input ordinary. Each can be raised on the command line.

/// What one compilation may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of one source file.
    pub source_bytes: u64,
    /// Braces, brackets and parentheses open at once.
    pub nesting: usize,
    /// Block calls inside one another.
    pub call_depth: usize,
    /// Steps taken while unrolling, empty ones included.
    pub steps: usize,
    /// Layers in the unrolled network.
    pub layers: usize,
    /// Files imported.
    pub files: usize,
    /// Elements of one value, per sample.
    pub elements: u64,
    /// Errors reported before giving up.
    pub errors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 16 << 20,
            nesting: 128,
            call_depth: 256,
            steps: 500_000,
            layers: 200_000,
            files: 256,
            elements: 1 << 40,
            errors: 50,
        }
    }
}

impl Limits {
    /// Names on the command line (`--limit nesting=500`), in the order of the fields.
    pub const NAMES: [&'static str; 8] =
        ["source-bytes", "nesting", "call-depth", "steps", "layers", "files", "elements", "errors"];

    /// Sets one limit by its name; `false` where there is none of that name.
    pub fn set(&mut self, name: &str, value: u64) -> bool {
        let size = value as usize;
        match name {
            "source-bytes" => self.source_bytes = value,
            "nesting" => self.nesting = size,
            "call-depth" => self.call_depth = size,
            "steps" => self.steps = size,
            "layers" => self.layers = size,
            "files" => self.files = size,
            "elements" => self.elements = value,
            "errors" => self.errors = size,
            _ => return false,
        }
        true
    }
}
