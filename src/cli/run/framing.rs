//! What is done to a picture so that a network takes it, and in which words that is said.

use super::cut::Cut;
use archc::analysis::canvas::{Follow, Size};
use archc::train::data::resize::Region;
use clap::ValueEnum;
use serde_json::{Value, json};

/// How a picture is made to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fit {
    /// Its own size, padded to the next that works.
    Native,
    /// Shrunk and cut about its middle, as in training.
    Crop,
    /// Resized to the network's size, whatever its proportions.
    Stretch,
    /// Its own size, in overlapping tiles.
    Tile,
    /// Shrunk as in training, in overlapping tiles along its longer side.
    Cover,
}

impl Fit {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Crop => "crop",
            Self::Stretch => "stretch",
            Self::Tile => "tile",
            Self::Cover => "cover",
        }
    }
}

/// What is done to one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Framing {
    /// What was chosen.
    pub fit: Fit,
    /// The picture's size.
    pub picture: Size,
    /// What is taken of it.
    pub region: Region,
    /// The size to which that is resized.
    pub scaled: Size,
    /// Mirrored rows above it, and columns at its left.
    pub lead: Size,
    /// The size with what is mirrored.
    pub frame: Size,
    /// The tiles, along height and width; `None` where the frame is computed at once.
    pub cuts: Option<[Cut; 2]>,
    /// Why it is so, where that was not asked for.
    pub why: Option<String>,
}

/// A part of an output, and what of the picture it stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Its upper left position in the output.
    pub start: Size,
    /// Its size.
    pub size: Size,
    /// What it covers, in the picture's pixels.
    pub covers: Region,
}

impl Framing {
    /// A picture resized to a size and computed at once.
    pub fn resized(fit: Fit, picture: Size, region: Region, scaled: Size) -> Self {
        Self { fit, picture, region, scaled, lead: [0; 2], frame: scaled, cuts: None, why: None }
    }

    /// How many tiles there are.
    pub fn tiles(&self) -> usize {
        self.cuts.as_ref().map_or(1, |[rows, columns]| rows.starts.len() * columns.starts.len())
    }

    /// Of an output of this size, what is left when the padding is cut off. An output that does not follow its input
    /// stands for all that was taken of the picture.
    pub fn part(&self, follow: Option<&Follow>, output: Size) -> Part {
        let axes = [0, 1].map(|axis| self.along(axis, follow.map(|f| f[axis]), output[axis]));
        let [rows, columns] = axes;
        Part {
            start: [rows.0, columns.0],
            size: [rows.1, columns.1],
            covers: Region { top: rows.2, height: rows.3, left: columns.2, width: columns.3 },
        }
    }

    /// Start and length in the output, start and length in the picture.
    fn along(
        &self,
        axis: usize,
        along: Option<archc::analysis::canvas::Along>,
        output: usize,
    ) -> (usize, usize, f64, f64) {
        let (start, length) = match axis {
            0 => (self.region.top, self.region.height),
            _ => (self.region.left, self.region.width),
        };
        let Some(along) = along.filter(|along| along.of(self.frame[axis]) == Some(output)) else {
            return (0, output, start, length);
        };
        let scale = length / self.scaled[axis] as f64;
        let factor = along.num as f64 / along.den as f64;
        let lead = along.covering(self.lead[axis]);
        // Without room around the picture, what windows took from it is not answered.
        let lost = along.margin().saturating_sub(lead);
        let from = (lead + along.surplus()).saturating_sub(along.margin());
        let wanted = along.covering(self.scaled[axis]).saturating_sub(2 * lost);
        let size = wanted.min(output.saturating_sub(from));
        (from, size, start + lost as f64 * scale, size as f64 / factor * scale)
    }

    /// What was done, in words: `padded to 336×224 by reflection`. Sizes are width × height, as people say them.
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        let taken = [self.region.height, self.region.width];
        if self.region != Region::whole(self.picture) {
            parts.push(format!("its middle {:.0}×{:.0}", taken[1], taken[0]));
        }
        let same = (0..2).all(|axis| self.scaled[axis] as f64 == taken[axis]);
        let grown = (0..2).all(|axis| self.scaled[axis] as f64 >= taken[axis]);
        match (self.fit, same) {
            (Fit::Stretch, false) => parts.push(format!("stretched to {}", times(self.scaled))),
            (_, false) if grown => parts.push(format!("enlarged to {}", times(self.scaled))),
            (_, false) => parts.push(format!("shrunk to {}", times(self.scaled))),
            (_, true) if parts.is_empty() => parts.push("at its own size".into()),
            _ => {}
        }
        if self.frame != self.scaled {
            parts.push(format!("padded to {} by reflection", times(self.frame)));
        }
        if let Some([rows, columns]) = &self.cuts {
            let (size, overlap) = ([rows.size, columns.size], [rows.overlap(), columns.overlap()]);
            let (size, overlap) = (times(size), times(overlap));
            parts.push(format!("in {} tiles of {size} that overlap by {overlap}", self.tiles()));
        }
        let why = self.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        parts.join(", ") + &why
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let size = |[height, width]: Size| json!({ "width": width, "height": height });
        let region = self.region;
        let tiles = self.cuts.as_ref().map(|[rows, columns]| {
            json!({
                "count": self.tiles(), "size": size([rows.size, columns.size]),
                "overlap": size([rows.overlap(), columns.overlap()]), "exact": rows.exact && columns.exact,
            })
        });
        json!({
            "fit": self.fit.name(),
            "size": size(self.picture),
            "region": { "left": region.left, "top": region.top, "width": region.width, "height": region.height },
            "resized": size(self.scaled),
            "padded": size(self.frame),
            "tiles": tiles,
        })
    }
}

/// `1280×800`: width × height.
pub fn times([height, width]: Size) -> String {
    format!("{width}×{height}")
}
