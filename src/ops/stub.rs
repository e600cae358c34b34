//! Placeholder rules, to be replaced file by file.
use super::*;
macro_rules! stub { ($($t:ty,)*) => { $(impl Layer for $t {
    fn kind(&self) -> &'static str { "stub" }
    fn infer(&self, i: &[&Shape]) -> Result<Shape, ShapeError> { Ok(i[0].clone()) }
    fn params(&self, _: &[&Shape]) -> Vec<ParamSpec> { vec![] }
    fn macs(&self, _: &[&Shape], _: &Shape) -> u64 { 0 }
    fn field(&self, _: &[&Shape]) -> Field { Field::Pointwise }
    fn in_place(&self) -> &'static [usize] { &[] }
    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved { Saved::default() }
    fn detail(&self) -> String { String::new() }
})* } }
stub! { structure::Input, conv::Conv, conv::ConvTranspose, linear::Linear, linear::Scale, norm::BatchNorm, norm::GroupNorm, norm::LayerNorm, norm::InstanceNorm, activation::Activation, activation::Prelu, activation::Softmax, pool::MaxPool, pool::AvgPool, pool::GlobalPool, pool::AdaptiveAvgPool, resize::Upsample, resize::Pad, resize::Crop, resize::CropLike, resize::PadLike, resize::ZeroPad, structure::Dropout, structure::Flatten, structure::Reshape, structure::Identity, merge::Add, merge::Concat, merge::Mul, merge::Gate, }
