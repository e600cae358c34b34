//! Networks in the words of other tools.

mod arch;
#[cfg(feature = "candle")]
mod bits;
mod build;
#[cfg(feature = "onnx")]
mod onnx;
mod pytorch;
mod rust;

use archc::elaborate::{Network, Options, compile};
use std::collections::BTreeMap;
use std::path::Path;

/// Examples whose exports are kept as snapshots.
pub const SHOWN: [(&str, &str); 8] = [
    ("resnet.arch", "ResNet18"),
    ("densenet.arch", "DenseNet40"),
    ("unet.arch", "UNet"),
    ("highway.arch", "Highway50"),
    ("senet.arch", "SEResNet50"),
    ("inception.arch", "GoogLeNet"),
    ("canvas.arch", "Canvas"),
    ("digits.arch", "Digits"),
];

/// A model of an example file.
pub fn example(file: &str, model: &str) -> Network {
    example_with_docs(file, model).0
}

/// A model of an example file, and what its blocks are for.
pub fn example_with_docs(file: &str, model: &str) -> (Network, BTreeMap<String, String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file);
    let compiled = compile(&path, &Options { model: Some(model.into()), ..Options::default() });
    let docs = archc::exchange::classes::docs(&compiled.program);
    (compiled.network.unwrap_or_else(|| panic!("{file}: {model}: {:?}", compiled.diagnostics)), docs)
}
