//! What the network answers, sample by sample and class by class, as HTML.

use super::answers::{Answers, Masked, Shown};
use super::pictures::{Picture, color};
use super::{asked, section};
use crate::tools::chart::{Axis, Body, Figure, Hue, Panel, Series, Stroke};
use crate::tools::html::escaped;
use crate::tools::text::grouped;
use std::collections::BTreeSet;

/// Classes that a matrix has room for.
const MATRIX: usize = 24;
/// Pairs of classes that are listed where it has not.
const LISTED: usize = 15;

/// A class by its name, or its number.
fn named(classes: &[String], class: usize) -> String {
    classes.get(class).cloned().unwrap_or_else(|| class.to_string())
}

/// Mistakes and right answers, or masks; nothing where numbers are learnt.
pub fn mistakes(answers: &Answers, classes: &[String]) -> String {
    if !answers.masks.is_empty() {
        return masks(answers, classes);
    }
    let mut text = String::new();
    let cards = |list: &[Shown]| list.iter().map(|shown| card(shown, classes)).collect::<String>();
    if !answers.wrong.is_empty() {
        let remark = format!("Of {}, the mistakes that the network was surest of.", asked(answers));
        text += &section("Mistakes", &remark, &format!("<div class=\"cards\">{}</div>", cards(&answers.wrong)));
    } else if !answers.right.is_empty() {
        text += &section("Mistakes", &format!("None: of {}, every one is right.", asked(answers)), "");
    }
    if !answers.right.is_empty() {
        let remark = "The first of each class that was answered right.";
        text += &section("Right answers", remark, &format!("<div class=\"cards\">{}</div>", cards(&answers.right)));
    }
    text
}

fn image(picture: &Picture, what: &str) -> String {
    let address = picture.address().unwrap_or_default();
    format!(
        "<img src=\"{address}\" alt=\"{}\" width=\"{}\" height=\"{}\">",
        escaped(what),
        picture.width,
        picture.height
    )
}

fn card(shown: &Shown, classes: &[String]) -> String {
    let (truth, answer) = (named(classes, shown.truth), named(classes, shown.answer));
    let right = shown.truth == shown.answer;
    let picture = shown.picture.as_ref().map(|p| image(p, &format!("sample {}: {truth}", shown.sample)));
    let fact = if right { String::new() } else { format!("<span>is {}</span>", escaped(&truth)) };
    format!(
        "<figure title=\"sample {}\">{}<figcaption><b class=\"{}\">{}</b> <span class=\"soft\">{:.1} %</span>{fact}</figcaption></figure>",
        shown.sample,
        picture.unwrap_or_default(),
        if right { "right" } else { "wrong" },
        escaped(&answer),
        100.0 * shown.probability,
    )
}

/// Rows of input, truth, answer and where they differ.
fn masks(answers: &Answers, classes: &[String]) -> String {
    let used: BTreeSet<usize> = answers
        .masks
        .iter()
        .flat_map(|m| m.truth.iter().chain(&m.answer))
        .filter(|&&class| class > 0 && class != 255)
        .map(|&class| class as usize)
        .collect();
    let key = |&class: &usize| {
        let [r, g, b] = color(class);
        format!("<span><i style=\"background:rgb({r},{g},{b})\"></i>{}</span>", escaped(&named(classes, class)))
    };
    let legend: String = used.iter().map(key).collect();
    let rows: String = answers.masks.iter().map(mask).collect();
    let remark = format!(
        "Of {}: the first, those that overlap worst with the truth, and those that overlap best. IoU is intersection over \
         union, a mean over the classes in the picture.",
        asked(answers)
    );
    let body = format!("<div class=\"legend\">Classes: {legend}</div><div class=\"masks\">{rows}</div>");
    section("Answers", &remark, &body)
}

fn mask(mask: &Masked) -> String {
    let wrong: Vec<bool> = mask.truth.iter().zip(&mask.answer).map(|(t, a)| t != a && *t != 255).collect();
    let pictures = [
        ("input", mask.picture.clone()),
        ("truth", mask.picture.overlaid(&mask.truth)),
        ("answer", mask.picture.overlaid(&mask.answer)),
        ("differs", mask.picture.marked(&wrong)),
    ];
    let figure = |(what, picture): &(&str, Picture)| {
        let alt = format!("sample {}: {what}", mask.sample);
        format!("<figure>{}<figcaption class=\"soft\">{what}</figcaption></figure>", image(picture, &alt))
    };
    format!(
        "<div class=\"mask\"><p><b>{}</b> · sample {} · IoU {:.3}</p><div>{}</div></div>",
        mask.why,
        mask.sample,
        mask.iou,
        pictures.iter().map(figure).collect::<String>(),
    )
}

/// Which class is taken for which: a matrix, or of many classes the commonest confusions.
pub fn confusion(answers: &Answers, classes: &[String]) -> String {
    let matrix = &answers.confusion;
    let unit = if answers.masks.is_empty() { "samples" } else { "pixels" };
    match matrix.len() {
        0 | 1 => String::new(),
        n if n <= MATRIX => {
            let remark = format!(
                "Rows are what {unit} are, columns what the network takes them for; shades are shares of a row. Counted over {}.",
                asked(answers)
            );
            section("Confusion", &remark, &table(matrix, classes))
        }
        _ => listed(answers, classes, unit),
    }
}

fn table(matrix: &[Vec<u64>], classes: &[String]) -> String {
    let head: String =
        (0..matrix.len()).map(|class| format!("<th class=\"n\">{}</th>", escaped(&named(classes, class)))).collect();
    let mut rows = String::new();
    for (class, row) in matrix.iter().enumerate() {
        let all: u64 = row.iter().sum();
        let taken: u64 = matrix.iter().map(|row| row[class]).sum();
        let share = |part: u64, of: u64| {
            if of == 0 { "–".into() } else { format!("{:.1} %", 100.0 * part as f64 / of as f64) }
        };
        let cell = |(answer, &count): (usize, &u64)| {
            let kind = if answer == class { "hit" } else { "miss" };
            let shade = 100.0 * (count as f64 / all.max(1) as f64).sqrt();
            let text = if count == 0 { "·".to_string() } else { grouped(count) };
            format!("<td class=\"n {kind}\" style=\"--share:{shade:.0}%\">{text}</td>")
        };
        let cells: String = row.iter().enumerate().map(cell).collect();
        rows += &format!(
            "<tr><th>{}</th>{cells}<td class=\"n part\">{}</td><td class=\"n part\">{}</td></tr>",
            escaped(&named(classes, class)),
            share(row[class], all),
            share(row[class], taken),
        );
    }
    format!(
        "<div class=\"wide\"><table class=\"matrix\"><tr><th></th>{head}<th class=\"n part\">recall</th>\
         <th class=\"n part\">precision</th></tr>{rows}</table></div>"
    )
}

fn listed(answers: &Answers, classes: &[String], unit: &str) -> String {
    let cells = answers.confusion.iter().enumerate();
    let mut pairs: Vec<(u64, usize, usize)> =
        cells.flat_map(|(i, row)| row.iter().enumerate().map(move |(j, &count)| (count, i, j))).collect();
    pairs.retain(|&(count, truth, answer)| count > 0 && truth != answer);
    pairs.sort_by_key(|&(count, truth, answer)| (std::cmp::Reverse(count), truth, answer));
    let row = |&(count, truth, answer): &(u64, usize, usize)| {
        let (truth, answer) = (escaped(&named(classes, truth)), escaped(&named(classes, answer)));
        format!("<tr><td class=\"n\">{}</td><td>{truth}</td><td>{answer}</td></tr>", grouped(count))
    };
    let rows: String = pairs.iter().take(LISTED).map(row).collect();
    let body = format!("<table><tr><th class=\"n\">{unit}</th><th>are</th><th>taken for</th></tr>{rows}</table>");
    section("Confusion", &format!("The commonest mistakes in {}.", asked(answers)), &body)
}

/// Numbers that were learnt: answers against the truth, and how far off they are.
pub fn residuals(answers: &Answers) -> String {
    let pairs = &answers.pairs;
    if pairs.is_empty() {
        return String::new();
    }
    let n = pairs.len() as f64;
    let bias = pairs.iter().map(|(truth, value)| value - truth).sum::<f64>() / n;
    let squared = pairs.iter().map(|(truth, value)| (value - truth).powi(2)).sum::<f64>();
    let mean = pairs.iter().map(|(truth, _)| truth).sum::<f64>() / n;
    let spread = pairs.iter().map(|(truth, _)| (truth - mean).powi(2)).sum::<f64>();
    let explained = if spread > 0.0 {
        format!(", {:.1} % of the variance explained", 100.0 * (1.0 - squared / spread))
    } else {
        String::new()
    };
    let remark = format!(
        "Of {}, {} numbers: off by {bias:+.4} on average, by {:.4} in the root mean square{explained}.",
        asked(answers),
        grouped(pairs.len() as u64),
        (squared / n).sqrt()
    );
    // A gap behind every point: the chart then draws points alone.
    let dots = pairs.iter().flat_map(|&pair| [pair, (f64::NAN, f64::NAN)]).collect();
    let ends = pairs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &(t, _)| (l.min(t), h.max(t)));
    let right = vec![(ends.0, ends.0), (ends.1, ends.1)];
    let body = vec![
        Series { name: "right".into(), ink: Hue::Grey.into(), stroke: Stroke::Thin, points: right },
        Series { name: "answers".into(), ink: Hue::Blue.into(), stroke: Stroke::Solid, points: dots },
    ];
    let panel = Panel { x: Axis::new("truth"), y: Axis::new("answer"), body: Body::Lines(body), ..Panel::default() };
    let svg = Figure {
        title: "Answers against the truth".into(),
        panels: vec![panel],
        size: (540.0, 400.0),
        ..Figure::default()
    }
    .svg();
    section("Residuals", &remark, &format!("<div class=\"chart\">{svg}</div>"))
}
