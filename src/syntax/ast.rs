//! The abstract syntax tree: what a file says, before anything is looked up or counted.

use crate::base::{FileId, Span, Spanned};

/// A name and where it was written.
pub type Ident = Spanned<String>;

/// One source file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Which text.
    pub id: FileId,
    /// Its items, in file order.
    pub items: Vec<Item>,
}

/// What stands at the top of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `import Name, Other from "path.arch"`
    Import(Import),
    /// `set conv(bias=false)`
    Set(Set),
    /// `block Name(params) { … }`
    Block(Block),
    /// `model Name(params) { … }`
    Model(Model),
    /// `train Name { … }`
    Train(Train),
}

/// Names taken from another file.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The names.
    pub names: Vec<Ident>,
    /// The path as written, relative to this file.
    pub path: Spanned<String>,
    /// The whole line.
    pub span: Span,
}

/// New defaults for a layer's arguments, to the end of the braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// The layer's kind.
    pub layer: Ident,
    /// The arguments; all named, which elaboration checks.
    pub args: Vec<Arg>,
    /// The whole line.
    pub span: Span,
}

/// A reusable piece of network.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The `///` lines before it, joined by newlines.
    pub doc: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its steps.
    pub body: Body,
    /// From `block` to the closing brace.
    pub span: Span,
}

/// A whole network.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The `///` lines before it, joined by newlines.
    pub doc: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its parameters, which the command line can set.
    pub params: Vec<Param>,
    /// Its steps.
    pub body: Body,
    /// From `model` to the closing brace.
    pub span: Span,
}

/// A training recipe for the model it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Train {
    /// The model.
    pub model: Ident,
    /// `name = value` lines.
    pub fields: Vec<Field>,
    /// From `train` to the closing brace.
    pub span: Span,
}

/// One line of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What is set.
    pub name: Ident,
    /// To what.
    pub value: Expr,
}

/// A parameter of a block or a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Ident,
    /// `true` for `name: value`, which takes the name of a labelled value.
    pub value: bool,
    /// Its default.
    pub default: Option<Expr>,
}

/// The steps between two braces, line by line.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// One chain a line. The lines matter only inside `parallel`, where each is a path of its own.
    pub lines: Vec<Chain>,
    /// With the braces.
    pub span: Span,
}

/// Steps joined by `->`.
pub type Chain = Vec<Step>;

/// One step: takes the current value, gives the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `name:` before it.
    pub label: Option<Label>,
    /// What it does.
    pub kind: StepKind,
    /// With its label.
    pub span: Span,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum StepKind {
    /// `conv(64, 3)`, `relu`, `BasicBlock(64)`: a layer or a block.
    Call(Call),
    /// `{ … }`
    Group(Body),
    /// `[long] skip …`
    Skip(Box<Skip>),
    /// `parallel concat { … }`
    Parallel { kind: Spanned<MergeKind>, args: Vec<Arg>, body: Body },
    /// `repeat n { … }`
    Repeat { count: Expr, body: Body },
    /// `for i in a..b { … }`
    For { var: Ident, from: Expr, to: Expr, inclusive: bool, body: Body },
    /// `if c { … } else if d { … } else { … }`: the arms in order, then the last `else`.
    If { arms: Vec<(Expr, Body)>, otherwise: Option<Body> },
    /// `let hidden = it.channels * 4`
    Let { name: Ident, value: Expr },
    /// `set conv(bias=false)`
    Set(Set),
    /// `from encoder.layer2`
    From(Path),
    /// `output name`
    Output(Label),
    /// `input image [N, 3, H=224, 224]`
    Input { name: Ident, dims: Vec<DimDecl> },
}

/// How values are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeKind {
    /// Sum.
    Add,
    /// Channels one after another.
    Concat,
    /// Product.
    Mul,
    /// `t·R + (1 − t)·S`; only for skips.
    Gate,
}

impl MergeKind {
    /// The word in the language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Concat => "concat",
            Self::Mul => "mul",
            Self::Gate => "gate",
        }
    }
}

/// A skip edge: `[long] skip KIND(args) [from NAME] [via STEP] [by STEP] [fit crop|pad] [{ body }]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Skip {
    /// The word `long`, where it stands.
    pub long: Option<Span>,
    /// The word `skip`.
    pub keyword: Span,
    /// How source and result are merged.
    pub kind: Spanned<MergeKind>,
    /// `scale=…`, `drop_path=…`, `order=last`.
    pub args: Vec<Arg>,
    /// The source, where it is not what entered the braces.
    pub from: Option<Path>,
    /// Transforms the source on its way.
    pub via: Option<Step>,
    /// The transform of a gate.
    pub by: Option<Step>,
    /// How unequal sizes are made to agree.
    pub fit: Option<Spanned<Fit>>,
    /// What the edge skips.
    pub body: Option<Body>,
    /// From `long` or `skip` to just before the body.
    pub head: Span,
}

/// How a skip's source is made to fit its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The source is centre-cropped to the result's size.
    Crop,
    /// The source is zero-padded, centred, to the result's size.
    Pad,
}

/// A call of a layer or a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name.
    pub name: Ident,
    /// Its arguments, in order; empty where the parentheses were left out.
    pub args: Vec<Arg>,
    /// With the arguments.
    pub span: Span,
}

/// An argument, by position or by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The name before `=`.
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
}

/// A label, a part of a path: text and `{expr}` in turn (`denselayer{i}`).
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The pieces, in order.
    pub parts: Vec<LabelPart>,
    /// Where it was written, without the colon.
    pub span: Span,
}

/// A piece of a label.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelPart {
    /// Letters as they are.
    Text(String),
    /// `{expr}`
    Expr(Expr),
}

/// A dotted path to a labelled value: `encoder.layer{i}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The labels between the dots.
    pub segments: Vec<Label>,
    /// The whole path.
    pub span: Span,
}

/// A dimension of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct DimDecl {
    /// `N` or the `H` of `H=224`.
    pub name: Option<Ident>,
    /// A number, or the default of a named dimension.
    pub size: Option<Expr>,
    /// The whole dimension.
    pub span: Span,
}

/// An expression and where it was written.
pub type Expr = Spanned<ExprKind>;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A whole number. Too large for 64 bits is a syntax error.
    Int(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// `true`, `false`
    Bool(bool),
    /// `"text"`, escapes resolved.
    Str(String),
    /// `[a, b]`
    List(Vec<Expr>),
    /// A name: a parameter, a loop variable, a word such as `global`, or a label where a value is asked for.
    Name(String),
    /// `a.b.c`: `it.channels`, or a path to a labelled value.
    Dotted(Path),
    /// `min(a, b)`, `normal(0.02)`, `sgd(lr=0.1)`
    Call(Call),
    /// `(mean=[…], std=[…])` in recipes.
    Record(Vec<Arg>),
    /// `-a`, `not a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `if c { a } else if d { b } else { e }`: the arms in order, then the last `else`.
    If(Vec<(Expr, Expr)>, Box<Expr>),
}

/// An operator before its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `not`
    Not,
}

/// An operator between its operands, loosest first: `or`, `and`, comparisons, sums, products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl BinaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
        }
    }
}
