//! Names: where each is given, and where it is used, in a file and all that it imports.
//!
//! Built from the trees alone, so that it serves texts with errors and blocks that no model reaches. A label that holds
//! `{expr}` is known by its pattern, `stage{…}`; what only may mean it is a loose reference, which renaming does not touch.

mod declare;
mod resolve;
mod tables;

use crate::base::{FileId, Span};
use crate::elaborate::Program;
use std::collections::BTreeMap;

/// A symbol, by its position in the [`Index`].
pub type SymbolId = usize;

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// A block.
    Block,
    /// A model.
    Model,
    /// A parameter that takes a number.
    Param,
    /// A parameter that takes a labelled value.
    ValueParam,
    /// `let`
    Let,
    /// The variable of a `for`.
    Loop,
    /// A labelled step.
    Label,
    /// An input.
    Input,
    /// An output with a name of its own.
    Output,
}

impl SymbolKind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Model => "model",
            Self::Param => "parameter",
            Self::ValueParam => "value parameter",
            Self::Let => "let",
            Self::Loop => "loop variable",
            Self::Label => "label",
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// What a place has to do with a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It gives the name.
    Definition,
    /// It uses the name.
    Reference,
    /// It may mean the symbol, by a name with `{expr}` in it or by counting.
    Loose,
}

/// A name with its places.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// What it names.
    pub kind: SymbolKind,
    /// As it is written; a label with `{expr}` as in the text.
    pub name: String,
    /// Whether it holds `{expr}`.
    pub pattern: bool,
    /// The block or model that it stands in.
    pub owner: Option<SymbolId>,
    /// Where the name is given: once, but for labels in several arms of an `if`.
    pub definitions: Vec<Span>,
    /// The step, item or parameter that the first definition belongs to.
    pub whole: Span,
}

/// A place that belongs to a symbol.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The name there.
    pub span: Span,
    /// Of which symbol.
    pub symbol: SymbolId,
    /// What it does.
    pub role: Role,
}

/// Every name of a program.
#[derive(Debug, Default)]
pub struct Index {
    /// In order of files, and in them of definition.
    pub symbols: Vec<Symbol>,
    /// Places by file and first byte.
    places: BTreeMap<(FileId, u32), Vec<Place>>,
}

impl Index {
    /// Reads all names of a program.
    pub fn of(program: &Program) -> Self {
        let declared = declare::declare(program);
        resolve::resolve(program, declared)
    }

    /// The places that touch a byte, the exact ones first.
    pub fn at(&self, file: FileId, offset: usize) -> Vec<Place> {
        let offset = offset as u32;
        let before = self.places.range((file, 0)..=(file, offset)).rev().take(3);
        let mut found: Vec<Place> =
            before.flat_map(|(_, places)| places).filter(|place| place.span.end >= offset).copied().collect();
        found.sort_by_key(|place| (place.role == Role::Loose, place.span.len()));
        found
    }

    /// Every place of a symbol, in order.
    pub fn places_of(&self, symbol: SymbolId) -> impl Iterator<Item = Place> + '_ {
        self.all().filter(move |place| place.symbol == symbol)
    }

    /// Every place, in order.
    pub fn all(&self) -> impl Iterator<Item = Place> + '_ {
        self.places.values().flatten().copied()
    }

    /// The places of one file, in order.
    pub fn of_file(&self, file: FileId) -> impl Iterator<Item = Place> + '_ {
        self.places.range((file, 0)..=(file, u32::MAX)).flat_map(|(_, places)| places).copied()
    }

    /// The symbol whose name is given at this place.
    pub fn defined_at(&self, span: Span) -> Option<SymbolId> {
        let places = self.places.get(&(span.file, span.start))?;
        places.iter().find(|place| place.role == Role::Definition).map(|place| place.symbol)
    }

    fn add_place(&mut self, span: Span, symbol: SymbolId, role: Role) {
        let places = self.places.entry((span.file, span.start)).or_default();
        if !places.iter().any(|place| place.symbol == symbol && place.span == span) {
            places.push(Place { span, symbol, role });
        }
    }

    fn define(&mut self, symbol: Symbol) -> SymbolId {
        let id = self.symbols.len();
        for span in symbol.definitions.clone() {
            self.add_place(span, id, Role::Definition);
        }
        self.symbols.push(symbol);
        id
    }
}
