//! A pickle interpreter that knows what a state dict needs, and nothing else.
//!
//! A pickle is a program for a small stack machine, and the real one may call any function that it names. This
//! one knows four kinds of names ([`Global`]), builds plain values from them, and refuses every other. Values live in one list and
//! refer to each other by position, so shared and cyclic values cost nothing and nothing recurses.

use super::element::Element;
use super::machine::Machine;

/// A value, by its position in [`Pickle::heap`].
pub(super) type Id = usize;

/// The names that a state dict may mention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch.FloatStorage` and its like
    Storage(Element),
}

/// A tensor's numbers, in an entry of the archive.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Storage {
    pub element: Element,
    /// The entry: `data/KEY`.
    pub key: String,
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
}

/// Why a pickle is not read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// It names something that is not on the list.
    Name(String),
    /// It is damaged, or uses an instruction that a state dict has no use for.
    Damaged(String),
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle {
    /// Every value made on the way.
    heap: Vec<Value>,
    /// The result.
    pub root: Id,
}

impl Pickle {
    /// Runs a pickle of protocol 2 to 5.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let (heap, root) = Machine::new(bytes).run()?;
        Ok(Self { heap, root })
    }

    /// A value.
    pub fn get(&self, id: Id) -> &Value {
        &self.heap[id]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> Refusal {
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
        assert_eq!(refused(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R."), Refusal::Name("os.system".into()));
        assert_eq!(refused(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93."), Refusal::Name("builtins.eval".into()));
        assert!(matches!(refused(b"\x80\x02}}\x81."), Refusal::Damaged(_)), "NEWOBJ");
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
            assert!(matches!(refused(bytes), Refusal::Damaged(_)), "{bytes:?}");
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
