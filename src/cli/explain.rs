//! `archc explain`: the page behind a code.

use super::shell::{Exit, Shell};
use archc::base::codes::{self, TABLE};
use archc::base::nearest::nearest;

/// Prints the page of a code, or the list of codes.
pub fn run(code: Option<&str>, shell: &Shell) -> Exit {
    let Some(code) = code else {
        let list: Vec<_> = TABLE.iter().map(|(code, title, _)| format!("{code}  {title}")).collect();
        shell.print(&list.join("\n"));
        return Exit::Clean;
    };
    if let Some(page) = codes::page(code) {
        shell.print(page.trim_end());
        return Exit::Clean;
    }
    let known = nearest(&code.to_uppercase(), TABLE.iter().map(|(c, _, _)| c.0));
    let help = known.map_or("`archc explain` lists every code".to_string(), |c| format!("did you mean `{c}`?"));
    shell.usage(&format!("there is no code `{code}`"), &help)
}
