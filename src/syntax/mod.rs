//! What did they write? Text to an abstract syntax tree with spans.

pub mod ast;
mod build;
pub mod dump;
mod expr;
mod hint;
mod layout;
mod literal;
mod message;
pub mod parse;
mod step;
pub mod walk;

pub use parse::parse;

/// The parser that `grammar/arch.pest` describes.
mod grammar {
    /// Gives [`Rule`] and the parser for each.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/arch.pest"]
    pub struct ArchParser;

    /// A piece of text that matched a rule.
    pub type Pair<'i> = pest::iterators::Pair<'i, Rule>;
    /// Pieces in order.
    pub type Pairs<'i> = pest::iterators::Pairs<'i, Rule>;
}
