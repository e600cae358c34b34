//! Whole runs: repeated, stopped and resumed to the bit; logged; ended by divergence.

use super::network;
use archc::base::codes;
use archc::elaborate::Network;
use archc::lower::weights::Checkpoint;
use archc::train::checkpoint::Run;
use archc::train::data::{self, DataSpec, Split};
use archc::train::observe::{Event, Outcome};
use archc::train::{Options, Trainer};
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A network with everything that is random in it, on the embedded digits; six batches an epoch.
fn digits(lines: &str) -> Network {
    augmented(lines, "shift(1), rotate(10)")
}

fn augmented(lines: &str, augment: &str) -> Network {
    network(&format!(
        "model Digits {{
            input image [N, 1, 8, 8]
            conv(8, 3, bias=false) -> batch_norm -> relu
            skip add(drop_path=0.2) {{ conv(8, 3, bias=false) -> batch_norm -> relu }}
            maxpool(2) -> dropout(0.2) -> flatten -> linear(10)
        }}
        train Digits {{
            data = \"builtin:digits\"
            loss = cross_entropy(label_smoothing=0.1)
            batch = 241
            normalize = (mean=[0.3], std=[0.4])
            augment = [{augment}]
            metrics = [accuracy]
            {lines}
        }}"
    ))
}

const ADAM: &str = "optimizer = adamw(lr=0.005)\nschedule = cosine(warmup=3)\nsteps = 20";

fn open() -> Split {
    data::open("builtin:digits", &DataSpec::new(&[1, 8, 8])).unwrap_or_else(|error| panic!("{error}"))
}

fn trainer(network: &Network) -> Trainer {
    let recipe = network.recipe.as_ref().expect("a recipe");
    Trainer::new(network, recipe, &open(), &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Trains until `stop_at` steps are done, or to the end.
fn train(trainer: &mut Trainer, stop_at: Option<usize>) -> archc::lower::Result<Outcome> {
    let stop = AtomicBool::new(false);
    let mut observer = |event: &Event| {
        if let Event::Step(step) = event
            && Some(step.step) == stop_at
        {
            stop.store(true, Ordering::Relaxed);
        }
    };
    trainer.train(&mut observer, &stop)
}

/// Trains in a folder of its own, in sessions that end at these steps, and then to the end.
fn sessions(network: &Network, folder: &Path, stops: &[usize]) -> BTreeMap<String, Tensor> {
    for (session, stop) in stops.iter().map(Some).chain([None]).enumerate() {
        let mut trainer = trainer(network);
        if session == 0 {
            let run = Run::create(folder).unwrap();
            run.describe(&Default::default(), &[]).unwrap();
            trainer.keep_in(run).unwrap();
        } else {
            trainer.resume(Run::open(folder).unwrap()).unwrap();
        }
        let outcome = train(&mut trainer, stop.copied()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(outcome.stopped, stop.is_some());
        assert_eq!(outcome.step, *stop.unwrap_or(&20));
    }
    let last = Checkpoint::open(&folder.join("last.safetensors")).unwrap();
    last.read_all().unwrap()
}

/// Bits, as they are.
fn bits(tensor: &Tensor) -> Vec<u64> {
    let flat = tensor.flatten_all().unwrap().to_dtype(candle_core::DType::F64).unwrap();
    flat.to_vec1::<f64>().unwrap().into_iter().map(f64::to_bits).collect()
}

fn assert_equal(a: &BTreeMap<String, Tensor>, b: &BTreeMap<String, Tensor>) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    assert!(a.keys().any(|name| name.starts_with("optimizer/")), "the optimizer's memory is saved");
    for (name, tensor) in a {
        assert_eq!(bits(tensor), bits(&b[name]), "`{name}`");
    }
}

#[test]
fn a_resumed_run_is_the_unbroken_one_bit_for_bit() {
    for lines in [ADAM, "optimizer = sgd(lr=0.05, momentum=0.9, nesterov=true)\nsteps = 20"] {
        let network = digits(lines);
        let dir = tempfile::tempdir().unwrap();
        let unbroken = sessions(&network, &dir.path().join("a"), &[]);
        // In the middle of an epoch; at its end, before the evaluation; twice.
        for (name, stops) in [("b", &[7][..]), ("c", &[6]), ("d", &[2, 13])] {
            let folder = dir.path().join(name);
            assert_equal(&unbroken, &sessions(&network, &folder, stops));
            let read = |file: &str| (std::fs::read(dir.path().join("a").join(file)), std::fs::read(folder.join(file)));
            let (a, b) = read("best.safetensors");
            assert_eq!(a.unwrap(), b.unwrap(), "the best weights are the same");
        }
    }
}

#[test]
fn a_seed_says_everything() {
    let dir = tempfile::tempdir().unwrap();
    let run =
        |name: &str, seed: usize| sessions(&digits(&format!("{ADAM}\nseed = {seed}")), &dir.path().join(name), &[]);
    let (a, b, c) = (run("a", 3), run("b", 3), run("c", 4));
    assert_equal(&a, &b);
    assert!(a.iter().any(|(name, tensor)| bits(tensor) != bits(&c[name])));
}

#[test]
fn the_log_has_every_line_once() {
    let network = digits(ADAM);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    sessions(&network, &folder, &[4, 9]);
    let text = std::fs::read_to_string(folder.join("log.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps = |test: bool| -> Vec<u64> {
        lines.iter().filter(|l| l["test"].is_object() == test).map(|l| l["step"].as_u64().unwrap()).collect()
    };
    assert_eq!(steps(false), (1..=20).collect::<Vec<_>>());
    assert_eq!(steps(true), [6, 12, 18, 20]);
    assert!(lines.iter().all(|line| line["loss"].is_number() || line["test"]["accuracy"].is_number()));
}

#[test]
fn divergence_says_where_and_keeps_what_was_good() {
    let network = digits("optimizer = sgd(lr=1e30)\nsteps = 20");
    let dir = tempfile::tempdir().unwrap();
    let mut trainer = trainer(&network);
    trainer.keep_in(Run::create(dir.path()).unwrap()).unwrap();
    let error = train(&mut trainer, None).unwrap_err().into_diagnostic();
    assert_eq!(error.code, codes::DIVERGED);
    assert!(error.message.contains("at step ") && !error.message.contains("rate NaN"), "{}", error.message);
    assert!(error.help.unwrap().contains("--set optimizer.lr="));
    let last = dir.path().join("last.safetensors");
    if last.exists() {
        let tensors = Checkpoint::open(&last).unwrap().read_all().unwrap();
        assert!(tensors.values().flat_map(bits).all(|b| f64::from_bits(b).is_finite()));
    }
}

#[test]
fn a_run_of_another_optimizer_or_seed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    sessions(&digits(ADAM), dir.path(), &[3]);
    for lines in ["optimizer = sgd(lr=0.1, momentum=0.9)\nsteps = 20".to_string(), format!("{ADAM}\nseed = 9")] {
        let mut other = trainer(&digits(&lines));
        let error = other.resume(Run::open(dir.path()).unwrap()).unwrap_err().into_diagnostic();
        assert_eq!(error.code, codes::RUN_UNUSABLE, "{}", error.message);
    }
}

#[test]
fn mixed_samples_are_learnt_from() {
    let network = augmented("optimizer = adamw(lr=0.01)\nsteps = 60", "mixup(0.2)");
    let outcome = train(&mut trainer(&network), None).unwrap();
    let (_, best) = outcome.best.unwrap();
    assert!(best.metrics[0].1 > 0.8, "{:.3} after 60 steps", best.metrics[0].1);
    assert!(best.samples > 300);
}

#[test]
fn what_cannot_be_trained_is_said_before_the_first_step() {
    let few = network(
        "model Few { input image [N, 1, 8, 8]\n flatten -> linear(5) }
        train Few { data = \"builtin:digits\"\n loss = cross_entropy()\n optimizer = sgd(lr=0.1)\n batch = 8\n steps = 2 }",
    );
    let error = Trainer::new(&few, few.recipe.as_ref().unwrap(), &open(), &Options::default());
    let error = error.err().expect("ten classes do not fit five numbers").into_diagnostic();
    assert_eq!(error.code, codes::TRAIN_UNFIT);
    assert!(error.message.contains("10 classes"), "{}", error.message);
}
