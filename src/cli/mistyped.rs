//! Options that people know from elsewhere, and numbers that are no values: what to type instead.

use archc::elaborate::line_meant;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// What is wrong with a command line, and what to type: where an option is a line of the recipe, or a number with a sign stands where
/// one without is wanted. `None` where clap says it well.
pub fn meant(error: &Error, tree: &Command, args: &[String]) -> Option<(String, String)> {
    let ErrorKind::UnknownArgument = error.kind() else { return None };
    let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidArg) else { return None };
    signed(written, args).or_else(|| line(written, tree, args))
}

/// A number with a sign behind an option: `--epochs -1`.
fn signed(written: &str, args: &[String]) -> Option<(String, String)> {
    let at = args.iter().position(|arg| arg.starts_with('-') && arg.parse::<f64>().is_ok())?;
    let option = args.get(at.checked_sub(1)?).filter(|arg| arg.starts_with("--"))?;
    let number = &args[at];
    number.starts_with(written).then(|| {
        let help = format!("write a number from 1 on, without a sign: {option} {}", number.trim_start_matches('-'));
        (format!("`{option}` does not take `{number}`"), help)
    })
}

/// An option that is a line of the recipe: `--lr 0.1`.
fn line(written: &str, tree: &Command, args: &[String]) -> Option<(String, String)> {
    let command = args.iter().skip(1).find_map(|arg| tree.find_subcommand(arg))?;
    let sets = command.get_arguments().any(|arg| arg.get_long() == Some("set"));
    let bare = written.split('=').next()?;
    let line = line_meant(bare.strip_prefix("--")?).or_else(|| own_line(bare)).filter(|_| sets)?;
    let at = args.iter().position(|arg| arg == bare || arg.starts_with(&format!("{bare}=")))?;
    let value = args[at].split_once('=').map(|(_, value)| value.to_string());
    let value = value.or_else(|| args.get(at + 1).filter(|next| !next.starts_with("--")).cloned());
    let help = format!("--set {line}={}", value.as_deref().unwrap_or("…"));
    Some((format!("there is no `{bare}`: it is a line of the recipe"), help))
}

/// The lines of recipes that are no options by themselves.
fn own_line(option: &str) -> Option<&'static str> {
    let name = option.strip_prefix("--")?;
    ["batch", "optimizer", "schedule", "loss", "metrics", "normalize", "augment"].into_iter().find(|line| *line == name)
}

#[cfg(test)]
mod tests {
    use super::super::help;
    use super::*;

    fn said(line: &str) -> Option<String> {
        let args: Vec<String> = line.split(' ').map(String::from).collect();
        let tree = help::tree();
        let error = tree.clone().try_get_matches_from(&args).err()?;
        meant(&error, &tree, &args).map(|(fact, help)| format!("{fact}; {help}"))
    }

    #[test]
    fn options_of_elsewhere_are_lines_of_the_recipe() {
        for (line, help) in [
            ("archc train net.arch --lr 0.1", "--set optimizer.lr=0.1"),
            ("archc train net.arch --learning-rate=0.1", "--set optimizer.lr=0.1"),
            ("archc train --batch-size 4 net.arch", "--set batch=4"),
            ("archc train net.arch --batch 4", "--set batch=4"),
            ("archc train net.arch --momentum", "--set optimizer.momentum=…"),
        ] {
            let said = said(line).unwrap_or_else(|| panic!("nothing is said of {line}"));
            assert!(said.ends_with(help) && said.contains("it is a line of the recipe"), "{said}");
        }
        assert_eq!(said("archc fmt net.arch --lr 0.1"), None);
        assert_eq!(said("archc train net.arch --nothing"), None);
    }

    #[test]
    fn a_number_with_a_sign_is_no_option() {
        let said = said("archc train net.arch --epochs -1").expect("something is said");
        assert_eq!(said, "`--epochs` does not take `-1`; write a number from 1 on, without a sign: --epochs 1");
    }
}
