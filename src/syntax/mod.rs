//! What did they write? Text to an abstract syntax tree with spans.

pub mod ast;
