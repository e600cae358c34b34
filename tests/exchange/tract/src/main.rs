//! `archc-tract MODEL.onnx IN.safetensors OUT.safetensors`: runs a model in tract at the inputs' sizes.

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::error::Error;
use tract_onnx::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, model, input, output] = args.as_slice() else {
        return Err("usage: archc-tract MODEL.onnx IN.safetensors OUT.safetensors".into());
    };
    let bytes = std::fs::read(input)?;
    let tensors = SafeTensors::deserialize(&bytes)?;
    let mut model = tract_onnx::onnx().model_for_path(model)?;
    let names: Vec<String> =
        model.input_outlets()?.to_vec().iter().map(|outlet| model.node(outlet.node).name.clone()).collect();
    let mut inputs: TVec<TValue> = tvec!();
    for (i, name) in names.iter().enumerate() {
        let view = tensors.tensor(name)?;
        model.set_input_fact(i, f32::fact(view.shape()).into())?;
        let values: Vec<f32> = view.data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        inputs.push(Tensor::from_shape(view.shape(), &values)?.into());
    }
    let outlets = model.output_outlets()?.to_vec();
    let labels: Vec<String> = outlets
        .iter()
        .map(|outlet| model.outlet_label(*outlet).map_or_else(|| model.node(outlet.node).name.clone(), String::from))
        .collect();
    let results = model.into_optimized()?.into_runnable()?.run(inputs)?;
    let mut stored = Vec::new();
    for (label, result) in labels.iter().zip(&results) {
        let array = result.to_plain_array_view::<f32>()?;
        let bytes: Vec<u8> = array.iter().flat_map(|v| v.to_le_bytes()).collect();
        stored.push((label.clone(), array.shape().to_vec(), bytes));
    }
    let views = stored.iter().map(|(label, shape, bytes)| Ok((label, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    std::fs::write(output, serialize(views, None)?)?;
    Ok(())
}
