//! Rows that say the same kind of thing line up.

use super::rows::{Marks, Row, STEP, WIDEST};
use crate::tools::text::columns;
use std::ops::Range;

/// Labels line up where neighbours differ in length by at most this.
const ALIKE: usize = 4;

/// Lines up labels, arrows, braces of items, the `=` of recipes, and comments.
pub fn align(rows: &mut [Row]) {
    for run in runs(rows, |a, b| neighbours(a, b) && labels_alike(&a.marks, &b.marks)) {
        line_up(&mut rows[run], |marks| marks.label);
    }
    for run in runs(rows, |a, b| neighbours(a, b) && !a.marks.arrows.is_empty() && a.marks.steps == b.marks.steps) {
        for i in 0..rows[run.start].marks.arrows.len() {
            line_up(&mut rows[run.clone()], |marks| marks.arrows.get(i).copied());
        }
    }
    for run in runs(rows, |a, b| neighbours(a, b) && a.marks.braces.is_some() && b.marks.braces.is_some()) {
        line_up(&mut rows[run], |marks| marks.braces);
    }
    equals(rows);
    comments(rows);
}

fn neighbours(a: &Row, b: &Row) -> bool {
    a.indent == b.indent && !b.blank && !a.code.is_empty() && !b.code.is_empty()
}

fn labels_alike(a: &Marks, b: &Marks) -> bool {
    a.label.zip(b.label).is_some_and(|(a, b)| a.abs_diff(b) <= ALIKE)
}

/// Stretches of rows in which each goes with the one before; longer than one.
fn runs(rows: &[Row], goes_with: impl Fn(&Row, &Row) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for i in 1..=rows.len() {
        if i == rows.len() || !goes_with(&rows[i - 1], &rows[i]) {
            if i > start + 1 {
                runs.push(start..i);
            }
            start = i;
        }
    }
    runs
}

/// Moves one place of each row to one column, unless a row would become too wide.
fn line_up(rows: &mut [Row], place: impl Fn(&Marks) -> Option<usize>) {
    let column = |row: &Row| place(&row.marks).map(|at| columns(&row.code[..at]));
    let Some(target) = rows.iter().filter_map(column).max() else { return };
    let pad = |row: &Row| column(row).map_or(0, |column| target - column);
    if rows.iter().any(|row| row.indent * STEP + columns(&row.code) + pad(row) > WIDEST) {
        return;
    }
    for row in rows {
        let (Some(at), pad) = (place(&row.marks), pad(row)) else { continue };
        row.code.insert_str(at, &" ".repeat(pad));
        row.marks.moved(at, pad);
    }
}

impl Marks {
    /// The places from `at` on, `by` further.
    fn moved(&mut self, at: usize, by: usize) {
        let places = self.arrows.iter_mut().chain(&mut self.braces).chain(&mut self.label);
        places.filter(|place| **place >= at).for_each(|place| *place += by);
    }
}

/// The `=` of a recipe's fields, whatever stands between them.
fn equals(rows: &mut [Row]) {
    let mut start = 0;
    while start < rows.len() {
        let Some((_, recipe)) = rows[start].marks.equals else {
            start += 1;
            continue;
        };
        let of_it = |row: &Row| row.marks.equals.is_none_or(|(_, other)| other == recipe);
        let length = rows[start..].iter().take_while(|row| of_it(row)).count();
        let fields = &mut rows[start..start + length];
        line_up_fields(fields);
        start += length;
    }
}

fn line_up_fields(rows: &mut [Row]) {
    let widest = rows.iter().filter_map(|row| row.marks.equals).map(|(at, _)| at).max().unwrap_or(0);
    for row in rows {
        if let Some((at, _)) = row.marks.equals {
            row.code.insert_str(at, &" ".repeat(widest - at));
        }
    }
}

/// Comments at the ends of consecutive rows, and of all fields of a recipe.
fn comments(rows: &mut [Row]) {
    let mut start = 0;
    while start < rows.len() {
        let (run, end) = commented(rows, start);
        let width = |row: &Row| row.indent * STEP + columns(&row.code);
        let target = run.iter().map(|&i| width(&rows[i])).max().unwrap_or(0);
        for &i in &run {
            let pad = target - width(&rows[i]);
            rows[i].code.push_str(&" ".repeat(pad));
        }
        start = end;
    }
}

/// The rows from `start` on whose comments line up, and where to go on.
fn commented(rows: &[Row], start: usize) -> (Vec<usize>, usize) {
    let recipe = rows[start].marks.equals.map(|(_, recipe)| recipe);
    let mut run = Vec::new();
    for (i, row) in rows.iter().enumerate().skip(start) {
        let field = recipe.is_some() && row.marks.equals.map(|(_, recipe)| recipe) == recipe;
        let comment = !row.code.is_empty() && row.comment.is_some();
        if (i > start && row.blank) || !(comment || field) {
            return (run, i.max(start + 1));
        }
        if comment {
            run.push(i);
        }
    }
    (run, rows.len())
}
