//! An editor that asks everything about a text that changes under its hands.

use super::{Place, Seed, Verdict};
use archc::base::Rng;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request};
use serde_json::{Value, json};

const REQUESTS: [&str; 14] = [
    "hover",
    "completion",
    "signatureHelp",
    "definition",
    "references",
    "documentHighlight",
    "documentSymbol",
    "codeAction",
    "foldingRange",
    "inlayHint",
    "semanticTokens/full",
    "formatting",
    "prepareRename",
    "rename",
];

const ADDRESS: &str = "file:///nowhere/net.arch";

/// Opens the sound text, changes it, and asks.
pub fn serve(_: &Place, seed: &Seed, bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let (connection, server) = Connection::memory();
    let server = std::thread::spawn(move || archc::editor::serve(&server).is_ok());
    let verdict = Editor { connection, asked: 0 }.conversation(&String::from_utf8_lossy(&seed.bytes), text);
    match server.join() {
        Ok(true) => verdict,
        Ok(false) => verdict.and(Err("the server ended before the conversation".into())),
        Err(_) => Err("the server panicked".into()),
    }
}

struct Editor {
    connection: Connection,
    asked: i32,
}

impl Editor {
    fn conversation(&mut self, old: &str, new: &str) -> Verdict {
        self.ask("initialize", json!({ "capabilities": {} }))?;
        self.tell("initialized", json!({}))?;
        let document = json!({ "uri": ADDRESS, "languageId": "arch", "version": 1, "text": old });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }))?;
        self.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": ADDRESS } }))?;
        let change = json!({ "textDocument": { "uri": ADDRESS, "version": 2 }, "contentChanges": [{ "text": new }] });
        self.tell("textDocument/didChange", change)?;
        let mut rng = Rng::derive(new.len() as u64, new);
        for method in REQUESTS {
            self.ask(&format!("textDocument/{method}"), about(new, &mut rng))?;
        }
        // Typing on, while answers are still those of the text before.
        let place = about(new, &mut rng)["position"].clone();
        let piece = ["\n", "(", "conv(", ".", "é𝄞"][rng.below(5)];
        let typed = json!([{ "range": { "start": place, "end": place }, "text": piece }]);
        let change = json!({ "textDocument": { "uri": ADDRESS, "version": 3 }, "contentChanges": typed });
        self.tell("textDocument/didChange", change)?;
        for method in ["completion", "hover", "signatureHelp"] {
            self.ask(&format!("textDocument/{method}"), about(new, &mut rng))?;
        }
        self.ask("shutdown", Value::Null)?;
        self.tell("exit", Value::Null)
    }

    fn send(&self, message: impl Into<Message>) -> Verdict {
        self.connection.sender.send(message.into()).map_err(|_| "the server is gone".to_string())
    }

    fn tell(&self, method: &str, params: Value) -> Verdict {
        self.send(Notification { method: method.into(), params })
    }

    fn ask(&mut self, method: &str, params: Value) -> Verdict {
        self.asked += 1;
        self.send(Request { id: self.asked.into(), method: method.into(), params })?;
        loop {
            match self.connection.receiver.recv() {
                Ok(Message::Response(response)) => {
                    let error = response.response_result.err();
                    let ours = error.filter(|error| error.code == ErrorCode::InternalError as i32);
                    return ours.map_or(Ok(()), |error| Err(format!("I0001: `{method}`: {}", error.message)));
                }
                Ok(_) => {}
                Err(_) => return Err(format!("`{method}` was never answered")),
            }
        }
    }
}

/// A place in the text, and all that any request wants besides.
fn about(text: &str, rng: &mut Rng) -> Value {
    let at = text.floor_char_boundary(rng.below(text.len() + 1));
    let head = &text[..at];
    let column = head.rsplit('\n').next().map_or(0, |line| line.encode_utf16().count());
    let place = json!({ "line": head.matches('\n').count(), "character": column });
    json!({
        "textDocument": { "uri": ADDRESS },
        "position": place,
        "range": { "start": { "line": 0, "character": 0 }, "end": place },
        "context": { "includeDeclaration": true, "diagnostics": [], "triggerKind": 1, "isRetrigger": false },
        "options": { "tabSize": 4, "insertSpaces": true },
        "newName": "fresh",
    })
}
