//! A node's attributes, asked for by name.

use super::super::proto::AttributeProto;
use super::tensor::{Tensor, read, shortest};
use std::path::Path;

/// The attributes of one node.
pub struct Attrs<'m>(pub &'m [AttributeProto]);

impl Attrs<'_> {
    fn get(&self, name: &str) -> Option<&AttributeProto> {
        self.0.iter().find(|a| a.name == name)
    }

    /// A whole number, or what it is where it is left out.
    pub fn int(&self, name: &str, otherwise: i64) -> i64 {
        self.get(name).and_then(|a| a.i).unwrap_or(otherwise)
    }

    /// A number, or what it is where it is left out.
    pub fn float(&self, name: &str, otherwise: f64) -> f64 {
        self.get(name).and_then(|a| a.f).map_or(otherwise, shortest)
    }

    /// A word; empty where it is left out.
    pub fn word(&self, name: &str) -> String {
        let bytes = self.get(name).and_then(|a| a.s.as_ref());
        bytes.map(|s| String::from_utf8_lossy(s).into_owned()).unwrap_or_default()
    }

    /// Whole numbers; `None` where they are left out.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.get(name).map(|a| a.ints.clone())
    }

    /// Numbers; `None` where they are left out.
    pub fn floats(&self, name: &str) -> Option<Vec<f64>> {
        self.get(name).map(|a| a.floats.iter().map(|&x| shortest(x)).collect())
    }

    /// Sizes, one for each of so many axes; `None` where one is negative or there are others than so many.
    pub fn sizes(&self, name: &str, axes: usize, otherwise: usize) -> Option<Vec<usize>> {
        match self.ints(name) {
            None => Some(vec![otherwise; axes]),
            Some(ints) if ints.len() != axes => None,
            Some(ints) => ints.iter().map(|&n| usize::try_from(n).ok()).collect(),
        }
    }

    /// A tensor; `None` where it is left out or broken.
    pub fn tensor(&self, name: &str) -> Option<Tensor> {
        self.get(name)?.t.as_ref().and_then(|t| read(t, Path::new("")).ok())
    }
}
