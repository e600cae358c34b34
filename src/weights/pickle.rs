//! A pickle interpreter that knows what a state dict needs, and calls nothing.
//!
//! A pickle is a program for a small stack machine, and the real one may call any function that it names. This
//! one knows a few names ([`Global`]), builds plain values from them, and makes an inert [`Object`] of every other. Values live in
//! one list and refer to each other by position, so shared and cyclic values cost nothing and nothing recurses.

use super::element::Element;
use super::machine::Machine;
use std::rc::Rc;

/// A value, by its position in [`Pickle::heap`].
pub(super) type Id = usize;

/// What a pickle may name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Global {
    /// `collections.OrderedDict`, and other dictionaries.
    Dictionary,
    /// `torch._utils._rebuild_tensor_v2`
    Tensor,
    /// `torch._utils._rebuild_parameter`
    Parameter,
    /// `torch._tensor._rebuild_from_type_v2`
    Subclass,
    /// `copyreg._reconstructor`
    Reconstructor,
    /// `torch.FloatStorage` and its like
    Storage(Element),
    /// Anything else, by its full name.
    Other(Rc<str>),
}

impl Global {
    /// Its name in Python, where it matters.
    pub fn class(&self) -> Rc<str> {
        match self {
            Self::Dictionary => Rc::from("dict"),
            Self::Tensor | Self::Subclass => Rc::from("torch.Tensor"),
            Self::Parameter => Rc::from("torch.nn.Parameter"),
            Self::Reconstructor => Rc::from("object"),
            Self::Storage(_) => Rc::from("torch.Storage"),
            Self::Other(name) => name.clone(),
        }
    }
}

/// An object of a class that means nothing here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    /// The class, or the function that would have made it.
    pub class: Rc<str>,
    /// Its attributes.
    pub state: Option<Id>,
    /// Its items, where it is a dictionary.
    pub items: Vec<(Id, Id)>,
    /// A list of pairs that are its items, too. Whoever shares the list does not copy it.
    pub pairs: Option<Id>,
}

impl Object {
    pub fn new(class: Rc<str>) -> Self {
        Self { class, state: None, items: Vec::new(), pairs: None }
    }
}

/// A tensor's numbers, in an entry of the archive.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Storage {
    pub element: Element,
    /// The entry: `data/KEY`.
    pub key: Rc<str>,
    pub elements: usize,
}

/// A tensor as `torch._utils._rebuild_tensor_v2` is told of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    pub storage: Storage,
    pub start: usize,
    pub dims: Vec<usize>,
    pub strides: Vec<usize>,
}

/// What a pickle can hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Box<Storage>),
    Tensor(Box<View>),
    Object(Box<Object>),
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    /// Every value made on the way.
    pub heap: Vec<Value>,
    /// The result.
    pub root: Id,
    /// What follows it.
    pub rest: &'a [u8],
}

impl<'a> Pickle<'a> {
    /// Runs a pickle of protocol 1 to 5.
    pub fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let (heap, root, rest) = Machine::new(bytes).run()?;
        Ok(Self { heap, root, rest })
    }

    /// A value.
    pub fn get(&self, id: Id) -> &Value {
        &self.heap[id]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        Pickle::read(bytes).unwrap_err()
    }

    #[test]
    fn reads_plain_values() {
        // {"a": (1, -2, 2.5), "b": [True, None]}, protocol 2.
        let bytes = b"\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00\x87X\x01\x00\x00\x00b](\x88Neu.";
        let pickle = Pickle::read(bytes).unwrap();
        let Value::Dict(items) = pickle.get(pickle.root) else { panic!("no dict") };
        let Value::Tuple(tuple) = pickle.get(items[0].1) else { panic!("no tuple") };
        let numbers: Vec<_> = tuple.iter().map(|&id| pickle.get(id).clone()).collect();
        assert_eq!(numbers, [Value::Int(1), Value::Int(-2), Value::Float(2.5)]);
        let Value::List(list) = pickle.get(items[1].1) else { panic!("no list") };
        assert_eq!(pickle.get(list[0]), &Value::Bool(true));
    }

    #[test]
    fn calls_nothing() {
        let class = |bytes: &'static [u8]| {
            let pickle = Pickle::read(bytes).unwrap();
            match pickle.get(pickle.root) {
                Value::Object(object) => object.class.to_string(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(class(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R."), "os.system");
        assert_eq!(class(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93)R."), "builtins.eval");
        assert_eq!(class(b"\x80\x02cbuiltins\neval\n)\x81}b."), "builtins.eval");
        assert_eq!(class(b"(cos\nsystem\nX\x02\x00\x00\x00lso."), "os.system");
        assert!(refused(b"\x80\x02}}\x81.").contains("no tuple"), "NEWOBJ");
    }

    #[test]
    fn a_tensor_that_is_to_be_negated_is_none() {
        let is_tensor = |metadata: &[u8]| {
            let storage =
                b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ";
            let call = [&b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("[..], storage, b"K\x00K\x01\x85K\x01\x85\x89N"];
            let bytes = [&call.concat(), metadata, b"tR."].concat();
            let pickle = Pickle::read(&bytes).unwrap();
            matches!(pickle.get(pickle.root), Value::Tensor(_))
        };
        assert!(is_tensor(b"") && is_tensor(b"}") && is_tensor(b"N"));
        assert!(!is_tensor(b"}X\x03\x00\x00\x00neg\x88s"));
    }

    #[test]
    fn damaged_pickles_are_errors() {
        let cases: [&[u8]; 9] = [
            b"",
            b".",
            b"t.",
            b"h\x05.",
            b"X\xff\xff\xff\xff",
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
            b"(u.",
            b"j\xff\xff\xff\xff.",
            b"NQ.",
        ];
        for bytes in cases {
            assert!(refused(bytes).starts_with("its pickle"), "{bytes:?}");
        }
    }

    #[test]
    fn values_that_refer_to_themselves_are_only_references() {
        // A list that holds itself, doubled a thousand times over.
        let mut bytes = b"\x80\x02]q\x00h\x00a".to_vec();
        for _ in 0..1000 {
            bytes.extend_from_slice(b"h\x00h\x00\x86q\x00");
        }
        bytes.push(b'.');
        assert!(Pickle::read(&bytes).is_ok());
    }
}
