//! Pages and Mermaid text of the examples, as text; `tests/browser` opens them.

use archc::elaborate::{Compiled, Options, compile};
use archc::plan::{Mode, best};
use archc::tools::html;
use archc::tools::mermaid::mermaid;
use serde_json::Value;
use std::path::Path;

fn compiled(file: &str, model: &str) -> Compiled {
    let options = Options { model: Some(model.into()), ..Options::default() };
    compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file), &options)
}

fn graph_page(file: &str, model: &str) -> String {
    let compiled = compiled(file, model);
    let network = compiled.network.unwrap_or_else(|| panic!("{file}: {model} has errors"));
    let plan = best(&network.graph, Mode::Run, 1).expect("an example can be planned");
    html::graph::page(&network, &plan, &compiled.sources)
}

/// What the page's scripts read.
fn data(page: &str) -> Value {
    let start = page.find("id=\"data\">").expect("a page has data") + "id=\"data\">".len();
    let end = start + page[start..].find("</script>").expect("data ends");
    serde_json::from_str(&page[start..end]).expect("data is JSON")
}

/// Elements of a sequence, one a line, nested.
fn sketch(seq: &Value, nodes: &Value, depth: usize, text: &mut String) {
    let name = |id: &Value| nodes[id.as_u64().unwrap() as usize]["caption"].as_str().unwrap().to_string();
    for elem in seq["elems"].as_array().unwrap() {
        let indent = "  ".repeat(depth);
        let mut line = |words: String| *text += &format!("{indent}{words}\n");
        if elem["layer"].is_u64() {
            line(name(&elem["layer"]));
        } else if elem["merge"].is_u64() {
            line(format!("({})", name(&elem["merge"])));
        } else if let Some(columns) = elem["split"].as_array() {
            for column in columns {
                *text +=
                    &format!("{indent}| {} {}\n", column["role"].as_str().unwrap(), column["ink"].as_str().unwrap());
                sketch(&column["body"], nodes, depth + 1, text);
            }
        } else {
            let frame = &elem["frame"];
            let word = |key: &str| frame[key].as_str().unwrap().to_string();
            line(format!("[{} {}] ×{}", word("label"), word("block"), frame["times"]));
            sketch(&elem["body"], nodes, depth + 1, text);
        }
    }
}

#[test]
fn the_page_knows_how_layers_nest() {
    let data = data(&graph_page("residual_block.arch", "ResidualBlocks"));
    let mut text = String::new();
    sketch(&data["root"], &data["nodes"], 0, &mut text);
    text += &format!("arcs {}\n", data["arcs"]);
    text += &format!("files {}\n", data["files"]).replace(env!("CARGO_MANIFEST_DIR"), "");
    insta::assert_snapshot!("page_residual_block", text);
}

#[test]
fn a_run_holds_every_scope_it_stands_for() {
    let data = data(&graph_page("resnet.arch", "ResNet152"));
    let mut text = String::new();
    sketch(&data["root"], &data["nodes"], 0, &mut text);
    assert!(text.contains("[1–35 Bottleneck] ×35"), "{text}");
    assert_eq!(text.matches(" Bottleneck] ×1\n").count(), 50, "each of the blocks has its own frame");
}

#[test]
fn the_page_carries_the_plan_and_the_source() {
    let page = graph_page("unet.arch", "UNet");
    let data = data(&page);
    let plan = &data["plan"];
    let steps = plan["steps"].as_array().unwrap().len();
    assert_eq!(plan["live"].as_array().unwrap().len(), steps);
    for value in plan["values"].as_array().unwrap() {
        let end = value["at"].as_u64().unwrap() + value["bytes"].as_u64().unwrap();
        assert!(end <= plan["peak"].as_u64().unwrap(), "{value} leaves the arena");
        assert!(value["live"][1].as_u64().unwrap() < steps as u64, "{value} outlives the run");
    }
    let long = data["arcs"].as_array().unwrap().iter().filter(|arc| arc["long"] == true).count();
    assert_eq!(long, 4);
    let head = data["nodes"].as_array().unwrap().iter().find(|node| node["path"] == "head").unwrap();
    let line = head["at"][1].to_string();
    assert_eq!(data["files"][0]["lines"][&line], "head: conv(classes, 1)");
    assert_eq!(head["weights"][0], serde_json::json!(["weight", "2×64×1×1"]));
    assert!(page.len() < 400_000, "{} bytes", page.len());
}

#[test]
fn summaries_are_pages_too() {
    let compiled = compiled("densenet.arch", "DenseNet201");
    let page = html::summary::page(&compiled.network.expect("an example"), &compiled.sources);
    assert!(page.contains("<title>DenseNet201 · 3×224×224 → 1000</title>"));
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert_eq!(data(&page)["plan"], Value::Null);
}

#[test]
fn mermaid_text_is_whole() {
    let text = |file, model, expand| mermaid(&compiled(file, model).network.expect("an example"), expand);
    insta::assert_snapshot!("mermaid_residual_block", text("residual_block.arch", "ResidualBlocks", false));
    let unet = text("unet.arch", "UNet2015", false);
    assert_eq!(unet.matches("-.->|concat|").count(), 4, "{unet}");
    let opened = unet.matches("subgraph ").count();
    assert_eq!(opened, unet.lines().filter(|line| line.trim() == "end").count());
    assert!(text("highway.arch", "Highway50", false).contains("Highway ×48"));
}
