//! What the server knows: open documents, and what was found out about each.

use super::analysis::Analysis;
use super::diagnose;
use super::documents::{Document, Documents};
use super::paths::{path_of, plain, uri_of};
use super::text::{Encoding, Text};
use crate::elaborate::Options;
use lsp_types::{InitializeParams, PublishDiagnosticsParams, TextDocumentContentChangeEvent, Uri};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What the client can do, as far as answers depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client {
    /// Completions may hold places to fill in.
    pub snippets: bool,
}

/// The version that diagnostics are of, and they.
type Published = (Option<i32>, Vec<lsp_types::Diagnostic>);

/// Everything that is known.
#[derive(Debug)]
pub struct State {
    /// How columns are counted.
    pub encoding: Encoding,
    /// What the client can do.
    pub client: Client,
    /// The open documents.
    pub documents: Documents,
    /// Folders that the editor has open.
    pub folders: Vec<PathBuf>,
    /// What the compiler is asked for.
    pub options: Options,
    /// By root: every open document is one.
    analyses: BTreeMap<PathBuf, Rc<Analysis>>,
    /// Roots whose text or imports have changed since.
    stale: BTreeSet<PathBuf>,
    /// The diagnostics that the client has of each document, and of which version.
    published: BTreeMap<PathBuf, Published>,
}

impl State {
    /// Begins with what the client says of itself.
    pub fn new(params: &InitializeParams) -> Self {
        let general = params.capabilities.general.as_ref();
        let encoding = Encoding::agreed(general.and_then(|general| general.position_encodings.as_ref()));
        let document = params.capabilities.text_document.as_ref();
        let item = document.and_then(|d| d.completion.as_ref()).and_then(|c| c.completion_item.as_ref());
        let client = Client { snippets: item.and_then(|item| item.snippet_support) == Some(true) };
        let folders = params.workspace_folders.iter().flatten().map(|folder| path_of(&folder.uri));
        let asked = params.initialization_options.as_ref().and_then(|o| o.get("importRoot")).and_then(|r| r.as_str());
        let options = Options { import_root: asked.map(PathBuf::from), ..Options::default() };
        Self {
            encoding,
            client,
            documents: Documents::default(),
            folders: folders.collect(),
            options,
            analyses: BTreeMap::new(),
            stale: BTreeSet::new(),
            published: BTreeMap::new(),
        }
    }

    /// A document was opened.
    pub fn open(&mut self, uri: &Uri, version: i32, text: String) {
        let path = path_of(uri);
        self.documents.set(path.clone(), Document { text: Text::new(text, self.encoding), version });
        self.touch(&path);
        self.stale.insert(path);
    }

    /// A document was changed.
    pub fn change(&mut self, uri: &Uri, version: i32, changes: &[TextDocumentContentChangeEvent]) {
        let path = path_of(uri);
        let Some(document) = self.documents.get_mut(&path) else { return };
        for change in changes {
            document.text = document.text.changed(change);
        }
        document.version = version;
        self.touch(&path);
    }

    /// A document was closed: what is on disk counts again.
    pub fn close(&mut self, uri: &Uri) {
        let path = path_of(uri);
        self.documents.close(&path);
        self.analyses.remove(&path);
        self.stale.remove(&path);
        self.touch(&path);
    }

    /// A file has changed: whatever is known with its help is old.
    pub fn touch(&mut self, path: &Path) {
        let old = self.analyses.iter().filter(|(root, known)| *root == path || known.depends_on(path));
        self.stale.extend(old.map(|(root, _)| root.clone()));
    }

    /// Files on disk have changed.
    pub fn touch_all(&mut self) {
        self.stale.extend(self.documents.paths().cloned());
    }

    /// Whether something is to be looked at again.
    pub fn is_stale(&self) -> bool {
        !self.stale.is_empty()
    }

    /// Forgets that something is to be looked at.
    pub fn give_up(&mut self) {
        self.stale.clear();
    }

    /// What is known about a file as a root of its own; looked at now where it has changed.
    pub fn analysis(&mut self, path: &Path) -> Option<Rc<Analysis>> {
        self.documents.get(path)?;
        if self.stale.remove(path) || !self.analyses.contains_key(path) {
            let before = self.analyses.get(path).map(Rc::clone);
            let known = Analysis::of(&self.documents, path, &self.options, before.as_deref());
            self.analyses.insert(path.to_path_buf(), Rc::new(known));
        }
        self.analyses.get(path).map(Rc::clone)
    }

    /// What is known about a file: as a root of its own first, then as a file that other open files import.
    pub fn analyses_with(&mut self, path: &Path) -> Vec<Rc<Analysis>> {
        let own = self.analysis(path);
        let others: Vec<PathBuf> = self.documents.paths().filter(|other| *other != path).cloned().collect();
        let importing = others.iter().filter_map(|root| self.analysis(root)).filter(|known| known.file(path).is_some());
        own.into_iter().chain(importing.collect::<Vec<_>>()).collect()
    }

    /// As [`State::analyses_with`], and also with the closed files of the open folders that import it.
    pub fn analyses_everywhere(&mut self, path: &Path) -> Vec<Rc<Analysis>> {
        let mut found = self.analyses_with(path);
        found.extend(self.closed().into_iter().filter(|known| known.file(path).is_some()));
        found
    }

    /// The closed files of the open folders.
    pub fn closed(&self) -> Vec<Rc<Analysis>> {
        let all = super::folders::sources(&self.folders).into_iter();
        let closed = all.filter(|root| self.documents.get(root).is_none());
        closed.map(|root| Rc::new(Analysis::names_of(&self.documents, &root, &self.options))).collect()
    }

    /// Looks at whatever has changed and gives the diagnostics of every file concerned, empty ones where they are gone.
    pub fn diagnostics(&mut self) -> Vec<PublishDiagnosticsParams> {
        let roots: Vec<PathBuf> = self.documents.paths().cloned().collect();
        let mut all: BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>> = BTreeMap::new();
        for root in roots {
            let Some(known) = self.analysis(&root) else { continue };
            for (path, list) in diagnose::by_file(&known, self.encoding) {
                let here = all.entry(plain(&path)).or_default();
                list.into_iter().for_each(|one| {
                    if !here.contains(&one) {
                        here.push(one)
                    }
                });
            }
        }
        self.stale.clear();
        all.extend(
            self.published
                .keys()
                .filter(|path| !all.contains_key(*path))
                .map(|path| (path.clone(), Vec::new()))
                .collect::<Vec<_>>(),
        );
        let now = all.into_iter().map(|(path, list)| {
            let version = self.documents.get(&path).map(|document| document.version);
            (path, (version, list))
        });
        let now: BTreeMap<PathBuf, Published> = now.collect();
        let is_news = |(path, now): &(&PathBuf, &Published)| match self.published.get(*path) {
            Some(before) => before != *now,
            None => now.0.is_some() || !now.1.is_empty(),
        };
        let params = |(path, (version, diagnostics)): (&PathBuf, &Published)| {
            Some(PublishDiagnosticsParams { uri: uri_of(path)?, version: *version, diagnostics: diagnostics.clone() })
        };
        let news = now.iter().filter(is_news).filter_map(params).collect();
        self.published = now;
        self.published.retain(|_, (version, list)| version.is_some() || !list.is_empty());
        news
    }
}
