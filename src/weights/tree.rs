//! From a pickle's values to tensors with names: dictionaries in dictionaries, lists, and modules, whose tensors lie in the
//! dictionaries `_parameters`, `_buffers` and `_modules`.

use super::pickle::{Id, Object, Pickle, Value, View};
use std::borrow::Cow;

/// Deepest nesting that is looked into.
const MAX_DEPTH: usize = 64;

/// Longest name of a tensor, in bytes.
const MAX_NAME: usize = 1024;

/// Something with a name.
#[derive(Debug)]
pub(super) struct Named<T> {
    /// Keys from the root, joined by dots.
    pub name: String,
    /// How much of the name is the path of its dictionary.
    pub dict: usize,
    /// What it is.
    pub what: T,
}

/// What a pickle holds.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    /// Its tensors.
    pub tensors: Vec<Named<&'a View>>,
    /// Objects that stand where a tensor could, by their class.
    pub others: Vec<Named<&'a str>>,
    /// The modules whose tensors were found, by class: a whole model was saved, not its state dict.
    pub models: Vec<&'a str>,
    /// The root's keys and what stands there, in words.
    pub keys: Vec<String>,
}

/// A place that is being walked.
struct Place {
    name: String,
    dict: usize,
    depth: usize,
    /// Whether it lies in a module.
    module: bool,
}

struct Walk<'a> {
    pickle: &'a Pickle<'a>,
    found: Tree<'a>,
    /// Visits that are left, so that values which hold themselves come to an end.
    left: usize,
}

/// Everything that has a name.
///
/// # Errors
/// Where values hold one another without an end.
pub(super) fn tree<'a>(pickle: &'a Pickle<'a>) -> Result<Tree<'a>, String> {
    let left = pickle.heap.len().saturating_mul(4) + 64;
    let mut walk = Walk { pickle, found: Tree::default(), left };
    walk.found.keys = keys(pickle);
    let root = Place { name: String::new(), dict: 0, depth: 0, module: false };
    walk.visit(pickle.root, root)?;
    Ok(walk.found)
}

impl<'a> Walk<'a> {
    fn visit(&mut self, id: Id, place: Place) -> Result<(), String> {
        self.left = self.left.checked_sub(1).ok_or("its pickle holds values that hold one another")?;
        if place.depth > MAX_DEPTH || place.name.len() > MAX_NAME {
            return Ok(());
        }
        let Place { name, dict, .. } = &place;
        match self.pickle.get(id) {
            Value::Tensor(view) => self.found.tensors.push(Named { name: name.clone(), dict: *dict, what: view }),
            Value::Dict(items) => self.children(items, &place)?,
            Value::List(items) | Value::Tuple(items) => self.elements(items, &place)?,
            Value::Object(object) => self.object(object, &place)?,
            _ => {}
        }
        Ok(())
    }

    fn object(&mut self, object: &'a Object, place: &Place) -> Result<(), String> {
        if let Some(parts) = self.module(object) {
            if !place.module {
                self.found.models.push(&object.class);
            }
            return self.children_of_module(&parts, place);
        }
        self.children(&object.items, place)?;
        if let Some(Value::List(list)) = object.pairs.map(|id| self.pickle.get(id)) {
            let pairs: Vec<(Id, Id)> = list.iter().filter_map(|&id| self.pair(id)).collect();
            return self.children(&pairs, place);
        }
        if object.items.is_empty() {
            let (name, dict) = (place.name.clone(), place.dict);
            self.found.others.push(Named { name, dict, what: &object.class });
        }
        Ok(())
    }

    fn pair(&self, id: Id) -> Option<(Id, Id)> {
        match self.pickle.get(id) {
            Value::List(two) | Value::Tuple(two) if two.len() == 2 => Some((two[0], two[1])),
            _ => None,
        }
    }

    /// The items of a dictionary: those of a module are no dictionary of their own.
    fn children(&mut self, items: &[(Id, Id)], place: &Place) -> Result<(), String> {
        for &(key, value) in items {
            let Some(key) = self.key(key) else { continue };
            self.visit(value, place.child(&key, false))?;
        }
        Ok(())
    }

    fn elements(&mut self, items: &[Id], place: &Place) -> Result<(), String> {
        // Long lists are of numbers or of samples; state dicts of an ensemble are few.
        for (i, &value) in items.iter().enumerate().take(MAX_DEPTH) {
            if matches!(self.pickle.get(value), Value::Dict(_) | Value::Object(_)) {
                self.visit(value, place.child(&i.to_string(), false))?;
            }
        }
        Ok(())
    }

    fn key(&self, id: Id) -> Option<Cow<'a, str>> {
        match self.pickle.get(id) {
            Value::Str(text) => Some(Cow::Borrowed(text)),
            Value::Int(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// The parameters, buffers and modules of an object, where it is a module.
    fn module(&self, object: &'a Object) -> Option<Vec<Id>> {
        let Value::Dict(state) = self.pickle.get(object.state?) else { return None };
        let part = |name: &str| {
            let is = |&&(key, _): &&(Id, Id)| matches!(self.pickle.get(key), Value::Str(text) if text == name);
            state.iter().find(is).map(|&(_, value)| value)
        };
        Some(vec![part("_parameters")?, part("_buffers")?, part("_modules")?])
    }

    fn children_of_module(&mut self, parts: &[Id], place: &Place) -> Result<(), String> {
        for &part in parts {
            let items: &[(Id, Id)] = match self.pickle.get(part) {
                Value::Dict(items) => items,
                Value::Object(object) => &object.items,
                _ => continue,
            };
            for &(key, value) in items {
                let Some(key) = self.key(key) else { continue };
                self.visit(value, place.child(&key, true))?;
            }
        }
        Ok(())
    }
}

impl Place {
    fn child(&self, key: &str, module: bool) -> Self {
        let name = if self.name.is_empty() { key.to_string() } else { format!("{}.{key}", self.name) };
        let entry = if self.name.is_empty() { 0 } else { self.name.len() + 1 };
        // The modules of a module are no dictionaries: all of its tensors are one state dict.
        let dict = if module && self.module { self.dict } else { entry };
        Self { name, dict, depth: self.depth + 1, module }
    }
}

/// The keys of the root, with what stands there.
fn keys(pickle: &Pickle) -> Vec<String> {
    let items = match pickle.get(pickle.root) {
        Value::Dict(items) => items,
        Value::Object(object) => &object.items,
        _ => return Vec::new(),
    };
    let said = |&(key, value): &(Id, Id)| match pickle.get(key) {
        Value::Str(key) => Some(format!("`{key}` ({})", kind(pickle.get(value)))),
        _ => None,
    };
    items.iter().filter_map(said).collect()
}

fn kind(value: &Value) -> String {
    match value {
        Value::None => "None".into(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => "a number".into(),
        Value::Str(_) => "a text".into(),
        Value::Tuple(items) | Value::List(items) => format!("a list of {}", items.len()),
        Value::Dict(items) => format!("a dictionary of {}", items.len()),
        Value::Tensor(_) => "a tensor".into(),
        Value::Global(global) => format!("`{}`", global.class()),
        Value::Storage(_) => "a storage".into(),
        Value::Object(object) => format!("`{}`", object.class),
    }
}
