//! An editor, as far as a server can tell.

use archc::editor::{ServeError, serve};
use lsp_server::{Connection, Message, Notification, Request, Response};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a server may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A client in the same process, with a folder of its own.
pub struct Client {
    connection: Connection,
    server: Option<JoinHandle<Result<(), ServeError>>>,
    next: i32,
    /// Diagnostics as they were last published, by document.
    pub diagnostics: std::collections::BTreeMap<String, Vec<Value>>,
    /// What the server said about itself.
    pub about: Value,
    folder: tempfile::TempDir,
    versions: std::collections::BTreeMap<String, i32>,
}

impl Client {
    /// Starts a server that counts columns in UTF-16 and offers snippets.
    pub fn new() -> Self {
        Self::with(json!({ "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } } }))
    }

    pub fn with(capabilities: Value) -> Self {
        let (connection, server) = Connection::memory();
        let server = std::thread::spawn(move || serve(&server));
        let folder = tempfile::tempdir().expect("a folder");
        let mut client = Self {
            connection,
            server: Some(server),
            next: 0,
            diagnostics: Default::default(),
            about: Value::Null,
            folder,
            versions: Default::default(),
        };
        let folders = json!([{ "uri": client.uri(""), "name": "test" }]);
        let params = json!({ "processId": null, "capabilities": capabilities, "workspaceFolders": folders });
        client.about = client.ask("initialize", params);
        client.tell("initialized", json!({}));
        client
    }

    pub fn path(&self, name: &str) -> PathBuf {
        // A temporary folder may be a link.
        std::fs::canonicalize(self.folder.path()).expect("the folder").join(name)
    }

    pub fn uri(&self, name: &str) -> String {
        let path = self.path(name);
        format!("file://{}", path.to_str().expect("a plain path").trim_end_matches('/'))
    }

    /// Writes a file that is not open.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        let note = Notification { method: method.into(), params };
        self.connection.sender.send(note.into()).expect("the server listens");
    }

    /// Sends a request and gives its number.
    pub fn send(&mut self, method: &str, params: Value) -> i32 {
        self.next += 1;
        let request = Request { id: self.next.into(), method: method.into(), params };
        self.connection.sender.send(request.into()).expect("the server listens");
        self.next
    }

    /// The answer to a request; notifications before it are noted.
    pub fn answer(&mut self, id: i32) -> Response {
        loop {
            match self.connection.receiver.recv_timeout(PATIENCE).expect("an answer") {
                Message::Response(response) if response.id == id.into() => return response,
                Message::Response(other) => panic!("an answer to {} while {id} was asked", other.id),
                Message::Notification(note) => self.noted(note),
                Message::Request(request) => panic!("the server asks {}", request.method),
            }
        }
    }

    fn noted(&mut self, note: Notification) {
        if note.method == "textDocument/publishDiagnostics" {
            let uri = note.params["uri"].as_str().expect("a document").to_string();
            let list = note.params["diagnostics"].as_array().expect("a list").clone();
            self.diagnostics.insert(uri, list);
        }
    }

    /// Asks and waits for a result.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(id).response_result.unwrap_or_else(|error| panic!("{method}: {}", error.message))
    }

    /// Asks and waits for a refusal.
    pub fn refused(&mut self, method: &str, params: Value) -> String {
        let id = self.send(method, params);
        match self.answer(id).response_result {
            Ok(value) => panic!("{method} is not refused: {value}"),
            Err(error) => error.message,
        }
    }

    pub fn open(&mut self, name: &str, text: &str) {
        let document = json!({ "uri": self.uri(name), "languageId": "arch", "version": 1, "text": text });
        self.versions.insert(name.into(), 1);
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Changes a document; a change without a range is the whole text.
    pub fn change(&mut self, name: &str, changes: Value) {
        let version = self.versions.get_mut(name).expect("an open document");
        *version += 1;
        let document = json!({ "version": *version, "uri": self.uri(name) });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    pub fn rewrite(&mut self, name: &str, text: &str) {
        self.change(name, json!([{ "text": text }]));
    }

    /// Waits until the server has published the diagnostics of this version of a document.
    pub fn settled(&mut self, name: &str) -> Vec<Value> {
        let (uri, version) = (self.uri(name), self.versions[name]);
        loop {
            match self.connection.receiver.recv_timeout(PATIENCE).expect("diagnostics") {
                Message::Notification(note) => {
                    let of = note.params["uri"] == uri.as_str() && note.params["version"] == version;
                    self.noted(note);
                    if of {
                        break;
                    }
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        // What belongs together is sent together, by file name; another round trip sees all of it.
        let id = self.send("archc/nothing", Value::Null);
        assert!(self.answer(id).response_result.is_err());
        self.diagnostics[&uri].clone()
    }

    /// A document and a place in it: the byte where `needle` first stands, and `ahead` characters on.
    pub fn at(&self, name: &str, text: &str, needle: &str, ahead: usize) -> Value {
        let at = text.find(needle).unwrap_or_else(|| panic!("no {needle:?}"));
        let end = text[at..].char_indices().nth(ahead).map_or(text.len(), |(n, _)| at + n);
        json!({ "textDocument": { "uri": self.uri(name) }, "position": position(text, end) })
    }

    pub fn document(&self, name: &str) -> Value {
        json!({ "textDocument": { "uri": self.uri(name) } })
    }

    /// `shutdown` and `exit`, as it should be.
    pub fn leave(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        let ended = self.server.take().expect("once").join().expect("no panic");
        assert_eq!(ended, Ok(()));
    }
}

/// The position of a byte, in UTF-16.
pub fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or("").encode_utf16().count();
    json!({ "line": line, "character": column })
}

/// The byte at a position.
pub fn offset(text: &str, position: &Value) -> usize {
    let line = position["line"].as_u64().expect("a line") as usize;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut column = position["character"].as_u64().expect("a column") as usize;
    let rest = text[start..].char_indices().find(|(_, c)| {
        let here = column == 0;
        column = column.saturating_sub(c.len_utf16());
        here
    });
    start + rest.map_or(text.len() - start, |(n, _)| n)
}

/// The text of a range.
pub fn slice<'t>(text: &'t str, range: &Value) -> &'t str {
    &text[offset(text, &range["start"])..offset(text, &range["end"])]
}

/// A text after the edits of one document.
pub fn edited(text: &str, edits: &Value) -> String {
    let mut list: Vec<(usize, usize, String)> = Vec::new();
    for edit in edits.as_array().expect("edits") {
        let (start, end) = (offset(text, &edit["range"]["start"]), offset(text, &edit["range"]["end"]));
        list.push((start, end, edit["newText"].as_str().expect("text").into()));
    }
    list.sort();
    let mut result = text.to_string();
    for (start, end, new) in list.into_iter().rev() {
        result.replace_range(start..end, &new);
    }
    result
}

pub fn example(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)).expect("an example")
}
