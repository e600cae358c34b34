//! Pools as operators.

use super::layers::{both, ints};
use super::writer::Attr;
use super::{Export, written};
use crate::graph::NodeId;
use crate::ops::pool::{AdaptiveAvgPool, AvgPool, GlobalPool, MaxPool};

/// Where windows reach beyond the end of a padded map because their number was rounded up.
enum Overhang {
    /// By this much along each axis.
    By(Vec<usize>),
    /// Sizes are free: the runtime rounds.
    Free,
}

written! {
    MaxPool: |export, id, pool, inputs| export.max_pool(id, pool, inputs[0]),
    AvgPool: |export, id, pool, inputs| export.avg_pool(id, pool, inputs[0]),
    GlobalPool: |export, _, pool, inputs| {
        let operator = if pool.max { "GlobalMaxPool" } else { "GlobalAveragePool" };
        export.writer.last(operator, &[inputs[0]], Vec::new())
    },
    AdaptiveAvgPool: |export, id, pool, inputs| export.adaptive(id, pool, inputs[0]),
}

impl Export<'_> {
    /// What a pool that rounds up reads beyond the end, written down so that no runtime has to agree on the rounding.
    fn overhang(&self, id: NodeId, ceil: bool, extent: &[usize], stride: &[usize], pad: &[usize]) -> Overhang {
        let dims = self.operand_dims(id);
        let input = dims.get(1..).unwrap_or(&[]);
        if !ceil {
            return Overhang::By(vec![0; extent.len()]);
        }
        if !self.still_operand(id) {
            return Overhang::Free;
        }
        let output = self.network.graph.shape(id).spatial();
        let beyond = |i: usize| ((output[i] - 1) * stride[i] + extent[i]).saturating_sub(input[i] + 2 * pad[i]);
        Overhang::By((0..extent.len()).map(beyond).collect())
    }

    fn max_pool(&mut self, id: NodeId, pool: &MaxPool, x: &str) -> String {
        let extent: Vec<usize> = pool.kernel.iter().zip(&pool.dilation).map(|(k, d)| (k - 1) * d + 1).collect();
        let overhang = self.overhang(id, pool.ceil, &extent, &pool.stride, &pool.pad);
        let pads = match &overhang {
            Overhang::By(more) => ends(&pool.pad, more),
            Overhang::Free => both(&pool.pad),
        };
        let mut attrs = vec![("kernel_shape", ints(&pool.kernel)), ("strides", ints(&pool.stride)), ("pads", pads)];
        if pool.dilation.iter().any(|&d| d != 1) {
            attrs.push(("dilations", ints(&pool.dilation)));
        }
        if matches!(overhang, Overhang::Free) {
            attrs.push(("ceil_mode", Attr::Int(1)));
        }
        self.writer.last("MaxPool", &[x], attrs)
    }

    /// What lies beyond the end counts never in PyTorch's mean, what padding says only where `count_pad`; so padding that
    /// counts is put around the map first where windows reach further.
    fn avg_pool(&mut self, id: NodeId, pool: &AvgPool, x: &str) -> String {
        let overhang = self.overhang(id, pool.ceil, &pool.kernel, &pool.stride, &pool.pad);
        let padded = pool.pad.iter().any(|&p| p > 0);
        let further = match &overhang {
            Overhang::By(more) => more.iter().any(|&m| m > 0),
            Overhang::Free => true,
        };
        let first = padded && pool.count_pad && further;
        let pad = if first { vec![0; pool.pad.len()] } else { pool.pad.clone() };
        let padded_x = first.then(|| self.padded(&pool.pad, x));
        let x = padded_x.as_deref().unwrap_or(x);
        let pads = match &overhang {
            Overhang::By(more) => ends(&pad, more),
            Overhang::Free => both(&pad),
        };
        let counted = padded && pool.count_pad && !further;
        let mut attrs = vec![
            ("kernel_shape", ints(&pool.kernel)),
            ("strides", ints(&pool.stride)),
            ("pads", pads),
            ("count_include_pad", Attr::Int(i64::from(counted))),
        ];
        if matches!(overhang, Overhang::Free) {
            attrs.push(("ceil_mode", Attr::Int(1)));
        }
        self.writer.last("AveragePool", &[x], attrs)
    }

    /// A map with zeros around it.
    fn padded(&mut self, pad: &[usize], x: &str) -> String {
        let side = || [0, 0].into_iter().chain(pad.iter().map(|&p| p as i64));
        let amounts = self.writer.ints(&side().chain(side()).collect::<Vec<_>>());
        let zero = self.writer.scalar(0.0);
        self.writer.node("Pad", &[x, &amounts, &zero], Vec::new())
    }

    /// Equal windows where they divide the map; else each axis is multiplied with a matrix whose rows hold the windows,
    /// computed in the file where sizes are free.
    fn adaptive(&mut self, id: NodeId, pool: &AdaptiveAvgPool, x: &str) -> String {
        let dims = self.operand_dims(id);
        let input = dims.get(1..).unwrap_or(&[]).to_vec();
        if pool.size.iter().all(|&size| size == 1) {
            return self.writer.last("GlobalAveragePool", &[x], Vec::new());
        }
        let still = self.still_operand(id);
        if still && input.iter().zip(&pool.size).all(|(from, to)| from.is_multiple_of(*to)) {
            let window: Vec<usize> = input.iter().zip(&pool.size).map(|(from, to)| from / to).collect();
            let attrs = vec![("kernel_shape", ints(&window)), ("strides", ints(&window))];
            return self.writer.last("AveragePool", &[x], attrs);
        }
        let means: Vec<String> = (0..input.len())
            .map(|axis| match still {
                true => self.fixed_means(input[axis], pool.size[axis]),
                false => self.free_means(x, axis, pool.size[axis]),
            })
            .collect();
        match means.as_slice() {
            [rows, columns] => {
                let fewer_rows = self.writer.node("MatMul", &[rows, x], Vec::new());
                let turned = self.writer.node("Transpose", &[columns], vec![("perm", Attr::Ints(vec![1, 0]))]);
                self.writer.last("MatMul", &[&fewer_rows, &turned], Vec::new())
            }
            _ => {
                let turned = self.writer.node("Transpose", &[&means[0]], vec![("perm", Attr::Ints(vec![1, 0]))]);
                self.writer.last("MatMul", &[x, &turned], Vec::new())
            }
        }
    }

    /// `[to, from]`: row i holds 1/n over the n positions of window i.
    fn fixed_means(&mut self, from: usize, to: usize) -> String {
        let row = |i: usize| {
            let window = i * from / to..((i + 1) * from).div_ceil(to);
            let share = 1.0 / window.len() as f32;
            (0..from).map(move |j| if window.contains(&j) { share } else { 0.0 })
        };
        let values: Vec<f32> = (0..to).flat_map(row).collect();
        self.writer.own("windows", &[to, from], &values)
    }

    /// [`fixed_means`](Self::fixed_means) for a size that is known when the file runs.
    fn free_means(&mut self, x: &str, axis: usize, to: usize) -> String {
        let w = &mut self.writer;
        let place = w.int(axis as i64 + 2);
        let (zero, one) = (w.int(0), w.int(1));
        let shape = w.node("Shape", &[x], Vec::new());
        let from = w.node("Gather", &[&shape, &place], vec![("axis", Attr::Int(0))]);
        let count: Vec<i64> = (0..to as i64).collect();
        let (ordinals, next) = (w.ints(&count), w.ints(&count.iter().map(|i| i + 1).collect::<Vec<_>>()));
        let (to_name, less) = (w.int(to as i64), w.int(to as i64 - 1));
        let product = w.node("Mul", &[&ordinals, &from], Vec::new());
        let starts = w.node("Div", &[&product, &to_name], Vec::new());
        let product = w.node("Mul", &[&next, &from], Vec::new());
        let rounded = w.node("Add", &[&product, &less], Vec::new());
        let stops = w.node("Div", &[&rounded, &to_name], Vec::new());
        let column = w.ints(&[1]);
        let starts = w.node("Unsqueeze", &[&starts, &column], Vec::new());
        let stops = w.node("Unsqueeze", &[&stops, &column], Vec::new());
        let positions = w.node("Range", &[&zero, &from, &one], Vec::new());
        let before = w.node("Less", &[&positions, &starts], Vec::new());
        let after_start = w.node("Not", &[&before], Vec::new());
        let before_stop = w.node("Less", &[&positions, &stops], Vec::new());
        let inside = w.node("And", &[&after_start, &before_stop], Vec::new());
        let inside = w.node("Cast", &[&inside], vec![("to", Attr::Int(1))]);
        let widths = w.node("Sub", &[&stops, &starts], Vec::new());
        let widths = w.node("Cast", &[&widths], vec![("to", Attr::Int(1))]);
        w.node("Div", &[&inside, &widths], Vec::new())
    }
}

/// Padding with more at the ends.
fn ends(pad: &[usize], more: &[usize]) -> Attr {
    let last = pad.iter().zip(more).map(|(p, m)| p + m);
    ints(&pad.iter().copied().chain(last).collect::<Vec<_>>())
}
