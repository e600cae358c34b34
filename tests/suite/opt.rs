//! Passes: what each does to a small network, what stops it, and that no outputs change.

use crate::random::random;
use crate::reference::Reference;
use crate::sketch::{inputs, parameters, written};
use archc::graph::{Graph, NodeId};
use archc::opt::{EpilogueOp, Net, PASSES, Step, TensorRef, optimise};
use archc::plan::{running, verify::verify};
use archc::shape::Layout;
use std::fmt::Write;

/// For each pass a network that it changes, and what stops it.
const CASES: [(&str, &str); 8] = [
    (
        "dead",
        "model Net() {
    input image [N, 3, 8, 8]
    unread: conv(4, 3) -> behind: relu
    from image
    read: conv(4, 3)
}",
    ),
    (
        "noop",
        "model Net() {
    input image [N, 3, 8, 8]
    same: identity -> conv(4, 3) -> drop: dropout(0.5) -> crop: crop(8) -> pad: pad(0) -> window: maxpool(1)
    mixed: reshape([4, 64]) -> back: reshape([4, 8, 8])
    avgpool(global) -> vector: flatten -> linear(2)
}",
    ),
    (
        "fold_norm",
        "model Net() {
    input image [N, 3, 8, 8]
    first: batch_norm -> conv1: conv(4, 3) -> norm: batch_norm -> factor: scale -> relu
    late: batch_norm
    shared: conv(4, 3)
    skip add { twice: batch_norm }
    conv2: conv(4, 3)
    output features
    after: batch_norm
    output end
}",
    ),
    (
        "fuse_epilogue",
        "model Net() {
    input image [N, 3, 8, 8]
    early: relu
    conv1: conv(4, 3) -> relu1: relu
    skip add { conv2: conv(4, 3) -> relu2: relu -> conv3: conv(4, 3) }
    relu3: relu
    full: sigmoid
    maxpool(2) -> pooled: relu
    parallel add {
        a: conv(4, 1)
        b: conv(4, 1)
        c: conv(4, 1)
    }
    skip add { identity }
}",
    ),
    (
        "fuse_prologue",
        "model Net() {
    input image [N, 3, 8, 8]
    early: batch_norm -> stem: conv(8, 3) -> maxpool(2)
    norm1: batch_norm -> relu1: relu -> conv1: conv(8, 3) -> maxpool2: maxpool(1, stride=2)
    parallel concat {
        norm2: batch_norm -> relu2: relu -> conv2: conv(8, 3, groups=2)
        norm3: batch_norm -> half: sigmoid -> conv3: conv(8, 3)
    }
    parallel concat {
        norm4: batch_norm -> left: conv(8, 1)
        norm5: batch_norm -> pool: maxpool(1, stride=1, pad=0)
    }
    norm6: batch_norm -> relu6: relu
    parallel add {
        one: conv(8, 1)
        two: conv(8, 1)
        three: conv(8, 1)
    }
}",
    ),
    (
        "layout",
        "model Net() {
    input image [N, 3, 8, 8]
    parallel concat {
        stem: conv(16, 3)
        pool: maxpool(3, stride=1, pad=1)
    }
    mixed: reshape([19, 64])
    conv: conv(16, 1)
}",
    ),
    (
        "concat",
        "model Net() {
    input image [N, 16, 8, 8]
    parallel concat {
        whole: conv(16, 3)
        identity
        odd: conv(5, 3)
        late: conv(11, 3)
        last: conv(16, 3)
    }
    join: conv(16, 1)
    skip concat from last { more: conv(16, 3) }
    parallel concat {
        left: relu
        right: identity
        again: identity
    }
}",
    ),
    (
        "in_place",
        "model Net() {
    input image [N, 16, 8, 8]
    conv1: conv(16, 3)
    skip add { conv2: conv(16, 3) -> norm: batch_norm }
    skip add { conv3: conv(16, 3) -> relu -> conv4: conv(16, 3) }
    skip mul { avgpool(global) -> gate: sigmoid }
    maxpool(2) -> prelu
    skip gate by transform: conv(16, 1) { hidden: conv(16, 1) }
    group_norm(4)
}",
    ),
];

/// A value, blocked ones with a star.
fn value(graph: &Graph, held: TensorRef) -> String {
    let star = if held.layout == Layout::Blocked { "*" } else { "" };
    graph.node(held.node).path.clone() + star
}

/// `norm → conv → 1·it + 1·pool* (image) = add*`: what is done to operand 0 as it is read, the op, what is done to its
/// result, what is read, and what is made.
fn line(graph: &Graph, step: &Step) -> String {
    let path = |node: &NodeId| graph.node(*node).path.clone();
    let mut text = step.prologue.iter().map(|node| path(node) + " → ").collect::<String>();
    text += &step.head().map_or_else(|| "convert".into(), |node| path(&node));
    for after in &step.epilogue {
        text += &match *after {
            EpilogueOp::Affine(node) | EpilogueOp::Activation(node) => format!(" → {}", path(&node)),
            EpilogueOp::Sum { value: other, own, other: factor, .. } => {
                format!(" → {own}·it + {factor}·{}", value(graph, other))
            }
        };
    }
    let reads: Vec<String> = step.reads.iter().map(|&held| value(graph, held)).collect();
    format!("{text} ({}) = {}", reads.join(", "), value(graph, step.makes))
}

fn lines(graph: &Graph, net: &Net) -> String {
    let mut text: String = net.steps.iter().map(|step| line(graph, step) + "\n").collect();
    for slice in &net.slices {
        let (part, whole) = (value(graph, slice.part), value(graph, slice.whole));
        let _ = writeln!(text, "{part} lies in {whole} from channel {}", slice.channel_offset);
    }
    for &(makes, over) in &net.in_place {
        let _ = writeln!(text, "{} may lie over {}", value(graph, makes), value(graph, over));
    }
    text
}

#[test]
fn passes_do_what_they_say_and_say_what_stops_them() {
    assert!(PASSES.iter().map(|pass| pass.name).eq(CASES.iter().map(|(name, _)| *name)), "each pass has a case");
    for (i, (pass, text)) in CASES.into_iter().enumerate() {
        let network = written(text);
        let graph = &network.graph;
        let before = match i {
            0 => Net::new(graph),
            _ => optimise(graph, Some(PASSES[i - 1].name)).unwrap(),
        };
        let after = optimise(graph, Some(pass)).unwrap();
        let notes = after.notes.iter().filter(|note| note.pass == pass).map(|note| {
            format!("{} {}: {}\n", if note.fired { "did" } else { "not" }, graph.node(note.node).path, note.why)
        });
        let (notes, before, after) = (notes.collect::<String>(), lines(graph, &before), lines(graph, &after));
        insta::assert_snapshot!(
            format!("pass_{pass}"),
            format!("{text}\n\nbefore\n{before}\nafter\n{after}\nnotes\n{notes}")
        );
    }
}

#[test]
fn a_pass_that_does_not_exist_is_refused() {
    let network = written(CASES[0].1);
    assert_eq!(optimise(&network.graph, Some("magic")).unwrap_err().to_string(), "pass `magic`: there is no such pass");
}

#[test]
fn passes_preserve_the_outputs_of_random_networks() {
    for seed in 0..500 {
        let network = random(seed);
        let graph = &network.graph;
        let (parameters, given) = (parameters(graph, seed), inputs(graph, 2, seed));
        let reference = Reference::new(graph, &parameters);
        let want = reference.run(&given);
        for pass in PASSES {
            let net = optimise(graph, Some(pass.name)).unwrap_or_else(|broken| panic!("network {seed}: {broken}"));
            for (i, (got, want)) in reference.run_net(&net, &given).iter().zip(&want).enumerate() {
                assert!(want.numbers.iter().all(|x| x.is_finite()) && got.numbers.len() == want.numbers.len());
                let scale = want.numbers.iter().fold(1e-300f64, |most, x| most.max(x.abs()));
                let off = got.numbers.iter().zip(&want.numbers).map(|(a, b)| (a - b).abs() / scale);
                let off = off.fold(0.0, |most, off| if off <= most { most } else { off });
                assert!(off < 1e-12, "network {seed} after `{}`, output {i}: {off:e}", pass.name);
            }
        }
    }
}

#[test]
fn nets_of_random_networks_are_planned_soundly() {
    for seed in 0..500 {
        let network = random(seed);
        for pass in PASSES {
            let net = optimise(&network.graph, Some(pass.name)).unwrap();
            let scratch: Vec<u64> = (0..net.steps.len() as u64).map(|i| i % 3 * 400).collect();
            let found = running(&network.graph, &net, 2, &scratch).unwrap();
            verify(&found.plan).unwrap_or_else(|broken| panic!("network {seed} after `{}`: {broken}", pass.name));
        }
    }
}
