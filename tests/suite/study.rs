//! Studies: what they measure is what it says, and a study that was stopped comes to the same.

use archc::elaborate::{Network, Options, compile_text};
use archc::lower::ParamStore;
use archc::lower::weights::save;
use archc::study::surgery::{blocks, plain_cut, without};
use archc::study::{
    Folder, Given, Halt, Measurable, Progress, StudyContext, Subject, Twin, degradation, features, gradients, landscape,
};
use archc::train::data::{DataSpec, Split, open};
use candle_core::{DType, Device, Tensor};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

const NET: &str = "
set conv(bias=false)
model Net(n=2) {
    input image [N, 1, 8, 8]
    stem: conv(4, 3) -> relu
    for i in 0..n {
        block{i}: {
            skip add { conv(4, 3) -> relu -> conv(4, 3) }
            relu
        }
    }
    avgpool(global) -> flatten
    fc: linear(10)
}
train Net {
    data = \"builtin:digits\"
    loss = cross_entropy()
    optimizer = sgd(lr=0.05)
    batch = 512
    epochs = 1
    metrics = [accuracy]
    seed = 1
}";

fn subject() -> Subject {
    let compiled = compile_text("net.arch", NET, &Options::default());
    assert!(compiled.network.is_some(), "{:?}", compiled.diagnostics);
    Subject { file: "net.arch".into(), compiled, data: "builtin:digits".into(), epochs: None, run: None }
}

fn data() -> Split {
    open("builtin:digits", &DataSpec::new(&[1, 8, 8])).unwrap()
}

fn output(network: &Network, store: &ParamStore) -> Vec<f32> {
    let image = Tensor::arange(0f32, 128., &Device::Cpu).unwrap().affine(0.01, -0.5).unwrap().reshape((2, 1, 8, 8));
    let module = network.lower(store.var_builder()).unwrap();
    module.forward(&image.unwrap(), false).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn a_block_removed_is_the_network_written_without_it() {
    let whole = subject().network().unwrap().clone();
    let store = ParamStore::new(&whole, 3, DType::F32, &Device::Cpu).unwrap();
    let list = blocks(&whole.graph);
    assert_eq!(list.iter().map(|block| block.name.as_str()).collect::<Vec<_>>(), ["block0", "block1"]);
    let cut = without(&whole, &[list[1].cut]);
    let by_hand = NET.replace("for i in 0..n", "for i in 0..1");
    let shorter = compile_text("net.arch", &by_hand, &Options::default()).network.unwrap();
    assert_eq!(output(&cut, &store), output(&shorter, &store));
    assert_ne!(output(&cut, &store), output(&whole, &store));
    let plain = subject().case(Twin::Plain, None, None).unwrap().network;
    let short = Options { plain: true, ..Options::default() };
    let shorter = compile_text("net.arch", &by_hand, &short).network.unwrap();
    let cut = plain_cut(&plain.graph, &list[1]).unwrap();
    assert_eq!(output(&without(&plain, &[cut]), &store), output(&shorter, &store));
}

#[test]
fn directions_are_as_long_as_the_filters() {
    let store = ParamStore::new(subject().network().unwrap(), 3, DType::F32, &Device::Cpu).unwrap();
    let direction = landscape::direction(&store, 1, "first").unwrap();
    assert!(direction.iter().all(|(path, _)| path.ends_with(".weight")));
    let lengths = |t: &Tensor| {
        t.flatten_from(1).unwrap().sqr().unwrap().sum(1).unwrap().sqrt().unwrap().to_vec1::<f32>().unwrap()
    };
    for (path, moved) in &direction {
        let weights = lengths(&store.get(path).unwrap().var.as_detached_tensor());
        assert!(weights.iter().zip(lengths(moved)).all(|(a, b)| (a - b).abs() < 1e-4 * a), "{path}");
    }
}

#[test]
fn channels_are_followed_to_the_layers_that_made_them() {
    let text = "model Dense() {
        input image [N, 2, 8, 8]
        stem: conv(4, 3)
        a: { skip concat { batch_norm -> relu -> conv: conv(3, 3) } }
        b: { skip concat { batch_norm -> relu -> conv: conv(3, 3) } }
        avgpool(global) -> flatten
        head: linear(2)
    }";
    let network = compile_text("dense.arch", text, &Options::default()).network.unwrap();
    let store = ParamStore::new(&network, 1, DType::F32, &Device::Cpu).unwrap();
    let read = features::readers(&network.graph, &store).unwrap();
    let named: Vec<(&str, Vec<(&str, usize)>)> =
        read.iter().map(|r| (r.layer.as_str(), r.sources.iter().map(|s| (s.0.as_str(), s.1)).collect())).collect();
    let want =
        [("b.conv", vec![("stem", 4), ("a.conv", 3)]), ("head", vec![("stem", 4), ("a.conv", 3), ("b.conv", 3)])];
    assert_eq!(named, want);
}

#[test]
fn norms_of_gradients_are_those_of_finite_differences() {
    let (subject, data, dir) = (subject(), data(), tempfile::tempdir().unwrap());
    let case = subject.case(Twin::Skip, None, None).unwrap();
    let measured =
        gradients::measure(&case, (&[0], 256), &data, &Device::Cpu, &mut |_, _| {}, &AtomicBool::new(false)).unwrap();
    let file = dir.path().join("start.safetensors");
    let start = ParamStore::new(&case.network, 1, DType::F32, &Device::Cpu).unwrap();
    save(&start, &file, &Default::default()).unwrap();
    let mut moved = Measurable::new(&case, &Given { path: file, key: None }, &Device::Cpu).unwrap();
    let probe = moved.probe(&data.train, 256).unwrap();
    for layer in ["stem", "fc"] {
        let path = format!("{layer}.weight");
        let weights = start.get(&path).unwrap().var.as_detached_tensor();
        let (dims, flat) = (weights.dims().to_vec(), weights.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        let step = 1e-2;
        let mut at = |i: usize, by: f32| {
            let mut there = flat.clone();
            there[i] += by;
            moved.set(&path, &Tensor::from_vec(there, dims.as_slice(), &Device::Cpu).unwrap()).unwrap();
            probe.measure(&mut moved.module).unwrap().loss
        };
        let squares: f64 =
            (0..flat.len()).map(|i| ((at(i, step) - at(i, -step)) / (2.0 * f64::from(step))).powi(2)).sum();
        moved.set(&path, &weights).unwrap();
        let norm = measured[0].layers.iter().find(|l| l.path == layer).unwrap().norm;
        assert!((squares.sqrt() - norm).abs() < 0.01 * norm, "{layer}: {} by differences, {norm} said", squares.sqrt());
    }
}

/// The table of a degradation study that is stopped after some parts, and then goes on.
fn degraded(folder: &std::path::Path, stop_after: usize) -> String {
    let (subject, data) = (subject(), data());
    let question = degradation::Question { vary: "n".into(), values: vec!["1".into(), "2".into()], seeds: vec![1] };
    let folder = Folder::named(folder, &json!({ "asked": "once" })).unwrap();
    for limit in [stop_after, usize::MAX] {
        let stop = AtomicBool::new(false);
        let mut watch = |p: &Progress| {
            if p.done >= limit {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let mut context = StudyContext { folder: &folder, watch: &mut watch, stop: &stop, count: (0, 0) };
        match degradation::run(&subject, &question, &data, &Device::Cpu, &mut context) {
            Ok(report) => return report.table.csv(),
            Err(Halt::Stopped) => assert_eq!(limit, stop_after),
            Err(Halt::Failed(error)) => panic!("{error}"),
        }
    }
    panic!("the study never ended")
}

#[test]
fn a_study_that_was_stopped_comes_to_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let stopped = degraded(&dir.path().join("a"), 2);
    assert_eq!(stopped, degraded(&dir.path().join("b"), usize::MAX));
    assert_eq!(stopped.lines().count(), 5);
    let other = Folder::named(&dir.path().join("a"), &json!({ "asked": "again" }));
    assert_eq!(other.unwrap_err().code.0, "E0931");
}
