//! Every recipe among the examples takes its first steps.

use archc::base::Rng;
use archc::elaborate::recipe::{Duration, Recipe};
use archc::elaborate::{Network, Options as Compile, check_all};
use archc::train::data::{Dataset, Pixels, Sample, Split, Target, TargetKind};
use archc::train::observe::Event;
use archc::train::{Options, Trainer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Noise that fits a network: as many classes as its first output has channels, one a pixel where that is a map.
struct Noise {
    shape: Vec<usize>,
    target: TargetKind,
    map: usize,
}

impl Noise {
    fn for_network(network: &Network) -> Self {
        let shape = network.graph.shape(network.graph.inputs[0]).dims().to_vec();
        let output = network.graph.shape(network.graph.outputs[0].node);
        let classes = output.channels().expect("an output has channels");
        let target = match output.spatial() {
            [_, _] => TargetKind::Mask { classes },
            _ => TargetKind::Class { count: classes, names: Vec::new() },
        };
        let map = shape[1..].iter().product();
        Self { shape, target, map }
    }

    fn classes(&self) -> usize {
        match self.target {
            TargetKind::Class { count, .. } => count,
            TargetKind::Mask { classes } => classes,
            TargetKind::Tensor(_) => 0,
        }
    }
}

impl Dataset for Noise {
    fn len(&self) -> usize {
        4
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn target(&self) -> &TargetKind {
        &self.target
    }

    fn get(&self, index: usize, out: &mut Sample) -> archc::train::data::Result<()> {
        let mut rng = Rng::new(index as u64);
        out.dims = std::array::from_fn(|axis| self.shape.get(axis).copied().unwrap_or(1));
        let count: usize = self.shape.iter().product();
        out.pixels = Pixels::Floats((0..count).map(|_| rng.uniform() as f32).collect());
        out.target = match self.target {
            TargetKind::Mask { .. } => Target::Mask((0..self.map).map(|_| rng.below(self.classes()) as i32).collect()),
            _ => Target::Class(rng.below(self.classes()) as i64),
        };
        Ok(())
    }
}

/// Two steps at batch 2; the losses.
fn first_steps(network: &Network, recipe: &Recipe) -> Vec<f64> {
    let recipe = Recipe { batch: 2, duration: Duration::Steps(2), ..recipe.clone() };
    let data: Arc<dyn Dataset> = Arc::new(Noise::for_network(network));
    let split = Split::new(data, None);
    let mut losses = Vec::new();
    let mut trainer = Trainer::new(network, &recipe, &split, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let mut observer = |event: &Event| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
    };
    let outcome = trainer.train(&mut observer, &AtomicBool::new(false)).unwrap_or_else(|e| panic!("{e}"));
    assert!(outcome.last.is_some_and(|scores| scores.loss.is_finite()));
    losses
}

#[test]
fn every_recipe_takes_its_first_steps() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "arch"));
    files.sort();
    let mut trained = 0;
    for path in files {
        for compiled in check_all(&path, &Compile::default()) {
            let network = compiled.network.unwrap_or_else(|| panic!("{} has errors", path.display()));
            let Some(recipe) = &network.recipe else { continue };
            let losses = first_steps(&network, recipe);
            let name = format!("{} in {}", network.name, path.display());
            assert_eq!(losses.len(), 2, "{name}");
            assert!(losses.iter().all(|loss| loss.is_finite() && *loss > 0.0), "{name}: {losses:?}");
            trained += 1;
        }
    }
    assert!(trained >= 3, "digits, fashion and canvas have recipes");
}
