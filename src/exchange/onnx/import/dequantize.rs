//! Weights that are stored as whole numbers with a scale.

use super::fold_places::axis;
use super::reader::{Read, Reader};
use super::tensor::Tensor;

/// `(x − zero point) · scale`, in all or along one axis.
///
/// # Errors
/// Where it is done in blocks, or operands do not fit.
pub fn fold(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let scale = node.weight(1, "scale")?;
    let zero = node.constant(2, "zero point")?;
    let along = if node.version >= 13 { node.int("axis", 1)? } else { 1 };
    if node.version >= 21 && node.int("block_size", 0)? != 0 {
        return Err("is scaled in blocks (`block_size`), which is not read".into());
    }
    if node.version >= 23 && !matches!(node.int("output_dtype", 0)?, 0 | 1) {
        return Err("gives another type than single precision (`output_dtype`)".into());
    }
    let (scales, values) = (scale.floats(), x.floats());
    let zeros = zero.as_ref().map(|zero| zero.floats());
    if zeros.as_ref().is_some_and(|zeros| zeros.len() != scales.len()) {
        return Err("has other zero points than scales".into());
    }
    let at: Box<dyn Fn(usize) -> usize> = match (scale.dims.as_slice(), axis(along, x.dims.len())) {
        ([] | [1], _) => Box::new(|_| 0),
        (&[n], Some(along)) if x.dims.get(along) == Some(&n) && n > 0 => {
            let inner = x.dims[along + 1..].iter().product::<usize>().max(1);
            Box::new(move |i| i / inner % n)
        }
        _ => return Err(format!("has scales {:?} for {:?}", scale.dims, x.dims).into()),
    };
    let value = |(i, v): (usize, &f32)| {
        let at = at(i);
        let zero = zeros.as_ref().map_or(Some(0.0), |zeros| zeros.get(at).copied())?;
        Some((v - zero) * scales.get(at)?)
    };
    let values: Option<Vec<f32>> = values.iter().enumerate().map(value).collect();
    Ok(values.map(|values| Tensor::floats_of(x.dims.clone(), values, &x.name)))
}
