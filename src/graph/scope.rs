//! The nesting of labels, groups and blocks that nodes stand in.

use crate::base::Span;
use crate::ops::Value;

/// A scope, by its position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub u32);

/// A parameter of a block as it came out.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockArg {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

impl BlockArg {
    /// All of a call, for people: `width = 128, stride = 2`.
    pub fn list(args: &[Self]) -> String {
        args.iter().map(|arg| format!("{} = {}", arg.name, arg.value)).collect::<Vec<_>>().join(", ")
    }
}

/// The use of a block that opened a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockUse {
    /// The block's name.
    pub block: String,
    /// Its parameters as they came out, in their order; those that are values of the network are left out.
    pub args: Vec<BlockArg>,
    /// The call.
    pub call: Span,
}

/// What opened a scope.
#[derive(Clone, Debug, PartialEq)]
pub enum ScopeKind {
    /// The model itself; scope 0.
    Model,
    /// A block.
    Block(BlockUse),
    /// Labelled braces.
    Group,
    /// One iteration of a `repeat`.
    Iteration,
}

/// One scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The scope around it; scope 0 is its own parent.
    pub parent: ScopeId,
    /// Its dotted path. A `_:` scope has its parent's.
    pub path: String,
    /// What opened it.
    pub kind: ScopeKind,
}

/// All scopes of a graph; the first is the model.
#[derive(Clone, Debug)]
pub struct Scopes {
    list: Vec<Scope>,
}

impl Default for Scopes {
    fn default() -> Self {
        Self { list: vec![Scope { parent: ScopeId(0), path: String::new(), kind: ScopeKind::Model }] }
    }
}

impl Scopes {
    /// Opens a scope.
    pub fn add(&mut self, scope: Scope) -> ScopeId {
        self.list.push(scope);
        ScopeId(self.list.len() as u32 - 1)
    }

    /// A scope.
    pub fn get(&self, id: ScopeId) -> &Scope {
        &self.list[id.0 as usize]
    }

    /// How many scopes there are; at least the model's own.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The scope and those around it, from the inside out, the model last.
    pub fn chain(&self, id: ScopeId) -> impl Iterator<Item = ScopeId> + '_ {
        let outer = |&id: &ScopeId| (id.0 != 0).then(|| self.get(id).parent);
        std::iter::successors(Some(id), outer)
    }

    /// All scopes with their ids, in the order they were opened.
    pub fn iter(&self) -> impl Iterator<Item = (ScopeId, &Scope)> {
        self.list.iter().enumerate().map(|(i, s)| (ScopeId(i as u32), s))
    }
}
