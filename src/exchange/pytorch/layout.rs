//! Python laid out as black does: on one line where it fits, else one argument a line.

/// Columns of a line.
const WIDTH: usize = 88;

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Py {
    /// As it stands.
    Text(String),
    /// `head(args)`
    Call(String, Vec<Py>),
    /// `[items]`
    List(Vec<Py>),
    /// `(a, b)`
    Tuple(Vec<Py>),
    /// `name=value`, `*value`: what stands before a value.
    With(String, Box<Py>),
    /// `value for i in range(n)`
    For(Box<Py>, String),
}

/// A text as an expression.
pub(super) fn text(text: impl Into<String>) -> Py {
    Py::Text(text.into())
}

/// `head(args)`
pub(super) fn call(head: impl Into<String>, args: Vec<Py>) -> Py {
    Py::Call(head.into(), args)
}

/// `name=value`
pub(super) fn named(name: &str, value: impl Into<String>) -> Py {
    Py::With(format!("{name}="), Box::new(text(value)))
}

impl Py {
    /// On one line.
    pub(super) fn flat(&self) -> String {
        let all = |items: &[Py]| items.iter().map(Py::flat).collect::<Vec<_>>().join(", ");
        match self {
            Self::Text(text) => text.clone(),
            Self::Call(head, args) => format!("{head}({})", all(args)),
            Self::List(items) => format!("[{}]", all(items)),
            Self::Tuple(items) => format!("({})", all(items)),
            Self::With(before, value) => format!("{before}{}", value.flat()),
            Self::For(value, tail) => format!("{} {tail}", value.flat()),
        }
    }

    /// At an indentation, after `used` columns of its line and before `after` more.
    fn laid(&self, indent: usize, used: usize, after: usize) -> String {
        let flat = self.flat();
        if used + flat.chars().count() + after <= WIDTH {
            return flat;
        }
        let pad = " ".repeat(indent + 4);
        let broken = |open: &str, items: &[Py], close: &str| {
            let many = items.len() > 1 || !matches!(items, [Py::For(..)] | [Py::With(..)]);
            let line =
                |item: &Py| format!("{pad}{}{}\n", item.laid(indent + 4, indent + 4, 1), if many { "," } else { "" });
            format!("{open}\n{}{}{close}", items.iter().map(line).collect::<String>(), " ".repeat(indent))
        };
        match self {
            Self::Text(text) => text.clone(),
            Self::Call(head, args) if args.is_empty() => format!("{head}()"),
            Self::Call(head, args) => {
                // A list alone hugs its parentheses.
                broken(&format!("{head}("), args, ")")
            }
            Self::List(items) => broken("[", items, "]"),
            Self::Tuple(items) => broken("(", items, ")"),
            Self::With(before, value) => format!("{before}{}", value.laid(indent, used + before.len(), after)),
            Self::For(value, tail) => format!("{}\n{}{tail}", value.laid(indent, used, 0), " ".repeat(indent)),
        }
    }

    /// `before` and the expression, as lines at an indentation.
    pub(super) fn line(&self, indent: usize, before: &str) -> String {
        self.ended(indent, before, "")
    }

    /// The same, and what ends the last line.
    pub(super) fn ended(&self, indent: usize, before: &str, end: &str) -> String {
        format!("{}{before}{}{end}\n", " ".repeat(indent), self.laid(indent, indent + before.chars().count(), 0))
    }
}
