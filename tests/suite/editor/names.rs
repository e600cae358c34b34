//! Definitions, references and renaming, across files.

use super::client::{Client, edited, slice};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const LIB: &str = "\
block Double(width, skip: value) {
    first: conv(width, 3) -> relu
    long skip concat from skip
    second: conv(width, 3)
}
";

const NET: &str = "\
import Double from \"lib.arch\"

block Chain(depth, width=8) {
    let twice = 2 * width
    for i in 0..depth { turn{i}: conv(twice, 3) }
    if depth > 1 { end: conv(width, 3) } else { end: conv(twice, 3) }
    from end
}

model Net(classes=2) {
    input image [N, 8, 32, 32]
    body: { inner: conv(8, 3) -> relu }
    deep: Double(8, skip=image)
    skip add via body_proj: conv(8, 1) from body.inner { conv(8, 3) }
    from deep.first
    links: Chain(2, width=8)
    from links.turn1
    Double(classes, skip=body.inner)
    from double1.second
    head: conv(classes, 1)
}

train Net {
    loss      = cross_entropy(output=\"head\")
    optimizer = sgd(lr=0.1)
    epochs    = 1
}
";

/// The words at the locations of an answer, by file, with their lines.
fn shown(client: &Client, answer: &Value) -> String {
    let text = |uri: &str| if uri == client.uri("lib.arch") { LIB } else { NET };
    let one = |location: &Value| {
        let uri = location["uri"].as_str().unwrap();
        let (file, line) = (uri.rsplit('/').next().unwrap(), location["range"]["start"]["line"].as_u64().unwrap() + 1);
        format!("{file}:{line} {}", slice(text(uri), &location["range"]))
    };
    answer.as_array().map_or_else(|| one(answer), |list| list.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn client() -> Client {
    let mut client = Client::new();
    client.write("lib.arch", LIB);
    client.open("net.arch", NET);
    client
}

#[test]
fn definitions_are_found() {
    let mut client = client();
    let mut text = String::new();
    let places = [
        ("Double from", 1),
        ("lib.arch\"", 2),
        ("Double(8", 1),
        ("body.inner {", 1),
        ("body.inner {", 6),
        ("deep.first", 6),
        ("links.turn1", 8),
        ("double1.second", 9),
        ("twice, 3", 1),
        ("width, 3", 1),
        ("from end", 6),
        ("skip=image", 1),
        ("skip=image", 6),
        ("width=8)\n", 1),
        ("Net {\n    loss", 1),
        ("{i}: conv", 1),
        ("\"head\"", 2),
        ("conv(8, 3)", 1),
    ];
    for (needle, ahead) in places {
        let at = client.at("net.arch", NET, needle, ahead);
        let answer = client.ask("textDocument/definition", at);
        let found = if answer.is_null() { "nothing".into() } else { shown(&client, &answer) };
        text += &format!("{needle:?} + {ahead}: {found}\n");
    }
    insta::assert_snapshot!("definitions", text);
    client.leave();
}

#[test]
fn references_are_found_in_all_files() {
    let mut client = client();
    client.open("lib.arch", LIB);
    let mut text = String::new();
    for (name, source, needle) in [
        ("lib.arch", LIB, "Double"),
        ("lib.arch", LIB, "first"),
        ("lib.arch", LIB, "skip:"),
        ("net.arch", NET, "image"),
        ("net.arch", NET, "end:"),
    ] {
        let mut at = client.at(name, source, needle, 1);
        let marks = client.ask("textDocument/documentHighlight", at.clone());
        at["context"] = json!({ "includeDeclaration": true });
        let answer = client.ask("textDocument/references", at);
        text += &format!("{needle}: {}; {} here\n", shown(&client, &answer), marks.as_array().unwrap().len());
    }
    insta::assert_snapshot!("references", text);
    client.leave();
}

/// Both files after a renaming.
fn renamed(
    client: &mut Client,
    name: &str,
    needle: &str,
    ahead: usize,
    new: &str,
) -> Result<BTreeMap<&'static str, String>, String> {
    let source = if name == "lib.arch" { LIB } else { NET };
    let mut params = client.at(name, source, needle, ahead);
    params["newName"] = json!(new);
    let id = client.send("textDocument/rename", params);
    let answer = client.answer(id).response_result.map_err(|error| error.message)?;
    let of = |name: &'static str, text: &str| {
        let edits = &answer["changes"][client.uri(name)];
        (name, if edits.is_null() { text.to_string() } else { edited(text, edits) })
    };
    Ok([of("lib.arch", LIB), of("net.arch", NET)].into())
}

#[test]
fn renaming_keeps_every_file_sound() {
    let mut client = client();
    let cases = [
        ("lib.arch", "first", 1, "start"),
        ("lib.arch", "skip:", 1, "other"),
        ("lib.arch", "width", 1, "wide"),
        ("net.arch", "image", 1, "picture"),
        ("net.arch", "inner", 1, "core"),
        ("net.arch", "body:", 1, "trunk"),
        ("net.arch", "twice", 1, "two"),
        ("net.arch", "for i", 4, "k"),
        ("net.arch", "Chain(depth", 1, "Row"),
        ("net.arch", "depth", 1, "n"),
        ("net.arch", "end:", 1, "last"),
        ("net.arch", "head:", 1, "top"),
        ("net.arch", "model Net", 7, "Other"),
        ("net.arch", "classes=2", 1, "count"),
        ("net.arch", "body_proj", 1, "downsample"),
    ];
    client.open("lib.arch", LIB);
    let mut text = String::new();
    for (name, needle, ahead, new) in cases {
        client.rewrite("lib.arch", LIB);
        client.rewrite("net.arch", NET);
        let files = renamed(&mut client, name, needle, ahead, new).unwrap_or_else(|why| panic!("{needle}: {why}"));
        for (name, source) in [("lib.arch", LIB), ("net.arch", NET)] {
            for (line, old) in files[name].lines().zip(source.lines()).filter(|(line, old)| line != old) {
                text += &format!("{needle} → {new}: {}   was {}\n", line.trim(), old.trim());
            }
            client.rewrite(name, &files[name]);
        }
        let errors = client.settled("net.arch").into_iter().filter(|d| d["severity"] == 1).count();
        assert_eq!(errors, 0, "{needle} → {new}");
    }
    insta::assert_snapshot!("renamed", text);
    client.leave();
}

#[test]
fn names_that_cannot_be_are_refused() {
    let mut client = client();
    let mut text = String::new();
    let cases = [
        ("image", 1, "a b"),
        ("inner", 1, "é"),
        ("twice", 1, "for"),
        ("twice", 1, "width"),
        ("Chain(depth", 1, "conv"),
        ("Chain(depth", 1, "Double"),
        ("turn{i}", 1, "x"),
        ("links:", 1, "deep"),
        ("depth", 1, "7"),
        ("conv(8, 3)", 1, "fold"),
        ("classes=2", 1, ""),
        ("from \"lib", 1, "x"),
        ("Double from", 1, "Pair"),
    ];
    for (needle, ahead, new) in cases {
        let why = renamed(&mut client, "net.arch", needle, ahead, new).expect_err(needle);
        let at = client.at("net.arch", NET, needle, ahead);
        let id = client.send("textDocument/prepareRename", at);
        let prepared = match client.answer(id).response_result {
            Ok(value) => format!("`{}` may be renamed", value["placeholder"].as_str().unwrap_or("?")),
            Err(error) => error.message,
        };
        text += &format!("{needle} → {new}: {why}\n    ({prepared})\n");
    }
    client.rewrite("net.arch", &NET.replace("from end", "from end ("));
    let why = renamed(&mut client, "net.arch", "Chain(depth", 1, "Row").expect_err("a broken text");
    text += &format!("broken: {}\n", why.replace(client.path("").to_str().unwrap(), "…/"));
    insta::assert_snapshot!("refused", text);
    client.leave();
}
