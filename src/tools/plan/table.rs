//! A memory plan as a table for people.

use super::{Alias, Report, StepRow, WriteRow};
use crate::plan::{Concat, Mode};
use crate::tools::text::{Ink, Style, bytes, columns, grouped, shortened};

/// Columns between columns.
const GAP: usize = 2;
/// What a column of words shrinks to before the table runs over the width.
const LEAST: usize = 14;

/// The columns, and whether each is flush right.
const COLUMNS: [(&str, bool); 8] = [
    ("step", true),
    ("layer", false),
    ("op", false),
    ("buffer", true),
    ("offset", true),
    ("bytes", true),
    ("live", true),
    ("memory", false),
];
/// The columns that may be cut.
const WORDS: [usize; 3] = [7, 2, 1];

type Row = [String; COLUMNS.len()];

/// The whole report: a line that says it all, one row a step, and sums with what they mean.
pub fn render(model: &str, report: &Report, style: Style) -> String {
    let totals = &report.totals;
    let facts = [
        if report.mode == Mode::Run { "run".to_string() } else { "train".to_string() },
        format!("batch {}", report.batch),
        format!("arena {}", bytes(totals.peak)),
        format!("bound {}", bytes(totals.lower_bound)),
        format!("naive {}", bytes(totals.naive)),
        format!("weights {}", bytes(report.outside.weights)),
    ];
    let head = format!("{} · {}", style.paint(Ink::Bold, model), facts.join(" · "));
    let text = format!("{head}\n\n{}\n{}\n{}", steps(report, style), sums(report, style), assumptions(report, style));
    style.signs(&text).into_owned()
}

fn steps(report: &Report, style: Style) -> String {
    let mut lines: Vec<(Row, bool)> = Vec::new();
    for row in &report.steps {
        let fullest = row.step == report.totals.fullest_step;
        let writes: Vec<Option<&WriteRow>> = match row.writes.as_slice() {
            [] => vec![None],
            writes => writes.iter().map(Some).collect(),
        };
        lines.extend(writes.into_iter().enumerate().map(|(i, write)| (line(row, i, write), fullest && i == 0)));
    }
    let mut widths = COLUMNS.map(|(head, _)| columns(head));
    for (line, _) in &lines {
        line.iter().enumerate().for_each(|(i, cell)| widths[i] = widths[i].max(columns(cell)));
    }
    fit(&mut widths, style.width);
    let heads = COLUMNS.map(|(head, _)| head.to_string());
    let mut text = style.paint(Ink::Dim, &joined(&heads, &widths)) + "\n";
    for (line, fullest) in &lines {
        let joined = joined(line, &widths);
        text += &if *fullest { style.paint(Ink::Bold, &joined) } else { joined };
        text.push('\n');
    }
    text
}

/// Shrinks columns of words until the table fits, or nothing more can be cut.
fn fit(widths: &mut [usize; COLUMNS.len()], width: usize) {
    for i in WORDS {
        let total = widths.iter().sum::<usize>() + GAP * (COLUMNS.len() + 1);
        widths[i] -= total.saturating_sub(width).min(widths[i].saturating_sub(LEAST));
    }
}

fn joined(line: &Row, widths: &[usize; COLUMNS.len()]) -> String {
    let mut text = String::new();
    for (i, cell) in line.iter().enumerate() {
        let cell = shortened(cell, widths[i]);
        let blank = " ".repeat(widths[i].saturating_sub(columns(&cell)));
        text += &" ".repeat(GAP);
        text += &if COLUMNS[i].1 { blank + &cell } else { cell + &blank };
    }
    text.trim_end().to_string()
}

/// One row: a step and what it makes first, or the next thing it makes.
fn line(row: &StepRow, i: usize, write: Option<&WriteRow>) -> Row {
    let mut line = Row::default();
    if i == 0 {
        line[0] = row.step.to_string();
        line[1].clone_from(&row.layer);
        line[2].clone_from(&row.op);
        line[6] = grouped(row.live_bytes);
    }
    if let Some(write) = write {
        line[3] = write.buffer.to_string();
        line[4] = grouped(write.offset);
        line[5] = grouped(write.bytes);
        line[7] = memory(row, write);
    }
    line
}

/// Which value, where the layer's name does not say it, and in whose memory.
fn memory(row: &StepRow, write: &WriteRow) -> String {
    let mut notes = Vec::new();
    if write.value == format!("{} scratch", row.layer) {
        notes.push("scratch".to_string());
    } else if row.layer != write.value {
        notes.push(write.value.clone());
    }
    match &write.alias {
        Some(Alias::InPlace { of }) => notes.push(format!("over {of}")),
        Some(Alias::Slice { of, at }) => notes.push(format!("inside {of} at {}", grouped(*at))),
        Some(Alias::Added) => notes.push("added to".to_string()),
        None => {}
    }
    if !row.views.is_empty() {
        notes.push(format!("= {}", row.views.join(" = ")));
    }
    notes.join("  ")
}

/// The sums, one a line: name, bytes, what they mean.
fn sums(report: &Report, style: Style) -> String {
    let totals = &report.totals;
    let mut lines = vec![
        ("arena", totals.peak, format!("{:.3} × the lower bound", totals.peak_to_bound)),
        (
            "bound",
            totals.lower_bound,
            format!("live at once at step {}: no plan can do with less", totals.fullest_step),
        ),
        ("naive", totals.naive, "every buffer in memory of its own".to_string()),
        ("weights", report.outside.weights, "outside the arena, whatever the batch".to_string()),
    ];
    if report.mode == Mode::Train {
        lines.push(("gradients", report.outside.gradients, "of parameters, outside the arena".to_string()));
        lines.push(("optimizer", report.outside.optimizer, "its state, outside the arena".to_string()));
    }
    if let Some(reference) = &report.reference {
        let counted = |totals: &super::Totals, concat| {
            let (naive, bound) = (bytes(totals.naive), bytes(totals.lower_bound));
            format!("naive {naive}, bound {bound} if nothing were in place{concat}")
        };
        lines.push(("textbook", reference.copied.naive, counted(&reference.copied, "")));
        if reference.chained != reference.copied {
            lines.push(("", reference.chained.naive, counted(&reference.chained, " but new features in their concat")));
        }
    }
    let width = lines.iter().map(|line| grouped(line.1).len()).max().unwrap_or(0);
    let line = |(name, number, meaning): &(&str, u64, String)| {
        format!("  {}  {:>width$}  {meaning}\n", style.paint(Ink::Dim, &format!("{name:<9}")), grouped(*number))
    };
    lines.iter().map(line).collect()
}

fn assumptions(report: &Report, style: Style) -> String {
    let concat = match report.assumptions.concat {
        Concat::Copied => "concat copies",
        Concat::Chained => "new features written into their concat",
        Concat::Whole => "every operand written into its concat",
    };
    let in_place = if report.assumptions.in_place { "in place where legal" } else { "nothing in place" };
    let strategy = report.strategy.name();
    let text =
        format!("f32 · {in_place} · {concat} · offsets by {strategy}, in multiples of {}", crate::plan::ALIGNMENT);
    format!("  {}\n", style.paint(Ink::Dim, &text))
}
