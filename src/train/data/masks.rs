//! `images/` and `masks/`: a class for each pixel.

use super::census::Census;
use super::dataset::{Dataset, Sample, TargetKind};
use super::error::{DataError, Result};
use super::folder::split_of;
use super::levels::{Levels, edges};
use super::mask_file;
use super::misfit::Misfit;
use super::paired::{self, Pair};
use super::pictures::{decode, look, turned};
use super::remarks::Remarks;
use super::source::{Compares, DataSpec, check_pictures};
use super::split::Split;
use crate::base::command::quoted;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Masks that are looked at before what they hold is put together.
const AT_ONCE: usize = 256;

/// Images with masks, decoded when asked for.
struct Masks {
    directory: PathBuf,
    entries: Vec<Pair>,
    shape: Vec<usize>,
    kind: TargetKind,
    levels: Levels,
    census: Census,
}

/// Opens images with their masks, in the parts that `paired` finds. Levels are read as [`Levels`] says.
pub fn open(directory: &Path, want: &DataSpec, mut remarks: Remarks) -> Result<Split> {
    check_pictures(directory, &want.shape)?;
    let pairs = paired::find(directory, want, &mut remarks)?;
    let mut palettes = Palettes::new(want.aim.levels.as_ref());
    let mut seen = |entries: Vec<Pair>| see(directory, entries, want, &mut palettes, &mut remarks);
    let train = seen(pairs.train)?;
    let val = pairs.val.map(&mut seen).transpose()?;
    let test = pairs.test.map(&mut seen).transpose()?;
    let all: Vec<&Looked> = [Some(&train), val.as_ref(), test.as_ref()].into_iter().flatten().collect();
    let levels = Levels { palette: palettes.colours(), ..levels(directory, &all, want)? };
    let class = |level: i64| levels.class(i32::try_from(level).ok()?).map(i64::from);
    let kind = Levels::kind(found(&all).filter_map(class), want.aim.ignore);
    let part = |(entries, census): Looked| -> Arc<dyn Dataset> {
        let (kind, census) = (kind.clone(), census.map(class));
        let (directory, shape, levels) = (directory.to_path_buf(), want.shape.clone(), levels.clone());
        Arc::new(Masks { directory, entries, shape, kind, levels, census })
    };
    split_of(directory, (part(train), val.map(part), test.map(part)), &pairs.parts, remarks)
}

/// The pairs of a part that can be read, and the levels of their masks.
type Looked = (Vec<Pair>, Census);

/// The levels of all parts.
fn found<'p>(parts: &'p [&Looked]) -> impl Iterator<Item = i64> + 'p {
    parts.iter().flat_map(|(_, census)| census.iter()).map(|(level, _)| level)
}

/// How levels are read: as the run reads them, as numbers where the losses compare numbers (as those of arrays are), and else as
/// all of them together say.
fn levels(directory: &Path, parts: &[&Looked], want: &DataSpec) -> Result<Levels> {
    match (&want.aim.levels, want.aim.compares) {
        (Some(kept), _) => return Ok(kept.clone()),
        (None, Compares::Numbers) => return Ok(Levels::default()),
        (None, Compares::Classes | Compares::Either) => {}
    }
    let censuses: Vec<&Census> = parts.iter().map(|(_, census)| census).collect();
    if let Some(stray) = Levels::stray(&censuses, want.aim.ignore) {
        let entry = parts.get(stray.part).and_then(|(entries, _)| entries.get(stray.seen.sample));
        let path = directory.join(entry.map_or("", |(_, mask)| mask));
        let size = look(&path).map_or([1, usize::MAX], |seen| seen.stored);
        return Err(edges(&place(&path, size, stray.seen.position, stray.level), stray.count).into());
    }
    Ok(Levels::of(found(parts), want.aim.ignore))
}

/// What a pair holds.
struct Contents {
    census: Census,
    palette: BTreeMap<i32, [u8; 3]>,
    frames: bool,
    turned: bool,
}

/// Looks at every mask: which levels they hold, and where first. Files that are broken are passed over, masks that hold
/// what cannot be a class are refused.
fn see(
    directory: &Path,
    entries: Vec<Pair>,
    want: &DataSpec,
    palettes: &mut Palettes,
    remarks: &mut Remarks,
) -> Result<Looked> {
    let (mut kept, mut census) = (Vec::with_capacity(entries.len()), Census::default());
    let mut entries = entries.into_iter();
    loop {
        let some: Vec<Pair> = entries.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            return Ok((kept, census));
        }
        let looked: Vec<Result<Contents>> = some.par_iter().map(|entry| look_at(directory, entry, want)).collect();
        for (entry, held) in some.into_iter().zip(looked) {
            match held {
                Ok(held) => {
                    palettes.add(&directory.join(entry.1.as_ref()), &held.palette)?;
                    census.take(kept.len(), held.census);
                    remarks.frames.extend(held.frames.then(|| entry.0.to_string()));
                    remarks.turned.extend(held.turned.then(|| entry.0.to_string()));
                    kept.push(entry);
                }
                Err(DataError::Target(misfit)) => {
                    return Err(mask_file::with_colours(*misfit, &directory.join(entry.1.as_ref())).into());
                }
                Err(error) if want.strict => return Err(error),
                Err(error) => remarks.broken.push(error),
            }
        }
    }
}

/// Reads a mask, compares its size with the image's, and notes its levels.
fn look_at(directory: &Path, (image, mask): &Pair, want: &DataSpec) -> Result<Contents> {
    let picture = look(&directory.join(image.as_ref()))?;
    let path = directory.join(mask.as_ref());
    let found = mask_file::read(&path)?;
    picture.check_mask(&path, found.size)?;
    let white = want.aim.levels.as_ref().and_then(|levels| levels.white);
    let at = |level: &i32| place(&path, found.size, found.levels.iter().position(|l| l == level).unwrap_or(0), level);
    if let (Some(white), Some(stray)) = (white, found.levels.iter().find(|&&level| level != 0 && Some(level) != white))
    {
        return Err(stray_level(at(stray), white).into());
    }
    let kept = want.aim.compares == Compares::Numbers;
    let stray = found.levels.iter().find(|&level| ![0, 255].contains(level));
    if let (Some(format), false, Some(stray)) = (found.lossy, kept, stray) {
        return Err(lossy(at(stray), format, &path).into());
    }
    let mut census = Census::default();
    census.add(0, found.levels.iter().map(|&level| i64::from(level)));
    let colour = |(level, _): (i64, _)| {
        let colour = found.palette.as_ref()?.get(usize::try_from(level).ok()?)?;
        Some((i32::try_from(level).ok()?, *colour))
    };
    let palette = census.iter().filter_map(colour).collect();
    Ok(Contents { census, palette, frames: picture.frames, turned: picture.fits_either() })
}

/// `` `masks/a.png` has level 127 at row 3, column 5 ``.
fn place(path: &Path, [_, w]: [usize; 2], position: usize, level: impl std::fmt::Display) -> String {
    let (row, column) = (position / w.max(1), position % w.max(1));
    format!("the mask `{}` has level {level} at row {row}, column {column}", path.display())
}

/// A level that is neither black nor white.
fn stray_level(place: String, white: i32) -> Misfit {
    Misfit::new(format!("{place}, and the run's masks are black and white: 0 is class 0, and {white} class 1")).help(
        format!("write masks as the run's: 0 and {white}. In Python:  Image.fromarray((m == 1).astype('uint8') * 255)"),
    )
}

/// A level of a file that may once have been another: a JPEG, or what is like it.
fn lossy(place: String, format: &str, path: &Path) -> Misfit {
    let (folder, ending) = (path.parent().unwrap_or(Path::new(".")), path.extension().unwrap_or_default());
    let script = format!(
        "from pathlib import Path; from PIL import Image; \
         [Image.open(p).convert(\"L\").point(lambda v: 255 * (v > 127)).save(p.with_suffix(\".png\")) \
         for p in Path({:?}).glob(\"*.{}\")]",
        folder.display().to_string(),
        ending.display()
    );
    Misfit::new(format!("{place}, and it is {format}, which changes levels when it is saved"))
        .note("of masks in such files only those are read that hold nothing but 0 and 255")
        .help(format!(
            "save masks as PNG. This has black and white back; then take the old files out:  python3 -c {}",
            quoted(&script)
        ))
}

/// The colours that palettes give to indices: masks whose palettes disagree number their classes differently.
struct Palettes {
    known: BTreeMap<i32, ([u8; 3], String)>,
}

impl Palettes {
    fn new(levels: Option<&Levels>) -> Self {
        let kept = levels.into_iter().flat_map(|levels| &levels.palette);
        Self { known: kept.map(|(&index, &colour)| (index, (colour, "the run's masks".to_string()))).collect() }
    }

    fn add(&mut self, path: &Path, palette: &BTreeMap<i32, [u8; 3]>) -> Result<()> {
        for (&index, &colour) in palette {
            let name = || format!("`{}`", path.display());
            let (known, first) = self.known.entry(index).or_insert_with(|| (colour, name()));
            if *known != colour {
                let ([r, g, b], [kr, kg, kb], name) = (colour, *known, name());
                let fact = format!(
                    "index {index} is the colour ({r}, {g}, {b}) in the palette of {name}, and ({kr}, {kg}, {kb}) in {first}"
                );
                let help = format!(
                    "masks number their classes by the same palette. Where the indices are right, take the palettes out, \
                     in Python:  Image.fromarray(np.array(Image.open({}))).save('mask.png')",
                    name.replace('`', "'")
                );
                return Err(Misfit::new(fact).help(help).into());
            }
        }
        Ok(())
    }

    fn colours(&self) -> BTreeMap<i32, [u8; 3]> {
        self.known.iter().map(|(&index, (colour, _))| (index, *colour)).collect()
    }
}

impl Dataset for Masks {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn target(&self) -> &TargetKind {
        &self.kind
    }

    fn get(&self, index: usize, out: &mut Sample) -> Result<()> {
        let (image, mask) = &self.entries[index];
        let path = self.directory.join(image.as_ref());
        let seen = decode(&path, self.shape[0], out.pixels.bytes())?;
        let path = self.directory.join(mask.as_ref());
        let found = mask_file::read(&path)?;
        seen.check_mask(&path, found.size)?;
        let mut levels = Vec::with_capacity(found.levels.len());
        for (position, level) in found.levels.into_iter().enumerate() {
            let class = self.levels.class(level);
            let stray = || stray_level(place(&path, found.size, position, level), self.levels.white.unwrap_or(255));
            levels.push(class.ok_or_else(stray)?);
        }
        out.target.mask().extend(turned(&seen, found.size, levels));
        let [h, w] = seen.size;
        out.dims = [self.shape[0], h, w];
        Ok(())
    }

    fn census(&self) -> Option<&Census> {
        Some(&self.census)
    }

    fn levels(&self) -> Option<&Levels> {
        Some(&self.levels)
    }

    fn tell(&self, sample: usize, position: usize, value: &str) -> String {
        let path = self.directory.join(self.entries.get(sample).map_or("", |(_, mask)| mask));
        place(&path, look(&path).map_or([1, usize::MAX], |seen| seen.stored), position, value)
    }
}
