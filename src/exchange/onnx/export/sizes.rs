//! Layers that change sizes, as operators; sizes that are free are computed in the file.

use super::Export;
use super::writer::Attr;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::ops::resize::{Crop, Interpolation, Pad, PadMode, Upsample, UpsampleSize, ZeroPad};
use crate::ops::structure::Reshape;

/// How a size that changes follows from one of the operand's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// Times this.
    Times(i64),
    /// Divided by this, exactly.
    By(i64),
    /// Plus this.
    Plus(i64),
}

impl Export<'_> {
    /// The sizes of a value along the axes from `first` on, as the file computes them.
    fn shape_from(&mut self, x: &str, first: i64) -> String {
        let attrs = if first == 0 { Vec::new() } else { vec![("start", Attr::Int(first))] };
        self.writer.node("Shape", &[x], attrs)
    }

    /// The batch and the channels of a value.
    fn head(&mut self, x: &str) -> String {
        self.writer.node("Shape", &[x], vec![("end", Attr::Int(2))])
    }

    pub(super) fn upsample(&mut self, id: NodeId, upsample: &Upsample, inputs: &[&str]) -> String {
        let x = inputs[0];
        let axes = self.operand_dims(id).len().saturating_sub(1);
        let attrs = match upsample.mode {
            Interpolation::Nearest => vec![
                ("mode", Attr::Word("nearest")),
                ("coordinate_transformation_mode", Attr::Word("asymmetric")),
                ("nearest_mode", Attr::Word("floor")),
            ],
            Interpolation::Bilinear => {
                vec![("mode", Attr::Word("linear")), ("coordinate_transformation_mode", Attr::Word("half_pixel"))]
            }
        };
        let spatial = match &upsample.size {
            UpsampleSize::Factor(factor) => {
                let scales: Vec<f32> = [1.0, 1.0].into_iter().chain(factor.iter().map(|&f| f as f32)).collect();
                let scales = self.writer.own("scales", &[axes + 2], &scales);
                return self.writer.last("Resize", &[x, "", &scales], attrs);
            }
            UpsampleSize::Like => self.shape_from(inputs[1], 2),
            UpsampleSize::Size(_) => self.stated(id, x, |op| match op {
                Op::Upsample(Upsample { size: UpsampleSize::Size(size), .. }) => Some(size.clone()),
                _ => None,
            }),
        };
        let head = self.head(x);
        let sizes = self.writer.node("Concat", &[&head, &spatial], vec![("axis", Attr::Int(0))]);
        self.writer.last("Resize", &[x, "", "", &sizes], attrs)
    }

    /// Sizes that an op states, one for each spatial axis: as they are, or by a rule from the operand's where they change.
    fn stated(&mut self, id: NodeId, x: &str, sizes: impl Fn(&Op) -> Option<Vec<usize>> + Copy) -> String {
        let rules = self.rules(id, sizes);
        let own = sizes(&self.network.graph.node(id).op).unwrap_or_default();
        if rules.iter().all(Option::is_none) {
            return self.writer.ints(&own.iter().map(|&s| s as i64).collect::<Vec<_>>());
        }
        let parts: Vec<String> = rules.iter().zip(&own).map(|(rule, &size)| self.part(x, *rule, size)).collect();
        self.writer.node("Concat", &parts.iter().map(String::as_str).collect::<Vec<_>>(), vec![("axis", Attr::Int(0))])
    }

    /// One size: a constant, or what a rule makes of an axis of the operand.
    fn part(&mut self, x: &str, rule: Option<(usize, Rule)>, size: usize) -> String {
        let Some((axis, rule)) = rule else { return self.writer.ints(&[size as i64]) };
        let first = axis as i64 + 1;
        let attrs = vec![("start", Attr::Int(first)), ("end", Attr::Int(first + 1))];
        let from = self.writer.node("Shape", &[x], attrs);
        let (op, by) = match rule {
            Rule::Plus(0) => return from,
            Rule::Times(n) => ("Mul", n),
            Rule::By(n) => ("Div", n),
            Rule::Plus(n) => ("Add", n),
        };
        let by = self.writer.ints(&[by]);
        self.writer.node(op, &[&from, &by], Vec::new())
    }

    /// For each stated size that changes, the axis of the operand (after the batch) that it follows, and how; a size that
    /// follows none is taken as it is at the planned sizes.
    fn rules(&self, id: NodeId, sizes: impl Fn(&Op) -> Option<Vec<usize>>) -> Vec<Option<(usize, Rule)>> {
        let graph = &self.network.graph;
        let stated: Vec<Vec<usize>> = self.free.each(graph, |g| sizes(&g.node(id).op)).into_iter().flatten().collect();
        let operand = |g: &Graph| g.operands(id).first().map(|&o| g.shape(o).dims().to_vec());
        let dims: Vec<Vec<usize>> = self.free.each(graph, operand).into_iter().flatten().collect();
        let count = stated.first().map_or(0, Vec::len);
        (0..count)
            .map(|i| {
                let wanted: Vec<usize> = stated.iter().map(|s| s[i]).collect();
                if wanted.iter().all(|&w| w == wanted[0]) {
                    return None;
                }
                let axes = dims.first().map_or(0, Vec::len);
                // The axis of the same place first, so that a square map is not turned.
                let order = [i + 1].into_iter().chain(0..axes).filter(|&axis| axis < axes);
                let mut found = order.filter_map(|axis| {
                    let from: Vec<usize> = dims.iter().map(|d| d[axis]).collect();
                    follows(&from, &wanted).map(|rule| (axis, rule))
                });
                found.next()
            })
            .collect()
    }

    pub(super) fn pad(&mut self, pad: &Pad, x: &str) -> String {
        let begins = pad.amount.iter().map(|&(before, _)| before as i64);
        let ends = pad.amount.iter().map(|&(_, after)| after as i64);
        let all: Vec<i64> = [0, 0].into_iter().chain(begins).chain([0, 0]).chain(ends).collect();
        let amounts = self.writer.ints(&all);
        let mode = match pad.mode {
            PadMode::Zero => "constant",
            PadMode::Reflect => "reflect",
            PadMode::Replicate => "edge",
        };
        let zero = self.writer.scalar(0.0);
        let operands = [x, &amounts, &zero];
        let count = if pad.mode == PadMode::Zero { 3 } else { 2 };
        self.writer.last("Pad", &operands[..count], vec![("mode", Attr::Word(mode))])
    }

    /// A slice of the spatial axes from `starts` to `stops`.
    fn window(&mut self, id: NodeId, x: &str, starts: &str, stops: &str) -> String {
        let axes = self.operand_dims(id).len() as i64;
        let places = self.writer.ints(&(2..=axes).collect::<Vec<_>>());
        self.writer.last("Slice", &[x, starts, stops, &places], Vec::new())
    }

    /// `⌊(from − to) / 2⌋` and that plus `to`, as the file computes them.
    fn centred(&mut self, from: &str, to: &str) -> (String, String) {
        let two = self.writer.ints(&[2]);
        let difference = self.writer.node("Sub", &[from, to], Vec::new());
        let starts = self.writer.node("Div", &[&difference, &two], Vec::new());
        let stops = self.writer.node("Add", &[&starts, to], Vec::new());
        (starts, stops)
    }

    /// A centre crop to sizes that are known.
    fn crop_to(&mut self, id: NodeId, from: &[usize], to: &[usize], x: &str) -> String {
        let starts: Vec<i64> = from.iter().zip(to).map(|(from, to)| ((from - to) / 2) as i64).collect();
        let stops: Vec<i64> = starts.iter().zip(to).map(|(start, &to)| start + to as i64).collect();
        let (starts, stops) = (self.writer.ints(&starts), self.writer.ints(&stops));
        self.window(id, x, &starts, &stops)
    }

    pub(super) fn crop(&mut self, id: NodeId, crop: &Crop, x: &str) -> String {
        let dims = self.operand_dims(id);
        if self.still_operand(id) {
            return self.crop_to(id, dims.get(1..).unwrap_or(&[]), &crop.size, x);
        }
        let from = self.shape_from(x, 2);
        let to = self.stated(id, x, |op| match op {
            Op::Crop(crop) => Some(crop.size.clone()),
            _ => None,
        });
        let (starts, stops) = self.centred(&from, &to);
        self.window(id, x, &starts, &stops)
    }

    pub(super) fn crop_like(&mut self, id: NodeId, inputs: &[&str]) -> String {
        let dims = self.operand_dims(id);
        let to = self.network.graph.shape(id).spatial();
        if self.still_operand(id) && self.free.still(&self.network.graph, id) {
            return self.crop_to(id, dims.get(1..).unwrap_or(&[]), to, inputs[0]);
        }
        let (from, to) = (self.shape_from(inputs[0], 2), self.shape_from(inputs[1], 2));
        let (starts, stops) = self.centred(&from, &to);
        self.window(id, inputs[0], &starts, &stops)
    }

    pub(super) fn pad_like(&mut self, id: NodeId, inputs: &[&str]) -> String {
        let dims = self.operand_dims(id);
        let to = self.network.graph.shape(id).spatial().to_vec();
        let zero = self.writer.scalar(0.0);
        let amounts = if self.still_operand(id) && self.free.still(&self.network.graph, id) {
            let more: Vec<i64> = to.iter().zip(&dims[1..]).map(|(to, from)| (to - from) as i64).collect();
            let begins = more.iter().map(|m| m / 2);
            let ends = more.iter().map(|m| m - m / 2);
            self.writer.ints(&[0, 0].into_iter().chain(begins).chain([0, 0]).chain(ends).collect::<Vec<_>>())
        } else {
            let (from, to) = (self.shape_from(inputs[0], 2), self.shape_from(inputs[1], 2));
            let (two, none) = (self.writer.ints(&[2]), self.writer.ints(&[0, 0]));
            let more = self.writer.node("Sub", &[&to, &from], Vec::new());
            let begins = self.writer.node("Div", &[&more, &two], Vec::new());
            let ends = self.writer.node("Sub", &[&more, &begins], Vec::new());
            self.writer.node("Concat", &[&none, &begins, &none, &ends], vec![("axis", Attr::Int(0))])
        };
        self.writer.last("Pad", &[inputs[0], &amounts, &zero], Vec::new())
    }

    /// `x[:, :, ::s, ::s]` between zero channels.
    pub(super) fn zero_pad(&mut self, id: NodeId, pad: &ZeroPad, x: &str) -> String {
        let dims = self.operand_dims(id);
        let mut kept = x.to_string();
        if pad.stride.iter().any(|&s| s != 1) {
            let axes = pad.stride.len();
            let starts = self.writer.ints(&vec![0; axes]);
            let stops = self.writer.ints(&vec![i64::MAX; axes]);
            let places = self.writer.ints(&(2..axes as i64 + 2).collect::<Vec<_>>());
            let steps = self.writer.ints(&pad.stride.iter().map(|&s| s as i64).collect::<Vec<_>>());
            kept = self.writer.node("Slice", &[x, &starts, &stops, &places, &steps], Vec::new());
        }
        let more = (pad.width - dims.first().copied().unwrap_or(pad.width)) as i64;
        let none = std::iter::repeat_n(0, pad.stride.len());
        let side = |channels: i64| [0, channels].into_iter().chain(none.clone());
        let amounts: Vec<i64> = side(more / 2).chain(side(more - more / 2)).collect();
        let (amounts, zero) = (self.writer.ints(&amounts), self.writer.scalar(0.0));
        self.writer.last("Pad", &[&kept, &amounts, &zero], Vec::new())
    }

    /// The batch is kept; of the others one may be left to be found (−1), more are computed.
    pub(super) fn reshape(&mut self, id: NodeId, reshape: &Reshape, x: &str) -> String {
        let stated = |op: &Op| match op {
            Op::Reshape(reshape) => Some(reshape.dims.clone()),
            _ => None,
        };
        let changes: Vec<bool> =
            (0..reshape.dims.len()).map(|axis| self.free.varies(&self.network.graph, id, axis)).collect();
        if changes.iter().filter(|&&c| c).count() <= 1 {
            let sizes = reshape.dims.iter().zip(&changes).map(|(&d, &free)| if free { -1 } else { d as i64 });
            let sizes = self.writer.ints(&std::iter::once(0).chain(sizes).collect::<Vec<_>>());
            return self.writer.last("Reshape", &[x, &sizes], Vec::new());
        }
        let (batch, sizes) = (self.writer.ints(&[0]), self.stated(id, x, stated));
        let shape = self.writer.node("Concat", &[&batch, &sizes], vec![("axis", Attr::Int(0))]);
        self.writer.last("Reshape", &[x, &shape], Vec::new())
    }
}

/// The rule by which all of `wanted` follow from `from`.
fn follows(from: &[usize], wanted: &[usize]) -> Option<Rule> {
    let pairs = || from.iter().zip(wanted).map(|(&f, &w)| (f as i64, w as i64));
    let (f, w) = pairs().next()?;
    let plus = Rule::Plus(w - f);
    let times = (f > 0).then(|| Rule::Times(w / f));
    let by = (w > 0).then(|| Rule::By(f / w));
    [Some(plus), times, by].into_iter().flatten().find(|rule| {
        pairs().all(|(f, w)| match *rule {
            Rule::Times(n) => f * n == w,
            Rule::By(n) => n > 0 && f % n == 0 && f / n == w,
            Rule::Plus(n) => f + n == w,
        })
    })
}
