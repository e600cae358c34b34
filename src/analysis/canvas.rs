//! At which sizes does a network take a picture, and how do the sizes of its outputs follow?
//!
//! Both are found by elaborating the network at the sizes in question, so they are exact where a rule would be a guess
//! (`sizes.rs` finds the rules).

use crate::base::{Diagnostic, codes};
use crate::elaborate::{Compiled, Network, Options};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Height and width.
pub type Size = [usize; 2];

/// Layers that may be elaborated in all while the next size is looked for.
const BUDGET: usize = 400_000;
/// Sizes that are tried at most, and at least.
const TRIES: (usize, usize) = (64, 4096);
/// Sizes at which outputs are looked at are near multiples of this: halved often, it still leaves whole numbers.
const COARSE: usize = 64;

/// How an output's size along one axis follows the input's: `out = in · num / den + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Along {
    /// The factor's numerator.
    pub num: usize,
    /// Its denominator; the two have no common divisor.
    pub den: usize,
    /// What is added; below 0 where windows without padding take away. It is shared between both ends, and 0 unless the
    /// factor is 1.
    pub offset: isize,
}

impl Along {
    /// The output's size for an input's, where the two are in step: an input that is rounded on its way is not.
    pub fn of(self, input: usize) -> Option<usize> {
        let scaled = input.checked_mul(self.num)?;
        let whole = scaled.is_multiple_of(self.den).then_some(scaled / self.den)?;
        whole.checked_add_signed(self.offset).filter(|&size| size > 0)
    }

    /// How many positions of the output a stretch of the input covers, begun ones counted.
    pub fn covering(self, input: usize) -> usize {
        input.saturating_mul(self.num).div_ceil(self.den)
    }

    /// Input positions at each end that no output position stands for.
    pub fn margin(self) -> usize {
        self.offset.min(0).unsigned_abs().div_ceil(2)
    }

    /// Output positions at each end that stand for nothing of the input.
    pub fn surplus(self) -> usize {
        self.offset.max(0).unsigned_abs() / 2
    }

    /// The line through inputs and their outputs; `None` where there is none, or where it does not rise.
    fn through(points: &[(usize, usize)]) -> Option<Self> {
        let (&(first, low), &(last, high)) = (points.first()?, points.last()?);
        let (rise, run) = (high.checked_sub(low)?, last.checked_sub(first)?);
        let divisor = gcd(rise, run);
        if rise == 0 || run == 0 {
            return None;
        }
        let (num, den) = (rise / divisor, run / divisor);
        let scaled = first.checked_mul(num)?;
        let offset = low as isize - (scaled / den) as isize;
        let along = Self { num, den, offset };
        let unscaled = num == den || offset == 0;
        let all = points.iter().all(|&(input, output)| along.of(input) == Some(output));
        (unscaled && scaled.is_multiple_of(den) && all).then_some(along)
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// How an output follows the input along height and width.
pub type Follow = [Along; 2];

/// The input of a network that takes pictures: `[N, C, H, W]`.
pub struct Canvas<'a> {
    compiled: &'a Compiled,
    network: &'a Network,
    /// The input's channels.
    pub channels: usize,
    /// The size planned for.
    pub planned: Size,
    /// The names of the sizes that are free.
    pub names: [Option<&'a str>; 2],
    found: RefCell<BTreeMap<(usize, usize), Option<usize>>>,
}

impl<'a> Canvas<'a> {
    /// An input of a network, by its position; `None` where it is no map of two axes.
    pub fn new(compiled: &'a Compiled, network: &'a Network, input: usize) -> Option<Self> {
        let decl = network.inputs.get(input)?;
        let [_, (_, Some(channels)), (h, Some(height)), (w, Some(width))] = decl.dims.as_slice() else { return None };
        let names = [h.as_deref(), w.as_deref()];
        let planned = [*height, *width];
        Some(Self { compiled, network, channels: *channels, planned, names, found: RefCell::default() })
    }

    /// Whether height and width are both free.
    pub fn is_free(&self) -> bool {
        self.names.iter().all(Option::is_some)
    }

    /// The network at another size of this input.
    ///
    /// # Errors
    /// `E0903` where a size is fixed, or both have one name and differ, and what the compiler says of the size.
    pub fn at(&self, size: Size) -> Result<Network, Diagnostic> {
        let mut sizes = BTreeMap::new();
        for (name, (size, planned)) in self.names.iter().zip(size.into_iter().zip(self.planned)) {
            let fact = match name {
                None if size != planned => format!("a size of `{}` is fixed at {planned}", self.network.name),
                None => continue,
                Some(name) => match sizes.insert(name.to_string(), size) {
                    Some(other) if other != size => format!("`{name}` is one size, and cannot be {other} and {size}"),
                    _ => continue,
                },
            };
            return Err(Diagnostic::new(codes::SIZES_INVALID, fact));
        }
        self.compiled.resizer(self.network)(&sizes)
    }

    /// The smallest size of one axis, from `least` up, at which the network works and every output is in step with its
    /// input; the other axis is as planned.
    pub fn next(&self, axis: usize, least: usize, follows: &[Option<Follow>]) -> Option<usize> {
        if self.names[axis].is_none() {
            return (least <= self.planned[axis]).then_some(self.planned[axis]);
        }
        if let Some(&known) = self.found.borrow().get(&(axis, least)) {
            return known;
        }
        let found = self.find(axis, least, follows);
        self.found.borrow_mut().insert((axis, least), found);
        found
    }

    fn find(&self, axis: usize, least: usize, follows: &[Option<Follow>]) -> Option<usize> {
        (least.max(1)..).take(self.tries()).find(|&value| self.works(axis, value, follows))
    }

    /// How many sizes are tried until it is said that none works.
    pub fn tries(&self) -> usize {
        (BUDGET / self.network.graph.len().max(1)).clamp(TRIES.0, TRIES.1)
    }

    /// Whether the network works with this size along an axis, and every output is in step with it.
    pub fn works(&self, axis: usize, value: usize, follows: &[Option<Follow>]) -> bool {
        if self.names[axis].is_none() {
            return value == self.planned[axis];
        }
        let Ok(network) = self.at(self.along(axis, value)) else { return false };
        let sizes = network.graph.outputs.iter().map(|output| network.graph.shape(output.node).spatial());
        sizes.zip(follows).all(|(size, follow)| match follow {
            Some(follow) => size.get(axis).copied() == follow[axis].of(value),
            None => true,
        })
    }

    /// Why an axis cannot have a size: what the compiler says.
    pub fn because(&self, axis: usize, value: usize) -> Option<String> {
        self.at(self.along(axis, value)).err().map(|error| error.message)
    }

    /// The planned size, with another along an axis; along both where they have one name.
    fn along(&self, axis: usize, value: usize) -> Size {
        let one = self.names[0].is_some() && self.names[0] == self.names[1];
        let mut size = self.planned;
        (0..2).filter(|&a| a == axis || one).for_each(|a| size[a] = value);
        size
    }

    /// For each output, in file order, how it follows this input; `None` where it does not: a vector, or a map of
    /// one size whatever comes in. Fixed sizes are changed as `--size` would change them.
    pub fn follows(&self) -> Vec<Option<Follow>> {
        let along = [0, 1].map(|axis| self.lines(axis));
        let [height, width] = along;
        height.into_iter().zip(width).map(|(h, w)| Some([h?, w?])).collect()
    }

    /// Along one axis.
    fn lines(&self, axis: usize) -> Vec<Option<Along>> {
        let start = self.planned[axis].div_ceil(COARSE) * COARSE;
        let networks: Vec<(usize, Network)> = (1..=3).filter_map(|turn| self.sample(axis, turn * start)).collect();
        let outputs = &self.network.graph.outputs;
        let size = |network: &Network, output: usize| match network
            .graph
            .shape(network.graph.outputs.get(output)?.node)
            .spatial()
        {
            both @ [_, _] => Some(both[axis]),
            _ => None,
        };
        let line = |output: usize| {
            if networks.len() < 2 {
                return guess(self.planned[axis], size(self.network, output)?);
            }
            let points = networks.iter().map(|(input, network)| Some((*input, size(network, output)?)));
            Along::through(&points.collect::<Option<Vec<_>>>()?)
        };
        (0..outputs.len()).map(line).collect()
    }

    /// The network at the next size that works.
    fn sample(&self, axis: usize, least: usize) -> Option<(usize, Network)> {
        if self.names[axis].is_some() {
            let size = self.find(axis, least, &[])?;
            return Some((size, self.at(self.along(axis, size)).ok()?));
        }
        (least..least + TRIES.0).find_map(|value| Some((value, self.as_if_free(axis, value)?)))
    }

    /// The network with this size along an axis, whether that is free or not.
    fn as_if_free(&self, axis: usize, value: usize) -> Option<Network> {
        let mut spatial = self.planned;
        spatial[axis] = value;
        let model = Some(self.network.name.clone());
        let options = Options { spatial: Some(spatial.to_vec()), model, ..self.compiled.options.clone() };
        self.compiled.program.elaborate(&options).0
    }

    /// Whether the network would take this size along an axis, with the parameters that it has, if its sizes had names.
    pub fn would_work(&self, axis: usize, value: usize) -> bool {
        let params = |network: &Network| network.graph.named_params();
        self.as_if_free(axis, value).is_some_and(|network| params(&network) == params(self.network))
    }
}

/// How an output most likely follows an input whose size cannot be changed: by a whole factor, or else cut at the ends.
fn guess(input: usize, output: usize) -> Option<Along> {
    if output == 0 || input == 0 || (output == 1 && input > 1) {
        return None;
    }
    if output.is_multiple_of(input) || input.is_multiple_of(output) {
        let divisor = gcd(output, input);
        return Some(Along { num: output / divisor, den: input / divisor, offset: 0 });
    }
    Some(Along { num: 1, den: 1, offset: output as isize - input as isize })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elaborate::compile_text;

    fn follows(body: &str, size: &str) -> (Vec<Option<Follow>>, Option<usize>) {
        let text = format!("model M {{\n input image [N, 1, {size}]\n {body}\n}}\n");
        let compiled = compile_text("m.arch", &text, &Options::default());
        let network = compiled.network.clone().expect("it compiles");
        let canvas = Canvas::new(&compiled, &network, 0).expect("it takes pictures");
        let follows = canvas.follows();
        let next = canvas.next(0, 33, &follows);
        (follows, next)
    }

    fn both(num: usize, den: usize, offset: isize) -> Vec<Option<Follow>> {
        vec![Some([Along { num, den, offset }; 2])]
    }

    #[test]
    fn outputs_follow_by_a_factor_or_an_offset() {
        let free = "H=24, W=16";
        assert_eq!(follows("conv(4, 3)", free), (both(1, 1, 0), Some(33)));
        assert_eq!(follows("conv(4, 3, pad=0) -> conv(4, 3, pad=0)", free), (both(1, 1, -4), Some(33)));
        assert_eq!(follows("conv_transpose(4, 2, stride=2)", free), (both(2, 1, 0), Some(33)));
        // Odd sizes are rounded on their way: the next one in step is even.
        assert_eq!(follows("conv(4, 3, stride=2)", free), (both(1, 2, 0), Some(34)));
        let unet = "long skip concat { maxpool(2) -> maxpool(2) -> conv_transpose(4, 4, stride=4) }";
        assert_eq!(follows(unet, free), (both(1, 1, 0), Some(36)));
    }

    #[test]
    fn what_has_no_place_does_not_follow() {
        assert_eq!(follows("avgpool(global) -> flatten -> linear(3)", "H=24, W=16").0, [None]);
        assert_eq!(follows("adaptive_avgpool(7)", "H=24, W=16").0, [None]);
    }

    #[test]
    fn fixed_sizes_are_looked_at_as_if_they_were_free() {
        assert_eq!(follows("conv(4, 3) -> maxpool(2)", "24, 16"), (both(1, 2, 0), None));
        assert_eq!(guess(572, 388), Some(Along { num: 1, den: 1, offset: -184 }));
        assert_eq!(guess(64, 16), Some(Along { num: 1, den: 4, offset: 0 }));
    }

    #[test]
    fn a_name_helps_where_no_parameter_depends_on_the_size() {
        let would = |body: &str| {
            let text = format!("model M {{\n input image [N, 1, 24, 16]\n {body}\n}}\n");
            let compiled = compile_text("m.arch", &text, &Options::default());
            let network = compiled.network.clone().expect("it compiles");
            Canvas::new(&compiled, &network, 0).expect("it takes pictures").would_work(0, 33)
        };
        assert!(would("conv(4, 3) -> avgpool(global) -> flatten -> linear(3)"));
        assert!(!would("conv(4, 3) -> flatten -> linear(3)"));
    }

    #[test]
    fn one_name_is_one_size() {
        assert_eq!(follows("conv(4, 2, stride=2, pad=0)", "S=24, S"), (both(1, 2, 0), Some(34)));
    }
}
