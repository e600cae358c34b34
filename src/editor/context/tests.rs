//! Places in texts that are being written.

use super::*;

/// The place at `|`.
fn place(text: &str) -> Place {
    let at_bar = text.find('|').expect("a bar");
    at(&text.replace('|', ""), at_bar).place
}

#[test]
fn steps_and_items_are_told_apart() {
    assert_eq!(place("|"), Place::Item);
    assert_eq!(place("bl|"), Place::Item);
    assert_eq!(place("block A() {\n    co|\n}"), Place::Step);
    assert_eq!(place("block A() {\n    a: conv(3, 3) -> |\n}"), Place::Step);
    assert_eq!(place("block A() {\n    {i}: |\n}"), Place::Step);
    assert_eq!(place("block A() {\n    for i in 0..3 { a{i}: b|"), Place::Step);
    assert_eq!(place("block A() {\n    if x == 1 {\n a\n } else if x { |"), Place::Step);
    assert_eq!(place("block A() {\n    conv(3, \n}\nmodel B() {\n    |"), Place::Step);
}

#[test]
fn skips_go_word_by_word() {
    assert_eq!(place("block A() {\n    long skip |"), Place::MergeKind { parallel: false });
    assert_eq!(place("block A() {\n    skip add |"), Place::Clause);
    assert_eq!(place("block A() {\n    skip add via |"), Place::SideStep);
    assert_eq!(place("block A() {\n    skip add via downsample: |"), Place::SideStep);
    assert_eq!(place("block A() {\n    skip concat from enc.|"), Place::Path);
    assert_eq!(place("block A() {\n    skip concat from a fit |"), Place::Fit);
    assert!(matches!(place("block A() {\n    skip add(|"), Place::SkipArgument(_)));
}

#[test]
fn arguments_know_what_was_given() {
    let Place::Argument(argument) = place("block A() {\n    a: conv(64, 3, stride=2, |") else { panic!() };
    assert_eq!((argument.callee.as_str(), argument.position, argument.starts), ("conv", 2, true));
    assert_eq!(argument.given, ["stride"]);
    let Place::Argument(argument) = place("block A() {\n    conv(64, init=|)") else { panic!() };
    assert_eq!(argument.name.as_deref(), Some("init"));
    assert_eq!(place("block A() {\n    conv(if a { |"), Place::Expression);
    assert_eq!(place("block A() {\n    let a = |"), Place::Expression);
    assert_eq!(at("block A() { conv(it.", 20).dotted, ["it"]);
}

#[test]
fn recipes_and_imports() {
    assert_eq!(place("train A {\n    |"), Place::RecipeLine);
    assert_eq!(place("train A {\n    loss = |"), Place::RecipeValue { line: "loss".into() });
    assert_eq!(place("train A {\n    augment = [flip, |"), Place::RecipeValue { line: "augment".into() });
    assert!(
        matches!(place("train A {\n    optimizer = sgd(|"), Place::RecipeArgument { line, .. } if line == "optimizer")
    );
    assert_eq!(place("import | from \"a.arch\""), Place::Imported { path: Some("a.arch".into()) });
    assert_eq!(place("import A from \"|"), Place::ImportPath);
    assert_eq!(place("train |"), Place::Model);
    assert_eq!(place("// |"), Place::Nothing);
}
