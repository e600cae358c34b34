//! One file with `x` and `y`, and perhaps `x_test` and `y_test` (`x_train` and `y_train` are known too).

use super::arrays::ArrayFile;
use super::dataset::{Dataset, Pixels, TargetKind};
use super::elements::{Array, Values};
use super::error::{DataError, Result};
use super::source::Want;
use super::split::Split;
use super::stored::{Labels, Stored, fit};
use std::path::Path;
use std::sync::Arc;

/// Opens a `.safetensors` or `.npz` file as data.
///
/// `x` is `[N, C, H, W]`, `[N, H, W]`, `[N, C, L]` or `[N, F]`; bytes are scaled to 0–1, other numbers stay as they are.
/// `y` of whole numbers is a class each (`[N]` or `[N, 1]`) or a class for each pixel (`[N, H, W]` or `[N, 1, H, W]`);
/// anything else is numbers to be learnt as they are.
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
    let (inputs, targets) = (file.read(&x)?, Targets::new(path, &y, file.read(&y)?)?);
    let test = match has("x_test") && has("y_test") {
        true => Some((file.read("x_test")?, Targets::new(path, "y_test", file.read("y_test")?)?)),
        false => None,
    };
    let kind = targets.kind.with(test.as_ref().map(|(_, t)| &t.kind)).ok_or_else(|| {
        let (path, reason) = (path.display().to_string(), format!("`{y}` and `y_test` are of different kinds"));
        DataError::Broken { path, reason }
    })?;
    let train = stored(path, &x, inputs, targets, &kind, want)?;
    let test = test.map(|(inputs, targets)| stored(path, "x_test", inputs, targets, &kind, want)).transpose()?;
    Ok(Split::new(train, test))
}

/// `` `a`, `b` ``, or "nothing".
fn quoted(names: &[String]) -> String {
    let list: Vec<String> = names.iter().take(8).map(|n| format!("`{n}`")).collect();
    if list.is_empty() { "nothing".into() } else { list.join(", ") }
}

fn stored(
    path: &Path,
    name: &str,
    inputs: Array,
    targets: Targets,
    kind: &TargetKind,
    want: &Want,
) -> Result<Arc<dyn Dataset>> {
    let place = format!("{}, `{name}`", path.display());
    let dims = input_dims(&place, &inputs.shape, want.shape.len())?;
    fit(&place, dims, &want.shape)?;
    if let TargetKind::Mask { .. } = kind
        && targets.size != [dims[1], dims[2]]
    {
        let [h, w] = targets.size;
        return Err(DataError::broken(place, format!("images are {}×{} and masks {h}×{w}", dims[1], dims[2])));
    }
    let values = match inputs.values {
        Values::Bytes(v) => Pixels::Bytes(v),
        other => Pixels::Floats(finite(&place, other.floats(), &inputs.shape)?),
    };
    Ok(Arc::new(Stored::new(&place, dims, &want.shape, values, targets.labels, kind.clone())?))
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

fn finite(place: &str, values: Vec<f32>, shape: &[usize]) -> Result<Vec<f32>> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(values),
        Some(at) => {
            let row = at / shape.iter().skip(1).product::<usize>().max(1);
            Err(DataError::broken(place, format!("row {row} holds {}", values[at])))
        }
    }
}

/// Targets, and what kind they are.
struct Targets {
    labels: Labels,
    kind: TargetKind,
    /// Height and width of masks.
    size: [usize; 2],
}

impl Targets {
    fn new(path: &Path, name: &str, y: Array) -> Result<Self> {
        let place = format!("{}, `{name}`", path.display());
        let tensor = |values: Values| -> Result<Self> {
            let shape = if y.shape.len() > 1 { y.shape[1..].to_vec() } else { vec![1] };
            let labels = Labels::Tensor(finite(&place, values.floats(), &y.shape)?);
            Ok(Self { labels, kind: TargetKind::Tensor(shape), size: [0; 2] })
        };
        if let Values::Floats(_) = y.values {
            return tensor(y.values);
        }
        match *y.shape {
            [_] | [_, 1] => classes(&place, y.values),
            [_, h, w] | [_, 1, h, w] => masks(y.values, [h, w]),
            _ => tensor(y.values),
        }
    }
}

fn classes(place: &str, values: Values) -> Result<Targets> {
    let labels: Vec<i32> = ints(values);
    if let Some(row) = labels.iter().position(|&label| label < 0) {
        let (place, label) = (format!("{place}, row {row}"), labels[row] as i64);
        let classes = labels.iter().max().map_or(0, |&m| m.max(-1) as usize + 1);
        return Err(DataError::Label { place, label, classes });
    }
    let count = labels.iter().max().map_or(0, |&m| m as usize + 1);
    let kind = TargetKind::Class { count, names: Vec::new() };
    Ok(Targets { labels: Labels::Classes(labels), kind, size: [0; 2] })
}

/// Negative values and 255 mark pixels to ignore.
fn masks(values: Values, size: [usize; 2]) -> Result<Targets> {
    let highest = |values: &mut dyn Iterator<Item = i32>| values.filter(|&v| v != 255).max().unwrap_or(0).max(1);
    let (labels, highest) = match values {
        Values::Bytes(v) => {
            let highest = highest(&mut v.iter().map(|&b| b as i32));
            (Labels::Masks(v), highest)
        }
        other => {
            let v = ints(other);
            let highest = highest(&mut v.iter().copied());
            (Labels::WideMasks(v), highest)
        }
    };
    Ok(Targets { labels, kind: TargetKind::Mask { classes: highest as usize + 1 }, size })
}

fn ints(values: Values) -> Vec<i32> {
    match values {
        Values::Bytes(v) => v.into_iter().map(i32::from).collect(),
        Values::Ints(v) => v,
        Values::Floats(v) => v.into_iter().map(|x| x as i32).collect(),
    }
}

impl TargetKind {
    /// The kind that covers both, where there is one.
    fn with(&self, other: Option<&TargetKind>) -> Option<TargetKind> {
        match (self, other) {
            (kind, None) => Some(kind.clone()),
            (TargetKind::Class { count: a, names }, Some(TargetKind::Class { count: b, .. })) => {
                Some(TargetKind::Class { count: *a.max(b), names: names.clone() })
            }
            (TargetKind::Mask { classes: a }, Some(TargetKind::Mask { classes: b })) => {
                Some(TargetKind::Mask { classes: *a.max(b) })
            }
            (TargetKind::Tensor(a), Some(TargetKind::Tensor(b))) if a == b => Some(self.clone()),
            _ => None,
        }
    }
}
