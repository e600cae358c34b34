//! Layers that change sizes, as operators; sizes that are free are computed in the file.

use super::writer::Attr;
use super::{Export, written};
use crate::graph::NodeId;
use crate::ops::Op;
use crate::ops::resize::{Crop, CropLike, Interpolation, Pad, PadLike, PadMode, Upsample, UpsampleSize, ZeroPad};
use crate::ops::structure::{Flatten, Reshape};

/// How a size that changes follows from one of the operand's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// Times this.
    Times(i64),
    /// Plus this.
    Plus(i64),
    /// Plus the first, divided by the second and rounded down.
    Over(i64, i64),
}

/// What a stated size follows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Follows {
    /// It never changes.
    Nothing,
    /// The operand's size along an axis after the batch.
    Axis(usize, Rule),
    /// No rule was found.
    Unknown,
}

/// What sizes are divided by at most.
const LARGEST: i64 = 64;

written! {
    Upsample: |export, id, upsample, inputs| export.upsample(id, upsample, inputs),
    Pad: |export, _, pad, inputs| export.pad(pad, inputs[0]),
    Crop: |export, id, crop, inputs| export.crop(id, crop, inputs[0]),
    CropLike: |export, id, _, inputs| export.crop_like(id, inputs),
    PadLike: |export, id, _, inputs| export.pad_like(id, inputs),
    ZeroPad: |export, id, pad, inputs| export.zero_pad(id, pad, inputs[0]),
    Flatten: |export, _, _, inputs| export.writer.last("Flatten", &[inputs[0]], vec![("axis", Attr::Int(1))]),
    Reshape: |export, id, reshape, inputs| export.reshape(id, reshape, inputs[0]),
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

    fn upsample(&mut self, id: NodeId, upsample: &Upsample, inputs: &[&str]) -> String {
        let x = inputs[0];
        if self.by_places(id, upsample) {
            return self.chosen(id, x);
        }
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
            UpsampleSize::Size(_) => self.stated(id, x),
        };
        let head = self.head(x);
        let sizes = self.writer.node("Concat", &[&head, &spatial], vec![("axis", Attr::Int(0))]);
        self.writer.last("Resize", &[x, "", "", &sizes], attrs)
    }

    /// Sizes that an op states, as they are, or by a rule from the operand's where they change.
    fn stated(&mut self, id: NodeId, x: &str) -> String {
        let rules = self.rules(id);
        let own = self.network.graph.node(id).op.nature().sizes.unwrap_or_default().to_vec();
        if rules.iter().all(|rule| matches!(rule, Follows::Nothing | Follows::Unknown)) {
            return self.writer.ints(&own.iter().map(|&s| s as i64).collect::<Vec<_>>());
        }
        let parts: Vec<String> = rules.iter().zip(&own).map(|(rule, &size)| self.part(x, *rule, size)).collect();
        self.writer.node("Concat", &parts.iter().map(String::as_str).collect::<Vec<_>>(), vec![("axis", Attr::Int(0))])
    }

    /// One size: a constant, or what a rule makes of an axis of the operand.
    fn part(&mut self, x: &str, follows: Follows, size: usize) -> String {
        let Follows::Axis(axis, rule) = follows else { return self.writer.ints(&[size as i64]) };
        let first = axis as i64 + 1;
        let attrs = vec![("start", Attr::Int(first)), ("end", Attr::Int(first + 1))];
        let from = self.writer.node("Shape", &[x], attrs);
        let (op, by) = match rule {
            Rule::Plus(0) => return from,
            Rule::Times(n) => ("Mul", n),
            Rule::Plus(n) => ("Add", n),
            Rule::Over(0, n) => ("Div", n),
            Rule::Over(more, n) => {
                let (more, n) = (self.writer.ints(&[more]), self.writer.ints(&[n]));
                let sum = self.writer.node("Add", &[&from, &more], Vec::new());
                return self.writer.node("Div", &[&sum, &n], Vec::new());
            }
        };
        let by = self.writer.ints(&[by]);
        self.writer.node(op, &[&from, &by], Vec::new())
    }

    /// What each size that an op states follows, at every size that was tried.
    fn rules(&self, id: NodeId) -> Vec<Follows> {
        let samples = self.free.stated(&self.network.graph.node(id).path);
        let count = samples.first().map_or(0, |(sizes, _)| sizes.len());
        let axes = samples.first().map_or(0, |(_, from)| from.len());
        let one = |i: usize| {
            if samples.iter().all(|(sizes, _)| sizes[i] == samples[0].0[i]) {
                return Follows::Nothing;
            }
            // The axis of the same place first, so that a square map is not turned.
            let order = [i + 1].into_iter().chain(0..axes).filter(|&axis| axis < axes);
            let pairs = |axis: usize| {
                samples.iter().map(|(sizes, from)| (from[axis] as i64, sizes[i] as i64)).collect::<Vec<_>>()
            };
            let mut found = order.filter_map(|axis| follows(&pairs(axis)).map(|rule| Follows::Axis(axis, rule)));
            found.next().unwrap_or(Follows::Unknown)
        };
        (0..count).map(one).collect()
    }

    /// Free sizes with which something is stated that the file cannot compute, and why they must be fixed.
    pub(super) fn not_computed(&self) -> Vec<(String, String)> {
        let graph = &self.network.graph;
        let unknown = |id: NodeId| {
            // One size that changes is the one that ONNX counts itself.
            if let Op::Reshape(reshape) = &graph.node(id).op
                && self.changing(id, reshape).iter().filter(|&&c| c).count() <= 1
            {
                return Vec::new();
            }
            let rules = self.rules(id).into_iter().enumerate();
            rules.filter(|(_, rule)| *rule == Follows::Unknown).map(|(place, _)| place).collect()
        };
        let found = graph.order().flat_map(|id| {
            let (path, places) = (&graph.node(id).path, unknown(id));
            let why = format!("no rule was found for the sizes that `{path}` states");
            self.free.deciding(path, &places).into_iter().map(move |name| (name, why.clone()))
        });
        found.collect()
    }

    /// Which sizes of a reshape change.
    fn changing(&self, id: NodeId, reshape: &Reshape) -> Vec<bool> {
        (0..reshape.dims.len()).map(|axis| self.free.varies(&self.network.graph, id, axis)).collect()
    }

    fn pad(&mut self, pad: &Pad, x: &str) -> String {
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

    fn crop(&mut self, id: NodeId, crop: &Crop, x: &str) -> String {
        let dims = self.operand_dims(id);
        if self.still_operand(id) {
            return self.crop_to(id, dims.get(1..).unwrap_or(&[]), &crop.size, x);
        }
        let from = self.shape_from(x, 2);
        let to = self.stated(id, x);
        let (starts, stops) = self.centred(&from, &to);
        self.window(id, x, &starts, &stops)
    }

    fn crop_like(&mut self, id: NodeId, inputs: &[&str]) -> String {
        let dims = self.operand_dims(id);
        let to = self.network.graph.shape(id).spatial();
        if self.still_operand(id) && self.free.still(&self.network.graph, id) {
            return self.crop_to(id, dims.get(1..).unwrap_or(&[]), to, inputs[0]);
        }
        let (from, to) = (self.shape_from(inputs[0], 2), self.shape_from(inputs[1], 2));
        let (starts, stops) = self.centred(&from, &to);
        self.window(id, inputs[0], &starts, &stops)
    }

    fn pad_like(&mut self, id: NodeId, inputs: &[&str]) -> String {
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
    fn zero_pad(&mut self, id: NodeId, pad: &ZeroPad, x: &str) -> String {
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
    fn reshape(&mut self, id: NodeId, reshape: &Reshape, x: &str) -> String {
        let changes = self.changing(id, reshape);
        if changes.iter().filter(|&&c| c).count() <= 1 {
            let sizes = reshape.dims.iter().zip(&changes).map(|(&d, &free)| if free { -1 } else { d as i64 });
            let sizes = self.writer.ints(&std::iter::once(0).chain(sizes).collect::<Vec<_>>());
            return self.writer.last("Reshape", &[x, &sizes], Vec::new());
        }
        let (batch, sizes) = (self.writer.ints(&[0]), self.stated(id, x));
        let shape = self.writer.node("Concat", &[&batch, &sizes], vec![("axis", Attr::Int(0))]);
        self.writer.last("Reshape", &[x, &shape], Vec::new())
    }
}

/// The rule by which the second of all pairs follow from the first.
fn follows(pairs: &[(i64, i64)]) -> Option<Rule> {
    let &(f, w) = pairs.iter().max()?;
    let simple = [Some(Rule::Plus(w - f)), (f > 0).then(|| Rule::Times(w / f))];
    let rounded = (2..=LARGEST).map(|n| {
        // ⌊(f + more) / n⌋ = w wherever w·n ≤ f + more < (w + 1)·n.
        let least = pairs.iter().map(|(f, w)| w * n - f).max().unwrap_or(0).max(0);
        let most = pairs.iter().map(|(f, w)| (w + 1) * n - 1 - f).min().unwrap_or(-1);
        (least <= most).then_some(Rule::Over(least, n))
    });
    simple.into_iter().chain(rounded).flatten().find(|rule| {
        pairs.iter().all(|&(f, w)| match *rule {
            Rule::Times(n) => f * n == w,
            Rule::Plus(n) => f + n == w,
            Rule::Over(more, n) => (f + more) / n == w,
        })
    })
}
