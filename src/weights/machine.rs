//! The stack machine that a pickle is a program for. Opcodes are those of Python's `pickletools`.

use super::element::Element;
use super::pickle::{Global, Id, Refusal, Storage, Value, View};

type Step<T> = Result<T, Refusal>;

/// Most arguments of a call, and most axes of a tensor.
const MAX_PARTS: usize = 16;

/// Longest name of a storage, in bytes.
const MAX_KEY: usize = 64;

/// The state of a running pickle. Work and memory grow with its length at most: an instruction makes at
/// most one value, and values refer to others by position.
pub(super) struct Machine<'a> {
    rest: &'a [u8],
    heap: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
    length: usize,
}

fn damaged<T>(why: impl Into<String>) -> Step<T> {
    Err(Refusal::Damaged(why.into()))
}

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let (heap, stack, marks, memo) = Default::default();
        Self { rest: bytes, heap, stack, marks, memo, length: bytes.len() }
    }

    /// Runs to the end; every value made, and the result.
    pub fn run(mut self) -> Step<(Vec<Value>, Id)> {
        loop {
            let op = self.byte()?;
            if op == b'.' {
                let root = self.pop()?;
                return Ok((self.heap, root));
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
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool(op == 0x88)),
            b'K' | b'M' | b'J' | 0x8a | b'G' => self.number(op),
            b'X' | 0x8c | 0x8d => self.text(op),
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            0x85..=0x87 => self.short_tuple(op as usize - 0x84),
            b't' => self.marked().and_then(|items| self.push(Value::Tuple(items))),
            b'a' | b'e' => self.append(op == b'e'),
            b's' | b'u' => self.set_items(op == b'u'),
            b'q' | b'r' | 0x94 => self.memoize(op),
            b'h' | b'j' => self.recall(op),
            b'c' => self.global(),
            0x93 => self.stack_global(),
            b'Q' => self.persistent(),
            b'R' => self.reduce(),
            b'b' => self.build(),
            _ => damaged(format!("its pickle uses the instruction {op:#04x}, which no state dict needs")),
        }
    }

    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let Some((head, rest)) = self.rest.split_at_checked(count) else {
            return damaged("its pickle is cut short");
        };
        self.rest = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Step<u8> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian unsigned number of `count` bytes, 8 at most.
    fn unsigned(&mut self, count: usize) -> Step<u64> {
        Ok(self.take(count)?.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn size(&mut self, count: usize) -> Step<usize> {
        usize::try_from(self.unsigned(count)?).or_else(|_| damaged("its pickle has an impossible length"))
    }

    fn push(&mut self, value: Value) -> Step<()> {
        self.stack.push(self.heap.len());
        self.heap.push(value);
        Ok(())
    }

    fn mark(&mut self) -> Step<()> {
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn pop(&mut self) -> Step<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len() > floor {
            true => Ok(self.stack.pop().unwrap_or_default()),
            false => damaged("its pickle takes more than it has made"),
        }
    }

    fn marked(&mut self) -> Step<Vec<Id>> {
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
            _ => {
                let count = self.size(1)?;
                if count > 8 {
                    return damaged("its pickle has an integer of more than 64 bits");
                }
                let unused = 64 - 8 * count as u32;
                let bits = self.unsigned(count)?;
                // Shifted up and down again, the sign fills the bytes that were left out.
                Value::Int(if count == 0 { 0 } else { ((bits << unused) as i64) >> unused })
            }
        };
        self.push(value)
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

    fn short_tuple(&mut self, count: usize) -> Step<()> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Step<Vec<_>>>()?;
        items.reverse();
        self.push(Value::Tuple(items))
    }

    /// The value on top of the stack, which an instruction changes.
    fn top(&mut self) -> Step<&mut Value> {
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
        match self.top()? {
            Value::Dict(dict) if items.len() % 2 == 0 => {
                dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
                Ok(())
            }
            _ => damaged("its pickle sets items of something that is no dictionary"),
        }
    }

    fn memoize(&mut self, op: u8) -> Step<()> {
        let at = match op {
            b'q' => self.size(1)?,
            b'r' => self.size(4)?,
            _ => self.memo.len(),
        };
        // Each entry takes an instruction, so a position beyond the length is no pickler's.
        if at > self.length {
            return damaged("its pickle remembers a value at an impossible place");
        }
        let id = self.pop()?;
        self.stack.push(id);
        self.memo.resize(self.memo.len().max(at + 1), None);
        self.memo[at] = Some(id);
        Ok(())
    }

    fn recall(&mut self, op: u8) -> Step<()> {
        let at = self.size(if op == b'h' { 1 } else { 4 })?;
        match self.memo.get(at) {
            Some(&Some(id)) => {
                self.stack.push(id);
                Ok(())
            }
            _ => damaged("its pickle recalls a value that it has not made"),
        }
    }

    fn line(&mut self) -> Step<String> {
        let Some(end) = self.rest.iter().position(|&b| b == b'\n') else {
            return damaged("its pickle is cut short");
        };
        let text = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Ok(text)
    }

    fn global(&mut self) -> Step<()> {
        let (module, name) = (self.line()?, self.line()?);
        self.push(Value::Global(lookup(&module, &name)?))
    }

    fn stack_global(&mut self) -> Step<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (&self.heap[module], &self.heap[name]) {
            (Value::Str(module), Value::Str(name)) => {
                let global = lookup(module, name)?;
                self.push(Value::Global(global))
            }
            _ => damaged("its pickle names something by a value that is no text"),
        }
    }

    /// The parts of a call. A shared tuple or text could be named once for each instruction, so whatever is
    /// copied is short.
    fn tuple(&self, id: Id) -> Step<Vec<&Value>> {
        match &self.heap[id] {
            Value::Tuple(items) if items.len() <= MAX_PARTS => Ok(items.iter().map(|&item| &self.heap[item]).collect()),
            _ => damaged("its pickle calls with something that is no short tuple"),
        }
    }

    /// `('storage', torch.FloatStorage, key, location, elements)`
    fn persistent(&mut self) -> Step<()> {
        let id = self.pop()?;
        let storage = match self.tuple(id)?.as_slice() {
            [Value::Str(kind), Value::Global(Global::Storage(element)), Value::Str(key), _, Value::Int(elements)]
                if kind == "storage" && key.len() <= MAX_KEY =>
            {
                Storage { element: *element, key: key.clone(), elements: index(*elements)? }
            }
            _ => return damaged("its pickle refers to a storage in an unknown way"),
        };
        self.push(Value::Storage(Box::new(storage)))
    }

    fn reduce(&mut self) -> Step<()> {
        let (args, callee) = (self.pop()?, self.pop()?);
        let Value::Global(callee) = self.heap[callee] else {
            return damaged("its pickle calls something that is no function");
        };
        let value = match (callee, self.tuple(args)?.as_slice()) {
            (Global::OrderedDict, []) => Value::Dict(Vec::new()),
            (Global::RebuildParameter, [Value::Tensor(view), ..]) => Value::Tensor(view.clone()),
            (Global::RebuildTensor, [Value::Storage(storage), Value::Int(start), dims, strides, ..]) => {
                let (dims, strides) = (self.indices(dims)?, self.indices(strides)?);
                let view = View { storage: (**storage).clone(), start: index(*start)?, dims, strides };
                Value::Tensor(Box::new(view))
            }
            _ => return damaged("its pickle builds a value from unknown parts"),
        };
        self.push(value)
    }

    fn indices(&self, value: &Value) -> Step<Vec<usize>> {
        let Value::Tuple(items) = value else {
            return damaged("its pickle has sizes that are no tuple");
        };
        if items.len() > MAX_PARTS {
            return damaged("its pickle has a tensor of too many axes");
        }
        let number = |&item: &Id| match self.heap[item] {
            Value::Int(number) => index(number),
            _ => damaged("its pickle has a size that is no integer"),
        };
        items.iter().map(number).collect()
    }

    /// Attributes of an `OrderedDict` (`_metadata`): nothing that a tensor needs, so they are let go.
    fn build(&mut self) -> Step<()> {
        self.pop()?;
        match self.top()? {
            Value::Dict(_) => Ok(()),
            _ => damaged("its pickle sets attributes of something that has none"),
        }
    }
}

fn index(number: i64) -> Step<usize> {
    usize::try_from(number).or_else(|_| damaged(format!("its pickle has a size of {number}")))
}

/// The list of names; everything else is refused.
fn lookup(module: &str, name: &str) -> Step<Global> {
    let known = match (module, name) {
        ("collections", "OrderedDict") => Some(Global::OrderedDict),
        ("torch._utils", "_rebuild_tensor_v2") => Some(Global::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => Some(Global::RebuildParameter),
        ("torch", storage) => Element::from_storage(storage).map(Global::Storage),
        _ => None,
    };
    known.ok_or_else(|| Refusal::Name(format!("{module}.{name}")))
}
