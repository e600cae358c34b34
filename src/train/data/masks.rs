//! `images/` and `masks/`: a class for each pixel.

use super::census::Census;
use super::dataset::{Dataset, Sample, TargetKind};
use super::error::{DataError, Result};
use super::folder::{names_in, split_group, split_of, test_part};
use super::levels::{Levels, edges};
use super::mask_file;
use super::misfit::Misfit;
use super::pictures::{decode, is_image, size};
use super::source::{Compares, Split, Want};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An image and its mask, as paths below the directory.
type Entry = (Box<str>, Box<str>);

/// Images with masks, decoded when asked for.
struct Masks {
    directory: PathBuf,
    entries: Vec<Entry>,
    shape: Vec<usize>,
    kind: TargetKind,
    levels: Levels,
    census: Census,
}

/// Whether a directory is laid out so, in parts or as one.
pub fn is_masks(directory: &Path) -> bool {
    ["", "train"].iter().any(|part| {
        let part = directory.join(part);
        part.join("images").is_dir() && part.join("masks").is_dir()
    })
}

/// Opens `images/` and `masks/`, below `train/` and `test/` or directly; then every fifth pair is kept for testing. An
/// image and its mask have the same name up to the ending. Levels are read as [`Levels`] says.
pub fn open(directory: &Path, want: &Want) -> Result<Split> {
    super::source::check_pictures(directory, &want.shape)?;
    let mut broken = Vec::new();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    if directory.join("images").is_dir() {
        split_group(pairs(directory, "", &mut broken)?, &mut train, &mut test, "masks");
    } else {
        train = pairs(directory, "train/", &mut broken)?;
        if let Some(part) = test_part(&names_in(directory)?) {
            test = pairs(directory, &format!("{part}/"), &mut broken)?;
        }
    }
    if let (true, Some(first)) = (want.strict, broken.first()) {
        return Err(first.clone());
    }
    let mut palettes = Palettes::new(want.aim.levels.as_ref());
    let (train, learnt) = look(directory, train, want, &mut palettes, &mut broken)?;
    let (test, measured) = look(directory, test, want, &mut palettes, &mut broken)?;
    if let (None, Some(stray)) = (&want.aim.levels, Levels::stray(&[&learnt, &measured], want.aim.ignore)) {
        let entries: &[Entry] = if stray.part == 0 { &train } else { &test };
        let path = directory.join(entries.get(stray.seen.sample).map_or("", |(_, mask)| mask));
        let [h, w] = size(&path).unwrap_or([1, usize::MAX]);
        return Err(edges(&place(&path, [h, w], stray.seen.position, stray.level), stray.count).into());
    }
    let seen = || learnt.iter().chain(measured.iter()).map(|(level, _)| level);
    let levels = want.aim.levels.clone().unwrap_or_else(|| Levels::of(seen(), want.aim.ignore));
    let levels = Levels { palette: palettes.colours(), ..levels };
    let classes = |census: &Census| census.map(|level| levels.class(i32::try_from(level).ok()?).map(i64::from));
    let (learnt, measured) = (classes(&learnt), classes(&measured));
    let no_class = |class: i64| class < 0 || class == 255 || Some(class) == want.aim.ignore;
    let highest = learnt.highest(no_class).max(measured.highest(no_class));
    let part = |entries, census| -> Arc<dyn Dataset> {
        let kind = TargetKind::Mask { classes: Levels::classes(highest) };
        let (directory, shape, levels) = (directory.to_path_buf(), want.shape.clone(), levels.clone());
        Arc::new(Masks { directory, entries, shape, kind, levels, census })
    };
    split_of(directory, part(train, learnt), Some(part(test, measured)), &broken)
}

/// Images with their masks, sorted; images without are noted.
fn pairs(directory: &Path, part: &str, broken: &mut Vec<DataError>) -> Result<Vec<Entry>> {
    let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_string();
    let masks = names_in(&directory.join(format!("{part}masks")))?;
    let masks: BTreeMap<String, String> = masks.into_iter().filter(|n| is_image(n)).map(|n| (stem(&n), n)).collect();
    let mut entries = Vec::new();
    for name in names_in(&directory.join(format!("{part}images")))?.into_iter().filter(|n| is_image(n)) {
        let image = format!("{part}images/{name}");
        match masks.get(&stem(&name)) {
            Some(mask) => entries.push((image.into_boxed_str(), format!("{part}masks/{mask}").into_boxed_str())),
            None => {
                let reason = format!("it has no mask `{part}masks/{}.png`", stem(&name));
                broken.push(DataError::broken(directory.join(&image).display(), reason));
            }
        }
    }
    Ok(entries)
}

/// What a mask holds.
struct Looked {
    census: Census,
    palette: BTreeMap<i32, [u8; 3]>,
}

/// Looks at every mask: which levels they hold, and where first. Files that are broken are passed over, masks that hold
/// what cannot be a class are refused.
fn look(
    directory: &Path,
    entries: Vec<Entry>,
    want: &Want,
    palettes: &mut Palettes,
    broken: &mut Vec<DataError>,
) -> Result<(Vec<Entry>, Census)> {
    let looked: Vec<Result<Looked>> = entries.par_iter().map(|entry| look_at(directory, entry, want)).collect();
    let (mut kept, mut census) = (Vec::with_capacity(entries.len()), Census::default());
    for (entry, looked) in entries.into_iter().zip(looked) {
        match looked {
            Ok(looked) => {
                palettes.add(&directory.join(entry.1.as_ref()), &looked.palette)?;
                census.take(kept.len(), looked.census);
                kept.push(entry);
            }
            Err(error) if want.strict || matches!(error, DataError::Target(_)) => return Err(error),
            Err(error) => broken.push(error),
        }
    }
    Ok((kept, census))
}

/// Reads a mask, compares its size with the image's, and notes its levels.
fn look_at(directory: &Path, (image, mask): &Entry, want: &Want) -> Result<Looked> {
    let expected = size(&directory.join(image.as_ref()))?;
    let path = directory.join(mask.as_ref());
    let found = mask_file::read(&path)?;
    same_size(&path, expected, found.size)?;
    let white = want.aim.levels.as_ref().and_then(|levels| levels.white);
    let at = |level: &i32| place(&path, found.size, found.levels.iter().position(|l| l == level).unwrap_or(0), level);
    if let (Some(white), Some(stray)) = (white, found.levels.iter().find(|&&level| level != 0 && Some(level) != white))
    {
        return Err(stray_level(at(stray), white).into());
    }
    let kept = want.aim.compares == Compares::Numbers;
    if let (true, false, Some(stray)) =
        (found.lossy, kept, found.levels.iter().find(|&level| ![0, 255].contains(level)))
    {
        return Err(lossy(at(stray), &path).into());
    }
    let mut census = Census::default();
    census.add(0, found.levels.iter().map(|&level| i64::from(level)));
    let colour = |(level, _): (i64, _)| {
        let colour = found.palette.as_ref()?.get(usize::try_from(level).ok()?)?;
        Some((i32::try_from(level).ok()?, *colour))
    };
    let palette = census.iter().filter_map(colour).collect();
    Ok(Looked { census, palette })
}

fn same_size(mask: &Path, [h, w]: [usize; 2], [mh, mw]: [usize; 2]) -> Result<()> {
    if [h, w] == [mh, mw] {
        return Ok(());
    }
    Err(DataError::broken(mask.display(), format!("it is {mh}×{mw}, and its image {h}×{w}")))
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

/// A level that a JPEG holds, which may once have been another.
fn lossy(place: String, path: &Path) -> Misfit {
    let path = path.display();
    Misfit::new(format!("{place}, and it is a JPEG, which changes levels when it is saved"))
        .note("of masks in JPEG files only those are read that hold nothing but 0 and 255")
        .help(format!(
            "save masks as PNG. Black and white is had back in Python:  \
             Image.open('{path}').convert('L').point(lambda v: 255 * (v > 127)).save('mask.png')"
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
        let [h, w] = decode(&self.directory.join(image.as_ref()), self.shape[0], out.pixels.bytes())?;
        let path = self.directory.join(mask.as_ref());
        let found = mask_file::read(&path)?;
        same_size(&path, [h, w], found.size)?;
        let classes = out.target.mask();
        for (position, level) in found.levels.into_iter().enumerate() {
            let class = self.levels.class(level);
            let stray = || stray_level(place(&path, found.size, position, level), self.levels.white.unwrap_or(255));
            classes.push(class.ok_or_else(stray)?);
        }
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
        place(&path, size(&path).unwrap_or([1, usize::MAX]), position, value)
    }
}
