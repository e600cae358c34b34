//! Pages for a browser: one file each, with everything in it, that fetches nothing.
//!
//! A [`Page`] is the shell that all pages share: head, colours for light and dark, the button that changes between them, fact bar,
//! tables. Each page brings its own body, style, scripts and data; scripts are one module, read in the order given, after
//! `web/shell.js`. The page's own policy forbids it the network.

pub mod graph;
pub mod summary;

use crate::analysis::cost::Cost;
use crate::elaborate::Network;
use crate::graph::NodeId;
use crate::tools::text::{bytes, grouped, metric};
use serde::Serialize;

/// The look that pages share.
const STYLE: &str = include_str!("web/shell.css");
/// What pages' scripts share: the theme, and helpers.
const SCRIPT: &str = include_str!("web/shell.js");
/// Nothing is fetched from anywhere; images may be written into the page as `data:`.
const POLICY: &str = include_str!("web/policy.txt");

/// A number with its name, for the bar at the top of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// `25.56 M`
    pub value: String,
    /// `parameters`
    pub name: String,
    /// What a pointer resting on it shows: the exact number; nothing for none.
    pub exact: String,
}

impl Fact {
    /// A fact.
    pub fn new(value: impl Into<String>, name: impl Into<String>, exact: impl Into<String>) -> Self {
        Self { value: value.into(), name: name.into(), exact: exact.into() }
    }
}

/// A page before it is written.
#[derive(Clone, Debug, Default)]
pub struct Page<'a> {
    /// The name that leads the page: the model's.
    pub title: &'a str,
    /// What the page is, beside the title: `ResNet-50 · summary`.
    pub subtitle: String,
    /// The bar at the top.
    pub facts: Vec<Fact>,
    /// Controls at the right of the bar, as HTML.
    pub controls: String,
    /// What stands below the bar, as HTML.
    pub body: String,
    /// Rules besides those that pages share.
    pub style: &'a str,
    /// Scripts, read in this order after the shared one.
    pub scripts: &'a [&'a str],
    /// What the scripts find as `read('data')`, as JSON made by [`json`]; nothing for none.
    pub data: String,
}

impl Page<'_> {
    /// The page as one HTML file.
    pub fn html(&self) -> String {
        let (title, subtitle) = (escaped(self.title), escaped(&self.subtitle));
        let data = match self.data.as_str() {
            "" => String::new(),
            data => format!("<script type=\"application/json\" id=\"data\">{data}</script>\n"),
        };
        let scripts = self.scripts.concat();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"generator\" content=\"archc {}\">\n<title>{title} · {subtitle}</title>\n\
             <style>\n{STYLE}{}</style>\n</head>\n<body>\n\
             <header class=\"bar\"><h1>{title}<small>{subtitle}</small></h1>{}<div class=\"controls\">{}\
             <button id=\"theme\" type=\"button\">Dark</button></div></header>\n\
             {}\n{data}<script type=\"module\">\n{SCRIPT}{scripts}</script>\n</body>\n</html>\n",
            env!("CARGO_PKG_VERSION"),
            self.style,
            facts(&self.facts),
            self.controls,
            self.body,
        )
    }
}

/// The facts as a list.
fn facts(facts: &[Fact]) -> String {
    let item = |fact: &Fact| {
        let tip = if fact.exact.is_empty() { String::new() } else { format!(" title=\"{}\"", escaped(&fact.exact)) };
        format!("<div{tip}><dd>{}</dd><dt>{}</dt></div>", escaped(&fact.value), escaped(&fact.name))
    };
    let items: String = facts.iter().map(item).collect();
    if items.is_empty() { items } else { format!("<dl class=\"facts\">{items}</dl>") }
}

/// A network's inputs and outputs: `3×224×224 → 1000`.
pub fn ports(network: &Network) -> String {
    let graph = &network.graph;
    let list = |nodes: &mut dyn Iterator<Item = (&str, NodeId)>, count: usize| {
        let sizes = |id: NodeId| graph.shape(id).times().replace(' ', "");
        let port = |(name, id): (&str, NodeId)| if count == 1 { sizes(id) } else { format!("{name} {}", sizes(id)) };
        nodes.map(port).collect::<Vec<_>>().join(", ")
    };
    let inputs = list(&mut graph.inputs.iter().map(|&id| (graph.node(id).path.as_str(), id)), graph.inputs.len());
    let outputs = list(&mut graph.outputs.iter().map(|out| (out.name.as_str(), out.node)), graph.outputs.len());
    format!("{inputs} → {outputs}")
}

/// What a network costs, as facts.
pub fn costs(cost: &Cost) -> Vec<Fact> {
    let nodes = &cost.nodes;
    let unit = "multiply-accumulates for one sample";
    vec![
        Fact::new(metric(nodes.parameters), "parameters", format!("{} parameters", grouped(nodes.parameters))),
        Fact::new(metric(nodes.macs), "MACs", format!("{} {unit}", grouped(nodes.macs))),
        Fact::new(bytes(cost.weight_bytes), "weights", format!("{} bytes, buffers too", grouped(cost.weight_bytes))),
    ]
}

/// Text with the signs of HTML and XML replaced; fit for attributes in double quotes, too.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A value as JSON that can stand in a `<script>`: no text in it can end the element or start a comment.
pub fn json(value: &impl Serialize) -> String {
    // What cannot be written as JSON (a map with keys that are no text) is left out: the scripts say that there is nothing.
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".into());
    text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        let data = json(&["</script><script>alert(1)</script>", "<!--", "a\u{2028}b"]);
        assert!(!data.contains('<') && !data.contains('\u{2028}'), "{data}");
        let back: Vec<String> = serde_json::from_str(&data).unwrap_or_default();
        assert_eq!(back.first().map(String::as_str), Some("</script><script>alert(1)</script>"));
        let page =
            Page { title: "<b>\"&", facts: vec![Fact::new("1<2", "a", "\"x\"")], data, ..Page::default() }.html();
        assert!(page.contains("<title>&lt;b&gt;&quot;&amp; · </title>"), "{page}");
        assert!(page.contains("<div title=\"&quot;x&quot;\"><dd>1&lt;2</dd>"), "{page}");
        assert_eq!(page.matches("</script>").count(), 2);
    }

    #[test]
    fn pages_fetch_nothing() {
        let page = Page { title: "a", ..Page::default() }.html();
        assert!(page.contains("default-src 'none'"));
        for word in ["src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}
