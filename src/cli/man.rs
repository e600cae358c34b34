//! `archc man`: manual pages, made from the command line's own description.

use super::compute::say;
use super::shell::{Exit, Shell};
use super::{files, help};
use archc::base::codes;
use archc::base::unwritable::no_folder;
use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::path::PathBuf;

/// `archc man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Where the pages go, archc.1 and one for each command; without it, archc.1 on standard output.
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// What each page ends with.
const EXIT: &str = "0: all well. 1: errors were found. 2: the command line made no sense. 130: stopped by Ctrl-C.";

/// Prints the page of archc, or writes the pages of all commands.
pub fn run(args: &ManArgs, shell: &Shell) -> Result<Exit, Exit> {
    let mut root =
        help::tree().disable_help_subcommand(true).subcommand_help_heading("COMMANDS").subcommand_value_name("command");
    root.build();
    let Some(folder) = &args.folder else {
        shell.print(page(&root, "archc", &root).trim_end());
        return Ok(Exit::Clean);
    };
    if let Err(error) = std::fs::create_dir_all(folder) {
        return Err(say(no_folder(codes::UNWRITABLE, folder, &error), shell));
    }
    let silent = shell.quiet_json(true);
    files::write(&folder.join("archc.1"), &page(&root, "archc", &root), &silent)?;
    let commands: Vec<_> = root.get_subcommands().filter(|c| !c.is_hide_set()).collect();
    for command in &commands {
        let name = format!("archc-{}", command.get_name());
        files::write(&folder.join(format!("{name}.1")), &page(command, &name, &root), &silent)?;
    }
    let shown = folder.display();
    shell.note(&format!("wrote {} pages into {shown}. Read them:  man -l {shown}/archc.1", commands.len() + 1));
    Ok(Exit::Clean)
}

/// The page of a command.
fn page(command: &Command, name: &str, root: &Command) -> String {
    let version = format!("archc {}", env!("CARGO_PKG_VERSION"));
    let examples = command.get_after_help().map(|text| text.to_string()).unwrap_or_default();
    let mut page = Vec::new();
    let man = Man::new(command.clone().display_name(name.to_string()))
        .title(name.to_uppercase())
        .manual("archc")
        .source(version);
    // Writing into memory does not fail.
    let _ = man.render_title(&mut page);
    let _ = man.render_name_section(&mut page);
    let _ = man.render_synopsis_section(&mut page);
    let _ = man.render_description_section(&mut page);
    let _ = man.render_options_section(&mut page);
    if command.has_subcommands() {
        let _ = man.render_subcommands_section(&mut page);
    }
    let _ = ending(&examples, name, root).to_writer(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

/// Examples as they are typed, exit status, environment, and where to read on.
fn ending(examples: &str, name: &str, root: &Command) -> Roff {
    let mut roff = Roff::new();
    let lines: Vec<_> = help::examples(examples).map(str::to_string).collect();
    if !lines.is_empty() {
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for line in lines {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff.control("SH", ["EXIT STATUS"]).text([roman(EXIT)]);
    roff.control("SH", ["ENVIRONMENT"]).text([roman(
        "NO_COLOR: no colours, unless --color=always. CLICOLOR_FORCE: colours in pipes, too. \
         ARCHC_ISA: the instructions that kernels use (portable, neon, avx2, avx512).",
    )]);
    let others = root.get_subcommands().filter(|c| !c.is_hide_set()).map(|c| format!("archc-{}(1)", c.get_name()));
    let others = std::iter::once("archc(1)".to_string()).chain(others);
    let others: Vec<_> = others.filter(|page| page.trim_end_matches("(1)") != name).collect();
    roff.control("SH", ["SEE ALSO"]).text([roman(others.join(", "))]);
    roff
}
