//! A file and all that it imports, read and parsed once.

use super::loader::{LoadError, Loader, normal};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Diagnostics, FileId, Limits, SourceMap, Span, codes};
use crate::ops;
use crate::syntax::{self, ast};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What a name of a file stands for: an item of some file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Block { module: usize, item: usize },
    Model { module: usize, item: usize },
}

/// One file.
#[derive(Debug)]
struct Module {
    file: ast::File,
    /// Its own blocks and models, and those it imports.
    names: BTreeMap<String, Named>,
}

/// The texts and syntax trees of one root file and its imports. Elaborating it at other sizes or with
/// other settings reads nothing again.
#[derive(Debug)]
pub struct Program {
    /// Every text that was read; the first is the root.
    pub sources: SourceMap,
    /// What is wrong in the texts themselves: syntax, imports, names that are defined twice or never used.
    pub diagnostics: Diagnostics,
    modules: Vec<Module>,
}

impl Program {
    /// Reads a file and its imports, which must lie below the file's own directory, or below `import_root`.
    pub fn load(loader: &dyn Loader, path: &Path, limits: &Limits, import_root: Option<&Path>) -> Self {
        let name = path.display().to_string();
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut reader = Reader::new(loader, limits, import_root.unwrap_or(parent));
        match loader.read(path, limits.source_bytes) {
            Ok(text) => {
                reader.module(path, name, text);
            }
            Err(error) => {
                let place = Span::new(reader.program.sources.add(name.clone(), ""), 0, 0);
                let report = unreadable(&name, &error, limits, None);
                let near = loader.near(path).filter(|_| error == LoadError::Missing);
                reader.program.diagnostics.push(meant(report, near.as_deref()));
                reader.program.modules.push(Module::empty(place.file));
            }
        }
        reader.finish()
    }

    /// Parses a text. Its imports are read by `loader`, relative to `path`.
    pub fn from_text(loader: &dyn Loader, path: &Path, text: &str, limits: &Limits) -> Self {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut reader = Reader::new(loader, limits, parent);
        let name = path.display().to_string();
        if text.len() as u64 > limits.source_bytes {
            let file = reader.program.sources.add(name.clone(), "");
            let error = unreadable(&name, &LoadError::TooLarge(limits.source_bytes), limits, None);
            reader.program.diagnostics.push(error);
            reader.program.modules.push(Module::empty(file));
        } else {
            reader.module(path, name, text.to_string());
        }
        reader.finish()
    }

    /// The syntax tree of the root file.
    pub fn root(&self) -> &ast::File {
        &self.modules[0].file
    }

    /// The syntax trees of all files; the root is the first.
    pub fn files(&self) -> impl Iterator<Item = &ast::File> {
        self.modules.iter().map(|m| &m.file)
    }

    /// The models that the root file defines, or imports where it defines none; in file order.
    pub fn models(&self) -> Vec<&str> {
        let own = |item: &'_ ast::Item| match item {
            ast::Item::Model(model) => Some(model.name.node.clone()),
            _ => None,
        };
        let own: Vec<String> = self.root().items.iter().filter_map(own).collect();
        let models = self.modules[0].names.iter().filter(|(_, n)| matches!(n, Named::Model { .. }));
        let mut names: Vec<&str> = models.map(|(name, _)| name.as_str()).collect();
        if !own.is_empty() {
            names.retain(|name| own.iter().any(|o| o == name));
            names.sort_by_key(|name| own.iter().position(|o| o == name));
        }
        names
    }

    /// The block or model that a name of a file stands for, and the file that defines it. Imports are seen through.
    pub fn named(&self, file: FileId, name: &str) -> Option<(FileId, &ast::Item)> {
        let (Named::Block { module, item } | Named::Model { module, item }) =
            self.modules.get(file.0 as usize)?.names.get(name).copied()?;
        let module = self.modules.get(module)?;
        Some((module.file.id, module.file.items.get(item)?))
    }

    /// Every block and model that a file defines or imports, by name.
    pub fn names(&self, file: FileId) -> impl Iterator<Item = &str> {
        self.modules.get(file.0 as usize).into_iter().flat_map(|module| module.names.keys().map(String::as_str))
    }

    pub(super) fn lookup(&self, module: usize, name: &str) -> Option<Named> {
        self.modules[module].names.get(name).copied()
    }

    pub(super) fn items(&self, module: usize) -> &[ast::Item] {
        &self.modules[module].file.items
    }

    pub(super) fn block(&self, module: usize, item: usize) -> Option<&ast::Block> {
        match self.items(module).get(item) {
            Some(ast::Item::Block(block)) => Some(block),
            _ => None,
        }
    }

    pub(super) fn model(&self, module: usize, item: usize) -> Option<&ast::Model> {
        match self.items(module).get(item) {
            Some(ast::Item::Model(model)) => Some(model),
            _ => None,
        }
    }

    pub(super) fn block_names(&self, module: usize) -> Vec<&str> {
        let names = &self.modules[module].names;
        names.iter().filter(|(_, n)| matches!(n, Named::Block { .. })).map(|(name, _)| name.as_str()).collect()
    }
}

impl Module {
    fn empty(id: FileId) -> Self {
        Self { file: ast::File { id, items: Vec::new() }, names: BTreeMap::new() }
    }
}

/// Reads and parses, following imports.
struct Reader<'a> {
    loader: &'a dyn Loader,
    limits: &'a Limits,
    program: Program,
    /// Imports stay below this directory: as written, and as the loader knows it.
    allowed: (PathBuf, PathBuf),
    /// Modules by identity.
    known: BTreeMap<PathBuf, usize>,
    /// Files whose imports are being read: identity and name.
    open: Vec<(PathBuf, String)>,
}

impl<'a> Reader<'a> {
    fn new(loader: &'a dyn Loader, limits: &'a Limits, allowed: &Path) -> Self {
        let program = Program { sources: SourceMap::new(), diagnostics: Diagnostics::default(), modules: Vec::new() };
        let allowed = (normal(allowed), loader.identity(allowed));
        Self { loader, limits, program, allowed, known: BTreeMap::new(), open: Vec::new() }
    }

    fn finish(mut self) -> Program {
        self.recipes();
        if !self.program.diagnostics.has_errors() {
            let mut warnings = super::unused::check(&self.program);
            warnings.extend(super::doubts::check(&self.program));
            self.program.diagnostics.extend(warnings);
        }
        self.program
    }

    /// Refuses recipes for models that do not exist, and second ones for the same model.
    fn recipes(&mut self) {
        let mut found: BTreeMap<&str, Span> = BTreeMap::new();
        let mut errors = Vec::new();
        for item in &self.program.modules[0].file.items {
            let ast::Item::Train(train) = item else { continue };
            let name = &train.model;
            if !matches!(self.program.lookup(0, &name.node), Some(Named::Model { .. })) {
                let message = format!("there is no model named `{}` to train", name.node);
                let near = nearest(&name.node, self.program.models());
                let neither = || "not a model of this file, nor imported".to_string();
                errors.push(Diagnostic::new(codes::RECIPE_MODEL, message).meant(name.span, near, neither));
            } else if let Some(first) = found.insert(&name.node, name.span) {
                let error = Diagnostic::new(codes::RECIPE_LINES, format!("`{}` has two recipes", name.node));
                errors.push(error.label(name.span, "the second").label(first, "the first"));
            }
        }
        // Where an import has failed, the model may well be there.
        if !self.program.diagnostics.has_errors() {
            self.program.diagnostics.extend(errors);
        }
    }

    /// Parses a text and reads what it imports; the module's position.
    fn module(&mut self, path: &Path, name: String, text: String) -> usize {
        let identity = self.loader.identity(path);
        let id = self.program.sources.add(name.clone(), text);
        let index = self.program.modules.len();
        self.program.modules.push(Module::empty(id));
        self.known.insert(identity.clone(), index);
        self.open.push((identity, name));
        let text = std::sync::Arc::clone(&self.program.sources.file(id).text);
        let file = syntax::parse(id, &text, self.limits, &mut self.program.diagnostics);
        self.define(index, &file);
        for item in &file.items {
            if let ast::Item::Import(import) = item {
                self.import(index, path, import);
            }
        }
        self.program.modules[index].file = file;
        self.open.pop();
        index
    }

    /// Enters the file's own blocks and models.
    fn define(&mut self, module: usize, file: &ast::File) {
        let mut places: BTreeMap<&str, Span> = BTreeMap::new();
        for (item, content) in file.items.iter().enumerate() {
            let (name, named) = match content {
                ast::Item::Block(block) => (&block.name, Named::Block { module, item }),
                ast::Item::Model(model) => (&model.name, Named::Model { module, item }),
                _ => continue,
            };
            if ops::layer(&name.node).is_some() || matches!(name.node.as_str(), "project" | "zero_pad") {
                let error = Diagnostic::new(codes::DEFINED_TWICE, format!("`{}` is a layer already", name.node));
                self.program.diagnostics.push(error.label(name.span, "give it another name"));
                continue;
            }
            match places.get(name.node.as_str()) {
                Some(&first) => self.program.diagnostics.push(twice(&name.node, name.span, first)),
                None => {
                    places.insert(&name.node, name.span);
                    self.program.modules[module].names.insert(name.node.clone(), named);
                }
            }
        }
    }

    fn import(&mut self, module: usize, from: &Path, import: &ast::Import) {
        let Some(target) = self.imported_module(from, import) else {
            // Their uses stay silent: the import itself was reported.
            return;
        };
        for name in &import.names {
            let names = &self.program.modules[target].names;
            let own = |named: &Named| matches!(named, Named::Block { module, .. } | Named::Model { module, .. } if *module == target);
            match names.get(&name.node).copied().filter(own) {
                Some(_) if self.program.modules[module].names.contains_key(&name.node) => {
                    let error = Diagnostic::new(codes::DEFINED_TWICE, format!("`{}` is defined already", name.node));
                    self.program.diagnostics.push(error.label(name.span, "imported here as well"));
                }
                Some(named) => {
                    self.program.modules[module].names.insert(name.node.clone(), named);
                }
                None => {
                    let message = format!("\"{}\" has no block or model named `{}`", import.path.node, name.node);
                    let known = names.iter().filter(|(_, n)| own(n)).map(|(name, _)| name.as_str());
                    let error = Diagnostic::new(codes::NOT_THERE, message);
                    let error = error.meant(name.span, nearest(&name.node, known), || "not defined there".to_string());
                    self.program.diagnostics.push(error);
                }
            }
        }
    }

    fn imported_module(&mut self, from: &Path, import: &ast::Import) -> Option<usize> {
        let written = Path::new(&import.path.node);
        let path = normal(&from.parent().unwrap_or(Path::new("")).join(written));
        let identity = self.loader.identity(&path);
        let (allowed, known_as) = &self.allowed;
        let below = !allowed.as_os_str().is_empty() && path.starts_with(allowed);
        let climbs = path.components().next() == Some(Component::ParentDir) && !allowed.is_absolute();
        if (climbs && !below) || !identity.starts_with(known_as) {
            let error = Diagnostic::new(
                codes::OUTSIDE,
                format!("\"{}\" lies outside the root file's directory", import.path.node),
            )
            .label(import.path.span, "an import may not leave it")
            .help("move the file, or allow a directory: `--import-root DIR`");
            self.program.diagnostics.push(error);
            return None;
        }
        if self.open.iter().any(|(open, _)| *open == identity) {
            let cycle = self.open.iter().skip_while(|(open, _)| *open != identity).map(|(_, name)| name.as_str());
            let chain: Vec<&str> = cycle.collect();
            let message = format!("imports run in a circle: {} → {}", chain.join(" → "), chain[0]);
            let error =
                Diagnostic::new(codes::CYCLE, message).label(import.path.span, "comes back to where it started");
            self.program.diagnostics.push(error.help("move what both files need to a third file"));
            return None;
        }
        if let Some(&known) = self.known.get(&identity) {
            return Some(known);
        }
        if self.program.modules.len() >= self.limits.files {
            let error = Diagnostic::new(codes::LIMIT, format!("more than {} files are imported", self.limits.files))
                .label(import.path.span, "reached here")
                .help(format!("raise the limit if this is meant: `--limit files={}`", 10 * self.limits.files));
            self.program.diagnostics.push(error);
            return None;
        }
        match self.loader.read(&path, self.limits.source_bytes) {
            Ok(text) => Some(self.module(&path, path.display().to_string(), text)),
            Err(error) => {
                let report = unreadable(&path.display().to_string(), &error, self.limits, Some(import.path.span));
                let near = self.loader.near(&path).filter(|_| error == LoadError::Missing);
                // As it is written in the file, where only the name is another.
                let near = near.and_then(|near| {
                    let beside = near.parent() == path.parent();
                    beside.then(|| Some(Path::new(&import.path.node).with_file_name(near.file_name()?)))?
                });
                self.program.diagnostics.push(meant(report, near.as_deref()));
                None
            }
        }
    }
}

fn twice(name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(codes::DEFINED_TWICE, format!("`{name}` is defined twice"))
        .label(second, "the second")
        .label(first, "the first")
}

/// The report, with the file that may have been meant.
fn meant(report: Diagnostic, near: Option<&Path>) -> Diagnostic {
    near.into_iter().fold(report, |report, near| report.help(format!("did you mean `{}`?", near.display())))
}

/// Why a file cannot be read, imported at `at` or named on the command line.
pub fn unreadable(name: &str, error: &LoadError, limits: &Limits, at: Option<Span>) -> Diagnostic {
    let why = match error {
        LoadError::Missing => "there is no such file".to_string(),
        LoadError::TooLarge(limit) => format!("it is larger than {limit} bytes"),
        LoadError::NotText(byte) => format!("it is not UTF-8 text (from byte {byte} on)"),
        LoadError::Unreadable(why) => why.clone(),
    };
    let code = if matches!(error, LoadError::TooLarge(_)) { codes::TOO_LARGE } else { codes::UNREADABLE };
    let mut report = Diagnostic::new(code, format!("cannot read {name}: {why}"));
    if let LoadError::TooLarge(_) = error {
        let more = limits.source_bytes.saturating_mul(10);
        report = report.help(format!("raise the limit if this is meant: `--limit source-bytes={more}`"));
    }
    match at {
        Some(span) => report.label(span, "imported here"),
        None => report,
    }
}
