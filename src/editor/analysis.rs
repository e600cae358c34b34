//! What is known about one root file and all that it imports.
//!
//! The program is that of the text as it stands, errors or not. Shapes come from the last text that parsed: while a line is
//! half written, places before and after the change keep what was known of them.

use super::context::Within;
use super::documents::Documents;
use super::index::Index;
use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Severity, Span, codes};
use crate::elaborate::sketch::{Sketch, Taken};
use crate::elaborate::{Options, Program};
use crate::graph::NodeId;
use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Steps and layers that are unrolled between two keystrokes, over all models of a file, and what each model has at least.
/// The command line allows twenty-five times as much, which takes a second.
const STEPS: usize = 20_000;
const LAYERS: usize = 10_000;
const STEPS_EACH: usize = STEPS / 10;

/// A model of a program, elaborated.
#[derive(Debug)]
pub struct View {
    /// The model's name.
    pub model: String,
    /// Its steps and shapes.
    pub sketch: Sketch,
}

/// The models of a program whose text had no errors.
#[derive(Debug)]
pub struct Views {
    /// The program that they are of.
    pub program: Arc<Program>,
    /// In file order.
    pub models: Vec<View>,
}

/// One root file, read and checked.
#[derive(Debug)]
pub struct Analysis {
    /// The file and its imports as they stand.
    pub program: Arc<Program>,
    /// Shapes.
    pub views: Arc<Views>,
    /// All that is wrong.
    pub diagnostics: Diagnostics,
    index: OnceCell<Index>,
}

impl Analysis {
    /// Reads and checks a root file; `before` is what was known of it.
    pub fn of(documents: &Documents, root: &Path, options: &Options, before: Option<&Analysis>) -> Self {
        let program = Program::load(documents, root, &options.limits, options.import_root.as_deref());
        let program = Arc::new(program);
        if program.diagnostics.has_errors() {
            let kept = before.map(|known| Arc::clone(&known.views)).filter(|views| !views.models.is_empty());
            let views = kept.unwrap_or_else(|| Arc::new(views(&program, options)));
            let diagnostics = program.diagnostics.clone();
            return Self { program, views, diagnostics, index: OnceCell::new() };
        }
        let views = Arc::new(views(&program, options));
        let diagnostics = collected(&program, &views);
        Self { program, views, diagnostics, index: OnceCell::new() }
    }

    /// Reads a root file for its names alone: nothing is elaborated.
    pub fn names_of(documents: &Documents, root: &Path, options: &Options) -> Self {
        let program = Program::load(documents, root, &options.limits, options.import_root.as_deref());
        let program = Arc::new(program);
        let views = Arc::new(Views { program: Arc::clone(&program), models: Vec::new() });
        Self { diagnostics: program.diagnostics.clone(), program, views, index: OnceCell::new() }
    }

    /// Whether names may be missing: a line was not understood, or an import not found.
    pub fn has_broken_text(&self) -> bool {
        self.program.diagnostics.has_errors()
    }

    /// Steps that were unrolled for it, or for the text before.
    pub fn steps(&self) -> usize {
        self.views.models.iter().map(|view| view.sketch.taken.len()).sum()
    }

    /// Every name of the program.
    pub fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(&self.program))
    }

    /// The file at a path, where the program has it.
    pub fn file(&self, path: &Path) -> Option<FileId> {
        file_of(&self.program, path)
    }

    /// The path of one of its files.
    pub fn path(&self, file: FileId) -> PathBuf {
        PathBuf::from(&self.program.sources.file(file).name)
    }

    /// Whether a change of this file matters.
    pub fn depends_on(&self, path: &Path) -> bool {
        self.program.diagnostics.has_errors() || self.file(path).is_some()
    }

    /// Where the shapes of a file are found, whose text is now this one.
    pub fn shapes<'a>(&'a self, path: &Path, text: &str) -> Option<Shapes<'a>> {
        let file = file_of(&self.views.program, path)?;
        let known = &self.views.program.sources.file(file).text;
        Some(Shapes { views: &self.views, file, change: Change::between(known, text) })
    }
}

fn file_of(program: &Program, path: &Path) -> Option<FileId> {
    let at = program.sources.files().iter().position(|file| Path::new(&file.name) == path)?;
    Some(FileId(at as u32))
}

fn views(program: &Arc<Program>, options: &Options) -> Views {
    let mut left = STEPS;
    let each = |name: &str| {
        let allowed = &options.limits;
        let steps = allowed.steps.min(left.max(STEPS_EACH));
        let limits = Limits { steps, layers: allowed.layers.min(LAYERS), ..allowed.clone() };
        let mut sketch = program.sketch(&Options { model: Some(name.to_string()), limits, ..options.clone() });
        left = left.saturating_sub(sketch.taken.len());
        if let Some(name @ ("steps" | "layers")) = sketch.met {
            sketch.diagnostics = sketch.diagnostics.into_iter().map(|met| unfinished(met, name)).collect();
        }
        View { model: name.to_string(), sketch }
    };
    Views { program: Arc::clone(program), models: program.models().into_iter().map(each).collect() }
}

/// What is said of a limit that only the editor has: the file may well be right.
fn unfinished(met: Diagnostic, limit: &str) -> Diagnostic {
    if met.code != codes::LIMIT {
        return met;
    }
    let message = format!("too many {limit} to look at while you type: what follows is not checked here");
    let help = Some("`archc check` looks at all of it".into());
    Diagnostic { severity: Severity::Warning, message, help, ..met }
}

/// The diagnostics of the texts and of all models. What is wrong in a block is said once, not for every model.
fn collected(program: &Program, views: &Views) -> Diagnostics {
    let mut all = Diagnostics::default();
    let checked = views.models.iter().any(|view| view.sketch.network.is_some());
    if checked || views.models.is_empty() {
        all.extend(program.diagnostics.clone());
    }
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    let mut found: Vec<(Diagnostic, usize)> = Vec::new();
    for diagnostic in views.models.iter().flat_map(|view| view.sketch.diagnostics.iter()) {
        let key = (diagnostic.code, diagnostic.labels.first().map(|label| label.span));
        match known.get(&key).filter(|_| key.1.is_some()) {
            Some(&first) => found[first].1 += 1,
            None => {
                known.insert(key, found.len());
                found.push((diagnostic.clone(), 0));
            }
        }
    }
    let said = |(diagnostic, more): (Diagnostic, usize)| match more {
        0 => diagnostic,
        1 => diagnostic.note("and in one more model"),
        n => diagnostic.note(format!("and in {n} more models")),
    };
    all.extend(found.into_iter().map(said));
    all
}

/// The stretch that differs between the text that shapes are known of and the text now.
#[derive(Clone, Copy, Debug)]
struct Change {
    start: usize,
    /// One past the end in the known text, and in the text now.
    ends: (usize, usize),
}

impl Change {
    fn between(known: &str, now: &str) -> Self {
        let (a, b) = (known.as_bytes(), now.as_bytes());
        if a == b {
            return Self { start: a.len(), ends: (a.len(), b.len()) };
        }
        let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let room = a.len().min(b.len()) - start;
        let tail = a.iter().rev().zip(b.iter().rev()).take(room).take_while(|(x, y)| x == y).count();
        Self { start, ends: (a.len() - tail, b.len() - tail) }
    }

    fn known(&self, now: usize) -> Option<usize> {
        match now {
            _ if now <= self.start => Some(now),
            _ if now >= self.ends.1 => Some(now - self.ends.1 + self.ends.0),
            _ => None,
        }
    }

    fn now(&self, known: usize) -> Option<usize> {
        match known {
            _ if known <= self.start => Some(known),
            _ if known >= self.ends.0 => Some(known - self.ends.0 + self.ends.1),
            _ => None,
        }
    }
}

/// The shapes of one file.
#[derive(Clone, Copy, Debug)]
pub struct Shapes<'a> {
    views: &'a Views,
    file: FileId,
    change: Change,
}

/// A step as one model takes it, once for each expansion.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The model.
    pub view: &'a View,
    /// The times that the step is taken.
    pub taken: Vec<&'a Taken>,
}

impl<'a> Shapes<'a> {
    /// The innermost step around a byte, by model.
    pub fn around(&self, offset: usize) -> Vec<Seen<'a>> {
        self.change.known(offset).map_or_else(Vec::new, |at| self.around_known(at))
    }

    fn around_known(&self, at: usize) -> Vec<Seen<'a>> {
        let at = at as u32;
        let holds = |t: &&Taken| t.span.file == self.file && t.span.start <= at && at <= t.span.end;
        let all = self.views.models.iter().flat_map(|view| &view.sketch.taken);
        let Some(span) = all.filter(holds).map(|t| t.span).min_by_key(|span| span.len()) else { return Vec::new() };
        self.by_model(|taken| taken.span == span)
    }

    /// The current value where a step is being written, by model, once for each expansion. `steps` are the step and those
    /// around it, the innermost first.
    pub fn before(&self, steps: &[Within]) -> Vec<(&'a View, Vec<NodeId>)> {
        let found = steps.iter().find_map(|within| {
            // Braces that are new hold nothing yet: what comes to them is what comes to their step.
            let brace = self.change.known(within.brace)? as u32;
            let at = self.change.known(within.step).unwrap_or(self.change.start) as u32;
            Some(self.flow(brace, at, within.path))
        });
        let values = |(span, after): (Span, bool)| {
            let one = |seen: Seen<'a>| {
                let node = |taken: &Taken| if after { taken.after } else { taken.before };
                (seen.view, seen.taken.into_iter().filter_map(node).collect())
            };
            self.by_model(|taken| taken.span == span).into_iter().map(one).collect()
        };
        found.flatten().map_or_else(Vec::new, values)
    }

    /// The step that says what comes to a byte in braces, and whether it is the value after it.
    fn flow(&self, brace: u32, at: u32, path: bool) -> Option<(Span, bool)> {
        let all = self.views.models.iter().flat_map(|view| &view.sketch.taken);
        let spans: Vec<Span> = all.map(|taken| taken.span).filter(|span| span.file == self.file).collect();
        let inside = || spans.iter().filter(|span| span.start > brace);
        let same = || inside().filter(|span| span.start == at).max_by_key(|span| span.len());
        let last = || inside().filter(|span| span.end <= at).max_by_key(|span| (span.end, span.len()));
        let around = || spans.iter().filter(|s| s.start <= brace && brace < s.end).min_by_key(|span| span.len());
        let text = &self.views.program.sources.file(self.file).text;
        let open =
            |span: &&Span| text.get(at as usize..span.start as usize).is_some_and(|between| !between.contains('}'));
        let next = || inside().filter(open).min_by_key(|span| (span.start, Reverse(span.len())));
        match path {
            true => around().map(|span| (*span, false)),
            false => same()
                .map(|span| (*span, false))
                .or_else(|| last().map(|span| (*span, true)))
                .or_else(|| around().or_else(next).map(|span| (*span, false))),
        }
    }

    /// The step that these bytes are, by model.
    pub fn exactly(&self, start: usize, end: usize) -> Vec<Seen<'a>> {
        let (Some(start), Some(end)) = (self.change.known(start), self.change.known(end)) else { return Vec::new() };
        let same = |t: &Taken| t.span.file == self.file && (t.span.start, t.span.end) == (start as u32, end as u32);
        self.by_model(same)
    }

    fn by_model(&self, wanted: impl Fn(&Taken) -> bool) -> Vec<Seen<'a>> {
        let seen = |view: &'a View| {
            let taken: Vec<&Taken> = view.sketch.taken.iter().filter(|taken| wanted(taken)).collect();
            (!taken.is_empty()).then_some(Seen { view, taken })
        };
        self.views.models.iter().filter_map(seen).collect()
    }

    /// Every step of the file that ends in a range of bytes of the text now: its last byte there, and its expansions.
    pub fn ends(&self, range: std::ops::Range<usize>) -> BTreeMap<usize, Vec<Seen<'a>>> {
        let mut found: BTreeMap<usize, Vec<Seen<'a>>> = BTreeMap::new();
        for view in &self.views.models {
            for taken in view.sketch.taken.iter().filter(|taken| taken.span.file == self.file) {
                let Some(end) = self.change.now(taken.span.end as usize).filter(|end| range.contains(end)) else {
                    continue;
                };
                let list = found.entry(end).or_default();
                // A skip that ends in the name of its source: the step counts, not the name.
                let length = |list: &[Seen<'a>]| list.first().and_then(|s| s.taken.first()).map_or(0, |t| t.span.len());
                match taken.span.len().cmp(&length(list)) {
                    std::cmp::Ordering::Less => continue,
                    std::cmp::Ordering::Greater => list.clear(),
                    std::cmp::Ordering::Equal => {}
                }
                match list.last_mut().filter(|seen| std::ptr::eq(seen.view, view)) {
                    Some(seen) => seen.taken.push(taken),
                    None => list.push(Seen { view, taken: vec![taken] }),
                }
            }
        }
        found
    }

    /// The models.
    pub fn models(&self) -> &'a [View] {
        &self.views.models
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_outside_a_change_are_found_again() {
        let change = Change::between("one two three", "one 2 three");
        assert_eq!(change.known(3), Some(3));
        assert_eq!(change.known(6), Some(8));
        assert_eq!(change.now(8), Some(6));
        assert_eq!(change.now(5), None);
        assert_eq!(Change::between("aa", "aaa").known(3), Some(2));
    }
}
