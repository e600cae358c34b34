//! Do these tensors fit the inputs as declared? What values do the free sizes get?

use super::error::{Error, Result};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, codes};
use crate::elaborate::InputDecl;
use candle_core::{DType, Tensor};
use std::collections::BTreeMap;

/// Values of the free sizes, by name, without the batch.
pub type Sizes = BTreeMap<String, usize>;

/// Puts tensors in the order of the inputs, and binds the free sizes.
///
/// # Errors
/// `E0902` where a tensor is missing, unknown, of another type, or has axes that do not fit.
pub(super) fn bind(decls: &[InputDecl], given: &[(&str, &Tensor)], dtype: DType) -> Result<(Vec<Tensor>, Sizes)> {
    refuse_strangers(decls, given)?;
    let mut sizes = Sizes::new();
    let mut batch = None;
    let mut tensors = Vec::with_capacity(decls.len());
    for decl in decls {
        let found = given.iter().find(|(name, _)| *name == decl.name);
        let (_, tensor) = found.ok_or_else(|| unfit(decl, "is not given"))?;
        if tensor.dtype() != dtype {
            let (found, want) = (tensor.dtype().as_str(), dtype.as_str());
            return Err(unfit(decl, &format!("is of type {found}, and the network computes in {want}")));
        }
        bind_axes(decl, tensor.dims(), &mut batch, &mut sizes)?;
        tensors.push((*tensor).clone());
    }
    Ok((tensors, sizes))
}

fn refuse_strangers(decls: &[InputDecl], given: &[(&str, &Tensor)]) -> Result<()> {
    let names = || decls.iter().map(|decl| decl.name.as_str());
    let Some((stranger, _)) = given.iter().find(|(name, _)| !names().any(|n| n == *name)) else {
        return Ok(());
    };
    let diagnostic = Diagnostic::new(codes::INPUT_UNFIT, format!("there is no input named `{stranger}`"));
    let help = match nearest(stranger, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the inputs are {}", names().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")),
    };
    Err(diagnostic.help(help).into())
}

fn bind_axes(decl: &InputDecl, dims: &[usize], batch: &mut Option<usize>, sizes: &mut Sizes) -> Result<()> {
    if dims.len() != decl.dims.len() {
        return Err(unfit(decl, &format!("is {dims:?}, want {}", declared(decl))));
    }
    if dims.contains(&0) {
        return Err(unfit(decl, &format!("is {dims:?}, which holds nothing")));
    }
    if *batch.get_or_insert(dims[0]) != dims[0] {
        return Err(unfit(decl, &format!("has a batch of {}, another input one of {}", dims[0], batch.unwrap_or(0))));
    }
    for (&size, (name, planned)) in dims.iter().zip(&decl.dims).skip(1) {
        match (name, planned) {
            (Some(name), _) => {
                let bound = *sizes.entry(name.clone()).or_insert(size);
                if bound != size {
                    return Err(unfit(decl, &format!("has `{name}` = {size}, another axis of that name has {bound}")));
                }
            }
            (None, Some(planned)) if *planned != size => {
                return Err(unfit(decl, &format!("is {dims:?}, want {}", declared(decl))));
            }
            _ => {}
        }
    }
    Ok(())
}

fn unfit(decl: &InputDecl, fact: &str) -> Error {
    Error::new(codes::INPUT_UNFIT, format!("the input `{}` {fact}", decl.name))
}

/// `[N, 3, H=224, W=224]`, as the file has it.
fn declared(decl: &InputDecl) -> String {
    let axis = |(name, size): &(Option<String>, Option<usize>)| match (name, size) {
        (Some(name), Some(size)) => format!("{name}={size}"),
        (Some(name), None) => name.clone(),
        (None, size) => size.map_or("?".into(), |size| size.to_string()),
    };
    format!("[{}]", decl.dims.iter().map(axis).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn decl(name: &str, channels: usize) -> InputDecl {
        let named = |n: &str, size| (Some(n.to_string()), size);
        InputDecl {
            name: name.into(),
            dims: vec![named("N", None), (None, Some(channels)), named("H", Some(8)), named("W", Some(8))],
        }
    }

    fn zeros(dims: &[usize]) -> Tensor {
        Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap()
    }

    fn message(decls: &[InputDecl], given: &[(&str, &Tensor)]) -> String {
        bind(decls, given, DType::F32).unwrap_err().to_string()
    }

    #[test]
    fn free_sizes_take_what_is_given() {
        let image = zeros(&[2, 3, 10, 12]);
        let (tensors, sizes) = bind(&[decl("image", 3)], &[("image", &image)], DType::F32).unwrap();
        assert_eq!(tensors.len(), 1);
        assert_eq!(sizes, Sizes::from([("H".into(), 10), ("W".into(), 12)]));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let (image, half) = (zeros(&[2, 3, 10, 12]), zeros(&[2, 3, 10, 12]).to_dtype(DType::F64).unwrap());
        let one = [decl("image", 3)];
        assert!(message(&one, &[("imag", &image)]).contains("did you mean `image`"));
        assert!(message(&one, &[]).contains("is not given"));
        assert!(message(&one, &[("image", &half)]).contains("f64"));
        assert!(message(&one, &[("image", &zeros(&[2, 4, 8, 8]))]).contains("want [N, 3, H=8, W=8]"));
        assert!(message(&one, &[("image", &zeros(&[3, 8, 8]))]).contains("want [N, 3, H=8, W=8]"));
        assert!(message(&one, &[("image", &zeros(&[0, 3, 8, 8]))]).contains("holds nothing"));
        let two = [decl("image", 3), decl("mask", 1)];
        let (mask, other) = (zeros(&[2, 1, 9, 12]), zeros(&[3, 1, 10, 12]));
        assert!(message(&two, &[("image", &image), ("mask", &mask)]).contains("`H` = 9"));
        assert!(message(&two, &[("image", &image), ("mask", &other)]).contains("batch of 3"));
    }
}
