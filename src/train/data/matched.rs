//! Classes matched by their names: a network answers by number, and which number is which class is a fact of the run that it
//! was trained in, not of the folders that it is measured on.

use super::census::Census;
use super::dataset::{Dataset, InputRange, Sample, Target, TargetKind};
use super::error::{DataError, Result};
use super::source::DataSpec;
use super::split::Split;
use crate::base::nearest::nearest;
use crate::base::{Fault, codes};
use std::sync::Arc;

/// A data set whose classes have the numbers that `kind` gives them.
struct Renumbered {
    inner: Arc<dyn Dataset>,
    kind: TargetKind,
    /// The new number of each class.
    numbers: Arc<Vec<i64>>,
    census: Option<Census>,
}

impl Renumbered {
    fn new(inner: Arc<dyn Dataset>, kind: TargetKind, numbers: Arc<Vec<i64>>) -> Self {
        let number = |class: i64| numbers.get(usize::try_from(class).ok()?).copied();
        let census = inner.census().map(|census| census.map(number));
        Self { inner, kind, numbers, census }
    }
}

/// Gives the classes of a data set the numbers that `want.known` has for their names.
///
/// Data without names keep their numbers. Names that differ in case alone are the same. Where `want.growing`, classes that are not
/// known come after the known ones, unless none is known: then the data are of another kind, and keep their order.
///
/// # Errors
/// [`DataError::Classes`] for a class that is not known.
pub fn match_classes(mut split: Split, spec: &str, want: &DataSpec) -> Result<Split> {
    let TargetKind::Class { names, .. } = split.train.target().clone() else { return Ok(split) };
    if want.known.is_empty() || names.is_empty() || names == want.known {
        return Ok(split);
    }
    let found: Vec<Option<usize>> = names.iter().map(|name| position(&want.known, name)).collect();
    let unknown: Vec<String> =
        names.iter().zip(&found).filter(|(_, at)| at.is_none()).map(|(name, _)| name.clone()).collect();
    if want.growing && unknown.len() == names.len() {
        split.notes.push("none of the classes is one of the weights': they are taken in their own order".into());
        return Ok(split);
    }
    if let (false, Some(first)) = (want.growing, unknown.first()) {
        let near = nearest(first, want.known.iter().map(String::as_str)).map(str::to_string);
        return Err(DataError::Classes { data: spec.into(), unknown, known: want.known.clone(), near });
    }
    let mut all = want.known.clone();
    let mut numbers = Vec::new();
    for (name, at) in names.iter().zip(&found) {
        if let Some(at) = at.filter(|&at| want.known[at] != *name) {
            let fact = format!("the class `{name}` is taken for `{}`, which is how the run spells it", want.known[at]);
            split.warnings.push(Fault::new(codes::DATA_DOUBTS, fact));
        }
        numbers.push(at.unwrap_or(all.len()) as i64);
        if at.is_none() {
            all.push(name.clone());
        }
    }
    let missing: Vec<String> =
        (0..all.len()).filter(|i| !numbers.contains(&(*i as i64))).map(|i| format!("`{}`", all[i])).collect();
    if !missing.is_empty() {
        split.notes.push(format!("`{spec}` has no samples of {}", missing.join(", ")));
    }
    let (kind, numbers) = (TargetKind::Class { count: all.len(), names: all }, Arc::new(numbers));
    let change = |inner| -> Arc<dyn Dataset> { Arc::new(Renumbered::new(inner, kind.clone(), numbers.clone())) };
    Ok(split.map(change))
}

/// Where a name stands: as it is, or else in another case, where one alone differs so.
fn position(known: &[String], name: &str) -> Option<usize> {
    known.iter().position(|k| k == name).or_else(|| {
        let mut alike = (0..known.len()).filter(|&i| known[i].to_lowercase() == name.to_lowercase());
        alike.next().filter(|_| alike.next().is_none())
    })
}

impl Dataset for Renumbered {
    fn len(&self) -> usize {
        self.inner.len()
    }

    fn input_shape(&self) -> &[usize] {
        self.inner.input_shape()
    }

    fn target(&self) -> &TargetKind {
        &self.kind
    }

    fn get(&self, index: usize, out: &mut Sample) -> Result<()> {
        self.inner.get(index, out)?;
        if let Target::Class(class) = &mut out.target {
            let number = usize::try_from(*class).ok().and_then(|class| self.numbers.get(class));
            *class = *number.ok_or_else(|| DataError::Internal(format!("class {class} has no number")))?;
        }
        Ok(())
    }

    fn census(&self) -> Option<&Census> {
        self.census.as_ref()
    }

    fn range(&self) -> Option<&InputRange> {
        self.inner.range()
    }

    fn tell(&self, sample: usize, position: usize, value: &str) -> String {
        self.inner.tell(sample, position, value)
    }
}
