//! Hostile input is ordinary input: each text gives a clear error, soon, and never a crash. Tests run on
//! threads of 2 MiB, so recursion over the input would show.

use archc::base::{Limits, Rng};
use archc::elaborate::{Compiled, Options, compile_text};
use archc::syntax;
use std::time::{Duration, Instant};

/// Far above what any text here takes, far below what quadratic time would.
const SOON: Duration = Duration::from_secs(20);

fn check(text: &str) -> Compiled {
    let start = Instant::now();
    let compiled = compile_text("hostile.arch", text, &Options::default());
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    compiled
}

fn codes(text: &str) -> Vec<&'static str> {
    let compiled = check(text);
    assert!(compiled.network.is_none() || !compiled.diagnostics.has_errors());
    assert!(compiled.diagnostics.len() <= Limits::default().errors);
    compiled.diagnostics.iter().map(|diagnostic| diagnostic.code.0).collect()
}

fn within(body: &str) -> String {
    format!("model Net {{\n    input x [N, 3, 8, 8]\n    {body}\n}}\n")
}

#[test]
fn nesting_is_refused_before_anything_recurses() {
    const DEEP: usize = 100_000;
    let pairs =
        [("{", "}"), ("(", ")"), ("[", "]"), ("skip add {\n", "}\n"), ("f(if 1 {", "} else { 2 })"), ("a{", "}")];
    for (open, close) in pairs {
        for text in [
            open.repeat(DEEP),
            open.repeat(DEEP) + &close.repeat(DEEP),
            within(&format!("conv({})", open.repeat(DEEP))),
        ] {
            assert!(codes(&text).contains(&"E0103"), "{open:?}");
        }
    }
}

#[test]
fn long_rows_of_operators_are_refused() {
    for operators in ["not ", "- ", "not - ", "1 + ", "1 * 2 - ", "(1) + - ", "1 == ", "x or not "] {
        let text = within(&format!("let y = {}1", operators.repeat(100_000)));
        let codes = codes(&text);
        assert!(codes.contains(&"E0103") || codes.contains(&"E0110"), "{operators:?}: {codes:?}");
    }
}

#[test]
fn nested_rows_of_operators_add_up() {
    let row = "- ".repeat(100);
    let text = within(&format!("let y = {}1{}", format!("{row}(").repeat(100), ")".repeat(100)));
    assert!(codes(&text).contains(&"E0103"));
}

#[test]
fn long_lines_and_long_tokens_are_read() {
    let relus = format!("relu{}", " -> relu".repeat(20_000));
    let compiled = check(&within(&relus));
    assert!(compiled.network.is_some(), "{:?}", compiled.diagnostics.iter().next());
    let digits = "9".repeat(1 << 20);
    assert_eq!(codes(&within(&format!("conv({digits}, 3)"))), ["E0106"]);
    assert_eq!(codes(&within(&format!("{}(3)", "a".repeat(1 << 20)))), ["E0203"]);
    let arms = format!("if false {{ relu }}{} else {{ relu }}", " else if false { relu }".repeat(20_000));
    assert!(check(&within(&arms)).network.is_some());
}

#[test]
fn noise_fails_soon() {
    let mut rng = Rng::new(7);
    let mut noise = |alphabet: &[u8]| -> String {
        let bytes = (0..16 << 20).map(|_| alphabet[rng.below(alphabet.len())]).collect();
        String::from_utf8(bytes).expect("ASCII")
    };
    let all: Vec<u8> = (1..128).collect();
    let texts = [
        noise(&all),
        noise(b"abc 123(){}[]->=:,.\n\""),
        noise(b"{}\n"),
        noise(b"()"),
        noise(b"a \n"),
        noise(b"relu ->\n"),
        "(".repeat(16 << 20),
        "}".repeat(16 << 20),
        "\"".repeat(16 << 20),
        "model ".repeat((16 << 20) / 6),
        "model X {\n".repeat((16 << 20) / 10),
        "é".repeat(8 << 20),
    ];
    for (i, text) in texts.iter().enumerate() {
        assert!(!codes(text).is_empty(), "text {i}");
    }
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    assert_eq!(codes(&" ".repeat((16 << 20) + 1)), ["E0108"]);
}

#[test]
fn many_errors_stop_at_the_limit() {
    let text = within(&"conv(3 4)\n".repeat(100_000));
    assert_eq!(codes(&text).len(), Limits::default().errors);
}

#[test]
fn bytes_that_are_no_text_are_named() {
    assert_eq!(codes(&within("relu\0")), ["E0104"]);
    assert_eq!(codes("\0\0\0\0"), ["E0104"]);
    assert_eq!(codes(&within("pad(1, mode=\"zero)")), ["E0105"]);
    assert_eq!(codes(&within("conv(nan, 3)")), ["E0106"]);
}

#[test]
fn line_ends_of_every_kind_are_understood() {
    let text = "/// A net.\nmodel Net {\n    input x [N, 3, 8, 8] // three\n    conv(4,\n        3)\n}\n";
    let dump = |text: &str| {
        let mut out = archc::base::Diagnostics::default();
        let file = syntax::parse(archc::base::FileId(0), text, &Limits::default(), &mut out);
        (syntax::dump::file(&file), out.len())
    };
    assert_eq!(dump(text), dump(&text.replace('\n', "\r\n")));
    assert_eq!(dump(text), dump(&format!("\u{feff}{text}")));
    assert_eq!(dump(text), dump(text.trim_end()));
    let (same, errors) = dump(&text.replace('\n', "\r"));
    assert_eq!(errors, 1, "a lone carriage return is an error, told once");
    assert!(same.contains("model Net"));
}
