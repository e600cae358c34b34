//! Arrays as targets: labels, masks or numbers.

use super::census::Census;
use super::dataset::TargetKind;
use super::elements::{Array, Values};
use super::error::{DataError, Result};
use super::levels::Levels;
use super::misfit::{Misfit, index, shown};
use super::source::{Compares, DataSpec};
use super::stored::Labels;
use std::path::Path;

/// What an array of targets is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A class each.
    Classes,
    /// A class for each pixel, of this height and width.
    Masks([usize; 2]),
    /// Numbers as they are.
    Numbers,
}

/// An array of targets with its name.
pub struct Named {
    /// The file.
    pub file: String,
    /// The array's name.
    pub name: String,
    /// The array.
    pub array: Array,
}

impl Named {
    /// An array of a file; its numbers are finite.
    ///
    /// # Errors
    /// [`DataError::Broken`] where one is not.
    pub fn new(path: &Path, name: &str, array: Array) -> Result<Self> {
        let named = Self { file: path.display().to_string(), name: name.to_string(), array };
        match &named.array.values {
            Values::Floats(v) => match v.iter().position(|v| !v.is_finite()) {
                Some(at) => Err(named.not_finite(at, v[at])),
                None => Ok(named),
            },
            _ => Ok(named),
        }
    }

    fn not_finite(&self, at: usize, value: f32) -> DataError {
        let place = index(&self.array.shape, at);
        DataError::broken(&self.file, format!("`{}[{place}]` is {}", self.name, shown(value)))
    }

    /// What the losses make of it. Where all of them compare numbers, it is numbers. Else whole numbers are classes where they may
    /// be: `[N]` and `[N, 1]` of samples, `[N, H, W]` and `[N, 1, H, W]` of pixels. Whether they are stored as floats does not
    /// matter to losses over classes.
    pub fn form(&self, want: &DataSpec) -> Form {
        if want.aim.compares == Compares::Numbers {
            return Form::Numbers;
        }
        let image = want.shape.len() != 2;
        let form = match *self.array.shape {
            [_] | [_, 1] => Form::Classes,
            [_, h, w] | [_, 1, h, w] if image => Form::Masks([h, w]),
            _ => return Form::Numbers,
        };
        let Values::Floats(values) = &self.array.values else { return form };
        let stray = values.iter().find(|v| v.fract() != 0.0 || v.abs() > 1e9);
        match (want.aim.compares, form, stray) {
            (Compares::Classes, form, None) | (Compares::Either, form @ Form::Masks(_), None) => form,
            _ => Form::Numbers,
        }
    }

    /// Classes, as whole numbers of 32 bits.
    fn whole(&self) -> Vec<i32> {
        match &self.array.values {
            Values::Bytes(v) => v.iter().map(|&b| i32::from(b)).collect(),
            Values::Ints(v) => v.clone(),
            Values::Floats(v) => v.iter().map(|&x| x as i32).collect(),
        }
    }

    /// The whole numbers that it holds, as those of one sample; none where it holds other numbers.
    pub fn census(&self, form: Form) -> Census {
        let mut census = Census::default();
        match &self.array.values {
            _ if form == Form::Numbers => {}
            Values::Bytes(v) => census.add(0, v.iter().map(|&b| i64::from(b))),
            _ => census.add(0, self.whole().into_iter().map(i64::from)),
        }
        census
    }

    /// `` `y[3, 0, 7]` in `d.npz` is 5 ``.
    pub fn tell(&self, at: usize, value: i64) -> String {
        format!("`{}[{}]` in `{}` is {value}", self.name, index(&self.array.shape, at), self.file)
    }

    /// The same as the labels of a data set; levels of masks are read as `levels` says.
    ///
    /// # Errors
    /// [`DataError::Target`] where a level stands for no class.
    pub fn labels(self, form: Form, levels: &Levels) -> Result<Labels> {
        match form {
            Form::Numbers => Ok(Labels::Tensor(self.array.values.floats())),
            Form::Classes => Ok(Labels::Classes(self.whole())),
            Form::Masks(_) => self.masks(levels),
        }
    }

    fn masks(self, levels: &Levels) -> Result<Labels> {
        let stray = |at: usize, level: i32| {
            let (fact, name, white) = (self.tell(at, i64::from(level)), &self.name, levels.white.unwrap_or(255));
            let help = format!("write masks as the run's: 0 and {white}. In Python:  {name} = ({name} == 1) * {white}");
            let run = format!("the run's masks are black and white: 0 is class 0, and {white} class 1");
            DataError::from(Misfit::new(format!("{fact}, and {run}")).help(help))
        };
        if let (Values::Bytes(_), None) = (&self.array.values, levels.white) {
            let Values::Bytes(bytes) = self.array.values else { return Ok(Labels::Masks(Vec::new())) };
            return Ok(Labels::Masks(bytes));
        }
        let class = |(at, level): (usize, i32)| levels.class(level).ok_or_else(|| stray(at, level));
        let classes: Result<Vec<i32>> = self.whole().into_iter().enumerate().map(class).collect();
        let classes = classes?;
        Ok(match levels.white {
            Some(_) => Labels::Masks(classes.into_iter().map(|class| class as u8).collect()),
            None => Labels::WideMasks(classes),
        })
    }
}

/// The kind of targets in this form, given the numbers that all of them hold.
pub fn kind(form: Form, shape: &[usize], numbers: impl Iterator<Item = i64>, ignore: Option<i64>) -> TargetKind {
    match form {
        Form::Classes => {
            let highest = numbers.filter(|&class| class >= 0 && Some(class) != ignore).max();
            let count = highest.map_or(0, |class| usize::try_from(class).unwrap_or(0) + 1);
            TargetKind::Class { count, names: Vec::new() }
        }
        Form::Masks(_) => Levels::kind(numbers, ignore),
        Form::Numbers => TargetKind::Tensor(if shape.len() > 1 { shape[1..].to_vec() } else { vec![1] }),
    }
}
