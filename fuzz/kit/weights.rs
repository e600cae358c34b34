//! Checkpoints.

use super::{Place, Seed, Verdict, refused};
use archc::elaborate::compile_text;
use archc::weights::{Fit, Numbers};
use archc::{Network, Options};

/// The network that the checkpoints of `tests/parity/weights` are of.
const NET: &str = "
model Net {
    input image [N, 1, 4, 4]
    conv(2, 3, stride=2, bias=false) -> bn: batch_norm -> flatten
    fc: linear(3)
}
";

/// Weights of that network.
pub fn own() -> Option<Vec<u8>> {
    use safetensors::tensor::{Dtype, TensorView, serialize};
    let compiled = compile_text("net.arch", NET, &Options::default());
    let network = compiled.network.as_ref()?;
    let params = network.graph.named_params();
    let zeros = |dims: &[usize]| vec![0u8; 4 * dims.iter().product::<usize>()];
    let held: Vec<_> = params.iter().map(|(path, spec)| (path, &spec.dims, zeros(&spec.dims))).collect();
    let views = held
        .iter()
        .map(|(path, dims, data)| Some((path.as_str(), TensorView::new(Dtype::F32, dims.to_vec(), data).ok()?)));
    serialize(views.collect::<Option<Vec<_>>>()?, None).ok()
}

/// Loads a checkpoint, and reads every number of what was loaded.
pub fn load(place: &Place, seed: &Seed, bytes: &[u8]) -> Verdict {
    let compiled = compile_text("net.arch", NET, &Options::default());
    let network = compiled.network.as_ref().ok_or("the network of the checkpoints does not compile")?;
    let path = place.folder.join(&seed.name);
    std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
    for fit in [Fit::Strict, Fit::Partial] {
        read(network, &path, fit)?;
    }
    Ok(())
}

fn read(network: &Network, path: &std::path::Path, fit: Fit) -> Verdict {
    let (numbers, report) = match Numbers::load(network, path, fit, 1) {
        Ok(loaded) => loaded,
        Err(error) => return refused(&error),
    };
    refused(&report.diagnostic())?;
    for (path, spec) in network.graph.named_params() {
        let values = numbers.get(&path).ok_or_else(|| format!("`{path}` was loaded, and has no numbers"))?;
        if values.len() as u64 != spec.elements() {
            return Err(format!("`{path}` was loaded with {} numbers for {:?}", values.len(), spec.dims));
        }
    }
    Ok(())
}
