//! Any text, any request, anywhere: every request is answered, and never by a mistake of ours.

use super::client::{Client, example, position};
use archc::base::Rng;
use lsp_server::ErrorCode;
use serde_json::{Value, json};

const REQUESTS: [&str; 13] = [
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
    "prepareRename",
    "rename",
];

/// What people and cats type.
const PIECES: [&str; 24] = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "->",
    ":",
    "skip add ",
    "from ",
    "it.",
    "\"",
    "//",
    "conv(",
    ", ",
    "=",
    "é𝄞",
    "block ",
    "repeat 3 { ",
    "{i}",
    ".",
    "8",
    "\r\n",
];

fn params(client: &Client, text: &str, rng: &mut Rng) -> Value {
    let mut params = client.document("net.arch");
    let below = |n: usize, rng: &mut Rng| (rng.uniform() * n as f64) as usize;
    params["position"] = match below(8, rng) {
        0 => json!({ "line": below(400, rng), "character": below(400, rng) }),
        _ => position(text, text.floor_char_boundary(below(text.len() + 1, rng))),
    };
    params["range"] = json!({ "start": { "line": 0, "character": 0 }, "end": params["position"] });
    params["context"] =
        json!({ "includeDeclaration": true, "diagnostics": [], "triggerKind": 1, "isRetrigger": false });
    params["newName"] = json!("fresh");
    params
}

#[test]
fn every_request_is_answered_whatever_is_typed() {
    let mut client = Client::new();
    let below = |n: usize, rng: &mut Rng| (rng.uniform() * n as f64) as usize;
    for (seed, name) in ["unet.arch", "resnet.arch", "highway.arch", "densenet.arch"].into_iter().enumerate() {
        let mut rng = Rng::new(seed as u64);
        let mut text = example(name);
        client.open("net.arch", &text);
        for turn in 0..60 {
            if turn % 20 == 0 {
                text = example(name);
                client.rewrite("net.arch", &text);
            }
            let start = text.floor_char_boundary(below(text.len() + 1, &mut rng));
            let end = text.floor_char_boundary((start + below(12, &mut rng)).min(text.len())).max(start);
            let new = PIECES[below(PIECES.len(), &mut rng)];
            let range = json!({ "start": position(&text, start), "end": position(&text, end) });
            client.change("net.arch", json!([{ "range": range, "text": new }]));
            text.replace_range(start..end, new);
            let request = REQUESTS[below(REQUESTS.len(), &mut rng)];
            let params = params(&client, &text, &mut rng);
            let id = client.send(&format!("textDocument/{request}"), params);
            if let Err(error) = client.answer(id).response_result {
                assert_eq!(error.code, ErrorCode::RequestFailed as i32, "{request}: {}\n{text}", error.message);
            }
        }
    }
    client.leave();
}

#[test]
fn bursts_are_looked_at_once_and_cancelled_requests_are_answered() {
    let mut client = Client::new();
    let text = example("unet.arch");
    client.open("net.arch", &text);
    let mut ids = Vec::new();
    for i in 0..20 {
        client.rewrite("net.arch", &format!("{text}// {i}\n"));
        let at = client.at("net.arch", &text, "conv(width", 1);
        ids.push(client.send("textDocument/hover", at));
        client.tell("$/cancelRequest", json!({ "id": ids[i] }));
    }
    for id in ids {
        if let Err(error) = client.answer(id).response_result {
            assert_eq!(error.code, ErrorCode::RequestCanceled as i32);
        }
    }
    client.settled("net.arch");
    client.leave();
}

#[test]
fn a_network_too_large_to_unroll_at_every_keystroke_is_no_error() {
    let mut client = Client::new();
    let large = "model Net() {\n    input x [N, 3, 8, 8]\n    repeat 15000 { conv(3, 1) -> relu }\n    flatten\n}\n";
    client.open("net.arch", large);
    let found = client.settled("net.arch");
    let shown: Vec<_> = found.iter().map(|one| (one["severity"].as_u64(), one["message"].as_str())).collect();
    let message = "too many layers to look at while you type: what follows is not checked here\nreached here\nhelp: \
                   `archc check` looks at all of it";
    assert_eq!(shown, [(Some(2), Some(message))]);
    let endless = "block Down() { Down }\n\nmodel Net() {\n    input x [N, 3, 8, 8]\n    Down\n}\n";
    client.rewrite("net.arch", endless);
    let severities: Vec<_> = client.settled("net.arch").iter().map(|one| one["severity"].as_u64()).collect();
    assert_eq!(severities, [Some(1)]);
    client.leave();
}

#[test]
fn strange_messages_are_refused() {
    let mut client = Client::new();
    assert!(client.refused("textDocument/nothing", json!({})).contains("not known"));
    client.refused("textDocument/hover", json!({ "position": 3 }));
    client.tell("textDocument/didChange", json!({ "nonsense": true }));
    let document = client.document("closed.arch");
    assert_eq!(client.ask("textDocument/foldingRange", document), Value::Null);
    client.open("empty.arch", "");
    assert_eq!(client.settled("empty.arch").len(), 0);
    let at = client.at("empty.arch", "", "", 0);
    assert!(client.ask("textDocument/completion", at)["items"].as_array().unwrap().len() >= 5);
    client.leave();
}

#[test]
fn columns_are_counted_in_bytes_where_that_was_agreed() {
    let text = "// ×\nmodel Net() { /* é */ }\n";
    let mut client = Client::with(json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } }));
    assert_eq!(client.about["capabilities"]["positionEncoding"], "utf-8");
    client.open("net.arch", text);
    let narrow = client.settled("net.arch");
    client.leave();
    let mut client = Client::new();
    assert_eq!(client.about["capabilities"]["positionEncoding"], "utf-16");
    client.open("net.arch", text);
    let wide = client.settled("net.arch");
    client.leave();
    assert_eq!(narrow.len(), wide.len());
}
