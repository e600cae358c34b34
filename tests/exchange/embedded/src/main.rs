//! Makes the network of `digits.arch` and runs it.

use candle_core::{DType, Device, Tensor};
use candle_nn::{ModuleT, VarBuilder, VarMap};

mod digits {
    include!(concat!(env!("OUT_DIR"), "/digits.rs"));
}

fn main() -> candle_core::Result<()> {
    let parameters = VarMap::new();
    let vb = VarBuilder::from_varmap(&parameters, DType::F32, &Device::Cpu);
    let net = digits::Digits::new(vb)?;
    let images = Tensor::zeros((2, 1, 8, 8), DType::F32, &Device::Cpu)?;
    println!("{:?}", net.forward_t(&images, false)?.dims());
    Ok(())
}
