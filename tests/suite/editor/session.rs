//! One session over every feature, on files that import one another.

use super::client::{Client, edited, example, slice};
use serde_json::{Value, json};

const LIB: &str = "\
/// Two convolutions.
block Double(width) {
    first: conv(width, 3) -> relu
    second: conv(width, 3) -> relu
}
";

const NET: &str = "\
import Double from \"lib.arch\"

// A small U.
// Its skip is long.
model Net(classes=2, width=8) {
    input image [N, 1, H=32, W=32]
    fine: Double(width)
    maxpool(2) -> Double(2 * width)
    conv_transpose(width, 2, stride=2) -> long skip concat from fine.second
    repeat 2 { conv(width, 3) -> relu }
    head: conv(classes, 1)
}
";

#[test]
fn the_server_says_what_it_can() {
    let client = Client::new();
    insta::assert_snapshot!("capabilities", serde_json::to_string_pretty(&client.about["capabilities"]).unwrap());
    client.leave();
}

#[test]
fn hints_stand_at_the_ends_of_lines() {
    let mut client = Client::new();
    client.write("lib.arch", LIB);
    let mut shown = String::new();
    for (name, text) in
        [("net.arch", NET.to_string()), ("lib.arch", LIB.into()), ("resnet.arch", example("resnet.arch"))]
    {
        client.open(name, &text);
        let mut params = client.document(name);
        params["range"] = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9999, "character": 0 } });
        let hints = client.ask("textDocument/inlayHint", params);
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        for hint in hints.as_array().unwrap() {
            let line = hint["position"]["line"].as_u64().unwrap() as usize;
            lines[line] += &format!("  ⟨{}⟩", hint["label"].as_str().unwrap());
        }
        shown += &format!("── {name}\n{}\n", lines.into_iter().take(60).collect::<Vec<_>>().join("\n"));
    }
    insta::assert_snapshot!("hints", shown);
    client.leave();
}

#[test]
fn outlines_and_folds() {
    let mut client = Client::new();
    client.write("lib.arch", LIB);
    client.open("net.arch", NET);
    let document = client.document("net.arch");
    let symbols = client.ask("textDocument/documentSymbol", document.clone());
    fn lines(list: &Value, depth: usize, shown: &mut String) {
        for symbol in list.as_array().into_iter().flatten() {
            let (name, detail) = (symbol["name"].as_str().unwrap(), symbol["detail"].as_str().unwrap_or(""));
            *shown += &format!("{}{name} {detail} ({})\n", "  ".repeat(depth), symbol["kind"]);
            lines(&symbol["children"], depth + 1, shown);
        }
    }
    let mut shown = String::new();
    lines(&symbols, 0, &mut shown);
    let folds = client.ask("textDocument/foldingRange", document);
    for fold in folds.as_array().unwrap() {
        shown += &format!("fold {} to {} {}\n", fold["startLine"], fold["endLine"], fold["kind"]);
    }
    for symbol in client.ask("workspace/symbol", json!({ "query": "db" })).as_array().unwrap() {
        shown += &format!("found {} {}\n", symbol["name"], symbol["location"]["range"]["start"]["line"]);
    }
    insta::assert_snapshot!("outline", shown);
    client.leave();
}

#[test]
fn words_have_colours() {
    let mut client = Client::new();
    client.write("lib.arch", LIB);
    client.open("net.arch", NET);
    let document = client.document("net.arch");
    let answer = client.ask("textDocument/semanticTokens/full", document);
    let legend = client.about["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"].clone();
    let (mut line, mut column, mut shown) = (0, 0, String::new());
    for token in answer["data"].as_array().unwrap().chunks(5) {
        let [dl, dc, length, kind, modifiers] = [0, 1, 2, 3, 4].map(|i| token[i].as_u64().unwrap());
        (line, column) = if dl == 0 { (line, column + dc) } else { (line + dl, dc) };
        let range = json!({ "start": { "line": line, "character": column }, "end": { "line": line, "character": column + length } });
        let marks = ["", " declared", " built in", " declared, built in"][modifiers as usize];
        shown +=
            &format!("{:>2} {:<12} {}{marks}\n", line + 1, slice(NET, &range), legend[kind as usize].as_str().unwrap());
    }
    insta::assert_snapshot!("colours", shown);
    client.leave();
}

#[test]
fn signatures_follow_the_arguments() {
    let mut client = Client::new();
    client.write("lib.arch", LIB);
    let mut shown = String::new();
    for line in ["conv(8, |", "conv(8, 3, stride=|", "Double(|", "skip add(|", "relu -> upsample(2|"] {
        let text = NET.replace("    head:", &format!("    {line}\n    head:"));
        let at = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        client.open("net.arch", &text);
        let position = super::client::position(&text, at);
        let params = json!({ "textDocument": { "uri": client.uri("net.arch") }, "position": position });
        let answer = client.ask("textDocument/signatureHelp", params);
        let label = answer["signatures"][0]["label"].as_str().unwrap_or("none");
        shown += &format!("{line}\n    {label}\n    {}\n", answer["activeParameter"]);
    }
    insta::assert_snapshot!("signatures", shown);
    client.leave();
}

/// What each fix makes of its line.
#[test]
fn fixes_are_offered_and_work() {
    let mut client = Client::new();
    client.write("lib.arch", LIB);
    let model = |lines: &str| format!("model Net() {{\n    input image [N, 16, 32, 32]\n{lines}}}\n");
    let cases = [
        model("    rulu\n"),
        model("    conv(16, 3, strid=2)\n"),
        model("    skip add { conv(32, 3, stride=2) }\n"),
        model("    long skip add { conv(16, 3) }\n"),
        model("    skip concat {\n        maxpool(2) -> upsample(2)\n    }\n"),
        model("    conv(16, 3) -> batch_norm\n"),
        model("    conv(it.chanels / 5, 3)\n"),
        model("    conv(it.channels / 5, 3)\n"),
        model("    a: relu\n    conv(3, 3)\n"),
        model("    a: conv(3, 3)\n    conv(3, 3)\n    skip concat from aa\n"),
        model("    let skip = 3\n    conv(skip, 3)\n"),
        model("    if it.channels = 16 { relu }\n"),
        model("    relu,\n"),
        model("    skip sum { relu }\n"),
        format!("import Double from \"lib.arch\"\n{}", model("    relu\n")),
        model("    relu\n    linear(2)\n"),
        model("    from image\n    conv_transpose(16, 2, stride=2)\n    skip add from image fit crop\n"),
    ];
    let mut shown = String::new();
    for text in cases {
        client.open("net.arch", &text);
        for diagnostic in client.settled("net.arch") {
            let params = json!({
                "textDocument": { "uri": client.uri("net.arch") }, "range": diagnostic["range"],
                "context": { "diagnostics": [diagnostic] },
            });
            let actions = client.ask("textDocument/codeAction", params);
            shown += &format!(
                "{} {}\n",
                diagnostic["code"].as_str().unwrap(),
                diagnostic["message"].as_str().unwrap().lines().next().unwrap()
            );
            for action in actions.as_array().unwrap() {
                let after = edited(&text, &action["edit"]["changes"][client.uri("net.arch")]);
                let changed = after.lines().filter(|line| !text.lines().any(|old| old == *line));
                let changed: Vec<&str> = changed.map(str::trim).collect();
                shown += &format!("    {}: {}\n", action["title"].as_str().unwrap(), changed.join(" ⏎ "));
            }
        }
    }
    insta::assert_snapshot!("fixes", shown);
    client.leave();
}

/// Each fix is checked by unrolling its text: of a network that takes long, a few are.
#[test]
fn a_large_network_has_a_few_of_its_fixes_tried() {
    let mut client = Client::new();
    let text = format!(
        "model Net() {{\n    input x [N, 3, 8, 8]\n    repeat 9000 {{ relu }}\n{}}}\n",
        "    rulu\n".repeat(10)
    );
    client.open("net.arch", &text);
    let found = client.settled("net.arch");
    assert_eq!(found.iter().map(|one| one["code"].as_str()).collect::<Vec<_>>(), [Some("E0203"); 10]);
    let params = json!({
        "textDocument": { "uri": client.uri("net.arch") }, "context": { "diagnostics": [] },
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 13, "character": 0 } },
    });
    let actions = client.ask("textDocument/codeAction", params);
    let offered = actions.as_array().unwrap().len();
    assert!((1..10).contains(&offered), "{actions}");
    client.leave();
}

#[test]
fn all_that_can_be_fixed_is_fixed_at_once() {
    let mut client = Client::new();
    let text = "model Net() {\n    input image [N, 16, 32, 32]\n    a: rulu,\n    conv(it.chanels, 3, strid=2) → batch_norm\n    \
                long skip add { cnv(16, 3) }\n    linear(2)\n}\n";
    client.open("net.arch", text);
    client.settled("net.arch");
    let at = json!({ "line": 0, "character": 0 });
    let asked = |only: Option<&str>| {
        let context = json!({ "diagnostics": [], "only": only.map(|kind| [kind]) });
        json!({ "textDocument": { "uri": client.uri("net.arch") }, "range": { "start": at, "end": at }, "context": context })
    };
    let (all, refactor) = (asked(Some("source")), asked(Some("refactor")));
    assert_eq!(client.ask("textDocument/codeAction", refactor), json!([]));
    let actions = client.ask("textDocument/codeAction", all);
    assert_eq!(actions[0]["kind"], "source.fixAll");
    let after = edited(text, &actions[0]["edit"]["changes"][client.uri("net.arch")]);
    client.rewrite("net.arch", &after);
    let left: Vec<String> = client.settled("net.arch").iter().map(|d| d["code"].to_string()).collect();
    let title = actions[0]["title"].as_str().unwrap();
    insta::assert_snapshot!("fix_all", format!("{title}\n{after}left: {}", left.join(", ")));
    client.leave();
}

#[test]
fn formatting_is_a_small_edit() {
    let mut client = Client::new();
    let text = "model Net() {\n    input image [N, 3, 32, 32]\n    conv( 8,3 )   ->   relu\n    linear(2)\n}\n";
    client.open("net.arch", text);
    let mut params = client.document("net.arch");
    params["options"] = json!({ "tabSize": 4, "insertSpaces": true });
    let edits = client.ask("textDocument/formatting", params.clone());
    assert_eq!(
        edited(text, &edits),
        "model Net() {\n    input image [N, 3, 32, 32]\n    conv(8, 3) -> relu\n    linear(2)\n}\n"
    );
    assert_eq!(edits[0]["range"]["start"], json!({ "line": 2, "character": 0 }));
    assert_eq!(edits[0]["range"]["end"], json!({ "line": 3, "character": 0 }));
    client.rewrite("net.arch", "model Net( {\n");
    let why = client.refused("textDocument/formatting", params.clone());
    assert!(why.starts_with("a text with errors is not formatted"), "{why}");
    client.rewrite("net.arch", &example("unet.arch"));
    assert_eq!(client.ask("textDocument/formatting", params), json!([]));
    client.leave();
}
