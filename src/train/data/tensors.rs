//! One file with `x` and `y`, and perhaps with the same of other parts: `x_val` and `y_val`, `x_test` and `y_test`.

use super::arrays::ArrayFile;
use super::dataset::{Dataset, InputRange, Pixels, TargetKind};
use super::elements::{Array, Values};
use super::error::{DataError, Result};
use super::levels::{Levels, edges};
use super::misfit::{index, shown};
use super::part_names::{changed, names};
use super::source::DataSpec;
use super::split::Split;
use super::stored::{Origin, Stored, fit};
use super::table::described;
use super::targets::{Form, Named, kind};
use std::path::Path;
use std::sync::Arc;

/// Opens a `.safetensors` or `.npz` file as data.
///
/// `x` is `[N, C, H, W]`, `[N, H, W]`, `[N, C, L]` or `[N, F]`; bytes are scaled to 0–1, other numbers stay as they are.
/// `y` is a class each, a class for each pixel, or numbers, as [`Named::form`] says. Which arrays are which part's, [`names`] says.
pub fn open(path: &Path, want: &DataSpec) -> Result<Split> {
    if let Some(error) = described(path) {
        return Err(error);
    }
    let mut file = ArrayFile::open(path, want.memory)?;
    let names = names(path, &file.names())?;
    let mut read = |(x, y): &(String, String)| -> Result<Part> {
        Ok(Part { name: x.clone(), inputs: file.read(x)?, targets: Named::new(path, y, file.read(y)?)? })
    };
    let train = read(&names.train)?;
    let val = names.val.as_ref().map(&mut read).transpose()?;
    let test = names.test.as_ref().map(&mut read).transpose()?;
    let parts: Vec<&Named> =
        [Some(&train), val.as_ref(), test.as_ref()].into_iter().flatten().map(Part::named).collect();
    let inputs = [Some(&names.train), names.val.as_ref(), names.test.as_ref()].into_iter().flatten();
    let inputs = inputs.map(|(x, _)| x.clone()).collect();
    let reading = Reading { inputs, ..Reading::new(&parts, want)? };
    let stored = |part: Part| reading.stored(part, want);
    let channels = other_channels(&train, want);
    let train = stored(train)?;
    let (val, test) = (val.map(&stored).transpose()?, test.map(&stored).transpose()?);
    let warnings = names.warning(path).into_iter().collect();
    Ok(Split { val, warnings, notes: channels.into_iter().collect(), ..Split::new(train, test) })
}

/// The arrays of one part.
struct Part {
    /// The inputs' name.
    name: String,
    inputs: Array,
    targets: Named,
}

impl Part {
    fn named(&self) -> &Named {
        &self.targets
    }
}

/// How the targets of all parts are read.
struct Reading {
    form: Form,
    levels: Levels,
    kind: TargetKind,
    /// The names of the inputs of all parts.
    inputs: Vec<String>,
}

impl Reading {
    /// `parts` are the targets of all parts; of the first is learnt.
    fn new(parts: &[&Named], want: &DataSpec) -> Result<Self> {
        let [train, others @ ..] = parts else { return Err(DataError::Internal("a file of no parts".into())) };
        let form = train.form(want);
        others.iter().try_for_each(|other| alike(train, other, want))?;
        let censuses: Vec<_> = parts.iter().map(|part| part.census(form)).collect();
        let seen = || censuses.iter().flat_map(|census| census.iter()).map(|(level, _)| level);
        let masks = matches!(form, Form::Masks(_)) && want.aim.levels.is_none();
        let counted: Vec<_> = censuses.iter().collect();
        if let (true, Some(stray)) = (masks, Levels::stray(&counted, want.aim.ignore)) {
            let part = parts.get(stray.part).unwrap_or(train);
            return Err(edges(&part.tell(stray.seen.position, stray.level), stray.count).into());
        }
        let levels = match (form, &want.aim.levels) {
            (Form::Masks(_), Some(kept)) => kept.clone(),
            (Form::Masks(_), None) => Levels::of(seen(), want.aim.ignore),
            (Form::Classes | Form::Numbers, _) => Levels::default(),
        };
        let class = |level: i64| i32::try_from(level).ok().and_then(|level| levels.class(level)).map(i64::from);
        let kind = kind(form, &train.array.shape, seen().filter_map(class), want.aim.ignore);
        Ok(Self { form, levels, kind, inputs: Vec::new() })
    }

    fn stored(&self, Part { name, inputs, targets }: Part, want: &DataSpec) -> Result<Arc<dyn Dataset>> {
        let place = format!("`{name}` in `{}`", targets.file);
        let dims = input_dims(&place, &inputs.shape, want.shape.len())?;
        fit(&place, dims, &want.shape)?;
        if let Form::Masks(_) = self.form
            && let Form::Masks([h, w]) = targets.form(want)
            && [h, w] != [dims[1], dims[2]]
        {
            return Err(DataError::broken(place, format!("images are {}×{} and masks {h}×{w}", dims[1], dims[2])));
        }
        let values = match inputs.values {
            Values::Bytes(v) => Pixels::Bytes(v),
            other => Pixels::Floats(finite(&targets.file, &name, other.floats(), &inputs.shape)?),
        };
        let range = range(&place, &values, want, |white| scaled(&targets.file, &self.inputs, white));
        let shape = targets.array.shape.clone();
        let origin = Origin::Array { file: targets.file.clone(), name: targets.name.clone(), shape };
        let labels = targets.labels(self.form, &self.levels)?;
        let set = Stored::new(&place, dims, &want.shape, values, labels, self.kind.clone())?;
        let levels = matches!(self.form, Form::Masks(_)).then(|| self.levels.clone());
        Ok(Arc::new(set.named(origin).with_levels(levels).with_range(range)))
    }
}

/// The range of inputs in the shape of pictures that stay as they are; bytes are scaled, and have none. `scaled` is the Python that
/// divides all inputs of the file by a number.
fn range(place: &str, values: &Pixels, want: &DataSpec, scaled: impl Fn(&str) -> String) -> Option<InputRange> {
    let (Pixels::Floats(values), [1 | 3, _, _]) = (values, &want.shape[..]) else { return None };
    let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    let white = match high {
        128.0..=255.0 => "255".to_string(),
        32768.0..=65535.0 => "65535".to_string(),
        other => shown(other),
    };
    Some(InputRange { place: place.to_string(), ends: [low, high], fix: scaled(&white) })
}

/// A line of Python that divides all inputs of a file.
fn scaled(file: &str, inputs: &[String], white: &str) -> String {
    let divided: Vec<String> = inputs.iter().map(|name| format!("d['{name}'] = d['{name}'] / {white}")).collect();
    changed(Path::new(file), &divided.join("; "))
}

/// Refuses targets that are of another kind than those that are learnt from.
fn alike(train: &Named, other: &Named, want: &DataSpec) -> Result<()> {
    let differ =
        |what: &str| Err(DataError::broken(&train.file, format!("`{}` and `{}` are {what}", train.name, other.name)));
    match (train.form(want), other.form(want)) {
        (Form::Numbers, Form::Numbers) if train.array.shape.get(1..) != other.array.shape.get(1..) => {
            differ("of different sizes")
        }
        (a, b) if std::mem::discriminant(&a) != std::mem::discriminant(&b) => differ("of different kinds"),
        _ => Ok(()),
    }
}

/// What becomes of inputs whose channels are not the model's.
fn other_channels(part: &Part, want: &DataSpec) -> Option<String> {
    let (channels, wanted) = (*part.inputs.shape.get(1)?, *want.shape.first()?);
    let becomes = match (part.inputs.shape.len(), want.shape.len(), channels, wanted) {
        (4, 3, 3, 1) => "3 channels, and the model wants 1: RGB → grey",
        (4, 3, 1, 3) => "1 channel, and the model wants 3: grey → RGB",
        _ => return None,
    };
    Some(format!("`{}` in `{}` has {becomes}", part.name, part.targets.file))
}

/// `[C, H, W]` of the inputs, given how many axes the model's input has without the batch.
fn input_dims(place: &str, shape: &[usize], wanted: usize) -> Result<[usize; 3]> {
    match (shape, wanted) {
        (&[_, c, h, w], _) => Ok([c, h, w]),
        (&[_, c, l], 2) => Ok([c, 1, l]),
        (&[_, h, w], _) => Ok([1, h, w]),
        (&[_, f], _) => Ok([f, 1, 1]),
        (&[_], _) => Ok([1, 1, 1]),
        _ => Err(DataError::broken(place, format!("it has {} axes, where 2 to 4 are read", shape.len()))),
    }
}

fn finite(file: &str, name: &str, values: Vec<f32>, shape: &[usize]) -> Result<Vec<f32>> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(values),
        Some(at) => Err(DataError::broken(file, format!("`{name}[{}]` is {}", index(shape, at), shown(values[at])))),
    }
}
