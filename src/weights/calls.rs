//! What a pickle names and calls. Nothing is ever called: what a state dict needs is known and built as a plain value, and
//! everything else becomes an [`Object`] that only remembers its class and what was put into it.

use super::element::Element;
use super::machine::{Machine, Step, damaged};
use super::pickle::{Global, Id, Object, Storage, Value, View};
use std::rc::Rc;

/// Most arguments of a call that builds a tensor, and most axes of one. Each is copied for each of a few instructions.
const MAX_PARTS: usize = 8;

/// Longest name of a storage, and of a class and its module, in bytes; copied likewise.
const MAX_KEY: usize = 64;
const MAX_NAME: usize = 128;

impl Machine<'_> {
    pub(super) fn global(&mut self) -> Step<()> {
        let (module, name) = (self.line(MAX_NAME)?, self.line(MAX_NAME)?);
        self.push(Value::Global(lookup(&module, &name)))
    }

    pub(super) fn stack_global(&mut self) -> Step<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (&self.heap[module], &self.heap[name]) {
            (Value::Str(module), Value::Str(name)) if module.len().max(name.len()) <= MAX_NAME => {
                let global = lookup(module, name);
                self.push(Value::Global(global))
            }
            _ => damaged("its pickle names something by a value that is no short text"),
        }
    }

    /// `('storage', torch.FloatStorage, key, location, elements)`, before PyTorch 1.6 with a view at the end; there also
    /// `('module', class, file, source)`.
    pub(super) fn persistent(&mut self) -> Step<()> {
        let id = self.pop()?;
        let Value::Tuple(items) = &self.heap[id] else {
            return damaged("its pickle refers to a storage in an unknown way");
        };
        let parts: Vec<&Value> = items.iter().take(MAX_PARTS).map(|&item| &self.heap[item]).collect();
        let value = match parts.as_slice() {
            [Value::Str(kind), Value::Global(global), Value::Str(key), _, Value::Int(elements), ..]
                if kind == "storage" && key.len() <= MAX_KEY && whole(&parts) =>
            {
                match global {
                    Global::Storage(element) => {
                        let (element, key, elements) = (*element, Rc::from(key.as_str()), index(*elements)?);
                        Value::Storage(Box::new(Storage { element, key, elements }))
                    }
                    other => object(other.class()),
                }
            }
            [Value::Str(kind), Value::Global(_), ..] if kind == "module" => {
                let class = items[1];
                return self.push_again(class);
            }
            _ => return damaged("its pickle refers to a storage in an unknown way"),
        };
        self.push(value)
    }

    /// A function and a tuple of arguments; a class and the arguments of its `__new__` are the same here.
    pub(super) fn call(&mut self) -> Step<()> {
        let (args, callee) = (self.pop()?, self.pop()?);
        let Value::Tuple(args) = &self.heap[args] else {
            return damaged("its pickle calls with something that is no tuple");
        };
        let value = self.called(callee, args)?;
        self.push(value)
    }

    pub(super) fn call_with_names(&mut self) -> Step<()> {
        self.pop()?;
        self.call()
    }

    pub(super) fn call_marked(&mut self) -> Step<()> {
        let items = self.marked()?;
        let Some((&callee, args)) = items.split_first() else {
            return damaged("its pickle makes an object of no class");
        };
        let value = self.called(callee, args)?;
        self.push(value)
    }

    /// What a call gives. A shared tuple could be named once for each instruction, so whatever is copied of it is short.
    fn called(&self, callee: Id, args: &[Id]) -> Step<Value> {
        let class = match &self.heap[callee] {
            Value::Global(Global::Dictionary) => return Ok(self.dictionary(args)),
            Value::Global(Global::Tensor) => return self.tensor(args),
            Value::Global(Global::Parameter) => return Ok(self.wrapped(args)),
            Value::Global(Global::Subclass) => return self.subclass(args),
            // `copyreg._reconstructor(class, base, state)`
            Value::Global(Global::Reconstructor) => args.first().map_or("object", |&class| self.class_of(class)).into(),
            Value::Global(global) => global.class(),
            Value::Object(object) => object.class.clone(),
            _ => return damaged("its pickle calls something that is no function"),
        };
        Ok(object(class))
    }

    fn class_of(&self, id: Id) -> &str {
        match &self.heap[id] {
            Value::Global(Global::Other(name)) => name,
            _ => "object",
        }
    }

    /// A dictionary; an old `OrderedDict` is made from the list of its pairs.
    fn dictionary(&self, args: &[Id]) -> Value {
        match args.first() {
            Some(&list) if matches!(self.heap[list], Value::List(_)) => {
                Value::Object(Box::new(Object { pairs: Some(list), ..Object::new(Rc::from("dict")) }))
            }
            _ => Value::Dict(Vec::new()),
        }
    }

    /// `(storage, first, sizes, strides, requires_grad, hooks, metadata)`. The metadata say that numbers are to be negated or
    /// conjugated, which is not done here.
    fn tensor(&self, args: &[Id]) -> Step<Value> {
        let parts: Vec<&Value> = args.iter().take(MAX_PARTS).map(|&item| &self.heap[item]).collect();
        match parts.as_slice() {
            [Value::Storage(_), _, _, _, _, _, metadata, ..] if !self.is_empty(metadata) => {
                Ok(object(Rc::from("torch._utils._rebuild_tensor_v2")))
            }
            [Value::Storage(storage), Value::Int(start), dims, strides, ..] => {
                let (dims, strides) = (self.indices(dims)?, self.indices(strides)?);
                let view = View { storage: (**storage).clone(), start: index(*start)?, dims, strides };
                Ok(Value::Tensor(Box::new(view)))
            }
            // A storage of numbers that are not read: complex, quantized.
            [Value::Object(other), ..] => Ok(object(other.class.clone())),
            _ => damaged("its pickle builds a tensor from unknown parts"),
        }
    }

    /// Whether there are no metadata.
    fn is_empty(&self, metadata: &Value) -> bool {
        match metadata {
            Value::None => true,
            Value::Dict(items) => items.is_empty(),
            Value::Object(object) => {
                let pairs = object.pairs.map(|id| &self.heap[id]);
                object.items.is_empty() && matches!(pairs, Some(Value::List(pairs)) if pairs.is_empty())
            }
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) | Value::Tuple(_) | Value::List(_) => {
                false
            }
            Value::Global(_) | Value::Storage(_) | Value::Tensor(_) => false,
        }
    }

    /// A parameter is the tensor that it is made from.
    fn wrapped(&self, args: &[Id]) -> Value {
        match args.first().map(|&id| &self.heap[id]) {
            Some(Value::Tensor(view)) => Value::Tensor(view.clone()),
            Some(Value::Object(other)) => object(other.class.clone()),
            _ => object(Rc::from("torch.nn.Parameter")),
        }
    }

    /// `(function, class, arguments, state)`: a tensor of a subclass, or one with attributes.
    fn subclass(&self, args: &[Id]) -> Step<Value> {
        match args {
            [function, _, inner, ..] => match (&self.heap[*function], &self.heap[*inner]) {
                (Value::Global(Global::Tensor), Value::Tuple(inner)) => self.tensor(inner),
                (Value::Global(Global::Parameter), Value::Tuple(inner)) => Ok(self.wrapped(inner)),
                (Value::Global(global), _) => Ok(object(global.class())),
                _ => damaged("its pickle builds a tensor from unknown parts"),
            },
            _ => damaged("its pickle builds a tensor from unknown parts"),
        }
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

    /// Attributes: a module keeps its tensors there. Those of an `OrderedDict` (`_metadata`) or of a tensor are let go.
    pub(super) fn build(&mut self) -> Step<()> {
        let state = self.pop()?;
        match self.top()? {
            Value::Object(object) => object.state = Some(state),
            Value::Dict(_) | Value::List(_) | Value::Tensor(_) => {}
            _ => return damaged("its pickle sets attributes of something that has none"),
        }
        Ok(())
    }
}

/// Whether a reference to a storage means all of it.
fn whole(parts: &[&Value]) -> bool {
    parts.len() == 5 || (parts.len() == 6 && *parts[5] == Value::None)
}

fn object(class: Rc<str>) -> Value {
    Value::Object(Box::new(Object::new(class)))
}

fn index(number: i64) -> Step<usize> {
    usize::try_from(number).or_else(|_| damaged(format!("its pickle has a size of {number}")))
}

/// The names that mean something here; every other is only remembered.
fn lookup(module: &str, name: &str) -> Global {
    let other = || Global::Other(Rc::from(format!("{module}.{name}")));
    match (module, name) {
        ("collections", "OrderedDict" | "defaultdict") | ("builtins" | "__builtin__", "dict") => Global::Dictionary,
        ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Global::Tensor,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Global::Parameter,
        ("torch._tensor", "_rebuild_from_type_v2" | "_rebuild_from_type") => Global::Subclass,
        ("copyreg" | "copy_reg", "_reconstructor") => Global::Reconstructor,
        ("torch" | "torch.cuda", storage) => Element::from_storage(storage).map_or_else(other, Global::Storage),
        _ => other(),
    }
}
