//! `archc lsp`: a language server for editors, and messages as they stand in pipes.

use super::shell::{Exit, Shell};
use archc::editor;
use clap::Args;
use lsp_server::{Connection, ErrorCode, Message};
use serde_json::{Value, json};
use std::io::{BufRead, ErrorKind, IsTerminal, Read, Write};
use std::thread;

/// The longest line of a message's head, in bytes.
const LONGEST_LINE: u64 = 4096;

/// The longest message, in bytes. A source may have a few MiB; a hundred times that is no message.
const LONGEST_MESSAGE: u64 = 1 << 28;

const SETUP: &str = "an editor starts `archc lsp` and talks to it over standard input and output; to look at a file here: archc check \
                     FILE\n  VS Code, Neovim and Helix are set up as the folder editors/ of archc's sources says; any other editor wants the \
                     command `archc lsp` for files *.arch";

/// `archc lsp`
#[derive(Debug, Args)]
pub struct LspArgs {
    /// Talk over standard input and output. It is the only way, and some editors say it.
    #[arg(long)]
    pub stdio: bool,
}

/// Serves one editor over standard input and output until it says `exit`.
pub fn run(_: &LspArgs, shell: &Shell) -> Exit {
    if std::io::stdin().is_terminal() {
        return shell.usage("`archc lsp` is not for a terminal", SETUP);
    }
    let (server, client) = Connection::memory();
    let Connection { sender, receiver } = client;
    let writer = thread::spawn(move || receiver.into_iter().try_for_each(|message| write(&message)));
    let reader = thread::spawn(move || -> Result<(), String> {
        let mut input = std::io::stdin().lock();
        while let Some(message) = read(&mut input)? {
            let last = matches!(&message, Message::Notification(note) if note.method == "exit");
            if sender.send(message).is_err() || last {
                break;
            }
        }
        Ok(())
    });
    let ended = editor::serve(&server);
    // The writer ends when nobody can send any more; the reader has ended, or nothing would have ended the server.
    drop(server);
    let heard = reader.join().unwrap_or_else(|_| Err("standard input cannot be read".into()));
    let written = writer.join().is_ok_and(|done| done.is_ok());
    match (heard, ended) {
        (Err(message), _) => failed(&message),
        (Ok(()), Err(error)) => failed(&error.message),
        (Ok(()), Ok(())) if written => Exit::Clean,
        (Ok(()), Ok(())) => Exit::Errors,
    }
}

fn failed(message: &str) -> Exit {
    let _ = writeln!(std::io::stderr().lock(), "error: {message}\n  help: {SETUP}");
    Exit::Errors
}

fn write(message: &Message) -> std::io::Result<()> {
    message.write(&mut std::io::stdout().lock())
}

/// The next message, `None` where there are no more. What is framed as one and is none is refused, and passed over.
fn read(input: &mut impl BufRead) -> Result<Option<Message>, String> {
    while let Some(length) = head(input)? {
        let mut bytes = Vec::new();
        // Room grows with what comes, not with what was announced.
        let read = input.take(length).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if (read as u64) < length {
            return Err(format!("standard input ended within a message: {read} of {length} bytes"));
        }
        let (code, message) = match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) => match serde_json::from_value(value) {
                Ok(message) => return Ok(Some(message)),
                Err(_) => (ErrorCode::InvalidRequest, "not a message of JSON-RPC: it has no `method`".to_string()),
            },
            Err(error) => (ErrorCode::ParseError, format!("not JSON: {error}")),
        };
        refuse(code, &message).map_err(|error| format!("standard output cannot be written: {error}"))?;
    }
    Ok(None)
}

/// Answers what had no number that could be read.
fn refuse(code: ErrorCode, message: &str) -> std::io::Result<()> {
    let error = json!({ "code": code as i32, "message": message });
    let text = json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string();
    let mut out = std::io::stdout().lock();
    write!(out, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    out.flush()
}

/// The head of a message: how many bytes follow it. `None` at the end of the input.
fn head(input: &mut impl BufRead) -> Result<Option<u64>, String> {
    let mut length = None;
    let mut begun = false;
    while let Some(line) = line(input)? {
        if line.is_empty() {
            let missing = || "a message does not say its `Content-Length`".to_string();
            return length.map(Some).ok_or_else(missing);
        }
        begun = true;
        let field =
            line.split_once(':').filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        let Some((name, value)) = field else {
            let shown: String = line.chars().take(40).collect();
            return Err(format!("standard input is no editor's: it says {shown:?} where `Content-Length: …` belongs"));
        };
        if name.eq_ignore_ascii_case("Content-Length") {
            let value = value.trim();
            let bytes =
                value.parse::<u64>().map_err(|_| format!("a message's length is no number of bytes: {value:?}"))?;
            if bytes > LONGEST_MESSAGE {
                return Err(format!("a message of {bytes} bytes; the longest that is read has {LONGEST_MESSAGE}"));
            }
            length = Some(bytes);
        }
    }
    if begun { Err("standard input ended within the head of a message".into()) } else { Ok(None) }
}

/// One line of a head, without what ends it; `None` at the end of the input.
fn line(input: &mut impl BufRead) -> Result<Option<String>, String> {
    let mut bytes = Vec::new();
    input.take(LONGEST_LINE).read_until(b'\n', &mut bytes).map_err(|error| unreadable(&error))?;
    let line = String::from_utf8_lossy(&bytes);
    Ok((!bytes.is_empty()).then(|| line.trim_end_matches(['\r', '\n']).to_string()))
}

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "standard input ended within a message".into(),
        _ => format!("standard input cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<Option<u64>, String> {
        head(&mut text.as_bytes())
    }

    #[test]
    fn heads_are_read() {
        assert_eq!(said("Content-Length: 12\r\n\r\n{}"), Ok(Some(12)));
        assert_eq!(said("content-length:12\nContent-Type: x\n\n"), Ok(Some(12)));
        assert_eq!(said(""), Ok(None));
        for (text, why) in [
            ("hello\n", "no editor's"),
            ("{\"jsonrpc\": 2}\n", "no editor's"),
            ("Content-Length: -1\r\n\r\n", "no number"),
            ("Content-Length: 99999999999999999999\r\n\r\n", "no number"),
            ("Content-Length: 9999999999\r\n\r\n", "longest"),
            ("Content-Type: x\r\n\r\n", "does not say"),
            ("Content-Length: 3\r\n", "ended"),
        ] {
            let error = said(text).expect_err(text);
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn messages_end_where_they_say() {
        assert!(read(&mut "Content-Length: 9\r\n\r\n{}".as_bytes()).is_err_and(|error| error.contains("2 of 9")));
        let note = "Content-Length: 17\r\n\r\n{\"method\":\"exit\"}";
        assert!(matches!(read(&mut note.as_bytes()), Ok(Some(Message::Notification(note))) if note.method == "exit"));
    }
}
