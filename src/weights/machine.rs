//! The stack machine that a pickle is a program for. Opcodes are those of Python's `pickletools`.

use super::pickle::{Id, Object, Value};
use std::rc::Rc;

/// A step of the machine, or why the pickle is not read.
pub(super) type Step<T> = Result<T, String>;

/// What is said of a file that ends before its end.
pub(super) const CUT: &str = "is cut short";

/// The state of a running pickle. Work and memory grow with its length at most: an instruction makes at
/// most one value, and values refer to others by position.
pub(super) struct Machine<'a> {
    rest: &'a [u8],
    pub(super) heap: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
    length: usize,
}

pub(super) fn damaged<T>(why: impl Into<String>) -> Step<T> {
    Err(why.into())
}

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let (heap, stack, marks, memo) = Default::default();
        Self { rest: bytes, heap, stack, marks, memo, length: bytes.len() }
    }

    /// Runs to the end; every value made, the result, and what follows the pickle.
    pub fn run(mut self) -> Step<(Vec<Value>, Id, &'a [u8])> {
        loop {
            let op = self.byte()?;
            if op == b'.' {
                let root = self.pop()?;
                return Ok((self.heap, root, self.rest));
            }
            self.step(op)?;
        }
    }

    fn step(&mut self, op: u8) -> Step<()> {
        match op {
            0x80 => self.take(1).map(drop),
            0x95 => self.take(8).map(drop),
            b'(' => self.mark(),
            b'0' => self.pop().map(drop),
            b'1' => self.marked().map(drop),
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool(op == 0x88)),
            b'K' | b'M' | b'J' | 0x8a | 0x8b | b'G' => self.number(op),
            b'X' | 0x8c | 0x8d => self.text(op),
            b'T' | b'U' | b'B' | b'C' | 0x8e | 0x96 => self.raw(op),
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' | 0x8f => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            0x85..=0x87 => self.short_tuple(op as usize - 0x84),
            b't' | 0x91 => self.marked().and_then(|items| self.push(Value::Tuple(items))),
            b'a' | b'e' | 0x90 => self.append(op != b'a'),
            b's' | b'u' => self.set_items(op == b'u'),
            b'2' | b'q' | b'r' | 0x94 => self.memoize(op),
            b'h' | b'j' => self.recall(op),
            _ => self.step_object(op),
        }
    }

    /// What names, calls and changes objects.
    fn step_object(&mut self, op: u8) -> Step<()> {
        match op {
            b'c' => self.global(),
            0x93 => self.stack_global(),
            b'Q' => self.persistent(),
            b'R' | 0x81 => self.call(),
            0x92 => self.call_with_names(),
            b'o' => self.call_marked(),
            b'b' => self.build(),
            _ => damaged(format!("its pickle uses the instruction {op:#04x}, which no checkpoint needs")),
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let Some((head, rest)) = self.rest.split_at_checked(count) else {
            return damaged(format!("its pickle {CUT}"));
        };
        self.rest = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Step<u8> {
        Ok(self.take(1)?[0])
    }

    /// A text that ends with its line, `limit` bytes at most.
    pub(super) fn line(&mut self, limit: usize) -> Step<String> {
        let Some(end) = self.rest.iter().position(|&b| b == b'\n') else {
            return damaged(format!("its pickle {CUT}"));
        };
        if end > limit {
            return damaged("its pickle has a name of impossible length");
        }
        let text = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Ok(text)
    }

    /// A little-endian unsigned number of `count` bytes, 8 at most.
    fn unsigned(&mut self, count: usize) -> Step<u64> {
        Ok(self.take(count)?.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn size(&mut self, count: usize) -> Step<usize> {
        usize::try_from(self.unsigned(count)?).or_else(|_| damaged("its pickle has an impossible length"))
    }

    pub(super) fn push(&mut self, value: Value) -> Step<()> {
        self.stack.push(self.heap.len());
        self.heap.push(value);
        Ok(())
    }

    /// Puts a value that was made before on the stack again.
    pub(super) fn push_again(&mut self, id: Id) -> Step<()> {
        self.stack.push(id);
        Ok(())
    }

    fn mark(&mut self) -> Step<()> {
        self.marks.push(self.stack.len());
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Step<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len() > floor {
            true => Ok(self.stack.pop().unwrap_or_default()),
            false => damaged("its pickle takes more than it has made"),
        }
    }

    pub(super) fn marked(&mut self) -> Step<Vec<Id>> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => damaged("its pickle closes what it has not opened"),
        }
    }

    fn number(&mut self, op: u8) -> Step<()> {
        let value = match op {
            b'K' => Value::Int(self.unsigned(1)? as i64),
            b'M' => Value::Int(self.unsigned(2)? as i64),
            b'J' => Value::Int(i64::from(self.unsigned(4)? as u32 as i32)),
            b'G' => Value::Float(f64::from_bits(self.unsigned(8)?.swap_bytes())),
            _ => self.long(if op == 0x8a { 1 } else { 4 })?,
        };
        self.push(value)
    }

    /// An integer of any length; one of more than 64 bits is no size, and only that it is one is kept.
    fn long(&mut self, width: usize) -> Step<Value> {
        let count = self.size(width)?;
        if count > 8 {
            self.take(count)?;
            return Ok(Value::Object(Box::new(Object::new(Rc::from("int")))));
        }
        let unused = 64 - 8 * count as u32;
        let bits = self.unsigned(count)?;
        // Shifted up and down again, the sign fills the bytes that were left out.
        Ok(Value::Int(if count == 0 { 0 } else { ((bits << unused) as i64) >> unused }))
    }

    fn text(&mut self, op: u8) -> Step<()> {
        let width = match op {
            b'X' => 4,
            0x8c => 1,
            _ => 8,
        };
        let length = self.size(width)?;
        match std::str::from_utf8(self.take(length)?) {
            Ok(text) => self.push(Value::Str(text.into())),
            Err(_) => damaged("its pickle has a text that is not UTF-8"),
        }
    }

    /// Bytes, and the texts of Python 2, which are keys where they are texts.
    fn raw(&mut self, op: u8) -> Step<()> {
        let width = match op {
            b'T' | b'B' => 4,
            b'U' | b'C' => 1,
            _ => 8,
        };
        let length = self.size(width)?;
        let bytes = self.take(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) if matches!(op, b'T' | b'U') => self.push(Value::Str(text.into())),
            _ => self.push(Value::Object(Box::new(Object::new(Rc::from("bytes"))))),
        }
    }

    fn short_tuple(&mut self, count: usize) -> Step<()> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Step<Vec<_>>>()?;
        items.reverse();
        self.push(Value::Tuple(items))
    }

    /// The value on top of the stack, which an instruction changes.
    pub(super) fn top(&mut self) -> Step<&mut Value> {
        let id = self.pop()?;
        self.stack.push(id);
        Ok(&mut self.heap[id])
    }

    fn append(&mut self, many: bool) -> Step<()> {
        let items = if many { self.marked()? } else { vec![self.pop()?] };
        match self.top()? {
            Value::List(list) => {
                list.extend(items);
                Ok(())
            }
            Value::Object(_) => Ok(()),
            _ => damaged("its pickle appends to something that is no list"),
        }
    }

    fn set_items(&mut self, many: bool) -> Step<()> {
        let items = match many {
            true => self.marked()?,
            false => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
        };
        if items.len() % 2 != 0 {
            return damaged("its pickle sets half an item");
        }
        let pairs = items.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        match self.top()? {
            Value::Dict(dict) => dict.extend(pairs),
            Value::Object(object) => object.items.extend(pairs),
            _ => return damaged("its pickle sets items of something that is no dictionary"),
        }
        Ok(())
    }

    fn memoize(&mut self, op: u8) -> Step<()> {
        let id = self.pop()?;
        self.stack.push(id);
        let at = match op {
            b'2' => return self.push_again(id),
            b'q' => self.size(1)?,
            b'r' => self.size(4)?,
            _ => self.memo.len(),
        };
        // Each entry takes an instruction, so a position beyond the length is no pickler's.
        if at > self.length {
            return damaged("its pickle remembers a value at an impossible place");
        }
        self.memo.resize(self.memo.len().max(at + 1), None);
        self.memo[at] = Some(id);
        Ok(())
    }

    fn recall(&mut self, op: u8) -> Step<()> {
        let at = self.size(if op == b'h' { 1 } else { 4 })?;
        match self.memo.get(at) {
            Some(&Some(id)) => self.push_again(id),
            _ => damaged("its pickle recalls a value that it has not made"),
        }
    }
}
