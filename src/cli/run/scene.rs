//! How pictures are made to fit one network: what it takes, how its outputs follow, how far it sees, what it costs.

use super::cut::{Cut, Sight};
use super::framing::{Fit, Framing, times};
use super::kind;
use archc::analysis::canvas::{Canvas, Follow, Size};
use archc::analysis::field::{ReceptiveField, receptive_fields};
use archc::base::{Diagnostic, codes};
use archc::elaborate::Network;
use archc::engine::Outline;
use archc::graph::NodeId;
use archc::kernels::Isa;
use archc::ops::Op;
use archc::ops::resize::UpsampleSize;
use archc::tools::text::bytes;
use archc::train::data::resize::Region;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Sides of tiles, largest first: the first whose plan the memory holds is taken.
const SIDES: [usize; 9] = [1024, 768, 512, 384, 256, 192, 128, 96, 64];

/// What the command line and the machine say.
#[derive(Clone, Copy, Debug)]
pub struct SceneOptions {
    /// How pictures are to be made to fit, where that was said.
    pub fit: Option<Fit>,
    /// Whether `--size` was said.
    pub sized: bool,
    /// Bytes from which on a picture is computed in tiles.
    pub memory: u64,
    /// Bytes that computing may take at most.
    pub most: u64,
    /// Bytes that are free for everything.
    pub free: u64,
    /// Threads.
    pub threads: usize,
    /// Whether the picture is the network's only input.
    pub only: bool,
}

/// One input of a network, and what pictures go through.
pub struct Scene<'a> {
    canvas: Canvas<'a>,
    network: &'a Network,
    /// How each output follows the picture.
    pub follows: Vec<Option<Follow>>,
    /// The output that the network is about.
    main: usize,
    sight: [Sight; 2],
    terms: SceneOptions,
    peaks: RefCell<BTreeMap<Size, u64>>,
}

impl<'a> Scene<'a> {
    /// Looks at a network.
    pub fn new(canvas: Canvas<'a>, network: &'a Network, terms: SceneOptions) -> Self {
        let follows = canvas.follows();
        let main = kind::main(network);
        let sight = [0, 1].map(|axis| sight(network, &follows, axis));
        Self { canvas, network, follows, main, sight, terms, peaks: RefCell::default() }
    }

    /// Whether the network answers for each pixel.
    pub fn per_pixel(&self) -> bool {
        self.follows.get(self.main).is_some_and(Option::is_some)
    }

    /// What is done to a picture of this size.
    ///
    /// # Errors
    /// `E0903` where the network works at no size that the picture could have, `E0809` where memory does not suffice.
    pub fn frame(&self, picture: Size) -> Result<Framing, Diagnostic> {
        let free = self.per_pixel() && self.canvas.is_free() && !self.terms.sized;
        let framing = match self.terms.fit {
            Some(Fit::Native) => self.native(picture)?,
            Some(Fit::Tile) => self.tile(picture, Region::whole(picture), picture, None)?,
            Some(Fit::Cover) => self.cover(picture)?,
            Some(Fit::Stretch) => self.stretch(picture),
            Some(Fit::Crop) => self.crop(picture),
            None if free => self.by_itself(picture)?,
            None if self.per_pixel() && self.terms.only => self.cover(picture)?,
            None if self.per_pixel() => self.stretch(picture),
            None => self.crop(picture),
        };
        self.afford(&framing)?;
        Ok(framing)
    }

    /// Native where memory holds it, tiles otherwise.
    fn by_itself(&self, picture: Size) -> Result<Framing, Diagnostic> {
        let native = self.native(picture)?;
        let wanted = self.peak(native.frame)?;
        if wanted <= self.terms.memory || self.tileable().is_err() {
            return Ok(native);
        }
        let why = format!("at once it takes {}, more than {}", bytes(wanted), bytes(self.terms.memory));
        self.tile(picture, Region::whole(picture), picture, Some(why))
    }

    fn native(&self, picture: Size) -> Result<Framing, Diagnostic> {
        let lead = self.margins();
        let frame = self.next([0, 1].map(|axis| picture[axis] + 2 * lead[axis]))?;
        Ok(Framing { lead, frame, ..Framing::resized(Fit::Native, picture, Region::whole(picture), picture) })
    }

    fn crop(&self, picture: Size) -> Framing {
        let size = self.canvas.planned;
        Framing::resized(Fit::Crop, picture, Region::cover(picture, size), size)
    }

    fn stretch(&self, picture: Size) -> Framing {
        let (lead, frame) = (self.margins(), self.canvas.planned);
        let inner = [0, 1].map(|axis| frame[axis].saturating_sub(2 * lead[axis]).max(1));
        Framing { lead, frame, ..Framing::resized(Fit::Stretch, picture, Region::whole(picture), inner) }
    }

    /// As training shrinks pictures, but with all of the longer side.
    fn cover(&self, picture: Size) -> Result<Framing, Diagnostic> {
        let stretched = self.stretch(picture);
        let inner = stretched.scaled;
        let scale = (0..2).map(|axis| inner[axis] as f64 / picture[axis] as f64).fold(0.0, f64::max);
        let scaled = [0, 1].map(|axis| ((picture[axis] as f64 * scale).round() as usize).max(inner[axis]));
        match scaled == inner {
            true => Ok(Framing { fit: Fit::Cover, ..stretched }),
            false => {
                self.tile(picture, Region::whole(picture), scaled, None).map(|it| Framing { fit: Fit::Cover, ..it })
            }
        }
    }

    /// The picture, resized to `scaled`, in tiles: as large as was said, or as memory holds.
    fn tile(&self, picture: Size, region: Region, scaled: Size, why: Option<String>) -> Result<Framing, Diagnostic> {
        self.tileable().map_err(|fact| self.refused(fact, "--fit stretch, or --fit crop"))?;
        let lead = self.margins();
        let least = [0, 1].map(|axis| scaled[axis] + 2 * lead[axis]);
        let fixed = self.terms.sized || self.terms.fit == Some(Fit::Cover) || !self.canvas.is_free();
        let sides: Vec<Size> = if fixed { vec![self.canvas.planned] } else { SIDES.map(|side| [side; 2]).to_vec() };
        let mut found: Option<[Cut; 2]> = None;
        for side in sides {
            let Some(cuts) = self.cuts(least, side) else { continue };
            let fits = self.peak([cuts[0].size, cuts[1].size])? <= self.terms.memory;
            found = Some(cuts);
            if fits {
                break;
            }
        }
        let cuts = found.ok_or_else(|| self.nowhere(0, least[0]))?;
        let frame = [cuts[0].frame(), cuts[1].frame()];
        let seams = (!cuts.iter().all(|cut| cut.exact)).then(|| self.seams(&cuts));
        let why = [why, seams].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let why = (!why.is_empty()).then_some(why);
        let cuts = Some(cuts).filter(|cuts| cuts.iter().any(|cut| cut.starts.len() > 1));
        Ok(Framing { lead, frame, cuts, why, ..Framing::resized(Fit::Tile, picture, region, scaled) })
    }

    /// Tiles with sides of about this size over a frame that holds `least`: the frame that the network would take at
    /// once, where there is one.
    fn cuts(&self, least: Size, side: Size) -> Option<[Cut; 2]> {
        let whole = self.next(least).unwrap_or(least);
        let axis = |axis: usize| {
            let (frame, sight) = (whole[axis], self.sight[axis]);
            let works = |size: &usize| self.canvas.works(axis, *size, &self.follows);
            if side[axis] >= frame && works(&frame) {
                return Some(Cut::whole(frame));
            }
            // Of the same rest as the frame, so that the last tile ends where the frame does.
            let lowest = side[axis].saturating_sub(sight.step - 1).max(1);
            let like = |size: &usize| size % sight.step == frame % sight.step;
            let in_step = (lowest..=side[axis]).rev().filter(like).find(works);
            let size = in_step.or_else(|| self.canvas.next(axis, side[axis], &self.follows))?;
            Some(Cut::new(frame, size, sight))
        };
        let mut cuts = [axis(0)?, axis(1)?];
        let alike = self.stretched_alike(&cuts);
        cuts.iter_mut().for_each(|cut| cut.exact &= alike);
        Some(cuts)
    }

    /// Whether what is brought to a size, and not by a factor, is so by the same whole factor in a tile and in the whole: else
    /// its positions fall between those of the whole.
    fn stretched_alike(&self, cuts: &[Cut; 2]) -> bool {
        if cuts.iter().all(|cut| cut.starts.len() == 1) || stretches(self.network).is_empty() {
            return true;
        }
        let at = |size: Size| self.canvas.at(size).ok().map(|network| stretches(&network));
        let Some(tile) = at([cuts[0].size, cuts[1].size]) else { return false };
        // A network of one size has no whole to compare with.
        let whole = at([cuts[0].frame(), cuts[1].frame()]).unwrap_or_else(|| tile.clone());
        let whole_factor =
            |[from, to]: [usize; 2]| from > 0 && to > 0 && (to.is_multiple_of(from) || from.is_multiple_of(to));
        tile.len() == whole.len()
            && tile.iter().zip(&whole).all(|(a, b)| whole_factor(*a) && a[0] * b[1] == a[1] * b[0])
    }

    /// The next size that works, both axes together.
    fn next(&self, least: Size) -> Result<Size, Diagnostic> {
        let one = self.canvas.names[0].is_some() && self.canvas.names[0] == self.canvas.names[1];
        let least = if one { [least[0].max(least[1]); 2] } else { least };
        let axis = |axis: usize| {
            let found = self.canvas.next(axis, least[axis], &self.follows);
            found.ok_or_else(|| self.nowhere(axis, least[axis]))
        };
        Ok([axis(0)?, axis(1)?])
    }

    /// `E0903`: no size of an axis will do.
    fn nowhere(&self, axis: usize, least: usize) -> Diagnostic {
        let side = ["height", "width"][axis];
        let Some(name) = self.canvas.names[axis] else {
            let planned = self.canvas.planned[axis];
            let fact =
                format!("the {side} of `{}` is fixed at {planned}, and the picture wants {least}", self.network.name);
            return self.refused(fact, &self.fixed(axis, least));
        };
        let last = least + self.canvas.tries() - 1;
        let because = self.canvas.because(axis, least).map(|why| format!(": {why}")).unwrap_or_default();
        let fact = format!("no `{name}` from {least} to {last} works{because}");
        self.refused(fact, "--fit stretch, or --fit crop; `archc check FILE --sizes` lists the sizes that work")
    }

    /// What may be done where a size is fixed: other fits, and names for the sizes where the network would take this one.
    fn fixed(&self, axis: usize, least: usize) -> String {
        let fits = match self.tileable() {
            Ok(()) => "--fit cover, --fit stretch or --fit crop",
            Err(_) => "--fit stretch or --fit crop",
        };
        if !self.per_pixel() && !self.canvas.would_work(axis, least) {
            return fits.into();
        }
        let Canvas { channels, planned: [height, width], names, .. } = &self.canvas;
        let (h, w) = (names[0].unwrap_or("H"), names[1].unwrap_or("W"));
        format!("{fits}; or name the sizes in the file: [N, {channels}, {h}={height}, {w}={width}]")
    }

    fn refused(&self, fact: String, help: &str) -> Diagnostic {
        Diagnostic::new(codes::SIZES_INVALID, fact).help(help)
    }

    /// Input positions at each end of an axis that some output does not answer for.
    fn margins(&self) -> Size {
        let most = |axis: usize| self.follows.iter().flatten().map(|follow| follow[axis].margin()).max().unwrap_or(0);
        [most(0), most(1)]
    }

    /// Whether answers of tiles can be put together.
    fn tileable(&self) -> Result<(), String> {
        if !self.terms.only {
            return Err(format!("`{}` has several inputs, and tiles are cut from one", self.network.name));
        }
        match self.follows.iter().position(Option::is_none) {
            Some(output) => {
                let name = &self.network.graph.outputs[output].name;
                Err(format!(
                    "the output `{name}` has no place in the picture, so that tiles of it cannot be put together"
                ))
            }
            None => Ok(()),
        }
    }

    /// Why tiles do not give quite what the whole would.
    fn seams(&self, cuts: &[Cut; 2]) -> String {
        if !self.stretched_alike(cuts) {
            return "what is enlarged to a size falls on other positions in a tile: seams are blended".into();
        }
        let reach = self.sight.iter().map(|sight| sight.reach).collect::<Option<Vec<_>>>();
        match reach.and_then(|reach| reach.into_iter().max()) {
            Some(reach) => format!("a pixel sees {reach} to each side, more than they overlap: seams are blended"),
            None => "a pixel sees all of the picture, and here all of its tile: seams are blended".into(),
        }
    }

    /// Bytes that the engine's plan takes at a size.
    fn peak(&self, size: Size) -> Result<u64, Diagnostic> {
        if let Some(&known) = self.peaks.borrow().get(&size) {
            return Ok(known);
        }
        let network = self.canvas.at(size)?;
        let peak = match Outline::new(&network, 1, self.terms.threads, Isa::best(), None) {
            Ok(outline) => outline.plan.peak,
            // More than can be counted is more than there is.
            Err(error) if error.code == codes::PLAN_TOO_LARGE => u64::MAX,
            Err(error) => return Err(*error),
        };
        self.peaks.borrow_mut().insert(size, peak);
        Ok(peak)
    }

    /// `E0809` where what is computed at once, and what comes of the whole, do not fit into memory.
    fn afford(&self, framing: &Framing) -> Result<(), Diagnostic> {
        let at_once = framing.cuts.as_ref().map_or(framing.frame, |[rows, columns]| [rows.size, columns.size]);
        let numbers = |channels: usize, [h, w]: Size| 4 * channels as u64 * h as u64 * w as u64;
        let output = |(output, follow): (&archc::graph::Output, &Option<Follow>)| {
            let shape = self.network.graph.shape(output.node);
            let size = follow.map(|f| [0, 1].map(|axis| f[axis].covering(framing.frame[axis])));
            size.map_or(0, |size| numbers(shape.channels().unwrap_or(1), size))
        };
        let outputs: u64 = self.network.graph.outputs.iter().zip(&self.follows).map(output).sum();
        let peak = self.peak(at_once)?;
        let all = peak.saturating_add(2 * outputs + 2 * numbers(self.canvas.channels, framing.frame));
        let (wanted, limit) = match peak > self.terms.most {
            true => (peak, format!("{} are allowed", bytes(self.terms.most))),
            false if all > self.terms.free => (all, format!("{} are free", bytes(self.terms.free))),
            false => return Ok(()),
        };
        let (size, fit) = (times(framing.picture), framing.fit.name());
        let fact = format!("{size} as `{fit}` takes {} of memory, and {limit}", bytes(wanted));
        Err(Diagnostic::new(codes::DATA_TOO_LARGE, fact).help(self.cheaper(framing, wanted)))
    }

    /// What takes less memory than was found to be too much, or allows that.
    fn cheaper(&self, framing: &Framing, wanted: u64) -> String {
        let fits = |size: Size| self.peak(size).is_ok_and(|peak| peak <= self.terms.most && peak < wanted);
        let at_once = |it: &Framing| it.cuts.as_ref().map_or(it.frame, |[rows, columns]| [rows.size, columns.size]);
        let mut help: Vec<String> = Vec::new();
        if framing.fit == Fit::Native {
            let tiles = self.tile(framing.picture, Region::whole(framing.picture), framing.picture, None);
            help.extend(tiles.is_ok_and(|tiles| fits(at_once(&tiles))).then(|| "--fit tile".into()));
        }
        if framing.fit != Fit::Stretch && fits(self.canvas.planned) {
            help.push("--fit stretch".into());
        }
        // What was allowed is less than what is free.
        if self.terms.most < wanted && wanted <= self.terms.free {
            help.push(format!("--memory {}", rounded_up(wanted)));
        }
        let [height, width] = self.canvas.planned.map(|size| size / 2);
        if framing.fit != Fit::Native && self.canvas.at([height, width]).is_ok() && fits([height, width]) {
            help.push(format!("--size {height}x{width}"));
        }
        match help.is_empty() {
            true => format!("smaller sizes in the file: `{}` is planned for these", self.network.name),
            false => help.join(", or "),
        }
    }
}

/// How far a position of any output sees along an axis, and the steps that windows take.
fn sight(network: &Network, follows: &[Option<Follow>], axis: usize) -> Sight {
    let graph = &network.graph;
    let fields = receptive_fields(graph);
    let window = |field: &ReceptiveField| match field {
        ReceptiveField::Window(axes) => axes.get(axis).copied(),
        ReceptiveField::Whole => None,
    };
    let jumps = fields.values().filter_map(window).map(|reach| reach.jump().round().max(1.0) as usize);
    let factors = follows.iter().flatten().map(|follow| follow[axis].den);
    let step = jumps.chain(factors).fold(1, lcm);
    // Their statistics are over all positions, or their windows parts of all, which the field leaves out.
    let of_all = |op: &Op| matches!(op, Op::GroupNorm(_) | Op::InstanceNorm(_) | Op::AdaptiveAvgPool(_));
    let statistics = graph.order().any(|id| of_all(&graph.node(id).op));
    let seen = graph.outputs.iter().map(|output| fields.get(&output.node).and_then(window));
    let extent = seen.map(|reach| reach.map(|reach| reach.extent() as usize)).collect::<Option<Vec<_>>>();
    // A window is not about its middle where steps come before it: by less than a step.
    let reach = extent.and_then(|all| all.into_iter().max()).map(|extent| extent.div_ceil(2) + step);
    Sight { reach: reach.filter(|_| !statistics), step }
}

/// Of everything that is brought to a size, and not by a factor, its sizes before and after along each axis.
fn stretches(network: &Network) -> Vec<[usize; 2]> {
    let graph = &network.graph;
    let to_size = |id: &NodeId| matches!(&graph.node(*id).op, Op::Upsample(upsample) if !matches!(upsample.size, UpsampleSize::Factor(_)));
    let sizes = |id: NodeId| {
        let from = graph.operands(id).first().map(|&operand| graph.shape(operand).spatial()).unwrap_or_default();
        from.iter().zip(graph.shape(id).spatial()).map(|(&from, &to)| [from, to]).collect::<Vec<_>>()
    };
    graph.order().filter(to_size).flat_map(sizes).collect()
}

/// Bytes as `--memory` takes them, at least as many: `425K`.
fn rounded_up(bytes: u64) -> String {
    match bytes < 1 << 20 {
        true => format!("{}K", bytes.div_ceil(1 << 10)),
        false => format!("{}M", bytes.div_ceil(1 << 20)),
    }
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x.max(1) * b
}
