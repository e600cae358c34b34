//! What a study comes to.

use crate::tools::chart::Figure;
use serde_json::Value;

/// A study's results.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every number.
    pub table: Table,
    /// The picture.
    pub figure: Figure,
    /// The numbers that matter, for programs.
    pub findings: Value,
    /// What it shows, in a few sentences.
    pub text: String,
}

/// Columns with names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The names.
    pub columns: Vec<&'static str>,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The table as comma-separated values (RFC 4180, lines end in `\n`).
    pub fn csv(&self) -> String {
        let line = |cells: Vec<String>| cells.join(",") + "\n";
        let head = line(self.columns.iter().map(|c| quoted(c)).collect());
        self.rows.iter().fold(head, |text, row| text + &line(row.iter().map(|c| quoted(c)).collect()))
    }
}

fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_string(),
    }
}

/// A number in six figures, for tables.
pub fn six(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if (1e-4..1e7).contains(&size) => {
            let decimals = (5 - size.log10().floor() as i32).clamp(0, 9) as usize;
            let text = format!("{value:.decimals$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
        }
        _ => format!("{value:.5e}"),
    }
}

/// A factor as people say it: `120`, `4.6`, `3·10⁸`.
pub fn times(value: f64) -> String {
    crate::tools::chart::number(value)
}

/// The mean of some numbers; no number where there are none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0usize), |(sum, count), v| (sum + v, count + 1));
    if count == 0 { f64::NAN } else { sum / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let mut table = Table::new(&["name", "value"]);
        table.add(vec!["a, \"b\"".into(), six(0.5)]);
        assert_eq!(table.csv(), "name,value\n\"a, \"\"b\"\"\",0.5\n");
    }

    #[test]
    fn numbers_have_six_figures() {
        let texts = [0.0, 1.0, 0.123_456_789, 123_456.7, 1e-9, f64::NAN, -2.5].map(six);
        assert_eq!(texts, ["0", "1", "0.123457", "123457", "1.00000e-9", "NaN", "-2.5"]);
    }
}
