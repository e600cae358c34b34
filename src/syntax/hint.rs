//! Habits from other languages and small slips, recognised where the grammar stopped.

use super::grammar::Rule;
use super::message::{Unparsed, token};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, codes};

/// Words that start an item.
const ITEMS: [&str; 5] = ["block", "model", "train", "import", "set"];

/// Words that start a step.
const STEPS: [&str; 11] = ["skip", "long", "let", "for", "if", "repeat", "parallel", "from", "output", "input", "set"];

/// The language's own words, as the grammar reserves them.
const RESERVED: [&str; 26] = [
    "and", "block", "by", "else", "false", "fit", "for", "from", "if", "import", "in", "input", "it", "let", "long",
    "model", "not", "or", "output", "parallel", "repeat", "set", "skip", "train", "true", "via",
];

/// What was probably meant, where that can be told.
pub fn hint(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    const HINTS: [fn(&Unparsed, Span) -> Option<Diagnostic>; 12] =
        [item, merge, reserved, spelling, number, loops, arrows, equals, colons, commas, conditions, braces];
    HINTS.iter().find_map(|hint| hint(spot, place))
}

fn say(
    message: impl Into<String>,
    place: Span,
    label: impl Into<String>,
    help: impl Into<String>,
) -> Option<Diagnostic> {
    Some(Diagnostic::new(codes::SYNTAX, message).label(place, label).help(help))
}

/// A file's top level holds only items.
fn item(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    let first = spot.text[..spot.at].lines().all(|line| line.trim().is_empty() || line.starts_with("///"));
    if spot.line != Rule::item_line || !first {
        return None;
    }
    let meant = match spot.found {
        "def" | "fn" | "func" | "function" | "layer" | "module" => Some("block"),
        "class" | "net" | "network" => Some("model"),
        "training" | "recipe" | "fit" => Some("train"),
        "from" | "include" | "use" => Some("import"),
        other => nearest(other, ITEMS),
    };
    let message = format!("{} starts no item", spot.shown());
    match meant {
        Some("import") if spot.found == "from" => {
            say(message, place, "not an item", "write `import Name from \"path.arch\"`")
        }
        Some(word) => {
            let error = Diagnostic::new(codes::SYNTAX, message).meant(place, Some(word), String::new);
            Some(error.help(format!("write `{word}`")))
        }
        None => {
            let label = "expected `block`, `model`, `train`, `import` or `set`";
            say(message, place, label, "steps stand in the braces of a block or a model")
        }
    }
}

/// `skip` and `parallel` say how they merge.
fn merge(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    if !spot.expects(&[Rule::merge_kind]) {
        return if spot.before == "long" && !spot.found.is_empty() {
            say("`long` stands before `skip`", place, "expected `skip`", format!("write `long skip {}`", spot.found))
        } else {
            None
        };
    }
    let word = spot.before;
    let kinds: &[&str] = if word == "skip" { &["add", "concat", "mul", "gate"] } else { &["add", "concat", "mul"] };
    let meant = match spot.found {
        "sum" | "plus" | "residual" | "res" => Some("add"),
        "cat" | "concatenate" | "stack" | "dense" => Some("concat"),
        "multiply" | "times" | "prod" | "scale" => Some("mul"),
        "highway" => Some("gate"),
        other => nearest(other, kinds.iter().copied()),
    };
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{word} {kind}`")).collect();
    let help = match meant {
        Some(kind) => format!("write `{word} {kind}`"),
        None => format!("write one of {}", kinds.join(", ")),
    };
    let error = Diagnostic::new(codes::SKIP_KIND, format!("this `{word}` does not say how it merges"));
    Some(error.meant(place, meant, || "its kind is missing before this".to_owned()).help(help))
}

/// A word of the language where a name belongs.
fn reserved(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    if !RESERVED.contains(&spot.found) {
        return None;
    }
    let named = ["block", "model", "let", "for", "input", "train", "set", "import"].contains(&spot.before);
    if named || spot.expects(&[Rule::name, Rule::param]) && !spot.expects(&[Rule::step, Rule::args]) {
        let message = format!("`{}` is a word of the language", spot.found);
        let diagnostic = Diagnostic::new(codes::RESERVED, message).label(place, "it cannot be a name here");
        let other = format!("{}_", spot.found);
        let diagnostic = diagnostic.help(format!("choose another name, such as `{other}`"));
        return Some(diagnostic.fix(format!("name it `{other}`"), place, other));
    }
    let step = spot.expects(&[Rule::body_line, Rule::stray_line, Rule::chain, Rule::step, Rule::call]);
    match spot.found {
        "else" if step => say(
            "this `else` has no `if` before it",
            place,
            "nothing to be else of",
            "write `if CONDITION { … } else { … }`",
        ),
        word @ ("via" | "by" | "fit") if step => {
            let message = format!("`{word}` belongs to a `skip`");
            say(message, place, "no skip stands before it", format!("write `skip add {word} …` on one line"))
        }
        "model" | "block" | "train" | "import" if step => {
            let message = format!("`{}` cannot stand inside braces", spot.found);
            say(message, place, "items stand at the top of a file", "close the braces before it with `}`")
        }
        _ if spot.expects(&[Rule::expr, Rule::arg, Rule::reference, Rule::dotted])
            && !spot.expects(&[Rule::binary]) =>
        {
            let message = format!("`{}` is a word of the language", spot.found);
            Some(Diagnostic::new(codes::RESERVED, message).label(place, "it cannot stand for a value"))
        }
        _ => None,
    }
}

/// A word of the language in another case, or nearly one, at the start of a step that then fails.
fn spelling(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    let head = spot.head;
    let lower = head.to_lowercase();
    let word = STEPS.iter().chain(&ITEMS).find(|word| **word == lower)?;
    if head == lower || spot.expects(&[Rule::expr]) {
        return None;
    }
    let message = format!("`{}` is not expected here", if spot.at_end() { "the end of the line" } else { spot.found });
    say(
        message,
        place,
        format!("`{head}` is read as a name"),
        format!("words of the language are in lower case: write `{word}`"),
    )
}

/// Numbers that are written otherwise.
fn number(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    let digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let refuse = |message: String, label: &str, help: Option<String>| {
        let diagnostic = Diagnostic::new(codes::NUMBER, message).label(place, label);
        Some(if let Some(help) = help { diagnostic.help(help) } else { diagnostic })
    };
    if spot.found == "." && digit(spot.after()) && spot.expects(&[Rule::expr, Rule::arg, Rule::number]) {
        let digits = token(spot.after());
        return refuse(
            format!("`.{digits}` is no number"),
            "a digit is missing before the point",
            Some(format!("write `0.{digits}`")),
        );
    }
    if spot.found == "." && digit(spot.before) {
        let whole = spot.before;
        return refuse(
            format!("`{whole}.` is no number"),
            "a digit is missing after the point",
            Some(format!("write `{whole}.0`")),
        );
    }
    if digit(spot.found)
        && !spot.found.bytes().all(|b| b.is_ascii_digit())
        && spot.expects(&[Rule::expr, Rule::arg, Rule::number, Rule::name])
    {
        return refuse(format!("`{}` is neither a number nor a name", spot.found), "names start with a letter", None);
    }
    None
}

/// `for i in range(n)`, `for i = 0..n`
fn loops(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    if spot.head != "for" {
        return None;
    }
    if spot.text.contains("range(") && spot.expects(&[Rule::range, Rule::binary]) {
        return say("a loop runs over `a..b`", place, "expected `..`", "write `for i in 0..n {`");
    }
    if ["=", "of", ":"].contains(&spot.found) {
        return say(
            format!("{} is not expected here", spot.shown()),
            place,
            "expected `in`",
            "write `for i in 0..n {`",
        );
    }
    None
}

/// Arrows with nothing on one side, and habits of other languages at the start of a step.
fn arrows(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    if spot.before == ">" && spot.text[..spot.at].trim_end().ends_with("->") && (spot.at_end() || spot.found == "}") {
        return say("nothing follows this `->`", place, "expected a step", "remove the `->`, or write a step after it");
    }
    if spot.found == "->" && spot.expects(&[Rule::step, Rule::chain]) && !spot.expects(&[Rule::args]) {
        let error = say("nothing stands before this `->`", place, "expected a step", "remove the `->`");
        return error.map(|error| error.fix("remove the `->`", place, ""));
    }
    match spot.head {
        "elif" | "elseif" | "elsif" => say(
            format!("`{}` is no word of the language", spot.head),
            place,
            "not expected here",
            "write `else if CONDITION {` after the `}`",
        ),
        "return" => say(
            "there is no `return`",
            place,
            "not expected here",
            "the last value is the output; `output NAME` names one",
        ),
        "while" => say("there is no `while`", place, "not expected here", "write `repeat n {` or `for i in 0..n {`"),
        _ => None,
    }
}

/// `=` and `==` in each other's place.
fn equals(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    match spot.found {
        "=" if spot.text[..spot.at].contains("if ") => {
            say("`=` does not compare", place, "in a condition", "write `==`")
                .map(|error| error.fix("write `==`", place, "=="))
        }
        "==" if matches!(spot.head, "let" | "set") || spot.expects(&[Rule::args]) && spot.bracket.is_none() => {
            say("`==` does not set anything", place, "it compares", "write `=`")
                .map(|error| error.fix("write `=`", place, "="))
        }
        "=" if spot.expects(&[Rule::args, Rule::EOI]) && spot.bracket != Some('(') => {
            let name = spot.before;
            let help = format!("write `let {name} = …` for a number, or `{name}: …` to label a step");
            say("a step sets no name with `=`", place, "not expected here", help)
        }
        "=" if spot.before == "*" || spot.before == "+" => say(
            format!("`{}=` is no operator", spot.before),
            place,
            "names are given once",
            "write `let NAME = …` with a new name",
        ),
        "*" if spot.before == "*" => say("there is no power operator", place, "a second `*`", "multiply: `a * a`"),
        _ => None,
    }
}

/// `:` where `=` belongs, and a skip's kind after a colon.
fn colons(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    if spot.line == Rule::field_line && spot.after().starts_with(':') {
        let name = spot.found;
        return say("a line of a recipe is `name = value`", place, "followed by `:`", format!("write `{name} = …`"));
    }
    if spot.found == ":" && spot.bracket == Some('(') {
        let name = spot.before;
        return say("`:` gives no value", place, "expected `=`", format!("write `{name} = …`"));
    }
    if spot.found == "{" && spot.text[..spot.at].contains("skip:") {
        let kind = spot.head;
        return say("`{` is not expected here", place, "`skip:` is read as a label", format!("write `skip {kind} {{`"));
    }
    None
}

/// Commas too many, or too few.
fn commas(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    let inside = matches!(spot.bracket, Some('(' | '['));
    if spot.found == "," && !inside {
        return say("`,` is not expected here", place, "a newline ends a step", "remove the `,`")
            .map(|error| error.fix("remove the `,`", place, ""));
    }
    let operand = spot.found.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '"');
    let after =
        spot.before.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ')' || c == ']' || c == '"');
    if inside && operand && after && spot.found != "if" && spot.expects(&[Rule::binary, Rule::args]) {
        return say(
            format!("{} is not expected here", spot.shown()),
            place,
            "expected `,` before this",
            format!("write `, {}`", spot.found),
        );
    }
    None
}

/// `x if c else y`, and values that are not chosen completely.
fn conditions(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    if spot.found == "if" && spot.expects(&[Rule::binary]) {
        let message = "a condition stands before what it chooses";
        return say(message, place, "not expected here", "write `if CONDITION { a } else { b }`");
    }
    if spot.expects(&[Rule::value_else]) {
        let message = "an `if` that gives a value needs an `else`";
        return say(message, place, "expected `else` before this", "write `if CONDITION { a } else { b }`");
    }
    if ["?", "then"].contains(&spot.found) {
        return say(
            format!("{} is not expected here", spot.shown()),
            place,
            "expected `{`",
            "write `if CONDITION { a } else { b }`",
        );
    }
    None
}

/// Braces that do not stand where they should.
fn braces(spot: &Unparsed, place: Span) -> Option<Diagnostic> {
    let head = ["block", "model", "train", "repeat", "for", "if", "parallel"].contains(&spot.head);
    if head && spot.at_end() {
        let help = "put the `{` on the same line";
        return say(format!("this `{}` has no braces", spot.head), place, "expected `{` on this line", help);
    }
    if spot.head == "input" && matches!(spot.found, "[" | "(") {
        return say(
            "the sizes of an input stand in `[ ]`",
            place,
            "not expected here",
            "write `input NAME [N, 3, 224, 224]`",
        );
    }
    None
}
