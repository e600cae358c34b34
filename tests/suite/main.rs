//! The one integration-test binary.

mod arguments;
#[cfg(feature = "charts")]
mod charts;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod colors;
mod corpus;
#[cfg(feature = "data")]
mod data;
#[cfg(feature = "cli")]
mod data_cli;
#[cfg(feature = "data")]
mod data_images;
#[cfg(feature = "data")]
mod data_layouts;
#[cfg(feature = "data")]
mod data_pictures;
#[cfg(feature = "data")]
mod data_tensor_io;
#[cfg(feature = "data")]
mod data_tensors;
mod diff;
mod docs;
#[cfg(feature = "editor")]
mod editor;
mod elaborate;
#[cfg(feature = "candle")]
mod engine;
mod error_pages;
mod every_op;
#[cfg(feature = "candle")]
mod executed;
mod exports;
mod format;
#[cfg(feature = "cli")]
mod help;
mod hostile;
#[cfg(feature = "cli")]
mod hostile_kinds;
mod layers;
mod mutation;
#[cfg(feature = "candle")]
mod nn;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "candle")]
mod opt;
#[cfg(feature = "kernels")]
mod outline;
mod pages;
#[cfg(feature = "candle")]
mod parity;
mod plan;
#[cfg(feature = "candle")]
mod precision;
#[cfg(feature = "cli")]
mod raised;
mod random;
#[cfg(feature = "candle")]
mod reference;
#[cfg(feature = "cli")]
mod report;
#[cfg(feature = "cli")]
mod run_many;
#[cfg(feature = "cli")]
mod run_pictures;
mod scale;
mod sketch;
#[cfg(feature = "cli")]
mod starter;
#[cfg(feature = "kernels")]
mod steady;
#[cfg(feature = "cli")]
mod study;
#[cfg(feature = "cli")]
mod study_cli;
#[cfg(feature = "cli")]
mod targets;
mod tools;
#[cfg(feature = "candle")]
mod torchvision;
#[cfg(feature = "candle")]
mod training;
mod ui;
#[cfg(feature = "cli")]
mod watch;
#[cfg(feature = "cli")]
mod weights;
mod zoo;
