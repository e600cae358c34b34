//! The fault campaign in small: the first inputs of every target, from a fixed seed. `fuzz/campaign.rs` runs it for
//! minutes; CONTRIBUTING.md tells how.

#[path = "../../fuzz/kit/mod.rs"]
mod kit;

use kit::{Feeder, Place, target};
use std::path::PathBuf;

/// The sound inputs of a target, then `changed` ones more.
fn survives(name: &str, changed: u64) {
    let target = target(name).expect("a target");
    let folder = tempfile::tempdir().expect("a folder");
    let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_archc")));
    let place = Place { folder: folder.path().to_path_buf(), program };
    let feeder = Feeder::new(target, 7, &place);
    assert!(feeder.seeds.len() > 5, "{name} has {} seeds", feeder.seeds.len());
    // Commands are slow: of their sound inputs, some.
    let step = if name == "command" { 9 } else { 1 };
    let first = (0..feeder.seeds.len() as u64).step_by(step);
    for i in first.chain((0..changed).map(|i| feeder.seeds.len() as u64 + i)) {
        let (seed, bytes) = feeder.input(i);
        let shown = || String::from_utf8_lossy(&bytes).chars().take(3000).collect::<String>();
        if let Err(what) = feeder.read(&place, seed, &bytes) {
            panic!("input {i} of {name}, made of `{}`: {what}\n{}", feeder.seeds[seed].name, shown());
        }
    }
}

#[test]
fn changed_texts_are_checked() {
    survives("check", 400);
}

#[test]
fn changed_texts_are_formatted() {
    survives("fmt", 400);
}

#[test]
fn changed_texts_are_drawn() {
    survives("draw", 60);
}

#[test]
fn changed_texts_are_exported() {
    survives("export", 100);
}

#[test]
fn changed_texts_are_edited() {
    survives("editor", 60);
}

#[test]
fn changed_networks_run() {
    survives("run", 200);
}

#[test]
fn changed_onnx_files_are_read() {
    survives("import", 150);
}

#[test]
fn changed_checkpoints_are_read() {
    survives("weights", 300);
}

#[test]
fn changed_data_are_read() {
    survives("data", 200);
}

#[test]
fn changed_inputs_are_read() {
    survives("input", 300);
}

#[test]
fn changed_command_lines_end() {
    survives("command", 30);
}
