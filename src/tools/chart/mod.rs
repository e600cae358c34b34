//! Curves, bars, heat maps and surfaces as SVG, in one house style.
//!
//! A [`Figure`] is a title, panels side by side, and a note; [`Figure::svg`] draws it. Equal figures give equal bytes. The colours
//! are legible on a light and on a dark page, and the file follows the reader's preference.

mod bars;
mod canvas;
pub mod contour;
mod figure;
mod frame;
mod heat;
mod lines;
mod scale;
mod style;
mod surface;

pub use bars::{BarSeries, Bars};
pub use heat::Heat;
pub use lines::{Series, Stroke};
pub use scale::number;
pub use style::{Hue, Ink};
pub use surface::Surface;

/// What is drawn on one page.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The claim or the question, in a line.
    pub title: String,
    /// What was measured: network, data, seed.
    pub subtitle: String,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels in a row; at least 1.
    pub columns: usize,
    /// Width and height of a panel, labels included, in pixels.
    pub size: (f64, f64),
    /// What to read from it, below the panels; it is wrapped.
    pub note: String,
}

impl Default for Figure {
    fn default() -> Self {
        let (title, subtitle, note) = Default::default();
        Self { title, subtitle, panels: Vec::new(), columns: 1, size: (760.0, 400.0), note }
    }
}

/// One coordinate system.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// What tells it from its neighbours; empty for a single panel.
    pub title: String,
    /// Across.
    pub x: Axis,
    /// Up; of bars and heat maps, what their rows or heights are.
    pub y: Axis,
    /// What is drawn in it.
    pub body: Body,
}

/// What a panel shows.
#[derive(Clone, Debug)]
pub enum Body {
    /// Curves.
    Lines(Vec<Series>),
    /// Groups of bars.
    Bars(Bars),
    /// A matrix of colours.
    Heat(Heat),
    /// A function of two variables: filled contours with isolines.
    Surface(Surface),
}

impl Default for Body {
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

/// How values become positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithms; what is not above 0 is left out.
    Log,
}

/// One axis.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// What it measures, with its unit.
    pub label: String,
    /// How values become positions.
    pub scale: Scale,
    /// From where to where; the range of the data where nothing is said.
    pub range: Option<(f64, f64)>,
    /// Places with names, instead of numbers.
    pub ticks: Option<Vec<(f64, String)>>,
}

impl Axis {
    /// A linear axis over the data.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A logarithmic axis over the data.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Log, ..Self::default() }
    }

    /// The axis from here to there.
    pub fn range(mut self, from: f64, to: f64) -> Self {
        self.range = Some((from, to));
        self
    }

    /// The axis with names at the middle of unit intervals: 0.5, 1.5, …
    pub fn names(mut self, names: &[String]) -> Self {
        self.ticks = Some(names.iter().enumerate().map(|(i, name)| (i as f64 + 0.5, name.clone())).collect());
        self.range = Some((0.0, names.len().max(1) as f64));
        self
    }
}
