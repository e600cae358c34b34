//! One file with `x` and `y`, and perhaps `x_test` and `y_test` (`x_train` and `y_train` are known too).

use super::arrays::ArrayFile;
use super::dataset::{Dataset, Pixels, TargetKind};
use super::elements::{Array, Values};
use super::error::{DataError, Result};
use super::levels::{Levels, edges};
use super::misfit::{index, shown};
use super::source::Want;
use super::split::Split;
use super::stored::{Origin, Stored, fit};
use super::targets::{Form, Named, kind};
use std::path::Path;
use std::sync::Arc;

/// Opens a `.safetensors` or `.npz` file as data.
///
/// `x` is `[N, C, H, W]`, `[N, H, W]`, `[N, C, L]` or `[N, F]`; bytes are scaled to 0–1, other numbers stay as they are.
/// `y` is a class each, a class for each pixel, or numbers, as [`Named::form`] says.
pub fn open(path: &Path, want: &Want) -> Result<Split> {
    let mut file = ArrayFile::open(path, want.memory)?;
    let names = file.names();
    let has = |name: &str| names.iter().any(|n| n == name);
    let suffix = if has("x") { "" } else { "_train" };
    let (x, y) = (format!("x{suffix}"), format!("y{suffix}"));
    if !has(&x) || !has(&y) {
        let found = format!("it has no arrays `x` and `y`, but {}", quoted(&names));
        return Err(DataError::Layout { path: path.display().to_string(), found, near: None });
    }
    let (inputs, targets) = (file.read(&x)?, Named::new(path, &y, file.read(&y)?)?);
    let test = match has("x_test") && has("y_test") {
        true => Some((file.read("x_test")?, Named::new(path, "y_test", file.read("y_test")?)?)),
        false => None,
    };
    let reading = Reading::new(&targets, test.as_ref().map(|(_, targets)| targets), want)?;
    let train = reading.stored(&x, inputs, targets, want)?;
    let test = test.map(|(inputs, targets)| reading.stored("x_test", inputs, targets, want)).transpose()?;
    Ok(Split::new(train, test))
}

/// `` `a`, `b` ``, or "nothing".
fn quoted(names: &[String]) -> String {
    let list: Vec<String> = names.iter().take(8).map(|n| format!("`{n}`")).collect();
    if list.is_empty() { "nothing".into() } else { list.join(", ") }
}

/// How the targets of both parts are read.
struct Reading {
    form: Form,
    levels: Levels,
    kind: TargetKind,
}

impl Reading {
    fn new(train: &Named, test: Option<&Named>, want: &Want) -> Result<Self> {
        let form = train.form(want);
        let differ = |what: &str| DataError::broken(&train.file, format!("`{}` and `y_test` are {what}", train.name));
        if let Some(test) = test {
            match (form, test.form(want)) {
                (Form::Numbers, Form::Numbers) if train.array.shape.get(1..) != test.array.shape.get(1..) => {
                    return Err(differ("of different sizes"));
                }
                (a, b) if std::mem::discriminant(&a) != std::mem::discriminant(&b) => {
                    return Err(differ("of different kinds"));
                }
                _ => {}
            }
        }
        let learnt = train.census(form);
        let measured = test.map(|test| test.census(form)).unwrap_or_default();
        let seen = || learnt.iter().chain(measured.iter()).map(|(level, _)| level);
        let masks = matches!(form, Form::Masks(_)) && want.aim.levels.is_none();
        if let (true, Some(stray)) = (masks, Levels::stray(&[&learnt, &measured], want.aim.ignore)) {
            let part = test.filter(|_| stray.part == 1).unwrap_or(train);
            return Err(edges(&part.tell(stray.seen.position, stray.level), stray.count).into());
        }
        let levels = match (form, &want.aim.levels) {
            (Form::Masks(_), Some(kept)) => kept.clone(),
            (Form::Masks(_), None) => Levels::of(seen(), want.aim.ignore),
            _ => Levels::default(),
        };
        let class = |level: i64| i32::try_from(level).ok().and_then(|level| levels.class(level)).map(i64::from);
        let kind = kind(form, &train.array.shape, seen().filter_map(class), want.aim.ignore);
        Ok(Self { form, levels, kind })
    }

    fn stored(&self, name: &str, inputs: Array, targets: Named, want: &Want) -> Result<Arc<dyn Dataset>> {
        let place = format!("{}, `{name}`", targets.file);
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
            other => Pixels::Floats(finite(&targets.file, name, other.floats(), &inputs.shape)?),
        };
        let shape = targets.array.shape.clone();
        let origin = Origin::Array { file: targets.file.clone(), name: targets.name.clone(), shape };
        let labels = targets.labels(self.form, &self.levels)?;
        let set = Stored::new(&place, dims, &want.shape, values, labels, self.kind.clone())?;
        let levels = matches!(self.form, Form::Masks(_)).then(|| self.levels.clone());
        Ok(Arc::new(set.named(origin).with_levels(levels)))
    }
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
