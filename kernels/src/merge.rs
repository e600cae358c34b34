//! Where values meet: products with stretched sizes, gates, and channels side by side.

use super::elem::Elem;
use super::parallel::pieces;

/// Neighbouring axes that two operands stretch alike, made one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    size: usize,
    /// Steps of the operands; 0 where one is stretched.
    steps: [usize; 2],
}

/// How two operands of equal rank meet, sizes of 1 stretched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    axes: Vec<Axis>,
    /// Elements of the operands.
    lens: [usize; 2],
}

impl Broadcast {
    /// From the operands' sizes; `None` where they do not agree.
    pub fn new(a: &[usize], b: &[usize]) -> Option<Self> {
        if a.len() != b.len() || a.iter().zip(b).any(|(&a, &b)| a != b && a != 1 && b != 1) {
            return None;
        }
        let mut axes: Vec<Axis> = vec![];
        let mut lens = [1, 1];
        // From the last axis on: `lens` are the strides so far.
        for (&a, &b) in a.iter().zip(b).rev() {
            let size = if a == 1 { b } else { a };
            let steps = [if a == size { lens[0] } else { 0 }, if b == size { lens[1] } else { 0 }];
            lens = [lens[0] * a, lens[1] * b];
            match axes.last_mut() {
                _ if size == 1 => {}
                Some(last) if steps == last.steps.map(|s| s * last.size) => last.size *= size,
                _ => axes.push(Axis { size, steps }),
            }
        }
        if axes.is_empty() {
            axes.push(Axis { size: 1, steps: [1, 1] });
        }
        axes.reverse();
        Some(Self { axes, lens })
    }

    /// The result's elements.
    pub fn elements(&self) -> usize {
        self.axes.iter().map(|a| a.size).product()
    }

    /// The innermost axis, and how many rows of it there are.
    fn inner(&self) -> (Axis, usize) {
        let (last, outer) = self.axes.split_last().expect("there is one axis at least");
        (*last, outer.iter().map(|a| a.size).product())
    }

    /// Where row `i` starts in each operand.
    fn starts(&self, mut row: usize) -> [usize; 2] {
        let mut starts = [0, 0];
        for axis in self.axes[..self.axes.len() - 1].iter().rev() {
            let at = row % axis.size;
            row /= axis.size;
            starts = [starts[0] + at * axis.steps[0], starts[1] + at * axis.steps[1]];
        }
        starts
    }
}

/// `y = a·b`
pub fn mul<E: Elem>(shape: &Broadcast, a: &[E], b: &[E], y: &mut [E]) {
    assert!([a.len(), b.len()] == shape.lens && y.len() == shape.elements(), "operands fit the sizes");
    let (inner, _) = shape.inner();
    pieces(y, inner.size, |row, y| {
        let [i, j] = shape.starts(row);
        match inner.steps {
            [0, _] => y.iter_mut().zip(&b[j..]).for_each(|(y, &b)| *y = a[i] * b),
            [_, 0] => y.iter_mut().zip(&a[i..]).for_each(|(y, &a)| *y = a * b[j]),
            _ => y.iter_mut().zip(a[i..].iter().zip(&b[j..])).for_each(|(y, (&a, &b))| *y = a * b),
        }
    });
}

/// The gradient of operand `which` of [`mul`], given the other: `dy·other`, summed where it was stretched.
pub fn mul_grad<E: Elem>(shape: &Broadcast, which: usize, other: &[E], dy: &[E], dx: &mut [E]) {
    assert!(dx.len() == shape.lens[which] && other.len() == shape.lens[1 - which], "operands fit the sizes");
    let (inner, rows) = shape.inner();
    let mut sums = vec![0.0; dx.len()];
    for row in 0..rows {
        let starts = shape.starts(row);
        let (to, from) = (starts[which], starts[1 - which]);
        let dy = &dy[row * inner.size..][..inner.size];
        let (own, step) = (inner.steps[which], inner.steps[1 - which]);
        let products = dy.iter().enumerate().map(|(k, &g)| (g * other[from + k * step]).to_f64());
        if own == 0 {
            sums[to] += products.sum::<f64>();
        } else {
            sums[to..to + inner.size].iter_mut().zip(products).for_each(|(s, p)| *s += p);
        }
    }
    dx.iter_mut().zip(sums).for_each(|(d, s)| *d = E::from_f64(s));
}

/// Elements that a task takes.
const PIECE: usize = 1 << 14;

/// `y = σ(t)·r + (1 − σ(t))·s`
pub fn gate<E: Elem>(s: &[E], r: &[E], t: &[E], y: &mut [E]) {
    assert!(s.len() == y.len() && r.len() == y.len() && t.len() == y.len(), "operands are equally long");
    pieces(y, PIECE, |i, y| {
        let from = i * PIECE;
        for (k, y) in y.iter_mut().enumerate() {
            let open = t[from + k].sigmoid();
            *y = open * r[from + k] + (E::ONE - open) * s[from + k];
        }
    });
}

/// The gradients of [`gate`]'s operands `s`, `r` and `t`.
pub fn gate_grad<E: Elem>([s, r, t]: [&[E]; 3], dy: &[E], [ds, dr, dt]: [&mut [E]; 3]) {
    for i in 0..dy.len() {
        let open = t[i].sigmoid();
        ds[i] = dy[i] * (E::ONE - open);
        dr[i] = dy[i] * open;
        dt[i] = dy[i] * (r[i] - s[i]) * open * (E::ONE - open);
    }
}

/// Puts the operands' samples side by side; `sizes` are the elements of a sample of each.
pub fn concat<E: Elem>(sizes: &[usize], operands: &[&[E]], y: &mut [E]) {
    let total: usize = sizes.iter().sum();
    pieces(y, total.max(1), |n, mut y| {
        for (&size, operand) in sizes.iter().zip(operands) {
            let (head, rest) = y.split_at_mut(size);
            head.copy_from_slice(&operand[n * size..][..size]);
            y = rest;
        }
    });
}

/// The gradient of an operand of [`concat()`]: `size` elements of each sample of `total`, from `start` on.
pub fn concat_grad<E: Elem>(total: usize, start: usize, size: usize, dy: &[E], dx: &mut [E]) {
    pieces(dx, size.max(1), |n, dx| dx.copy_from_slice(&dy[n * total + start..][..size]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, gradient_agrees, random};

    /// Straight from the definition, by index arithmetic over four axes.
    fn reference(da: [usize; 4], db: [usize; 4], a: &[f64], b: &[f64]) -> Vec<f64> {
        let out: Vec<usize> = (0..4).map(|i| da[i].max(db[i])).collect();
        let at = |d: [usize; 4], mut i: usize| {
            let (mut index, mut stride) = (0, 1);
            for k in (0..4).rev() {
                index += (i % out[k]).min(d[k] - 1) * stride;
                stride *= d[k];
                i /= out[k];
            }
            index
        };
        (0..out.iter().product()).map(|i| a[at(da, i)] * b[at(db, i)]).collect()
    }

    #[test]
    fn products_stretch_sizes_of_one() {
        let cases = [
            ([2, 3, 4, 5], [2, 3, 1, 1]),
            ([2, 3, 4, 5], [2, 3, 4, 5]),
            ([2, 3, 1, 1], [2, 3, 4, 5]),
            ([1, 3, 1, 5], [2, 1, 4, 1]),
            ([2, 3, 4, 5], [1, 3, 1, 1]),
            ([2, 1, 4, 5], [2, 3, 4, 5]),
            ([1, 1, 1, 1], [1, 1, 1, 1]),
        ];
        for (da, db) in cases {
            let shape = Broadcast::new(&da, &db).unwrap();
            let (a, b) = (random(da.iter().product(), 1), random(db.iter().product(), 2));
            let mut y = vec![0.0; shape.elements()];
            mul(&shape, &a, &b, &mut y);
            close(&y, &reference(da, db, &a, &b), 0.0);
            for (which, x) in [(0, &a), (1, &b)] {
                let forward = |x: &[f64]| if which == 0 { reference(da, db, x, &b) } else { reference(da, db, &a, x) };
                gradient_agrees(x, forward, |dy| {
                    let mut dx = vec![0.0; x.len()];
                    mul_grad(&shape, which, if which == 0 { &b } else { &a }, dy, &mut dx);
                    dx
                });
            }
        }
        assert_eq!(Broadcast::new(&[2, 3], &[2, 4]), None);
        assert_eq!(Broadcast::new(&[2, 3, 4, 5], &[2, 3, 1, 1]).unwrap().axes.len(), 2, "axes are joined");
    }

    #[test]
    fn gates_blend() {
        let (s, r, t) = (random(9, 1), random(9, 2), random(9, 3));
        let reference = |s: &[f64], r: &[f64], t: &[f64]| -> Vec<f64> {
            let open = |i: usize| 1.0 / (1.0 + (-t[i]).exp());
            (0..s.len()).map(|i| open(i) * r[i] + (1.0 - open(i)) * s[i]).collect()
        };
        let mut y = vec![0.0; 9];
        gate(&s, &r, &t, &mut y);
        close(&y, &reference(&s, &r, &t), 1e-14);
        let grads = |dy: &[f64]| {
            let mut d = [vec![0.0; 9], vec![0.0; 9], vec![0.0; 9]];
            let [ds, dr, dt] = &mut d;
            gate_grad([&s, &r, &t], dy, [ds, dr, dt]);
            d
        };
        gradient_agrees(&s, |s| reference(s, &r, &t), |dy| grads(dy)[0].clone());
        gradient_agrees(&r, |r| reference(&s, r, &t), |dy| grads(dy)[1].clone());
        gradient_agrees(&t, |t| reference(&s, &r, t), |dy| grads(dy)[2].clone());
    }

    #[test]
    fn concat_puts_samples_side_by_side() {
        let mut y = [0.0; 6];
        concat(&[1, 2], &[&[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0]], &mut y);
        assert_eq!(y, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
        let mut dx = [0.0; 4];
        concat_grad(3, 1, 2, &y, &mut dx);
        assert_eq!(dx, [3.0, 4.0, 5.0, 6.0]);
    }
}
