//! The program itself, over pipes.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

fn write(pipe: &mut impl Write, message: &Value) {
    let text = message.to_string();
    write!(pipe, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("the server reads");
    pipe.flush().expect("the server reads");
}

fn read(pipe: &mut impl BufRead) -> Value {
    let mut length = 0;
    loop {
        let mut line = String::new();
        pipe.read_line(&mut line).expect("the server writes");
        match line.trim().strip_prefix("Content-Length: ") {
            Some(n) => length = n.parse().expect("a length"),
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let mut text = vec![0; length];
    pipe.read_exact(&mut text).expect("a whole message");
    serde_json::from_slice(&text).expect("JSON")
}

fn start() -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archc"));
    command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("archc")
}

#[test]
fn a_session_over_pipes() {
    let mut server = start();
    let (mut input, mut output) = (server.stdin.take().unwrap(), BufReader::new(server.stdout.take().unwrap()));
    let say = |input: &mut std::process::ChildStdin, id: Option<i32>, method: &str, params: Value| {
        let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        id.into_iter().for_each(|id| message["id"] = json!(id));
        write(input, &message);
    };
    say(&mut input, Some(1), "initialize", json!({ "capabilities": {} }));
    assert_eq!(read(&mut output)["result"]["serverInfo"]["name"], "archc");
    say(&mut input, None, "initialized", json!({}));
    let text = "model Net() {\n    input image [N, 3, 8, 8]\n    conv(4, 3)\n}\n";
    let document = json!({ "uri": "untitled:Untitled-1", "languageId": "arch", "version": 1, "text": text });
    say(&mut input, None, "textDocument/didOpen", json!({ "textDocument": document }));
    assert_eq!(read(&mut output)["params"]["diagnostics"], json!([]));
    let at = json!({ "textDocument": { "uri": "untitled:Untitled-1" }, "position": { "line": 2, "character": 5 } });
    say(&mut input, Some(2), "textDocument/hover", at);
    let hover = read(&mut output);
    assert!(hover["result"]["contents"]["value"].as_str().unwrap().contains("3×8×8 → 4×8×8"), "{hover}");
    say(&mut input, Some(3), "shutdown", Value::Null);
    assert_eq!(read(&mut output)["id"], 3);
    say(&mut input, None, "exit", Value::Null);
    assert_eq!(server.wait().expect("an end").code(), Some(0));
}

#[test]
fn an_editor_that_goes_away_ends_the_server() {
    let mut server = start();
    drop(server.stdin.take());
    assert_eq!(server.wait().expect("an end").code(), Some(1));
    let mut said = String::new();
    server.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with("error: ") && !said.contains("panicked"), "{said}");
}

/// What the server says and how it ends, given some bytes and then nothing more.
fn given(bytes: &str) -> (Option<i32>, String, String) {
    let mut server = start();
    // It may be gone before all is written.
    let _ = server.stdin.take().unwrap().write_all(bytes.as_bytes());
    let ended = server.wait_with_output().expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

fn framed(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("Content-Length: {}\r\n\r\n{text}", text.len())).collect()
}

#[test]
fn what_is_no_editors_ends_with_a_reason() {
    let exit = framed(&[r#"{"jsonrpc":"2.0","method":"exit"}"#]);
    for (bytes, why) in [
        ("", "ended before `initialize`"),
        ("hello\n", "is no editor's"),
        ("{\"method\":\"initialize\"}\n", "is no editor's"),
        ("Content-Length: many\r\n\r\n", "no number of bytes"),
        ("Content-Length: 99999999999\r\n\r\n", "the longest that is read"),
        ("Content-Length: 99\r\n\r\n{}", "2 of 99 bytes"),
        (&exit, "`exit` before `initialize`"),
    ] {
        let (code, out, said) = given(bytes);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{bytes:?}: {said}");
        assert!(said.starts_with("error: ") && said.contains(why), "{bytes:?}: {said}");
        assert!(said.contains("help: an editor starts `archc lsp`") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn messages_that_mean_nothing_are_refused_and_passed_over() {
    let (code, out, said) = given(&framed(&[
        "{ nonsense",
        "[]",
        r#"{"id":1,"method":"textDocument/hover"}"#,
        r#"{"id":2,"method":"initialize","params":{}}"#,
        r#"{"id":3,"method":"initialize","params":{"capabilities":{}}}"#,
        r#"{"id":4,"method":"initialize","params":{"capabilities":{}}}"#,
        r#"{"id":5,"method":"nothing"}"#,
        r#"{"id":6,"method":"shutdown"}"#,
    ]));
    // Nobody says `exit`, but after `shutdown` nobody need.
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let mut answers = BufReader::new(out.as_bytes());
    for (id, code) in [
        (Value::Null, -32700),
        (Value::Null, -32600),
        (json!(1), -32002),
        (json!(2), -32602),
        (json!(3), 0),
        (json!(4), -32600),
        (json!(5), -32601),
        (json!(6), 0),
    ] {
        let answer = read(&mut answers);
        assert_eq!((&answer["id"], answer["error"]["code"].as_i64().unwrap_or(0)), (&id, code), "{answer}");
    }
}
