//! The one integration-test binary.

#[cfg(feature = "cli")]
mod cli;
mod corpus;
#[cfg(feature = "data")]
mod data;
#[cfg(feature = "data")]
mod data_hostile;
#[cfg(feature = "data")]
mod data_images;
#[cfg(feature = "data")]
mod data_tensor_io;
#[cfg(feature = "data")]
mod data_tensors;
mod docs;
mod elaborate;
#[cfg(feature = "candle")]
mod engine;
mod error_pages;
mod executed;
mod hostile;
mod layers;
mod mutation;
#[cfg(feature = "candle")]
mod nn;
#[cfg(feature = "candle")]
mod parity;
mod plan;
mod scale;
mod tools;
#[cfg(feature = "candle")]
mod torchvision;
#[cfg(feature = "candle")]
mod training;
mod ui;
mod zoo;
