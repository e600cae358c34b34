//! The summary as a table.

use super::Summary;
use super::rows::{self, Row};
use crate::elaborate::Network;
use crate::tools::text::{Ink, Style, bytes, columns, grouped, macs, metric, shortened};

/// Columns between columns.
const GAP: usize = 2;
/// What the column of sources shrinks to before the table runs over the width.
const LEAST_FROM: usize = 10;
/// The same for the column of layers.
const LEAST_LAYER: usize = 20;

/// The summary as text; with `expand`, repeats are shown too.
pub fn render(network: &Network, style: Style, expand: bool) -> String {
    let summary = super::summarize(network);
    let mut rows = rows::rows(&network.graph, expand);
    // Signs change widths, so they are replaced before anything is measured.
    for row in &mut rows {
        for text in [&mut row.label, &mut row.kind, &mut row.from, &mut row.note] {
            *text = style.signs(text).into_owned();
        }
        row.label_width = row.label_width.max(columns(&row.label).min(rows::LABEL));
    }
    let mut text = headline(&summary, style) + "\n\n";
    text += &table(&rows, style);
    text += &format!("\n  {}   {}\n", style.paint(Ink::Dim, "skips"), summary.skips_in_words());
    if summary.cost.nodes.buffers > 0 {
        let buffers = format!("{} running statistics besides the parameters", grouped(summary.cost.nodes.buffers));
        text += &format!("  {} {buffers}\n", style.paint(Ink::Dim, "buffers"));
    }
    style.signs(&text).into_owned()
}

/// `ResNet34 · 3×224×224 → 1000 · 21.80 M parameters · 3.66 GMACs · …`
fn headline(summary: &Summary, style: Style) -> String {
    let ports = |ports: &[super::Port]| {
        let sizes = |port: &super::Port| port.shape.times().replace(' ', "");
        let named = |port: &super::Port| format!("{} {}", port.name, sizes(port));
        match ports {
            [one] => sizes(one),
            many => many.iter().map(named).collect::<Vec<_>>().join(", "),
        }
    };
    let cost = &summary.cost;
    let facts = [
        format!("{} → {}", ports(&summary.inputs), ports(&summary.outputs)),
        format!("{} parameters", metric(cost.nodes.parameters)),
        macs(cost.nodes.macs),
        format!("weights {}", bytes(cost.weight_bytes)),
        format!("activations {} (run), {} per sample (train)", bytes(cost.run_bytes), bytes(cost.train_bytes)),
    ];
    format!("{} · {}", style.paint(Ink::Bold, &summary.model), facts.join(" · "))
}

/// A row cut into its columns.
struct Cells {
    /// Columns of the margin, label and kind together, and the painted text.
    layer: (usize, String),
    from: String,
    numbers: [String; 4],
    note: String,
}

fn table(rows: &[Row], style: Style) -> String {
    let mut widths = Widths::of(rows);
    widths.fit(style.width);
    let cells: Vec<Cells> = rows.iter().map(|row| cells(row, widths.layer, style)).collect();
    let mut text = head(&widths, style);
    for cell in cells {
        let mut line = format!("  {}{}", cell.layer.1, " ".repeat(widths.layer.saturating_sub(cell.layer.0) + GAP));
        if widths.from > 0 {
            line += &padded(&shortened(&cell.from, widths.from), widths.from);
        }
        for (number, width) in cell.numbers.iter().zip(widths.numbers) {
            line += &" ".repeat(width.saturating_sub(columns(number)));
            line += &if number == "·" { style.paint(Ink::Dim, number) } else { number.clone() };
            line += "  ";
        }
        line += &style.paint(Ink::Dim, &cell.note);
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text)) + GAP))
}

const HEADS: [&str; 4] = ["output", "params", "MACs", "field"];

fn head(widths: &Widths, style: Style) -> String {
    let mut line = format!("  {}", padded("layer", widths.layer));
    if widths.from > 0 {
        line += &padded("from", widths.from);
    }
    for (head, width) in HEADS.iter().zip(widths.numbers) {
        line += &format!("{head:>width$}  ");
    }
    style.paint(Ink::Dim, line.trim_end()) + "\n"
}

/// Columns that each column takes.
struct Widths {
    layer: usize,
    from: usize,
    numbers: [usize; 4],
    note: usize,
}

impl Widths {
    fn of(rows: &[Row]) -> Self {
        let widest = |of: &dyn Fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
        let number = |i: usize| widest(&|row| columns(&numbers(row)[i])).max(HEADS[i].len());
        let from = widest(&|row| columns(&row.from));
        Self {
            layer: widest(&|row| margin_width(row) + row.label_width + GAP + columns(&row.kind)),
            from: if from == 0 { 0 } else { from.max(4) },
            numbers: std::array::from_fn(number),
            note: widest(&|row| columns(&row.note)),
        }
    }

    /// Shrinks what can be cut until the table fits, or nothing more can be cut; a terminal too narrow for
    /// all columns goes without the sources.
    fn fit(&mut self, width: usize) {
        let fixed = self.numbers.iter().map(|n| n + GAP).sum::<usize>() + self.note + 2 + GAP;
        if self.from > 0 && fixed + LEAST_FROM + GAP + LEAST_LAYER > width {
            self.from = 0;
        }
        let from = if self.from > 0 { self.from + GAP } else { 0 };
        let over = (fixed + from + self.layer).saturating_sub(width);
        let cut = over.min(self.from.saturating_sub(LEAST_FROM));
        self.from -= cut;
        self.layer -= (over - cut).min(self.layer.saturating_sub(LEAST_LAYER));
    }
}

fn margin_width(row: &Row) -> usize {
    row.margin.iter().map(|(mark, _)| columns(mark)).sum()
}

fn numbers(row: &Row) -> [String; 4] {
    let or_dot = |n: u64, text: fn(u64) -> String| if n == 0 { "·".into() } else { text(n) };
    let field = row.field.to_string();
    [row.output.times(), or_dot(row.cost.parameters, grouped), or_dot(row.cost.macs, metric), field]
}

fn cells(row: &Row, width: usize, style: Style) -> Cells {
    let margin = margin_width(row);
    let room = width.saturating_sub(margin);
    let label = shortened(&row.label, room);
    let gap = row.label_width.saturating_sub(columns(&label)) + GAP;
    let kind = shortened(&row.kind, room.saturating_sub(columns(&label) + gap));
    let used = margin + columns(&label) + gap + columns(&kind);
    let marks: String = row.margin.iter().map(|(mark, ink)| style.paint(*ink, mark)).collect();
    let label = if row.group { style.paint(Ink::Bold, &label) } else { label };
    let text = format!("{marks}{label}{}{}", " ".repeat(gap), style.paint(row.ink, &kind));
    Cells { layer: (used, text), from: row.from.clone(), numbers: numbers(row), note: row.note.clone() }
}
