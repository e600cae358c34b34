//! Networks said in other languages, read from ONNX, and run.

use super::front::{compiled, networks, options};
use super::{Place, Seed, Verdict, refused};
use archc::analysis::cost::cost;
use archc::base::{FileId, Limits};
use archc::elaborate::{Compiled, compile_text};
use archc::engine::{Input, SessionOptions};
use archc::exchange::onnx::export::export as to_onnx;
use archc::exchange::onnx::import::{ImportOptions, import as from_onnx};
use archc::exchange::{arch, classes, pytorch, rust};
use archc::lower::ParamStore;
use archc::weights::Numbers;
use archc::{Network, Options};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Multiply-accumulates, and elements of parameters, from which a network is not computed with.
const MUCH: u64 = 2_000_000;

/// How far the engine and the module may be apart, relative to the largest output.
const NEAR: f32 = 1e-3;

/// Whether a network is computed within milliseconds.
fn is_small(network: &Network) -> bool {
    let cost = cost(&network.graph);
    network.graph.len() <= 200 && cost.nodes.macs <= MUCH && cost.weight_bytes + cost.run_bytes <= MUCH
}

/// Every form that `export` writes; the flat form must compile, and our own ONNX files come in again.
pub fn export(place: &Place, _: &Seed, bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let all = compiled(text);
    for (one, network) in networks(&all) {
        let docs = classes::docs(&one.program);
        pytorch::source(network, &docs);
        rust::source(network, &docs);
        match arch::flat(network) {
            Ok(flat) => comes_back(network, &flat)?,
            Err(error) => refused(&error)?,
        }
        if is_small(network) {
            through_onnx(place, one, network)?;
        }
    }
    Ok(())
}

/// The flat form is a text in canonical style that gives a network of the same parameters.
fn comes_back(network: &Network, flat: &str) -> Verdict {
    let again = compile_text("flat.arch", flat, &options());
    let Some(same) = &again.network else {
        let why = again.diagnostics.iter().next().map(|d| format!("{}: {}", d.code, d.message)).unwrap_or_default();
        return Err(format!("the flat form does not compile: {why}"));
    };
    let sizes =
        |network: &Network| network.graph.named_params().into_iter().map(|(_, spec)| spec.dims).collect::<Vec<_>>();
    if sizes(network) != sizes(same) {
        return Err("the flat form has other parameters".into());
    }
    match archc::tools::format::format(FileId(0), flat, &Limits::default()) {
        Ok(styled) if styled == flat => Ok(()),
        _ => Err("the flat form is not in canonical style".into()),
    }
}

fn through_onnx(place: &Place, one: &Compiled, network: &Network) -> Verdict {
    let exported = match to_onnx(one, network, &Numbers::seeded(network, 1)) {
        Ok(exported) => exported,
        Err(error) => return refused(&error),
    };
    import(place, &Seed::new("own.onnx", Vec::new()), &exported.bytes)
}

/// Reads an ONNX file.
pub fn import(place: &Place, _: &Seed, bytes: &[u8]) -> Verdict {
    let path = place.folder.join("model.onnx");
    std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
    match from_onnx(&path, &ImportOptions::default()) {
        Ok(imported) => {
            let again = compile_text("imported.arch", &imported.text, &Options::default());
            if again.network.is_some() { Ok(()) } else { Err("what was imported does not compile".into()) }
        }
        Err(error) => refused(&error),
    }
}

/// Runs small networks by the engine and by the module, which must agree.
pub fn run(_: &Place, _: &Seed, bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let all = compiled(text);
    for (one, network) in networks(&all).filter(|(_, network)| is_small(network)) {
        let inputs = inputs(network);
        let Some(planned) = by_plan(one, network, &inputs)? else { continue };
        let Some(lowered) = by_module(one, network, &inputs)? else { continue };
        for (name, numbers) in &planned {
            let Some(others) = lowered.get(name) else { return Err(format!("the module gives no `{name}`")) };
            alike(name, numbers, others)?;
        }
    }
    Ok(())
}

/// A sound number for each place of each input, two samples of each.
fn inputs(network: &Network) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let number = |i: usize| ((i * 37 % 101) as f32 - 50.0) / 25.0;
    let one = |&id| {
        let node = network.graph.node(id);
        let dims = node.shape.with_batch(2);
        let data = (0..dims.iter().product()).map(number).collect();
        (node.path.clone(), dims, data)
    };
    network.graph.inputs.iter().map(one).collect()
}

type Values = BTreeMap<String, Vec<f32>>;

fn by_plan(
    one: &Compiled,
    network: &Network,
    inputs: &[(String, Vec<usize>, Vec<f32>)],
) -> Result<Option<Values>, String> {
    let options = SessionOptions { threads: Some(1), ..SessionOptions::default() };
    let session = one.session(Arc::new(Numbers::seeded(network, 1)), options);
    let mut session = match session {
        Ok(session) => session,
        Err(error) => return refused(&error).map(|()| None),
    };
    let given: Vec<Input> = inputs.iter().map(|(name, dims, data)| Input { name, dims, data }).collect();
    match session.run(&given) {
        Ok(outputs) => Ok(Some(outputs.iter().map(|o| (o.name.to_string(), o.to_vec())).collect())),
        Err(error) => refused(&error).map(|()| None),
    }
}

fn by_module<'a>(
    one: &Compiled,
    network: &Network,
    inputs: &'a [(String, Vec<usize>, Vec<f32>)],
) -> Result<Option<Values>, String> {
    let run = || -> archc::lower::Result<Values> {
        let store = ParamStore::new(network, 1, DType::F32, &Device::Cpu)?;
        let module = one.lower(store.var_builder())?;
        let tensor = |(name, dims, data): &'a (String, Vec<usize>, Vec<f32>)| {
            Ok((name.as_str(), Tensor::from_slice(data, dims.as_slice(), &Device::Cpu)?))
        };
        let given = inputs.iter().map(tensor).collect::<archc::lower::Result<Vec<_>>>()?;
        let given: Vec<(&str, &Tensor)> = given.iter().map(|(name, tensor)| (*name, tensor)).collect();
        let outputs = module.forward_all(&given, false)?;
        outputs.into_iter().map(|(name, value)| Ok((name, value.flatten_all()?.to_vec1()?))).collect()
    };
    match run() {
        Ok(values) => Ok(Some(values)),
        Err(error) => {
            let error = error.into_diagnostic();
            refused(&error)?;
            Err(format!("the engine runs it, and the module does not: {}", error.message))
        }
    }
}

fn alike(name: &str, a: &[f32], b: &[f32]) -> Verdict {
    if a.len() != b.len() {
        return Err(format!("`{name}` has {} numbers by the plan, {} by the module", a.len(), b.len()));
    }
    let largest = a.iter().chain(b).filter(|v| v.is_finite()).fold(1e-3f32, |m, v| m.max(v.abs()));
    let apart = |(x, y): (&f32, &f32)| x.is_finite() && y.is_finite() && (x - y).abs() > NEAR * largest;
    match a.iter().zip(b).position(apart) {
        Some(at) => Err(format!("`{name}` is {} by the plan, {} by the module, at {at}", a[at], b[at])),
        None => Ok(()),
    }
}
