//! A comparison as text.

use super::totals::Figure;
use super::{Change, Diff, Sign, Total, Unit};
use crate::tools::text::{Ink, Style, bytes, columns, grouped, metric};

/// Lines of changes that are shown without `expand`.
const SHOWN: usize = 60;

/// The figures side by side, then what changed where. Of very many changes the first are shown, unless `expand`.
pub fn render(diff: &Diff, style: Style, expand: bool) -> String {
    let names = format!("{} → {}", style.paint(Ink::Bold, &diff.before), style.paint(Ink::Bold, &diff.after));
    if diff.equal {
        return style.signs(&format!("{names}   no difference\n")).into_owned();
    }
    let mut text = names + "\n\n" + &figures(&diff.totals, style);
    let mut lines = Vec::new();
    rows(&diff.changes, "", &mut lines);
    let width = lines.iter().map(|line| columns(&line.label)).max().unwrap_or(0).min(40);
    if !lines.is_empty() {
        text.push('\n');
    }
    let shown = if expand { lines.len() } else { SHOWN };
    lines.iter().take(shown).for_each(|line| text += &line.text(width, style));
    if lines.len() > shown {
        text += &format!("  … and {} lines more; -v shows them all\n", lines.len() - shown);
    }
    style.signs(&text).into_owned()
}

/// Numbers in columns, then what is said in words, then the names of what is the same.
fn figures(totals: &[Total], style: Style) -> String {
    let (told, same): (Vec<_>, Vec<_>) = totals.iter().partition(|total| total.differs());
    let cells = told.iter().map(|t| (*t, shown(t.before.as_ref(), t.unit), shown(t.after.as_ref(), t.unit)));
    let (words, numbers): (Vec<_>, Vec<_>) = cells.partition(|(total, ..)| total.unit == Unit::Words);
    let name = told.iter().map(|total| columns(&total.name)).max().unwrap_or(0);
    let before = numbers.iter().map(|(_, before, _)| columns(before)).max().unwrap_or(0);
    let after = numbers.iter().map(|(.., after)| columns(after)).max().unwrap_or(0);
    let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(columns(text)));
    let title = |total: &Total| format!("{}{}", style.paint(Ink::Dim, &total.name), pad(&total.name, name));
    let mut text = String::new();
    for (total, a, b) in &numbers {
        let (pad_a, pad_b) = (pad(a, before), pad(b, after));
        text += format!("  {}   {pad_a}{a}  →  {pad_b}{b}   {}", title(total), change(total)).trim_end();
        text.push('\n');
    }
    for (total, a, b) in &words {
        text += &format!("  {}   {a}  →  {b}\n", title(total));
    }
    if !same.is_empty() {
        let names: Vec<&str> = same.iter().map(|total| total.name.as_str()).collect();
        text += &format!("  {}\n", style.paint(Ink::Dim, &format!("the same: {}", names.join(", "))));
    }
    text
}

fn shown(figure: Option<&Figure>, unit: Unit) -> String {
    match (figure, unit) {
        (None, _) => "–".into(),
        (Some(Figure::Words(words)), _) => words.clone(),
        (Some(Figure::Number(n)), Unit::Bytes) => bytes(*n),
        (Some(Figure::Number(n)), _) => metric(*n),
    }
}

/// `+10.11 M  ×1.86`
fn change(total: &Total) -> String {
    let (Some(Figure::Number(a)), Some(Figure::Number(b))) = (&total.before, &total.after) else {
        return String::new();
    };
    let (sign, by) = if b > a { ('+', b - a) } else { ('−', a - b) };
    let by = shown(Some(&Figure::Number(by)), total.unit);
    if *a == 0 { format!("{sign}{by}") } else { format!("{sign}{by}  ×{:.2}", *b as f64 / *a as f64) }
}

/// A line of the list of changes.
struct ChangeRow {
    margin: String,
    sign: Sign,
    label: String,
    rest: String,
    parameters: i64,
}

fn rows(changes: &[Change], margin: &str, lines: &mut Vec<ChangeRow>) {
    for change in changes {
        let times = if change.count > 1 { format!(" ×{}", change.count) } else { String::new() };
        let mut words = change.notes.clone();
        if change.sign == Sign::Renamed {
            words.push("renamed".into());
        } else if change.label.contains(" → ") {
            words.push("renamed, too".into());
        }
        match change.following {
            0 => {}
            1 => words.push("1 layer follows".into()),
            n => words.push(format!("{n} layers follow")),
        }
        let rest = format!("{}{times}  {}", change.what, words.join(", "));
        let label = format!("{margin}{}", change.label);
        lines.push(ChangeRow {
            margin: margin.into(),
            sign: change.sign,
            label,
            rest: rest.trim().into(),
            parameters: change.parameters,
        });
        rows(&change.within, &format!("{margin}│ "), lines);
    }
}

impl ChangeRow {
    /// `~ layer2  Stage  depth 4 → 6, 2 blocks added (4–5)   +1,180,160`
    fn text(&self, width: usize, style: Style) -> String {
        let (sign, ink) = match self.sign {
            Sign::Added => ("+", Ink::New),
            Sign::Removed => ("-", Ink::Gone),
            Sign::Changed => ("~", Ink::Plain),
            Sign::Renamed => ("»", Ink::Plain),
        };
        let label = self.label.strip_prefix(&self.margin).unwrap_or(&self.label);
        let label = format!("{}{}", style.paint(Ink::Dim, &self.margin), style.paint(ink, label));
        let pad = " ".repeat(width.saturating_sub(columns(&self.label)));
        let parameters = match self.parameters {
            0 => String::new(),
            n => format!(
                "   {}",
                style.paint(
                    Ink::Dim,
                    &format!("{}{} parameters", if n > 0 { '+' } else { '−' }, grouped(n.unsigned_abs()))
                )
            ),
        };
        let rest = if self.rest.is_empty() { String::new() } else { format!("  {}", self.rest) };
        format!("  {} {label}{pad}{rest}{parameters}\n", style.paint(ink, sign))
    }
}
