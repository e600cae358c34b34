//! The exported Rust source, compiled into these tests, gives the bits of the lowered module where that composes candle's
//! operators, too.

use archc::elaborate::{Compiled, Options, compile};
use archc::exchange::{classes::docs, rust};
use archc::lower::{ParamStore, nn};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ModuleT;
use std::collections::BTreeMap;
use std::path::Path;

#[allow(clippy::all)]
mod digits_rs {
    include!("../exported/digits.inc");
}

#[allow(clippy::all)]
mod highway_rs {
    include!("../exported/highway.inc");
}

#[allow(clippy::all)]
mod ops_rs {
    include!("../exported/ops.inc");
}

#[allow(clippy::all, non_camel_case_types, non_snake_case)]
mod names_rs {
    include!("../exported/names.inc");
}

fn compiled(file: &str, model: &str) -> Compiled {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let compiled = compile(&path, &Options { model: Some(model.into()), ..Options::default() });
    assert!(compiled.network.is_some(), "{file}: {:?}", compiled.diagnostics);
    compiled
}

fn tensor(dims: &[usize], seed: u64) -> Tensor {
    let mut rng = archc::base::Rng::new(seed);
    let numbers: Vec<f32> = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
    Tensor::from_vec(numbers, dims, &Device::Cpu).unwrap()
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    // Adding 0 makes −0 of a sum 0, as either may give.
    let numbers: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
    numbers.into_iter().map(|x| (x + 0.0).to_bits()).collect()
}

/// The module's outputs by name and the export's, evaluated twice: as they start, and after a training pass moved the statistics.
fn same(
    (file, model): (&str, &str),
    inputs: &[(&str, Tensor)],
    export: impl Fn(candle_nn::VarBuilder) -> Result<Box<dyn Fn(bool) -> Result<Vec<Tensor>>>>,
) {
    let compiled = compiled(file, model);
    let network = compiled.network.as_ref().unwrap();
    let store = |seed| ParamStore::new(network, seed, DType::F32, &Device::Cpu).unwrap();
    let (ours, theirs) = (store(5), store(5));
    let module = compiled.lower(ours.var_builder()).unwrap();
    let exported = export(theirs.var_builder()).unwrap();
    let _portable = nn::force_portable();
    let named: Vec<(&str, &Tensor)> = inputs.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let drops = network.graph.order().any(|id| matches!(network.graph.node(id).op, archc::ops::Op::Dropout(_)));
    for train in [false, true, false] {
        let expected: BTreeMap<String, Tensor> = module.forward_all(&named, train).unwrap();
        let found = exported(train).unwrap();
        for (output, found) in network.graph.outputs.iter().zip(found) {
            let expected = &expected[&output.name];
            assert_eq!(found.dims(), expected.dims(), "{model} {}", output.name);
            // What dropout drops is drawn by each for itself.
            if !(train && drops) {
                assert_eq!(bits(&found), bits(expected), "{model} {} train={train}", output.name);
            }
        }
    }
}

#[test]
fn digits() {
    let x = tensor(&[3, 1, 8, 8], 1);
    same(("examples/digits.arch", "Digits"), &[("image", x.clone())], |vb| {
        let net = digits_rs::Digits::new(vb)?;
        let x = x.clone();
        Ok(Box::new(move |train| Ok(vec![net.forward_t(&x, train)?])))
    });
}

#[test]
fn highway() {
    let x = tensor(&[3, 1, 28, 28], 2);
    same(("examples/highway.arch", "Highway50"), &[("image", x.clone())], |vb| {
        let net = highway_rs::Highway50::new(vb)?;
        let x = x.clone();
        Ok(Box::new(move |train| Ok(vec![net.forward_t(&x, train)?])))
    });
}

#[test]
fn every_op() {
    let (image, hint) = (tensor(&[2, 3, 12, 12], 3), tensor(&[2, 2, 12, 12], 4));
    same(("tests/suite/exported/ops.arch", "Ops"), &[("image", image.clone()), ("hint", hint.clone())], |vb| {
        let net = ops_rs::Ops::new(vb)?;
        let (image, hint) = (image.clone(), hint.clone());
        Ok(Box::new(move |train| {
            let (small, logits) = net.forward_t(&image, &hint, train)?;
            Ok(vec![small, logits])
        }))
    });
}

/// Names that Rust, candle or the file itself needs.
#[test]
fn names_that_are_taken() {
    let (one, two) = (tensor(&[2, 4, 8, 8], 5), tensor(&[2, 4, 8, 8], 6));
    same(("tests/suite/exported/names.arch", "F"), &[("lambda", one.clone()), ("class", two.clone())], |vb| {
        let net = names_rs::F::new(vb)?;
        let (one, two) = (one.clone(), two.clone());
        Ok(Box::new(move |train| Ok(vec![net.forward_t(&one, &two, train)?])))
    });
}

#[test]
fn the_sources_in_these_tests_are_what_is_exported() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/exported");
    let all = [
        ("examples/digits.arch", "Digits", "digits.inc"),
        ("examples/highway.arch", "Highway50", "highway.inc"),
        ("tests/suite/exported/ops.arch", "Ops", "ops.inc"),
        ("tests/suite/exported/names.arch", "F", "names.inc"),
    ];
    for (file, model, kept) in all {
        let compiled = compiled(file, model);
        let text = rust::source(compiled.network.as_ref().unwrap(), &docs(&compiled.program));
        let path = folder.join(kept);
        if std::env::var("INSTA_UPDATE").is_ok_and(|v| v == "always") {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap() == text,
            "{kept} is old: INSTA_UPDATE=always cargo test exports::bits"
        );
    }
}
