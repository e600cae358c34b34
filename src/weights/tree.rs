//! From a pickle's values to tensors with names: dictionaries in dictionaries, lists, and modules, whose tensors lie in the
//! dictionaries `_parameters`, `_buffers` and `_modules`.

use super::names::MAX_NAME;
use super::pickle::{Id, Object, Pickle, Value, View};
use std::borrow::Cow;

/// Deepest nesting that is looked into.
const MAX_DEPTH: usize = 64;

/// Most keys of the root that are told of.
const MAX_KEYS: usize = 64;

/// Most values that the steps of a walk are counted by, and bytes of names that are kept: a small file must not name the
/// same values until the memory is full.
const MAX_VALUES: usize = 1 << 20;
const MAX_NAMES: usize = 64 << 20;

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
    /// The first of the root's keys, and what stands there, in words.
    pub keys: Vec<String>,
    /// How many values were passed over because their names are too long, or they lie too deep.
    pub passed: usize,
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
    /// Steps that are left, so that values which hold themselves come to an end.
    left: usize,
    /// Bytes of names that may still be kept.
    names: usize,
}

/// Everything that has a name.
///
/// # Errors
/// Where values hold one another without an end, or have more names than can be kept.
pub(super) fn tree<'a>(pickle: &'a Pickle<'a>) -> Result<Tree<'a>, String> {
    let left = pickle.heap.len().min(MAX_VALUES) * 4 + 64;
    let mut walk = Walk { pickle, found: Tree::default(), left, names: MAX_NAMES };
    walk.found.keys = keys(pickle);
    walk.visit(pickle.root, Place { name: String::new(), dict: 0, depth: 0, module: false })?;
    Ok(walk.found)
}

impl<'a> Walk<'a> {
    fn visit(&mut self, id: Id, place: Place) -> Result<(), String> {
        self.step(1)?;
        match self.pickle.get(id) {
            Value::Tensor(view) => {
                let named = self.named(&place, view.as_ref())?;
                self.found.tensors.push(named);
            }
            Value::Dict(_) => {
                let items = self.items_of(id)?;
                self.children(&items, &place, false)?;
            }
            Value::List(items) | Value::Tuple(items) => self.elements(items, &place)?,
            Value::Object(object) => self.object(id, object, &place)?,
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) => {}
            Value::Global(_) | Value::Storage(_) => {}
        }
        Ok(())
    }

    fn step(&mut self, count: usize) -> Result<(), String> {
        self.left = self.left.checked_sub(count).ok_or("its pickle holds values that hold one another")?;
        Ok(())
    }

    fn named<T>(&mut self, place: &Place, what: T) -> Result<Named<T>, String> {
        self.names = self.names.checked_sub(place.name.len()).ok_or("its pickle has more names than any network")?;
        Ok(Named { name: place.name.clone(), dict: place.dict, what })
    }

    fn object(&mut self, id: Id, object: &'a Object, place: &Place) -> Result<(), String> {
        if let Some(parts) = self.module(object)? {
            if !place.module {
                self.found.models.push(&object.class);
            }
            for part in parts {
                let items = self.items_of(part)?;
                self.children(&items, place, true)?;
            }
            return Ok(());
        }
        let items = self.items_of(id)?;
        if items.is_empty() && object.pairs.is_none() {
            let named = self.named(place, &*object.class)?;
            self.found.others.push(named);
        }
        self.children(&items, place, false)
    }

    /// The items of a dictionary, or of an object that is one; an old `OrderedDict` has them as a list of pairs, too.
    fn items_of(&mut self, id: Id) -> Result<Cow<'a, [(Id, Id)]>, String> {
        let pickle = self.pickle;
        let (items, pairs) = match pickle.get(id) {
            Value::Dict(items) => (items.as_slice(), None),
            Value::Object(object) => (object.items.as_slice(), object.pairs),
            _ => return Ok(Cow::Borrowed(&[])),
        };
        let list = match pairs.map(|id| pickle.get(id)) {
            Some(Value::List(list)) => list.as_slice(),
            _ => &[],
        };
        self.step(items.len() + list.len())?;
        if list.is_empty() {
            return Ok(Cow::Borrowed(items));
        }
        let pairs = list.iter().filter_map(|&id| self.pair(id));
        Ok(Cow::Owned(items.iter().copied().chain(pairs).collect()))
    }

    fn pair(&self, id: Id) -> Option<(Id, Id)> {
        match self.pickle.get(id) {
            Value::List(two) | Value::Tuple(two) if two.len() == 2 => Some((two[0], two[1])),
            _ => None,
        }
    }

    /// What has keys at a place: those of a module's parts (`module`) are no dictionary of their own.
    fn children(&mut self, items: &[(Id, Id)], place: &Place, module: bool) -> Result<(), String> {
        for &(key, value) in items {
            if let Some(key) = self.key(key) {
                self.child(&key, value, place, module)?;
            }
        }
        Ok(())
    }

    fn elements(&mut self, items: &[Id], place: &Place) -> Result<(), String> {
        // Long lists are of numbers or of samples; state dicts of an ensemble are few.
        for (i, &value) in items.iter().enumerate().take(MAX_DEPTH) {
            if matches!(self.pickle.get(value), Value::Dict(_) | Value::Object(_)) {
                self.child(&i.to_string(), value, place, false)?;
            }
        }
        Ok(())
    }

    /// What stands under a key, where it is or holds something that has a name. Names are made once they are known to be short.
    fn child(&mut self, key: &str, value: Id, place: &Place, module: bool) -> Result<(), String> {
        match self.pickle.get(value) {
            Value::Tensor(_) | Value::Dict(_) | Value::List(_) | Value::Tuple(_) | Value::Object(_) => {}
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) => return Ok(()),
            Value::Global(_) | Value::Storage(_) => return Ok(()),
        }
        if place.depth >= MAX_DEPTH || place.name.len() + 1 + key.len() > MAX_NAME {
            self.found.passed += 1;
            return Ok(());
        }
        self.visit(value, place.child(key, module))
    }

    fn key(&self, id: Id) -> Option<Cow<'a, str>> {
        match self.pickle.get(id) {
            Value::Str(text) => Some(Cow::Borrowed(text)),
            Value::Int(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// The parameters, buffers and modules of an object, where it is a module.
    fn module(&mut self, object: &'a Object) -> Result<Option<[Id; 3]>, String> {
        let pickle = self.pickle;
        let Some(Value::Dict(state)) = object.state.map(|id| pickle.get(id)) else { return Ok(None) };
        self.step(state.len())?;
        let part = |name: &str| {
            let is = |&&(key, _): &&(Id, Id)| matches!(pickle.get(key), Value::Str(text) if text == name);
            state.iter().find(is).map(|&(_, value)| value)
        };
        Ok(part("_parameters").zip(part("_buffers")).zip(part("_modules")).map(|((a, b), c)| [a, b, c]))
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
    let short = |&&(key, _): &&(Id, Id)| matches!(pickle.get(key), Value::Str(key) if key.len() <= MAX_NAME);
    items.iter().filter(short).take(MAX_KEYS).filter_map(said).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of the letter `a`, as an instruction.
    fn text(length: usize) -> Vec<u8> {
        [&b"X"[..], &(length as u32).to_le_bytes(), &vec![b'a'; length]].concat()
    }

    #[test]
    fn values_that_are_named_again_and_again_come_to_an_end() {
        // A dictionary that holds the last one twice, forty times over.
        let mut bytes = b"\x80\x02}q\x00".to_vec();
        for _ in 0..40 {
            bytes.extend([&b"}("[..], &text(1), b"h\x00", &text(2), b"h\x00uq\x00"].concat());
        }
        bytes.push(b'.');
        let error = tree(&Pickle::read(&bytes).unwrap()).unwrap_err();
        assert!(error.contains("hold one another"), "{error}");
    }

    #[test]
    fn long_keys_are_passed_over_and_counted() {
        let tensors = [(text(MAX_NAME - 1), true), (text(MAX_NAME), false), (text(1 << 20), false)];
        for (key, kept) in tensors {
            let bytes = [&b"\x80\x02}"[..], &key, b"cos\nsystem\n)Rs."].concat();
            let pickle = Pickle::read(&bytes).unwrap();
            let found = tree(&pickle).unwrap();
            assert_eq!((found.others.len(), found.passed), (usize::from(kept), usize::from(!kept)));
        }
    }

    #[test]
    fn an_old_dictionary_of_a_module_is_read_as_any_other() {
        let key = |name: &str| [&b"X"[..], &(name.len() as u32).to_le_bytes(), name.as_bytes()].concat();
        // A module whose parameters are an `OrderedDict` that was made from the list of its pairs.
        let pairs = [&b"ccollections\nOrderedDict\n]]("[..], &key("weight"), b"cos\nsystem\n)Rea\x85R"].concat();
        let state = [&b"}"[..], &key("_parameters"), &pairs, b"s", &key("_buffers"), b"}s", &key("_modules"), b"}s"];
        let bytes = [&b"\x80\x02cmine\nNet\n)\x81"[..], &state.concat(), b"b."].concat();
        let pickle = Pickle::read(&bytes).unwrap();
        let found = tree(&pickle).unwrap();
        let names: Vec<&str> = found.others.iter().map(|other| other.name.as_str()).collect();
        assert_eq!((names, found.models), (vec!["weight"], vec!["mine.Net"]));
    }
}
