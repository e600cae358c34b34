//! Matrix products through the `gemm` crate, with bounds checked at the door.

use super::elem::Elem;
use gemm::Parallelism;

/// A matrix to read: elements of a slice, with a stride for each axis.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a, E> {
    data: &'a [E],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, E> Mat<'a, E> {
    /// A matrix whose row `i` starts at `i·row_stride`, its elements side by side.
    pub fn new(data: &'a [E], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(data.len() >= extent(rows, cols, row_stride, 1), "a matrix lies inside its slice");
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The same elements with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }
}

/// Elements that a strided matrix spans.
fn extent(rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> usize {
    if rows == 0 || cols == 0 { 0 } else { (rows - 1) * row_stride + (cols - 1) * col_stride + 1 }
}

/// Whether a product may use several threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The calling thread only.
    One,
    /// All of rayon's.
    All,
}

/// `c = a·b`, or `c += a·b` where `accumulate`; row `i` of `c` starts at `i·row_stride`.
///
/// # Panics
/// Where sizes do not agree or `c` does not fit.
pub fn gemm<E: Elem>(c: &mut [E], row_stride: usize, accumulate: bool, a: Mat<E>, b: Mat<E>, threads: Threads) {
    assert!(c.len() >= extent(a.rows, b.cols, row_stride, 1), "the product lies inside its slice");
    assert!(row_stride >= b.cols || a.rows <= 1, "rows of the product do not overlap");
    // SAFETY: `c` is large enough, by the assertion.
    unsafe { gemm_into(c.as_mut_ptr(), row_stride, accumulate, a, b, threads) }
}

/// [`gemm()`] into memory given by its address, for tasks that own columns of a shared matrix.
///
/// # Panics
/// Where sizes do not agree.
///
/// # Safety
/// The `a.rows` rows of `b.cols` elements at `c` are writable and no one else uses them meanwhile.
pub unsafe fn gemm_into<E: Elem>(
    c: *mut E,
    row_stride: usize,
    accumulate: bool,
    a: Mat<E>,
    b: Mat<E>,
    threads: Threads,
) {
    assert_eq!(a.cols, b.rows, "inner sizes agree");
    if a.rows == 0 || b.cols == 0 {
        return;
    }
    let parallelism = match threads {
        Threads::One => Parallelism::None,
        Threads::All => Parallelism::Rayon(0),
    };
    // SAFETY: `a` and `b` lie inside their slices by construction, `c` by the caller's promise; the
    // element type is `f32` or `f64`, which the crate knows.
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            c,
            1,
            row_stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            E::ONE,
            E::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_views() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0f64]; // 2×3
        let b = [1.0, 0.0, 9.0, 2.0, 1.0, 9.0, 0.0, 3.0, 9.0f64]; // 3×2 in rows of 3
        let mut c = [10.0; 4];
        gemm(&mut c, 2, true, Mat::new(&a, 2, 3, 3), Mat::new(&b, 3, 2, 3), Threads::One);
        assert_eq!(c, [15.0, 21.0, 24.0, 33.0]);
        let mut t = [0.0; 9];
        gemm(&mut t, 3, false, Mat::new(&a, 2, 3, 3).transposed(), Mat::new(&a, 2, 3, 3), Threads::All);
        assert_eq!(t, [17.0, 22.0, 27.0, 22.0, 29.0, 36.0, 27.0, 36.0, 45.0]);
    }
}
