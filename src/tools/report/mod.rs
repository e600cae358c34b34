//! What came of a training, as one page: curves, mistakes, the network, and all that is needed to do it again.

mod answers;
mod curves;
mod fingerprint;
mod history;
mod pictures;
mod samples;

pub use answers::{Answers, ask};
pub use fingerprint::fingerprint;
pub use history::History;

use crate::analysis::cost::cost;
use crate::elaborate::Network;
use crate::tools::html::{Fact, Page, costs, escaped, ports};
use crate::tools::summary;
use crate::tools::text::{Style, grouped};

/// The page's own look.
const STYLE: &str = include_str!("report.css");

/// Columns of the table of layers.
const TABLE: usize = 118;

/// All that a report says.
pub struct Report<'a> {
    /// The network.
    pub network: &'a Network,
    /// The run's name: `digits-1`.
    pub run: String,
    /// How it went.
    pub history: History,
    /// What the network answers about the test part.
    pub answers: Answers,
    /// The names of the classes; empty where they have none.
    pub classes: Vec<String>,
    /// The recipe as it came out, as a file has it.
    pub recipe: String,
    /// What was trained where with what: names and values.
    pub origin: Vec<(String, String)>,
    /// What to type next: a remark and a command.
    pub commands: Vec<(String, String)>,
}

impl Report<'_> {
    /// The page.
    pub fn html(&self) -> String {
        let body = [
            self.curves(),
            samples::mistakes(&self.answers, &self.classes),
            samples::confusion(&self.answers, &self.classes),
            samples::residuals(&self.answers),
            self.network_table(),
            self.origin(),
        ];
        let page = Page {
            title: &self.network.name,
            subtitle: format!("{} · training report", self.run),
            facts: self.facts(),
            body: format!("<main class=\"report\">{}</main>", body.concat()),
            style: STYLE,
            ..Page::default()
        };
        page.html()
    }

    /// The best measurement, and what it cost.
    fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(best) = self.history.best() {
            let step = format!("after step {}", best.step);
            let once = !self.history.measured.is_empty();
            let (numbers, about) = match once {
                true => (&self.history.measured, "test".to_string()),
                false => (&best.test, format!("best {}", self.history.part.words())),
            };
            for (name, value) in numbers.iter().filter(|(name, _)| !["samples", "loss"].contains(&name.as_str())) {
                facts.push(Fact::new(amount(name, *value), format!("{about} {}", words(name)), step.clone()));
            }
            if let Some(loss) = numbers.get("loss") {
                let about = about.trim_start_matches("best ");
                facts.push(Fact::new(format!("{loss:.4}"), format!("{about} loss"), step));
            }
        }
        let seconds = self.history.seconds;
        if seconds > 0.0 {
            let exact = format!("{seconds:.1} seconds, evaluations included");
            facts.push(Fact::new(duration(seconds), "to train", exact));
        }
        facts.extend(costs(&cost(&self.network.graph)).into_iter().take(2));
        facts
    }

    fn curves(&self) -> String {
        let figures: String =
            curves::figures(&self.history).iter().map(|svg| format!("<div class=\"chart\">{svg}</div>")).collect();
        section("How it went", &curves::remark(&self.history), &format!("<div class=\"charts\">{figures}</div>"))
    }

    fn network_table(&self) -> String {
        let style = Style { width: TABLE, ..Style::default() };
        let table = summary::render(self.network, style, false);
        let remark = format!("{}. <code>archc summary</code> prints this table.", escaped(&ports(self.network)));
        section("The network", &remark, &format!("<pre class=\"layers\">{}</pre>", escaped(table.trim_end())))
    }

    fn origin(&self) -> String {
        let row = |(name, value): &(String, String)| {
            format!("<tr><th>{}</th><td>{}</td></tr>", escaped(name), escaped(value))
        };
        let rows: String = self.origin.iter().map(row).collect();
        let command = |(remark, typed): &(String, String)| {
            format!("<div><p class=\"soft\">{}</p><pre>{}</pre></div>", escaped(remark), escaped(typed))
        };
        let commands: String = self.commands.iter().map(command).collect();
        let recipe = format!("<pre>{}</pre>", escaped(self.recipe.trim()));
        let body = format!(
            "<div class=\"pair\"><div><h3>Recipe, as it was followed</h3>{recipe}</div>\
             <div><h3>Made with</h3><table class=\"origin\">{rows}</table></div></div>\
             <h3>Go on</h3><div class=\"commands\">{commands}</div>"
        );
        section("To do it again", "", &body)
    }
}

/// `28 s`, `4 min 12 s`, `3 h 5 min`
fn duration(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}

/// A part of the page; `remark` is HTML.
fn section(title: &str, remark: &str, body: &str) -> String {
    let remark = if remark.is_empty() { String::new() } else { format!("<p class=\"soft\">{remark}</p>") };
    format!("<section><h2>{}</h2>{remark}{body}</section>\n", escaped(title))
}

/// A metric's name in words.
fn words(metric: &str) -> String {
    match metric {
        "mean_iou" => "mean IoU".into(),
        "top5" => "top-5 accuracy".into(),
        other => other.replace('_', " "),
    }
}

/// A metric's value as people write it.
fn amount(metric: &str, value: f64) -> String {
    match metric {
        "accuracy" | "top5" => format!("{:.2} %", 100.0 * value),
        _ => format!("{value:.4}"),
    }
}

/// `all 355 test samples` and, where not all were asked about, of how many.
fn asked(answers: &Answers) -> String {
    let (samples, part) = (grouped(answers.samples as u64), answers.part.words());
    match answers.samples < answers.of {
        true => format!("the first {samples} of {} {part} samples", grouped(answers.of as u64)),
        false => format!("all {samples} {part} samples"),
    }
}
