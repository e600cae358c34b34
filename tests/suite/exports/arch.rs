//! The flat form gives the same graph.

use crate::random::random;
use archc::base::Report;
use archc::base::render::{Style, fancy};
use archc::elaborate::{Network, Options, check_all, compile_text};
use archc::exchange::arch::{flat, layer_call};
use archc::graph::{Graph, NodeId, Output, SkipEdge, SkipLength};
use archc::ops::Op;
use std::path::PathBuf;

/// A graph as text, without what the flat form need not keep: where things were written, and how a `via` was worded.
fn essence(network: &Network) -> String {
    let graph = &network.graph;
    let mut text = archc::graph::dump::dump(graph);
    text.truncate(text.find("short skip").into_iter().chain(text.find("long skip")).min().unwrap_or(text.len()));
    let nodes = graph.order().map(|id| format!("{:?} {:?}\n", graph.node(id).path, graph.node(id).op));
    text.extend(nodes.collect::<Vec<_>>());
    for SkipEdge { merge, source, result, source_operand, length, via, .. } in &graph.skips {
        let long = *length == SkipLength::Long;
        text += &format!("{source:?} {result:?} {merge:?} {source_operand} long {long} via {}\n", via.is_some());
    }
    text + &format!("{:?}\n{:?}\n{:?}\n", network.inputs, network.free_sizes, network.doc)
}

fn read(text: &str, network: &Network) -> Network {
    let compiled = compile_text("flat.arch", text, &Options::default());
    let said = fancy(&Report::new(compiled.diagnostics.iter(), &compiled.sources), Style { color: false, width: 100 });
    compiled.network.unwrap_or_else(|| panic!("{}:\n{text}\n{said}", network.name))
}

fn comes_back(network: &Network) {
    let text = flat(network).unwrap_or_else(|error| panic!("{}: {}", network.name, error.message));
    let again = read(&text, network);
    assert_eq!(essence(&again), essence(network), "{}\n{text}", network.name);
    let span =
        |network: &Network| network.recipe.clone().map(|r| archc::elaborate::Recipe { span: Default::default(), ..r });
    assert_eq!(span(&again), span(network), "{text}");
    assert_eq!(flat(&again).unwrap(), text, "flat is flat already");
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "arch"));
    files.sort();
    files
}

#[test]
fn every_example_and_every_text_of_the_corpus_comes_back() {
    let mut seen = 0;
    for path in files("examples").into_iter().chain(files("tests/corpus")) {
        for compiled in check_all(&path, &Options::default()) {
            comes_back(compiled.network.as_ref().unwrap());
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen} models only");
}

/// The network with the names for merges that the compiler would give, so that they can be said.
fn with_merges_named(mut network: Network) -> Network {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for id in network.graph.order().collect::<Vec<_>>() {
        let kind = network.graph.node(id).op.layer().kind();
        if matches!(network.graph.node(id).op, Op::Add(_) | Op::Concat(_) | Op::Mul(_)) {
            let count = counts.entry(kind).or_default();
            *count += 1;
            network.graph.node_mut(id).path = format!("{kind}{count}");
        }
    }
    network
}

/// Whether the language has words for every node.
fn sayable(graph: &Graph) -> bool {
    graph.order().all(|id| match &graph.node(id).op {
        Op::Add(add) => add.scale == 1.0 && add.drop_path == 0.0,
        Op::Concat(_) | Op::Mul(_) | Op::Input(_) => true,
        op => layer_call(op, Some("x")).is_some(),
    })
}

#[test]
fn random_networks_come_back() {
    let networks = (0..3000).map(random).map(with_merges_named).filter(|network| sayable(&network.graph));
    let count = networks.inspect(comes_back).count();
    assert!(count > 200, "{count} networks only");
}

#[test]
fn what_has_no_words_is_refused_by_its_path() {
    let refused = (0..200).map(random).filter(|network| !sayable(&network.graph)).find_map(|n| flat(&n).err()).unwrap();
    assert_eq!(refused.code, archc::base::codes::EXPORT);
    assert!(refused.message.starts_with("`v"), "{}", refused.message);
}

#[test]
fn hidden_labels_are_named_again() {
    let text = "
block Inner(other: value) {
    a: conv(4, 1)
    skip add from other
    deep: { a: relu -> b: relu -> skip mul from other }
    relu
}
model Hidden() {
    input x [N, 4, 8, 8]
    a: conv(4, 3)
    b: { a: conv(4, 3) -> skip add from a }
    c: Inner(other=a)
    skip add from b
    upsample(like=b)
    0: conv(4, 1)
    relu
    skip concat from 0
}";
    comes_back(&read(text, &random(1)));
}

#[test]
fn outputs_keep_their_names() {
    let mut network = read("model Net() {\n input x [N, 4]\n a: linear(3)\n relu\n}", &random(1));
    comes_back(&network);
    let node = |graph: &Graph, at: usize| graph.order().nth(at).unwrap();
    let ids: Vec<NodeId> = vec![node(&network.graph, 1), node(&network.graph, 0)];
    network.graph.outputs =
        ids.into_iter().enumerate().map(|(i, node)| Output { name: format!("o{i}"), node }).collect();
    comes_back(&network);
}

#[test]
fn flat_forms_are_what_they_were() {
    for (file, model) in super::SHOWN {
        insta::assert_snapshot!(format!("arch_{model}"), flat(&super::example(file, model)).unwrap());
    }
    insta::assert_snapshot!(
        "arch_Skips",
        flat(&read(&std::fs::read_to_string("tests/corpus/skips.arch").unwrap(), &random(1))).unwrap()
    );
}
