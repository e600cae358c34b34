//! Colours and sizes of the house.

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// A colour that stands apart from the others, also for people who see red and green alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    /// With skips.
    Blue,
    /// Without.
    Orange,
    /// A third.
    Green,
    /// A fourth.
    Purple,
    /// A fifth.
    Teal,
    /// What is only there to compare with.
    Grey,
}

impl Hue {
    /// A hue for the `i`th of several things; they repeat.
    pub fn nth(i: usize) -> Self {
        [Self::Blue, Self::Orange, Self::Green, Self::Purple, Self::Teal, Self::Grey][i % 6]
    }
}

/// A hue, as strong as the thing is important: 1 for the full colour, towards 0 for a tint of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink {
    /// The hue.
    pub hue: Hue,
    /// From 0 to 1.
    pub strength: f64,
}

impl From<Hue> for Ink {
    fn from(hue: Hue) -> Self {
        Self { hue, strength: 1.0 }
    }
}

impl Ink {
    /// The colour on paper: tints are mixed with a middle grey, so that they are seen on white and on black.
    pub fn rgb(self) -> Rgb {
        let full = match self.hue {
            Hue::Blue => Rgb(0x1c, 0x7e, 0xd6),
            Hue::Orange => Rgb(0xe8, 0x59, 0x0c),
            Hue::Green => Rgb(0x2f, 0x9e, 0x44),
            Hue::Purple => Rgb(0x9c, 0x4d, 0xcc),
            Hue::Teal => Rgb(0x0c, 0x9a, 0xa8),
            Hue::Grey => Rgb(0x7b, 0x87, 0x94),
        };
        mix(Rgb(0xc4, 0xcc, 0xd4), full, self.strength)
    }
}

/// The page, what is written on it, and what steps back. The style sheet turns these very colours round for dark pages.
pub const PAPER: Rgb = Rgb(0xff, 0xff, 0xff);
/// Text.
pub const TEXT: Rgb = Rgb(0x1f, 0x29, 0x33);
/// Text of less weight.
pub const DIM: Rgb = Rgb(0x5c, 0x68, 0x76);
/// Lines behind the data.
pub const GRID: Rgb = Rgb(0xe6, 0xea, 0xef);
/// The frame's edges.
pub const EDGE: Rgb = Rgb(0x9a, 0xa5, 0xb1);

/// What the file says of its looks; `.archc-chart` keeps it from the page that the file is put into.
pub const SHEET: &str = "\
.archc-chart text { font-family: Inter, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif }
.archc-chart polyline { stroke-linejoin: round; stroke-linecap: round }
@media (prefers-color-scheme: dark) {
  .archc-chart [fill='#FFFFFF'] { fill: #0f141a }
  .archc-chart [fill='#1F2933'] { fill: #e6edf3 }
  .archc-chart [fill='#5C6876'] { fill: #9fb0c0 }
  .archc-chart [stroke='#E6EAEF'] { stroke: #263040 }
  .archc-chart [stroke='#9AA5B1'] { stroke: #5a6675 }
}
";

/// Sizes of text, in pixels.
pub const TITLE: f64 = 17.0;
/// A panel's title.
pub const HEADING: f64 = 13.5;
/// Everything else.
pub const BODY: f64 = 12.0;

/// A colour between two.
pub fn mix(from: Rgb, to: Rgb, share: f64) -> Rgb {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let part = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    Rgb(part(from.0, to.0), part(from.1, to.1), part(from.2, to.2))
}

/// Colours of rising lightness, for amounts: deep blue, teal, green, yellow.
const RAMP: [Rgb; 6] = [
    Rgb(0x23, 0x1f, 0x5c),
    Rgb(0x27, 0x54, 0x8a),
    Rgb(0x1f, 0x84, 0x8c),
    Rgb(0x3f, 0xae, 0x76),
    Rgb(0xa2, 0xcf, 0x52),
    Rgb(0xfb, 0xe8, 0x5c),
];

/// The colour of an amount from 0 to 1.
pub fn ramp(amount: f64) -> Rgb {
    let at = if amount.is_finite() { amount.clamp(0.0, 1.0) } else { 1.0 } * (RAMP.len() - 1) as f64;
    let low = (at.floor() as usize).min(RAMP.len() - 2);
    mix(RAMP[low], RAMP[low + 1], at - low as f64)
}
