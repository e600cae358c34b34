//! How the command line describes itself: commands in groups, examples, colours.

use super::args::Cli;
use super::mistyped;
use clap::builder::StyledStr;
use clap::builder::styling::Style;
use clap::{ColorChoice, Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Write;

/// What people want, and the commands for it, in the order in which they are needed.
pub const GROUPS: [(&str, &[&str]); 5] = [
    ("Write", &["new", "check", "fmt", "explain"]),
    ("Look", &["summary", "graph", "plan", "diff"]),
    ("Teach and use", &["train", "eval", "run", "report", "study", "bench"]),
    ("In and out", &["export", "import"]),
    ("Around it", &["lsp", "completions", "man", "help"]),
];

/// Where commands stand that are in no group.
const OTHERS: &str = "More";

/// Columns for the names of commands.
const NAME_WIDTH: usize = 13;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Reads the command line; help, and what makes no sense, end the process.
pub fn parse() -> Cli {
    let color = color(std::env::args_os());
    let matches = tree().color(color).try_get_matches().unwrap_or_else(|error| {
        let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
        match mistyped::meant(&error, &tree(), &args) {
            Some((fact, help)) => {
                let _ = writeln!(std::io::stderr().lock(), "error: {fact}\n  help: {help}");
                std::process::exit(2)
            }
            None => error.exit(),
        }
    });
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// What `--color` says, which help and mistakes in the command line obey too.
fn color(args: impl Iterator<Item = OsString>) -> ColorChoice {
    let args: Vec<_> = args.map(|arg| arg.to_string_lossy().into_owned()).take_while(|arg| arg != "--").collect();
    let joined = args.iter().filter_map(|arg| arg.strip_prefix("--color="));
    let apart = args.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1].as_str());
    match joined.chain(apart).last() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// The commands as clap knows them, in groups, with headings of one kind.
pub fn tree() -> Command {
    let tree = Cli::command();
    let heading = *tree.get_styles().get_header();
    let dressed = move |command: Command| match command.get_after_help().map(ToString::to_string) {
        Some(text) => command.after_help(dressed(&text, heading)),
        None => command,
    };
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{heading}Options:{heading:#}\n{{options}}{{after-help}}",
        listed(&tree, heading)
    );
    let tree = tree.help_template(template).subcommand_help_heading("Commands").mut_subcommands(dressed);
    dressed(tree)
}

/// The groups with their commands, and what each is for.
fn listed(tree: &Command, heading: Style) -> String {
    let about = |name: &str| match tree.find_subcommand(name) {
        Some(command) => command.get_about().map(ToString::to_string),
        None if name == "help" => Some("Say more about a command".into()),
        None => None,
    };
    let grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let others: Vec<_> = tree.get_subcommands().map(Command::get_name).filter(|name| !grouped(name)).collect();
    let groups = GROUPS.iter().map(|&(group, names)| (group, names.to_vec()));
    let mut text = String::new();
    for (group, names) in groups.chain([(OTHERS, others)]) {
        let rows: String = names
            .iter()
            .filter_map(|name| {
                Some(format!(
                    "  {BOLD}{name}{BOLD:#}{:2$}{}\n",
                    "",
                    about(name)?,
                    NAME_WIDTH.saturating_sub(name.len())
                ))
            })
            .collect();
        if !rows.is_empty() {
            text += &format!("{heading}{group}:{heading:#}\n{rows}\n");
        }
    }
    text
}

/// A text of examples with its heading as clap's, and remarks behind what is typed stepping back.
fn dressed(text: &str, heading: Style) -> StyledStr {
    let line = |line: &str| match typed(line) {
        None if line.ends_with(':') => format!("{heading}{line}{heading:#}"),
        Some(typed) => format!("{typed}{DIM}{}{DIM:#}", &line[typed.len()..]),
        None => line.to_string(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n").into()
}

/// What is typed, in a line of examples: all before a gap of three blanks or more.
fn typed(line: &str) -> Option<&str> {
    let example = line.starts_with("  ") && !line.trim().is_empty();
    example.then(|| {
        line.trim_start()
            .split("   ")
            .next()
            .map_or(line, |first| &line[..line.len() - line.trim_start().len() + first.len()])
    })
}

/// The command lines in a text of examples, without remarks.
pub fn examples(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(typed).map(str::trim)
}

#[cfg(test)]
mod tests;
