//! One node while it is read. Whoever reads it must ask for every attribute and operand that it has; what nobody asked for
//! is then a refusal ([`Reader::finish`]), so nothing can be passed over.

use super::super::proto::{AttributeProto, NodeProto, kind};
use super::item::Value;
use super::refused::Refused;
use super::tensor::{Tensor, read, shortest};
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

/// What reading a part of a node gives.
pub type Read<T> = Result<T, Refused>;

/// A node, and what of it was asked for.
pub struct Reader<'m> {
    node: &'m NodeProto,
    /// The version of the operator that is meant: the opset that last changed it.
    pub version: i64,
    operands: Vec<Option<Value>>,
    asked: Vec<bool>,
    said: Vec<bool>,
}

impl<'m> Reader<'m> {
    /// A node of which nothing was asked yet.
    ///
    /// # Errors
    /// Where attributes stand twice, or are those of a function around it.
    pub fn new(node: &'m NodeProto, version: i64, operands: Vec<Option<Value>>) -> Read<Self> {
        let mut names = BTreeSet::new();
        for attribute in &node.attribute {
            let name = &attribute.name;
            if !names.insert(name) {
                return Err(format!("has the attribute `{name}` twice").into());
            }
            if !attribute.ref_attr_name.is_empty() {
                return Err(format!("takes its attribute `{name}` from a function").into());
            }
        }
        let (asked, said) = (vec![false; operands.len()], vec![false; node.attribute.len()]);
        Ok(Self { node, version, operands, asked, said })
    }

    /// The operator.
    pub fn op(&self) -> &'m str {
        &self.node.op_type
    }

    /// How many operands there are, those left out at the end not counted.
    pub fn count(&self) -> usize {
        self.operands.iter().rposition(Option::is_some).map_or(0, |last| last + 1)
    }

    /// How many values it gives, those counted that nobody named.
    pub fn gives(&self) -> usize {
        self.node.output.len()
    }

    /// How many of them have names.
    pub fn named(&self) -> usize {
        self.node.output.iter().filter(|name| !name.is_empty()).count()
    }

    /// All operands, to look at; that asks for none.
    pub fn operands(&self) -> &[Option<Value>] {
        &self.operands
    }

    /// Exchanges an operand for an equal one.
    pub fn replace(&mut self, i: usize, value: Value) {
        if let Some(place) = self.operands.get_mut(i) {
            *place = Some(value);
        }
    }

    /// An operand; `None` where it is left out.
    pub fn operand(&mut self, i: usize) -> Option<Value> {
        self.asked.get_mut(i).into_iter().for_each(|asked| *asked = true);
        self.operands.get(i).cloned().flatten()
    }

    /// Every operand.
    ///
    /// # Errors
    /// Where one is left out.
    pub fn all(&mut self) -> Read<Vec<Value>> {
        let all: Option<Vec<Value>> = (0..self.operands.len()).map(|i| self.operand(i)).collect();
        all.filter(|all| !all.is_empty()).ok_or_else(|| "lacks an operand".into())
    }

    /// An operand that is computed.
    pub fn item(&mut self, i: usize) -> Read<usize> {
        match self.operand(i) {
            Some(Value::Item(item)) => Ok(item),
            Some(_) => Err(format!("has a constant as its {} operand, where layers take a value", nth(i)).into()),
            None => Err(format!("lacks its {} operand", nth(i)).into()),
        }
    }

    /// An operand that is known, if it is there.
    pub fn constant(&mut self, i: usize, what: &str) -> Read<Option<Rc<Tensor>>> {
        match self.operand(i) {
            Some(Value::Const(tensor)) => Ok(Some(tensor)),
            Some(_) => Err(format!("has a {what} that is computed").into()),
            None => Ok(None),
        }
    }

    /// An operand that is known.
    pub fn weight(&mut self, i: usize, what: &str) -> Read<Rc<Tensor>> {
        self.constant(i, what)?.ok_or_else(|| format!("lacks its {what}").into())
    }

    fn attribute(&mut self, name: &str, kind: i32) -> Read<Option<&'m AttributeProto>> {
        let Some(i) = self.node.attribute.iter().position(|a| a.name == name) else { return Ok(None) };
        self.said[i] = true;
        let found = &self.node.attribute[i];
        // Files written before types were always say none.
        match found.r#type == kind || found.r#type == 0 {
            true => Ok(Some(found)),
            false => Err(format!("has `{name}` = {}, which is of another type than it should be", shown(found)).into()),
        }
    }

    /// A whole number, or what it is where it is left out.
    pub fn int(&mut self, name: &str, otherwise: i64) -> Read<i64> {
        Ok(self.attribute(name, kind::INT)?.map_or(otherwise, |a| a.i.unwrap_or(0)))
    }

    /// A whole number that must be there.
    pub fn need_int(&mut self, name: &str) -> Read<i64> {
        let found = self.attribute(name, kind::INT)?;
        found.map(|a| a.i.unwrap_or(0)).ok_or_else(|| format!("lacks its attribute `{name}`").into())
    }

    /// What is 0 or 1, and 0 where it is left out.
    pub fn flag(&mut self, name: &str) -> Read<bool> {
        self.flag_or(name, false)
    }

    /// What is 0 or 1.
    pub fn flag_or(&mut self, name: &str, otherwise: bool) -> Read<bool> {
        match self.int(name, i64::from(otherwise))? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(format!("has `{name}` = {other}, which is neither 0 nor 1").into()),
        }
    }

    /// A number of things, at least one, and 1 where it is left out.
    pub fn number_of(&mut self, name: &str) -> Read<usize> {
        let n = self.int(name, 1)?;
        usize::try_from(n).ok().filter(|&n| n > 0).ok_or_else(|| format!("has `{name}` = {n}, which cannot be").into())
    }

    /// A number, or what it is where it is left out.
    pub fn float(&mut self, name: &str, otherwise: f64) -> Read<f64> {
        Ok(self.attribute(name, kind::FLOAT)?.map_or(otherwise, |a| shortest(a.f.unwrap_or(0.0))))
    }

    /// A word, or what it is where it is left out.
    pub fn word(&mut self, name: &str, otherwise: &str) -> Read<String> {
        let bytes = self.attribute(name, kind::STRING)?.map(|a| a.s.clone().unwrap_or_default());
        Ok(bytes.map_or_else(|| otherwise.into(), |s| String::from_utf8_lossy(&s).into_owned()))
    }

    /// Whole numbers; `None` where they are left out.
    pub fn ints(&mut self, name: &str) -> Read<Option<Vec<i64>>> {
        Ok(self.attribute(name, kind::INTS)?.map(|a| a.ints.clone()))
    }

    /// Numbers; `None` where they are left out.
    pub fn floats(&mut self, name: &str) -> Read<Option<Vec<f64>>> {
        Ok(self.attribute(name, kind::FLOATS)?.map(|a| a.floats.iter().map(|&x| shortest(x)).collect()))
    }

    /// A tensor; `None` where it is left out.
    pub fn tensor(&mut self, name: &str) -> Read<Option<Tensor>> {
        let Some(tensor) = self.attribute(name, kind::TENSOR)?.and_then(|a| a.t.as_ref()) else { return Ok(None) };
        read(tensor, Path::new("")).map(Some).map_err(|why| format!("has a `{name}` that is not read: {why}").into())
    }

    /// Whole numbers that are an attribute in versions before `since`, and an operand from then on.
    pub fn list(&mut self, name: &str, i: usize, since: i64) -> Read<Option<Vec<i64>>> {
        if self.version < since {
            return self.ints(name);
        }
        let Some(tensor) = self.constant(i, name)? else { return Ok(None) };
        tensor.ints().map(Some).ok_or_else(|| format!("has a `{name}` of {} numbers", tensor.len()).into())
    }

    /// Sizes, one for each of so many axes.
    pub fn sizes(&mut self, name: &str, axes: usize, otherwise: usize) -> Read<Vec<usize>> {
        let Some(ints) = self.ints(name)? else { return Ok(vec![otherwise; axes]) };
        let sizes: Option<Vec<usize>> =
            ints.iter().map(|&n| usize::try_from(n).ok().filter(|&n| n <= 1 << 20)).collect();
        sizes.filter(|s| s.len() == axes).ok_or_else(|| format!("has `{name}` = {ints:?}, which cannot be").into())
    }

    /// Asks for attributes that change nothing about what the first result is.
    pub fn idle(&mut self, names: &[&str]) {
        for (attribute, said) in self.node.attribute.iter().zip(&mut self.said) {
            *said |= names.contains(&attribute.name.as_str());
        }
    }

    /// Refuses what nobody asked for. `wanted` are the results that somebody reads, and `given` how many there are.
    ///
    /// # Errors
    /// What is left, with its value.
    pub fn finish(&self, given: usize, wanted: &dyn Fn(&str) -> bool) -> Read<()> {
        if let Some((attribute, _)) = self.node.attribute.iter().zip(&self.said).find(|(_, said)| !**said) {
            let (name, value) = (&attribute.name, shown(attribute));
            let version = self.version;
            return Err(
                format!("has the attribute `{name}` = {value}, which is not known of its version {version}").into()
            );
        }
        let left = self.operands.iter().zip(&self.asked).position(|(operand, asked)| operand.is_some() && !asked);
        if let Some(i) = left {
            let name = self.node.input.get(i).map_or("", String::as_str);
            let (nth, version) = (nth(i), self.version);
            return Err(format!("has a {nth} operand, `{name}`, which is not known of its version {version}").into());
        }
        let extra = self.node.output.iter().enumerate().skip(given.max(1));
        match extra.into_iter().find(|(_, name)| !name.is_empty() && wanted(name)) {
            None => Ok(()),
            Some((i, name)) => {
                Err(format!("gives a {} value, `{name}`, which is read; a layer gives one", nth(i)).into())
            }
        }
    }
}

/// An attribute's value, as short text.
pub fn shown(attribute: &AttributeProto) -> String {
    let list = |items: Vec<String>| match items.len() {
        0..=8 => format!("[{}]", items.join(", ")),
        n => format!("[{}, …] ({n} numbers)", items[..4].join(", ")),
    };
    match attribute {
        AttributeProto { s: Some(text), .. } => format!("\"{}\"", String::from_utf8_lossy(text)),
        AttributeProto { f: Some(x), .. } => shortest(*x).to_string(),
        AttributeProto { i: Some(n), .. } => n.to_string(),
        AttributeProto { t: Some(tensor), .. } => format!("a tensor {:?}", tensor.dims),
        AttributeProto { ints, .. } if !ints.is_empty() => list(ints.iter().map(i64::to_string).collect()),
        AttributeProto { floats, .. } if !floats.is_empty() => {
            list(floats.iter().map(|&x| shortest(x).to_string()).collect())
        }
        AttributeProto { r#type: kind::INT | kind::FLOAT, .. } => "0".into(),
        AttributeProto { r#type: kind::STRING, .. } => "\"\"".into(),
        AttributeProto { r#type: kind::INTS | kind::FLOATS, .. } => "[]".into(),
        _ => "a graph or a list".into(),
    }
}

/// `third`
fn nth(i: usize) -> String {
    let words = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"];
    words.get(i).map_or_else(|| format!("{}th", i + 1), |word| word.to_string())
}
