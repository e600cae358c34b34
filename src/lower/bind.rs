//! Do these tensors fit the inputs as declared?

use super::error::Result;
use crate::elaborate::InputDecl;
use crate::engine::{Sizes, bind as by_size, unfit};
use candle_core::{DType, Tensor};

/// Puts tensors in the order of the inputs, and binds the free sizes.
///
/// # Errors
/// `E0902` where a tensor is missing, unknown, of another type, or has axes that do not fit.
pub(super) fn bind(decls: &[InputDecl], given: &[(&str, &Tensor)], dtype: DType) -> Result<(Vec<Tensor>, Sizes)> {
    let sizes: Vec<(&str, &[usize])> = given.iter().map(|(name, tensor)| (*name, tensor.dims())).collect();
    let bound = by_size(decls, &sizes)?;
    let mut tensors = Vec::with_capacity(decls.len());
    for (decl, &position) in decls.iter().zip(&bound.order) {
        let tensor = given[position].1;
        if tensor.dtype() != dtype {
            let (found, want) = (tensor.dtype().as_str(), dtype.as_str());
            return Err(unfit(decl, &format!("is of type {found}, and the network computes in {want}")).into());
        }
        tensors.push(tensor.clone());
    }
    Ok((tensors, bound.sizes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn tensors_of_another_type_are_refused() {
        let dims = vec![(Some("N".to_string()), None), (None, Some(3))];
        let decl = InputDecl { name: "x".into(), dims };
        let zeros = |dtype| Tensor::zeros((2, 3), dtype, &Device::Cpu).unwrap();
        let (tensors, _) = bind(std::slice::from_ref(&decl), &[("x", &zeros(DType::F32))], DType::F32).unwrap();
        assert_eq!(tensors.len(), 1);
        let error = bind(&[decl], &[("x", &zeros(DType::F64))], DType::F32).unwrap_err();
        assert!(error.to_string().contains("f64"), "{error}");
    }
}
