//! Examples that parse, for every command there is.

use super::*;

/// The words of a command line as a shell would part them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote, mut open) = (vec![String::new()], None, false);
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => (quote, open) = (Some(c), true),
            (Some(q), c) if c == q => quote = None,
            (None, ' ') => {
                if open || !words.last().unwrap().is_empty() {
                    words.push(String::new());
                }
                open = false;
            }
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The calls of archc in a line of an example: pipes lead to others, `>` and `<` to files.
fn calls(line: &str) -> Vec<Vec<String>> {
    let parts = line.split(" | ").flat_map(|part| part.split(" && ")).map(str::trim);
    let bare = parts.map(|part| part.split(" > ").next().unwrap().split(" < ").next().unwrap());
    bare.filter(|part| part.starts_with("archc ")).map(words).collect()
}

#[test]
fn examples_are_what_is_typed() {
    let text = "Examples:\n  archc check net.arch\n  archc explain      all codes\n\nMore:";
    assert_eq!(examples(text).collect::<Vec<_>>(), ["archc check net.arch", "archc explain"]);
}

#[test]
fn the_last_word_on_colours_counts() {
    let color = |args: &[&str]| color(args.iter().map(OsString::from));
    assert_eq!(color(&["archc", "--color", "never", "check"]), ColorChoice::Never);
    assert_eq!(color(&["archc", "--color=never", "--color=always"]), ColorChoice::Always);
    assert_eq!(color(&["archc", "check", "--", "--color=always"]), ColorChoice::Auto);
}

#[test]
fn every_command_has_examples_that_parse() {
    let mut wrong = Vec::new();
    for command in tree().get_subcommands() {
        let name = command.get_name();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<_> = examples(&help).collect();
        let all: Vec<_> = lines.iter().flat_map(|line| calls(line)).collect();
        // What is typed before or after it, such as another command or an editor, is shown beside its own calls.
        if lines.len() < 2 || !all.iter().any(|call| call[1] == name) {
            wrong.push(format!("{name}: {} examples after its help, want two or more", lines.len()));
        }
        let errors = all.iter().filter_map(|call| Some((call, tree().try_get_matches_from(call).err()?)));
        wrong.extend(errors.map(|(call, error)| format!("{}\n{error}", call.join(" "))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_has_a_place_in_the_help() {
    let tree = tree();
    let grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter()).collect();
    for command in tree.get_subcommands().filter(|command| !command.is_hide_set()) {
        assert!(grouped.contains(&&command.get_name()), "`{}` is in no group of cli/help.rs", command.get_name());
        assert!(command.get_about().is_some(), "`{}` does not say what it is for", command.get_name());
    }
    for line in examples(&tree.get_after_help().unwrap().to_string()) {
        for call in calls(line).into_iter().filter(|call| call[1] != "help") {
            tree.clone().try_get_matches_from(call).unwrap();
        }
    }
}
