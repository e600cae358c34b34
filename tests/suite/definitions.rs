//! What layers compute, in double precision and straight from the definitions.

use archc::ops::Op;
use archc::ops::activation::Activation;
use archc::ops::conv::{Conv, ConvTranspose};
use archc::ops::pool::{AvgPool, MaxPool};
use archc::ops::resize::{Interpolation, PadMode};
use archc::shape::Shape;

/// A value `[N, C, H, W]`, row-major; a sequence has one row, a vector one position.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub batch: usize,
    pub channels: usize,
    pub size: [usize; 2],
    pub numbers: Vec<f64>,
}

/// Two entries from one an axis; `one` stands for the missing first.
fn pair(sizes: &[usize], one: usize) -> [usize; 2] {
    match *sizes {
        [] => [one; 2],
        [length] => [one, length],
        [rows, cols, ..] => [rows, cols],
    }
}

impl Map {
    pub fn new(batch: usize, shape: &Shape, numbers: Vec<f64>) -> Self {
        let map = Self { batch, channels: shape.dims()[0], size: pair(shape.spatial(), 1), numbers };
        assert_eq!(map.numbers.len(), batch * map.channels * map.positions(), "{shape}");
        map
    }

    pub fn zeros(batch: usize, shape: &Shape) -> Self {
        Self::new(batch, shape, vec![0.0; batch * shape.elements().unwrap() as usize])
    }

    pub fn positions(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The positions of one channel of one sample.
    pub fn plane(&self, n: usize, c: usize) -> &[f64] {
        let start = (n * self.channels + c) * self.positions();
        &self.numbers[start..start + self.positions()]
    }

    pub fn plane_mut(&mut self, n: usize, c: usize) -> &mut [f64] {
        let (start, count) = ((n * self.channels + c) * self.positions(), self.positions());
        &mut self.numbers[start..start + count]
    }

    /// Sizes of 1 stretched.
    pub fn at(&self, n: usize, c: usize, [i, j]: [usize; 2]) -> f64 {
        let only = |index: usize, size: usize| if size == 1 { 0 } else { index };
        self.plane(n, only(c, self.channels))[only(i, self.size[0]) * self.size[1] + only(j, self.size[1])]
    }

    pub fn from_fn(batch: usize, shape: &Shape, f: impl Fn(usize, usize, [usize; 2]) -> f64) -> Self {
        let mut map = Self::zeros(batch, shape);
        let cols = map.size[1];
        for n in 0..batch {
            for c in 0..map.channels {
                map.plane_mut(n, c).iter_mut().enumerate().for_each(|(p, y)| *y = f(n, c, [p / cols, p % cols]));
            }
        }
        map
    }

    pub fn by_channel(mut self, f: impl Fn(usize, f64) -> f64) -> Self {
        for n in 0..self.batch {
            for c in 0..self.channels {
                self.plane_mut(n, c).iter_mut().for_each(|y| *y = f(c, *y));
            }
        }
        self
    }
}

pub fn by_factor(x: &Map, weight: &[f64], f: impl Fn(f64, f64) -> f64) -> Map {
    x.clone().by_channel(|c, x| f(weight[c % weight.len()], x))
}

pub fn normalise_groups(y: &mut Map, groups: usize, eps: f64) {
    let each = y.channels / groups * y.positions();
    y.numbers.chunks_mut(each).for_each(|group| normalise(group, eps));
}

pub fn normalise(numbers: &mut [f64], eps: f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let var = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    numbers.iter_mut().for_each(|x| *x = (*x - mean) / (var + eps).sqrt());
}

pub fn activate(f: &Activation, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let gate = |x: f64| (x + 3.0).clamp(0.0, 6.0) / 6.0;
    match *f {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu { slope } => {
            if x > 0.0 {
                x
            } else {
                slope * x
            }
        }
        Activation::Elu { alpha } => {
            if x > 0.0 {
                x
            } else {
                alpha * x.exp_m1()
            }
        }
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / 2f64.sqrt())),
        Activation::Silu => x * sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::HardSwish => x * gate(x),
        Activation::HardSigmoid => gate(x),
    }
}

/// The error function: its series near 0, the continued fraction of its complement elsewhere.
fn erf(x: f64) -> f64 {
    let y = x.abs();
    if y < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..80 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let fraction = (1..120).rev().fold(y, |fraction, k| y + f64::from(k) / 2.0 / fraction);
    (1.0 - (-y * y).exp() / fraction / std::f64::consts::PI.sqrt()).copysign(x)
}

pub fn softmax(x: &Map) -> Map {
    let mut y = x.clone();
    for (n, p) in (0..x.batch).flat_map(|n| (0..x.positions()).map(move |p| (n, p))) {
        let column = || (0..x.channels).map(|c| x.plane(n, c)[p]);
        let most = column().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = column().map(|x| (x - most).exp()).sum();
        (0..x.channels).for_each(|c| y.plane_mut(n, c)[p] = (x.plane(n, c)[p] - most).exp() / sum);
    }
    y
}

/// Adds `weight` times a row to another, `from + i·step` to `i` for each i where both exist.
fn add_row(y: &mut [f64], x: &[f64], weight: f64, from: isize, step: usize) {
    let first = (-from).max(0) as usize;
    let first = first.div_ceil(step);
    let start = from + (first * step) as isize;
    if first >= y.len() || start >= x.len() as isize {
        return;
    }
    let x = x[start as usize..].iter().step_by(step);
    y[first..].iter_mut().zip(x).for_each(|(y, x)| *y += weight * x);
}

pub fn conv(op: &Conv, x: &Map, weight: &[f64], bias: Option<Vec<f64>>, shape: &Shape) -> Map {
    let [kernel, stride, dilation] = [&op.kernel, &op.stride, &op.dilation].map(|sizes| pair(sizes, 1));
    let pad = pair(&op.pad, 0);
    let mut y = Map::from_fn(x.batch, shape, |_, c, _| bias.as_ref().map_or(0.0, |b| b[c]));
    let (depth, rows) = (x.channels / op.groups, y.channels / op.groups);
    let ([out_rows, out_cols], [in_rows, in_cols]) = (y.size, x.size);
    for (n, o) in (0..x.batch).flat_map(|n| (0..op.width).map(move |o| (n, o))) {
        let plane = y.plane_mut(n, o);
        for (i, a, b) in taps(depth, kernel) {
            let w = weight[((o * depth + i) * kernel[0] + a) * kernel[1] + b];
            let source = x.plane(n, o / rows * depth + i);
            let from = (b * dilation[1]) as isize - pad[1] as isize;
            for row in 0..out_rows {
                let Some(at) = (row * stride[0] + a * dilation[0]).checked_sub(pad[0]).filter(|&at| at < in_rows)
                else {
                    continue;
                };
                let source = &source[at * in_cols..(at + 1) * in_cols];
                add_row(&mut plane[row * out_cols..(row + 1) * out_cols], source, w, from, stride[1]);
            }
        }
    }
    y
}

/// Channels and taps.
fn taps(depth: usize, kernel: [usize; 2]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..depth).flat_map(move |i| (0..kernel[0]).flat_map(move |a| (0..kernel[1]).map(move |b| (i, a, b))))
}

pub fn transpose(op: &ConvTranspose, x: &Map, weight: &[f64], bias: Option<Vec<f64>>, shape: &Shape) -> Map {
    let [kernel, stride, dilation] = [&op.kernel, &op.stride, &op.dilation].map(|sizes| pair(sizes, 1));
    let pad = pair(&op.pad, 0);
    let mut y = Map::from_fn(x.batch, shape, |_, c, _| bias.as_ref().map_or(0.0, |b| b[c]));
    let (depth, rows) = (x.channels / op.groups, y.channels / op.groups);
    let [out_rows, out_cols] = y.size;
    for (n, i) in (0..x.batch).flat_map(|n| (0..x.channels).map(move |i| (n, i))) {
        for (o, a, b) in taps(rows, kernel) {
            let w = weight[((i * rows + o) * kernel[0] + a) * kernel[1] + b];
            let plane = y.plane_mut(n, i / depth * rows + o);
            for (p, value) in x.plane(n, i).iter().enumerate() {
                let at = |axis: usize, index: usize, tap: usize, size: usize| {
                    (index * stride[axis] + tap * dilation[axis]).checked_sub(pad[axis]).filter(|&at| at < size)
                };
                let (row, col) = (at(0, p / x.size[1], a, out_rows), at(1, p % x.size[1], b, out_cols));
                if let (Some(row), Some(col)) = (row, col) {
                    plane[row * out_cols + col] += w * value;
                }
            }
        }
    }
    y
}

/// The positions along an axis that a window looks at, those in the padding left out; and how many there are with the
/// padding, but not past its end.
fn window(size: usize, at: usize, [kernel, stride, pad, dilation]: [usize; 4]) -> (Vec<usize>, usize) {
    let start = at * stride;
    let inside = (0..kernel).map(|k| start + k * dilation).filter(|&p| p >= pad && p - pad < size).map(|p| p - pad);
    (inside.collect(), (start + kernel).min(size + 2 * pad) - start)
}

pub fn max_pool(op: &MaxPool, x: &Map, shape: &Shape) -> Map {
    let [kernel, stride, dilation] = [&op.kernel, &op.stride, &op.dilation].map(|sizes| pair(sizes, 1));
    let pad = pair(&op.pad, 0);
    Map::from_fn(x.batch, shape, |n, c, at| {
        let [rows, cols] = [0, 1].map(|a| window(x.size[a], at[a], [kernel[a], stride[a], pad[a], dilation[a]]).0);
        let all = rows.iter().flat_map(|&i| cols.iter().map(move |&j| x.plane(n, c)[i * x.size[1] + j]));
        all.fold(f64::NEG_INFINITY, f64::max)
    })
}

pub fn avg_pool(op: &AvgPool, x: &Map, shape: &Shape) -> Map {
    let [kernel, stride] = [&op.kernel, &op.stride].map(|sizes| pair(sizes, 1));
    let pad = pair(&op.pad, 0);
    Map::from_fn(x.batch, shape, |n, c, at| {
        let [(rows, all_rows), (cols, all_cols)] =
            [0, 1].map(|a| window(x.size[a], at[a], [kernel[a], stride[a], pad[a], 1]));
        let sum: f64 = rows.iter().flat_map(|&i| cols.iter().map(move |&j| x.plane(n, c)[i * x.size[1] + j])).sum();
        sum / if op.count_pad { all_rows * all_cols } else { rows.len() * cols.len() } as f64
    })
}

/// Windows `[⌊i·in/out⌋, ⌈(i + 1)·in/out⌉)`, of which a global pool has one.
pub fn adaptive(x: &Map, shape: &Shape, max: bool) -> Map {
    let out = pair(shape.spatial(), 1);
    Map::from_fn(x.batch, shape, |n, c, at| {
        let [rows, cols] = [0, 1].map(|a| at[a] * x.size[a] / out[a]..((at[a] + 1) * x.size[a]).div_ceil(out[a]));
        let count = (rows.len() * cols.len()) as f64;
        let all = rows.flat_map(|i| cols.clone().map(move |j| x.plane(n, c)[i * x.size[1] + j]));
        if max { all.fold(f64::NEG_INFINITY, f64::max) } else { all.sum::<f64>() / count }
    })
}

pub fn upsample(mode: Interpolation, x: &Map, shape: &Shape) -> Map {
    let out = pair(shape.spatial(), 1);
    Map::from_fn(x.batch, shape, |n, c, at| {
        if mode == Interpolation::Nearest {
            return x.at(n, c, [0, 1].map(|a| at[a] * x.size[a] / out[a]));
        }
        let axis = |a: usize| {
            let centre = ((at[a] as f64 + 0.5) * x.size[a] as f64 / out[a] as f64 - 0.5).max(0.0);
            let low = (centre.floor() as usize).min(x.size[a] - 1);
            (low, (low + 1).min(x.size[a] - 1), centre - low as f64)
        };
        let ((top, bottom, down), (left, right, across)) = (axis(0), axis(1));
        let row = |i| (1.0 - across) * x.at(n, c, [i, left]) + across * x.at(n, c, [i, right]);
        (1.0 - down) * row(top) + down * row(bottom)
    })
}

/// Positions that come from elsewhere, or are zero.
pub fn moved(op: &Op, x: &Map, shape: &Shape) -> Map {
    let out = pair(shape.spatial(), 1);
    let source = |a: usize, at: usize| -> Option<usize> {
        let (size, at) = (x.size[a] as isize, at as isize);
        let before = match op {
            Op::Pad(op) => op.amount.iter().rev().nth(1 - a).map_or(0, |amount| amount.0 as isize),
            Op::PadLike(_) => (out[a] as isize - size) / 2,
            Op::Crop(_) | Op::CropLike(_) => -((size - out[a] as isize) / 2),
            Op::ZeroPad(op) => return Some(at as usize * pair(&op.stride, 1)[a]),
            other => panic!("{other:?} moves nothing"),
        };
        let from = match op {
            Op::Pad(op) if op.mode == PadMode::Replicate => (at - before).clamp(0, size - 1),
            Op::Pad(op) if op.mode == PadMode::Reflect => {
                let folded = (at - before).abs();
                if folded < size { folded } else { 2 * (size - 1) - folded }
            }
            _ => at - before,
        };
        (0..size).contains(&from).then_some(from as usize)
    };
    let first = (shape.dims()[0] - x.channels) / 2;
    Map::from_fn(x.batch, shape, |n, c, [i, j]| {
        let channel = c.checked_sub(first).filter(|&c| c < x.channels);
        match (channel, source(0, i), source(1, j)) {
            (Some(c), Some(i), Some(j)) => x.plane(n, c)[i * x.size[1] + j],
            _ => 0.0,
        }
    })
}

pub fn concat(operands: &[&Map], shape: &Shape) -> Map {
    let batch = operands[0].batch;
    let planes =
        (0..batch).flat_map(|n| operands.iter().flat_map(move |x| (0..x.channels).map(move |c| x.plane(n, c))));
    Map::new(batch, shape, planes.flatten().copied().collect())
}
