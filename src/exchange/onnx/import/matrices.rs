//! Products with constant matrices: two of them, of means, are an adaptive pool.

use super::fold_places::transposed;
use super::item::{Kind, Raw};
use super::lift::Lift;
use super::operators::Made;
use super::tensor::Tensor;
use crate::ops::pool::AdaptiveAvgPool;
use std::rc::Rc;

impl Lift<'_> {
    pub(super) fn times_left(&mut self, x: usize, matrix: Rc<Tensor>) -> Made {
        let mut dims = self.items[x].dims.clone();
        let place = dims.len().checked_sub(2).ok_or("has too few axes")?;
        if matrix.dims[1] != dims[place] {
            return Err("multiplies a matrix that does not fit".into());
        }
        dims[place] = matrix.dims[0];
        Ok(self.raw(Raw::Left(matrix), x, dims))
    }

    /// After a matrix from the left, both of means: an adaptive pool.
    pub(super) fn times_right(&mut self, x: usize, matrix: Rc<Tensor>) -> Made {
        let item = self.items[x].clone();
        let mut dims = item.dims.clone();
        let &[from, to] = matrix.dims.as_slice() else { return Err("multiplies no matrix".into()) };
        if dims.last() != Some(&from) {
            return Err("multiplies a matrix that does not fit".into());
        }
        let turned = transposed(&matrix, from, to);
        if dims.len() == 3 && are_means(&turned) {
            return self.layer(AdaptiveAvgPool { size: vec![to] }, vec![x], Vec::new());
        }
        if let Kind::Raw(Raw::Left(rows)) = &item.kind
            && dims.len() == 4
            && are_means(rows)
            && are_means(&turned)
        {
            let size = vec![rows.dims[0], to];
            return self.layer(AdaptiveAvgPool { size }, vec![item.inputs[0]], Vec::new());
        }
        let last = dims.len() - 1;
        dims[last] = to;
        Ok(self.raw(Raw::Right, x, dims))
    }
}

/// Whether row i holds 1/n over the window [⌊i·in/out⌋, ⌈(i + 1)·in/out⌉), up to rounding: of 1/n, a hundred-thousandth.
fn are_means(matrix: &Tensor) -> bool {
    let &[to, from] = matrix.dims.as_slice() else { return false };
    let values = matrix.floats();
    (0..to).all(|i| {
        let window = i * from / to..((i + 1) * from).div_ceil(to);
        let share = 1.0 / window.len().max(1) as f32;
        (0..from).all(|j| {
            let wanted = if window.contains(&j) { share } else { 0.0 };
            values.get(i * from + j).is_some_and(|v| (v - wanted).abs() <= 1e-5 * share)
        })
    })
}
