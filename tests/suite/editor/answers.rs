//! Diagnostics, hover and completion: what people see.

use super::client::{Client, example};
use serde_json::{Value, json};

const NET: &str = "\
set conv(bias=false)

/// Two convolutions bridged by a skip.
block Basic(width, stride=1) {
    skip add via downsample: project {
        conv1: conv(width, 3, stride=stride) -> batch_norm -> relu
        conv2: conv(width, 3) -> batch_norm
    }
    relu
}

block Up(width, skip: value) {
    conv_transpose(width, 2, stride=2)
    long skip concat from skip
    conv(width, 3)
}

model Net(classes=10) {
    input image [N, 3, H=32, W=32]
    fine: conv(16, 3) -> batch_norm -> relu
    for i in 0..3 { stage{i}: Basic(16 * (i + 1), stride=2) }
    let wide = it.channels * 2
    encoder: { inner: conv(wide, 3) }
    upsample(4)
    Up(16, skip=fine)
    avgpool(global) -> flatten
    head: linear(classes)
}

train Net {
    loss      = cross_entropy(output=\"head\")
    optimizer = sgd(lr=0.1)
    epochs    = 2
}
";

/// The text of a hover.
fn hover(client: &mut Client, text: &str, needle: &str, ahead: usize) -> String {
    let at = client.at("net.arch", text, needle, ahead);
    match client.ask("textDocument/hover", at) {
        Value::Null => "nothing".into(),
        value => value["contents"]["value"].as_str().expect("markdown").trim_end().to_string(),
    }
}

/// The labels offered after a text, with details, the first `most`.
fn offers(client: &mut Client, text: &str, most: usize) -> String {
    let end = text.find('|').expect("a bar");
    let text = text.replacen('|', "", 1);
    client.rewrite("net.arch", &text);
    let at =
        json!({ "textDocument": { "uri": client.uri("net.arch") }, "position": super::client::position(&text, end) });
    let answer = client.ask("textDocument/completion", at);
    let items = answer["items"].as_array().expect("a list");
    let word = text[..end].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    let fits = |item: &&Value| item["filterText"].as_str().is_some_and(|label| label.starts_with(word));
    let line = |item: &Value| {
        let new = item["textEdit"]["newText"].as_str().unwrap_or("").replace('\n', "⏎").replace('\t', "⇥");
        let detail = item["detail"].as_str().unwrap_or("");
        format!("  {:<14} {new}  {detail}", item["label"].as_str().unwrap_or("")).trim_end().to_string()
    };
    let shown: Vec<String> = items.iter().filter(fits).take(most).map(line).collect();
    format!("{}\n", shown.join("\n"))
}

#[test]
fn hovers_say_what_is_known() {
    let mut client = Client::new();
    client.open("net.arch", NET);
    let places = [
        ("conv1: conv", 8),
        ("conv1: conv", 1),
        ("Basic(width", 1),
        ("stage{i}: Basic", 11),
        ("width, stride=1", 1),
        ("width, 3) -> batch_norm\n", 1),
        ("it.channels", 4),
        ("it.channels", 1),
        ("fine: conv", 1),
        ("skip=fine", 6),
        ("skip=fine", 1),
        ("from skip", 6),
        ("encoder:", 1),
        ("upsample", 1),
        ("flatten", 1),
        ("Net(classes", 1),
        ("classes)", 1),
        ("stride=2) }", 1),
        ("long skip", 6),
        ("cross_entropy", 1),
        ("optimizer", 1),
        ("project", 1),
        ("model", 1),
        ("// ", 0),
        ("train Net", 7),
    ];
    let mut shown = String::new();
    for (needle, ahead) in places.iter().filter(|(needle, _)| NET.contains(needle)) {
        shown += &format!("── {needle:?} + {ahead}\n{}\n", hover(&mut client, NET, needle, *ahead));
    }
    insta::assert_snapshot!("hover", shown);
    client.leave();
}

#[test]
fn hovers_say_it_for_every_model() {
    let mut client = Client::new();
    let text = example("resnet.arch");
    client.open("net.arch", &text);
    let mut shown = String::new();
    for (needle, ahead) in
        [("conv3: conv", 8), ("layer1: Stage", 9), ("ImageNet(3, 8", 1), ("block Stage", 7), ("ResNet152", 1)]
    {
        shown += &format!("── {needle:?} + {ahead}\n{}\n", hover(&mut client, &text, needle, ahead));
    }
    insta::assert_snapshot!("hover_resnet", shown);
    client.leave();
}

#[test]
fn completion_offers_what_fits() {
    let mut client = Client::new();
    client.open("net.arch", NET);
    client.settled("net.arch");
    // Lines to try in the model, after `encoder`.
    let lines = [
        "conv|",
        "B|",
        "s|",
        "U|",
        "conv(|",
        "conv(64, 3, |",
        "conv(64, 3, init=|",
        "conv(64, 3, init=k|",
        "upsample(2, mode=|",
        "upsample(2, mode=\"|\")",
        "avgpool(|",
        "Up(16, skip=|",
        "Up(|",
        "from |",
        "from encoder.|",
        "skip |",
        "skip add |",
        "skip add via |",
        "skip add(|",
        "skip concat from |",
        "skip add from fine fit |",
        "parallel |",
        "linear(it.|",
        "linear(w|",
        "let x = |",
        "set |",
        "set conv(|",
        "a: conv(3, 3) -> r|",
        "output |",
        "// conv|",
    ];
    let mut shown = String::new();
    for line in lines {
        let text = NET.replace("    upsample(4)\n", &format!("    {line}\n    upsample(4)\n"));
        shown += &format!("── {line}\n{}", offers(&mut client, &text, 12));
    }
    for (needle, line) in [
        ("    epochs    = 2\n", "|"),
        ("    epochs    = 2\n", "schedule = |"),
        ("    epochs    = 2\n", "augment = [flip, |"),
        ("    epochs    = 2\n", "schedule = step(|"),
        ("    epochs    = 2\n", "metrics = [|"),
    ] {
        let text = NET.replace(needle, &format!("    {line}\n{needle}"));
        shown += &format!("── recipe: {line}\n{}", offers(&mut client, &text, 12));
    }
    for line in ["|", "bl|", "train |", "set |", "import |"] {
        shown += &format!("── item: {line}\n{}", offers(&mut client, &format!("{line}\n{NET}"), 6));
    }
    insta::assert_snapshot!("completion", shown);
    client.leave();
}

/// A text with places to write at: `@` and a letter.
const PLACES: &str = "\
import Down from \"lib.arch\"

block Twice(width) {
    @a
    conv(width, 3)
    @b
}

block Unused(width) {
    @c
}

model Net() {
    @d
    input image [N, 3, 32, 32]
    conv(4, 3)@e
    @f
    Down(8)
    @g
    repeat 3 {
        @h
        conv(it.channels + 1, 3)
        @i
    }
    @j
    parallel concat {
        conv(5, 1)
        @k
        conv(6, 1)@l
    }
    if it.rank == 4 {
        conv(9, 1)
    } else {
        @m
    }
    skip add { conv(9, 3)@n }
    Twice(12) -> Twice(14)
    @o
}
";

/// `PLACES` with a text at one of them.
fn with(place: char, written: &str) -> String {
    let mut pieces = PLACES.split('@');
    let first = pieces.next().unwrap_or("").to_string();
    pieces.fold(first, |text, piece| {
        let here = if piece.starts_with(place) { written } else { "" };
        text + here + &piece[1..]
    })
}

#[test]
fn the_current_value_is_known_wherever_a_step_is_written() {
    let mut client = Client::new();
    client.write("lib.arch", "block Down(width) {\n    conv(width, 3, stride=2, pad=1)\n}\n");
    client.open("net.arch", &with(' ', ""));
    let lines = [
        ('a', "conv(it.|"),
        ('b', "conv(it.|"),
        ('c', "conv(it.|"),
        ('d', "conv(it.|"),
        ('e', " -> conv(it.|"),
        ('e', " -> conv(4, it.|) -> relu"),
        ('f', "conv(2 * it.|"),
        ('f', "let wide = it.|"),
        ('g', "a: conv(it.ch|"),
        ('h', "conv(it.|"),
        ('i', "conv(it.|)"),
        ('j', "long skip add { conv(it.|"),
        ('j', "repeat it.|"),
        ('k', "conv(it.|"),
        ('l', " -> conv(it.|"),
        ('m', "conv(it.|"),
        ('n', " -> conv(it.|"),
        ('o', "linear(it.|"),
        ('o', "x: { linear(it.|) }"),
        ('o', "relu -> linear(it.|"),
    ];
    let mut shown = String::new();
    for (place, line) in lines {
        client.rewrite("net.arch", &with(' ', ""));
        assert_eq!(client.settled("net.arch").iter().filter(|d| d["severity"] == 1).count(), 0);
        let offer = offers(&mut client, &with(place, line), 1);
        let shape = offer.split_once("(of ").map_or("unknown", |(_, shape)| shape.trim_end().trim_end_matches(')'));
        shown += &format!("{place}  {line:<28} {shape}\n");
    }
    insta::assert_snapshot!("current_value", shown);
    client.leave();
}

#[test]
fn diagnostics_come_and_go() {
    let mut client = Client::new();
    client.write("lib.arch", "block Lib(width) {\n    conv(width, 3)\n    rulu\n}\n");
    let text = "import Lib from \"lib.arch\"\n\nmodel Net() {\n    input image [N, 3, 32, 32]\n    Lib(8)\n    skip add { conv(16, 3) }\n    conv(4, 3, strid=2)\n    linear(2)\n}\n";
    client.open("net.arch", text);
    let list = client.settled("net.arch");
    let codes: Vec<&str> = list.iter().map(|d| d["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["E0301"], "several, in the order found; what follows a failed value is silent");
    let lib = client.uri("lib.arch");
    assert_eq!(client.diagnostics[&lib][0]["code"], "E0203", "in the imported file");
    // The unsaved text of an import counts.
    client.open("lib.arch", "block Lib(width) {\n    conv(width, 3)\n    relu\n}\n");
    assert_eq!(client.settled("lib.arch"), Vec::<Value>::new());
    client.rewrite("net.arch", text);
    let list = client.settled("net.arch");
    let shown = serde_json::to_string_pretty(&list).unwrap().replace(&client.uri(""), "file:///here");
    insta::assert_snapshot!("diagnostics", shown);
    client.rewrite(
        "net.arch",
        &text.replace("skip add {", "skip add via project {").replace(", strid=2", "").replace("    linear(2)\n", ""),
    );
    assert_eq!(client.settled("net.arch"), Vec::<Value>::new());
    client.rewrite("net.arch", "model Net( {\n    input image [N, 3, 32, 32]\n    conv(3,\n    relu)\n}\nblock }\n");
    assert!(client.settled("net.arch").len() > 1);
    let document = client.document("net.arch");
    client.tell("textDocument/didClose", document);
    let uri = client.uri("net.arch");
    let id = client.send("archc/nothing", Value::Null);
    assert!(client.answer(id).response_result.is_err());
    assert_eq!(client.diagnostics[&uri], Vec::<Value>::new());
    client.leave();
}
