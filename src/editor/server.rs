//! The conversation: messages in, answers out.

use super::requests;
use super::state::State;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{
    Cancel, DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _, PublishDiagnostics,
};
use lsp_types::{
    CancelParams, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, InitializeParams,
    NumberOrString,
};
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;

/// Why a conversation ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeError {
    /// What happened.
    pub message: String,
}

/// Talks to an editor until it says `exit`, or goes away after `shutdown`.
///
/// # Errors
/// Where the other side goes away, or says `exit`, without `shutdown`.
pub fn serve(connection: &Connection) -> Result<(), ServeError> {
    let (id, params) = greeted(connection)?;
    let state = State::new(&params);
    let about = serde_json::json!({
        "capabilities": requests::capabilities(state.encoding),
        "serverInfo": { "name": "archc", "version": env!("CARGO_PKG_VERSION") },
    });
    let _ = connection.sender.send(Response::new_ok(id, about).into());
    // A pipe hands over one message at a time; read on meanwhile, so that a burst can be seen as one.
    let (hand, messages) = std::sync::mpsc::channel();
    let read = move || {
        for message in &connection.receiver {
            let last = matches!(&message, Message::Notification(note) if note.method == "exit");
            if hand.send(message).is_err() || last {
                break;
            }
        }
        drop(hand);
    };
    std::thread::scope(|scope| {
        scope.spawn(read);
        Server { connection, messages, state, waiting: VecDeque::new(), closing: false }.run()
    })
}

/// Waits for `initialize`. Other requests are refused until it comes, and what it says must be readable.
fn greeted(connection: &Connection) -> Result<(RequestId, InitializeParams), ServeError> {
    let gone = |how: &str| ServeError { message: format!("{how} before `initialize`") };
    for message in &connection.receiver {
        let (id, code, why) = match message {
            Message::Request(request) if request.method == "initialize" => {
                match serde_json::from_value(request.params) {
                    Ok(params) => return Ok((request.id, params)),
                    Err(error) => (request.id, ErrorCode::InvalidParams, format!("`initialize`: {error}")),
                }
            }
            Message::Request(Request { id, method, .. }) => {
                (id, ErrorCode::ServerNotInitialized, format!("`{method}` before `initialize`"))
            }
            Message::Notification(note) if note.method == "exit" => return Err(gone("the editor said `exit`")),
            Message::Notification(_) | Message::Response(_) => continue,
        };
        let _ = connection.sender.send(Response::new_err(id, code as i32, why).into());
    }
    Err(gone("standard input ended"))
}

struct Server<'c> {
    connection: &'c Connection,
    /// What was read.
    messages: Receiver<Message>,
    state: State,
    /// Messages that were read and not yet looked at.
    waiting: VecDeque<Message>,
    /// `shutdown` was asked for.
    closing: bool,
}

impl Server<'_> {
    fn run(mut self) -> Result<(), ServeError> {
        let gone = || ServeError { message: "the editor went away without `shutdown`".into() };
        loop {
            self.waiting.extend(self.messages.try_iter());
            let message = match self.waiting.pop_front() {
                Some(message) => message,
                None if self.state.is_stale() && !self.closing => {
                    self.publish();
                    continue;
                }
                None => match self.messages.recv() {
                    Ok(message) => message,
                    Err(_) => return if self.closing { Ok(()) } else { Err(gone()) },
                },
            };
            match message {
                Message::Notification(note) if note.method == "exit" => {
                    return if self.closing { Ok(()) } else { Err(gone()) };
                }
                Message::Notification(note) => self.note(note),
                Message::Request(request) => self.answer(request),
                Message::Response(_) => {}
            }
        }
    }

    fn send(&self, message: impl Into<Message>) {
        // An editor that went away is noticed when the next message is read.
        let _ = self.connection.sender.send(message.into());
    }

    /// Tells what is wrong now.
    fn publish(&mut self) {
        let state = &mut self.state;
        let Ok(news) = catch_unwind(AssertUnwindSafe(|| state.diagnostics())) else {
            // Not to be tried again before the next change.
            self.state.give_up();
            return;
        };
        for params in news {
            self.send(Notification::new(PublishDiagnostics::METHOD.into(), params));
        }
    }

    fn note(&mut self, note: Notification) {
        match note.method.as_str() {
            DidOpenTextDocument::METHOD => {
                if let Some(params) = read::<DidOpenTextDocumentParams>(note) {
                    let document = params.text_document;
                    self.state.open(&document.uri, document.version, document.text);
                }
            }
            DidChangeTextDocument::METHOD => {
                if let Some(params) = read::<DidChangeTextDocumentParams>(note) {
                    let document = &params.text_document;
                    self.state.change(&document.uri, document.version, &params.content_changes);
                }
            }
            DidCloseTextDocument::METHOD => {
                if let Some(params) = read::<DidCloseTextDocumentParams>(note) {
                    self.state.close(&params.text_document.uri);
                    self.publish();
                }
            }
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => self.state.touch_all(),
            Cancel::METHOD => {
                if let Some(params) = read::<CancelParams>(note) {
                    self.cancel(match params.id {
                        NumberOrString::Number(n) => n.into(),
                        NumberOrString::String(text) => text.into(),
                    });
                }
            }
            _ => {}
        }
    }

    /// Drops a request that waits. One that was answered already needs nothing.
    fn cancel(&mut self, id: RequestId) {
        let is_meant = |message: &Message| matches!(message, Message::Request(request) if request.id == id);
        if let Some(at) = self.waiting.iter().position(is_meant) {
            self.waiting.remove(at);
            self.refuse(id, ErrorCode::RequestCanceled, "cancelled");
        }
    }

    fn refuse(&self, id: RequestId, code: ErrorCode, message: &str) {
        self.send(Response::new_err(id, code as i32, message.into()));
    }

    fn answer(&mut self, request: Request) {
        let id = request.id.clone();
        if self.closing {
            return self.refuse(id, ErrorCode::InvalidRequest, "the server is shutting down");
        }
        if request.method == "initialize" {
            return self.refuse(id, ErrorCode::InvalidRequest, "`initialize` a second time");
        }
        if request.method == "shutdown" {
            self.closing = true;
            return self.send(Response::new_ok(id, ()));
        }
        if self.is_cancelled(&id) {
            return self.refuse(id, ErrorCode::RequestCanceled, "cancelled");
        }
        let state = &mut self.state;
        let response = match catch_unwind(AssertUnwindSafe(|| requests::answer(state, request))) {
            Ok(Ok(value)) => Response::new_ok(id, value),
            Ok(Err((code, message))) => Response::new_err(id, code as i32, message),
            Err(_) => Response::new_err(id, ErrorCode::InternalError as i32, "a mistake in archc itself".into()),
        };
        self.send(response);
    }

    /// Whether the cancellation of a request waits behind it.
    fn is_cancelled(&self, id: &RequestId) -> bool {
        let text = serde_json::to_value(id).unwrap_or_default();
        self.waiting.iter().any(|message| match message {
            Message::Notification(note) => note.method == Cancel::METHOD && note.params.get("id") == Some(&text),
            _ => false,
        })
    }
}

/// The parameters of a notification; what cannot be read is passed over, as nobody waits for an answer.
fn read<P: DeserializeOwned>(note: Notification) -> Option<P> {
    serde_json::from_value(note.params).ok()
}
