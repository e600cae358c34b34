//! How long the language server takes from a keystroke to its answers, over an in-memory connection.
//!
//! `cargo run --release --no-default-features --features editor --example lsp_latency [FILE [MODEL]]`: the file (default
//! `examples/resnet.arch`) is opened, and a digit is typed in the line of the model and taken back, 200 times. Timed are the
//! diagnostics of the whole file, then a hover and a completion of a step in its deepest block.

use lsp_server::{Connection, Message, Notification, Request};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ROUNDS: usize = 200;

struct Editor {
    connection: Connection,
    next: i32,
}

impl Editor {
    fn tell(&self, method: &str, params: Value) {
        let note = Notification { method: method.into(), params };
        self.connection.sender.send(note.into()).expect("the server listens");
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let request = Request { id: self.next.into(), method: method.into(), params };
        self.connection.sender.send(request.into()).expect("the server listens");
        loop {
            if let Message::Response(response) = self.connection.receiver.recv().expect("an answer") {
                return response.response_result.expect("a result");
            }
        }
    }

    fn diagnostics(&self) {
        while !matches!(self.connection.receiver.recv().expect("diagnostics"), Message::Notification(_)) {}
    }
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (median, late) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what:<28} median {:6.2} ms   99 % {:6.2} ms", ms(median), ms(late));
}

fn main() {
    let mut words = std::env::args().skip(1);
    let file = words.next().unwrap_or_else(|| "examples/resnet.arch".into());
    let model = words.next().unwrap_or_else(|| "ResNet152".into());
    let text = std::fs::read_to_string(&file).expect("a file");
    let head = text.find(&format!("model {model}")).expect("the model");
    let at = head + text[head..].find("(3, 8").map_or(model.len() + 6, |n| n + 5);
    let line = text[..at].matches('\n').count();
    let column = at - text[..at].rfind('\n').map_or(0, |n| n + 1);
    let path = std::fs::canonicalize(&file).expect("a path");
    let uri = format!("file://{}", path.display());
    let (connection, server) = Connection::memory();
    let server = std::thread::spawn(move || archc::editor::serve(&server));
    let mut editor = Editor { connection, next: 0 };
    editor.ask("initialize", json!({ "capabilities": {} }));
    editor.tell("initialized", json!({}));
    let document = json!({ "uri": uri, "languageId": "arch", "version": 1, "text": text });
    editor.tell("textDocument/didOpen", json!({ "textDocument": document }));
    editor.diagnostics();
    let position = json!({ "line": line, "character": column });
    let step = text.find("conv3: conv").map_or(at, |n| n + "conv3: co".len());
    let line_start = text[..step].rfind('\n').map_or(0, |n| n + 1);
    let there = json!({ "line": text[..step].matches('\n').count(), "character": step - line_start });
    let place = json!({ "textDocument": { "uri": uri }, "position": there });
    let [mut seen, mut hovered, mut completed, mut all] = [(); 4].map(|()| Vec::new());
    for round in 0..ROUNDS {
        let end = json!({ "line": line, "character": column + round % 2 });
        let new = if round % 2 == 0 { "0" } else { "" };
        let change = json!({ "range": { "start": position, "end": end }, "text": new });
        let document = json!({ "uri": uri, "version": round + 2 });
        let start = Instant::now();
        editor.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
        editor.diagnostics();
        seen.push(start.elapsed());
        editor.ask("textDocument/hover", place.clone());
        hovered.push(start.elapsed() - seen[round]);
        editor.ask("textDocument/completion", place.clone());
        all.push(start.elapsed());
        completed.push(all[round] - seen[round] - hovered[round]);
    }
    report("keystroke to diagnostics", seen);
    report("hover", hovered);
    report("completion", completed);
    report("all three", all);
    editor.ask("shutdown", Value::Null);
    editor.tell("exit", Value::Null);
    let _ = server.join();
}
