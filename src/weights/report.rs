//! What of a file fitted a network, and what did not.

use super::names::counted;
use crate::base::{Diagnostic, codes};
use std::collections::BTreeMap;

/// Most lines of one kind that are shown.
const SHOWN: usize = 12;

/// A tensor that only the network or only the file has.
#[derive(Clone, Debug, PartialEq)]
pub struct Stray {
    /// Its name.
    pub name: String,
    /// Its sizes.
    pub dims: Vec<usize>,
    /// What it probably is, in words.
    pub hint: Option<String>,
}

impl Stray {
    pub(super) fn new(name: &str, dims: &[usize]) -> Self {
        Self { name: name.into(), dims: dims.into(), hint: None }
    }
}

/// A tensor of other sizes than the network wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// Its name.
    pub name: String,
    /// Its sizes in the file.
    pub found: Vec<usize>,
    /// Its sizes in the network.
    pub want: Vec<usize>,
}

/// How a file of weights fits a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The file.
    pub file: String,
    /// The network.
    pub network: String,
    /// The network's parameters as they came out.
    pub settings: BTreeMap<String, String>,
    /// Tensors that the network has.
    pub total: usize,
    /// Tensors that fit.
    pub loaded: usize,
    /// What the file lacks, in the network's order.
    pub missing: Vec<Stray>,
    /// What only the file has, by name.
    pub unexpected: Vec<Stray>,
    /// What has other sizes, in the network's order.
    pub misshaped: Vec<Misfit>,
    /// What was done to read the file.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether every tensor has its place.
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshaped.is_empty()
    }

    /// What was loaded, in one line.
    pub fn summary(&self) -> String {
        let (file, network) = (&self.file, &self.network);
        let mut text = format!("`{file}`: {} of the {} tensors of `{network}` were loaded", self.loaded, self.total);
        match self.total - self.loaded {
            0 => {}
            1 => text += "; 1 keeps its initial values",
            n => text += &format!("; {n} keep their initial values"),
        }
        // Counters of norms, which old files lack and nothing is computed from, are no gap, but were not loaded either.
        match self.total - self.loaded - self.missing.len() - self.misshaped.len() {
            0 => {}
            n => text += &format!(" ({} of norms among them)", counted(n, "counter")),
        }
        match self.unexpected.len() {
            0 => {}
            1 => text += "; 1 of the file has no place",
            n => text += &format!("; {n} of the file have no place"),
        }
        text
    }

    /// One aligned line for each tensor without a place, those of one kind together; of many, the first.
    pub fn lines(&self) -> Vec<String> {
        self.first_lines(SHOWN)
    }

    /// The same, at most `most` of each kind.
    pub fn first_lines(&self, most: usize) -> Vec<String> {
        let stray = |kind, stray: &Stray| (kind, stray.name.clone(), format!("{:?}", stray.dims), stray.hint.clone());
        let misfit = |m: &Misfit| ("mis-shaped", m.name.clone(), format!("{:?}, want {:?}", m.found, m.want), None);
        let groups: [Vec<Row>; 3] = [
            self.missing.iter().map(|s| stray("missing", s)).collect(),
            self.unexpected.iter().map(|s| stray("unexpected", s)).collect(),
            self.misshaped.iter().map(misfit).collect(),
        ];
        let shown = || groups.iter().flat_map(|group| group.iter().take(most));
        let width = shown().map(|row| row.1.len()).max().unwrap_or(0);
        let dims = shown().filter(|row| row.3.is_some()).map(|row| row.2.len()).max().unwrap_or(0);
        groups.iter().flat_map(|group| aligned(group, width, dims, most)).collect()
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        let others = match (self.loaded, self.missing.len() + self.misshaped.len()) {
            (0, _) => None,
            (n, 0) => Some(format!("`--partial` loads the {n} that fit, and passes these over")),
            (n, _) => Some(format!("`--partial` loads the other {n} and leaves these as initialised")),
        };
        let parts: Vec<String> = others.into_iter().chain(self.setting()).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// The setting that would give the first mis-shaped weight the file's width, where one has the width that
    /// the network has now.
    fn setting(&self) -> Option<String> {
        let Misfit { name, found, want } = self.misshaped.iter().find(|m| !m.found.is_empty() && !m.want.is_empty())?;
        if found[1..] != want[1..] {
            return None;
        }
        let width = want[0].to_string();
        let same: Vec<&String> = self.settings.iter().filter(|(_, value)| **value == width).map(|it| it.0).collect();
        // Of several that have the width, the one that is called as widths of last layers are.
        let of_outputs = |name: &&String| ["class", "out", "label"].iter().any(|word| name.contains(word));
        let setting = match same[..] {
            [one] => one,
            _ => same.iter().copied().find(of_outputs)?,
        };
        let layer = name.rsplit_once('.').map_or(name.as_str(), |(layer, _)| layer);
        Some(format!("`--set {setting}={}` makes `{layer}` fit", found[0]))
    }

    /// The report as an error.
    pub fn diagnostic(&self) -> Diagnostic {
        let unfit = self.missing.len() + self.misshaped.len();
        let count = match (unfit, self.unexpected.len()) {
            (0, extra) => format!("{} too many", counted(extra, "tensor")),
            (unfit, _) => format!("{unfit} of {} tensors", self.total),
        };
        let message = format!("`{}` does not fit `{}` ({count})", self.file, self.network);
        let mut diagnostic = Diagnostic::new(codes::WEIGHTS_UNFIT, message);
        diagnostic.help = self.help().map(String::into_boxed_str);
        self.lines().into_iter().chain(self.notes.iter().cloned()).fold(diagnostic, Diagnostic::note)
    }
}

/// A kind, a name, sizes, and a hint.
type Row = (&'static str, String, String, Option<String>);

fn aligned(group: &[Row], width: usize, dims: usize, most: usize) -> Vec<String> {
    let line = |(kind, name, sizes, hint): &Row| match hint {
        Some(hint) => format!("{kind:<10}  {name:<width$}  {sizes:<dims$}  {hint}"),
        None => format!("{kind:<10}  {name:<width$}  {sizes}"),
    };
    let mut lines: Vec<String> = group.iter().take(most).map(line).collect();
    if group.len() > most {
        lines.push(format!("{:<10}  and {} more", group[0].0, group.len() - most));
    }
    lines
}
