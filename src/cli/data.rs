//! Data named on the command line: opened for a network, on the terms that a run sets.

use super::compute;
use super::shell::{Exit, Shell};
use crate::base::{Fault, codes};
use crate::elaborate::Network;
use crate::train::checkpoint::RunInfo;
use crate::train::data::{Holding, Levels, Split, Want, open};
use crate::train::fit;
use std::path::Path;

/// On what terms data are opened.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Whether the first broken file is an error.
    pub strict: bool,
    /// The names of the classes that weights were learnt with.
    pub known: Vec<String>,
    /// Whether other classes may come to these.
    pub growing: bool,
    /// How data without parts are divided.
    pub holding: Holding,
    /// How a run read masks.
    pub levels: Option<Levels>,
}

impl Terms {
    /// To measure weights on data: classes are the run's; of the run's own data that part is measured on that was held out, of
    /// others all.
    pub fn measuring(info: Option<&RunInfo>, spec: &str, strict: bool) -> Self {
        let known = info.map(|info| info.classes.clone()).unwrap_or_default();
        let holding = match info {
            Some(info) if same(&info.data, spec) => info.held_out,
            _ => Holding::Nothing,
        };
        Self { strict, known, growing: false, holding, levels: info.and_then(|info| info.levels.clone()) }
    }

    /// To go on with a run: as it began.
    pub fn resuming(info: &RunInfo, strict: bool) -> Self {
        let (known, levels) = (info.classes.clone(), info.levels.clone());
        Self { strict, known, growing: false, holding: info.held_out, levels }
    }

    /// To learn further from a run's weights, on data that may have other classes.
    pub fn learning_from(info: Option<&RunInfo>, strict: bool) -> Self {
        let known = info.map(|info| info.classes.clone()).unwrap_or_default();
        Self { strict, known, growing: true, ..Self::default() }
    }
}

/// Whether two names mean the same data.
fn same(a: &str, b: &str) -> bool {
    let real = |spec: &str| Path::new(spec).canonicalize().ok();
    a == b || real(a).is_some_and(|path| real(b) == Some(path))
}

/// Opens data for the network's only input, and says what readers noticed.
///
/// # Errors
/// The exit status, after saying what is wrong.
pub fn open_data(spec: &str, network: &Network, terms: Terms, shell: &Shell) -> Result<Split, Exit> {
    let graph = &network.graph;
    let [input] = graph.inputs[..] else {
        let names = network.inputs.iter().map(|i| format!("`{}`", i.name)).collect::<Vec<_>>().join(", ");
        let message = format!("`{}` has {} inputs ({names}); data sets fill one", network.name, graph.inputs.len());
        return Err(compute::say(Fault::new(codes::TRAIN_UNFIT, message), shell));
    };
    let Terms { strict, known, growing, holding, levels } = terms;
    let want = Want {
        strict,
        known,
        growing,
        holding,
        aim: fit::aim(network, levels),
        ..Want::new(graph.shape(input).dims())
    };
    let split = open(spec, &want).map_err(|error| compute::say(error.fault(), shell))?;
    split.warnings.iter().for_each(|warning| _ = compute::say(warning.clone(), shell));
    split.notes.iter().for_each(|note| shell.note(note));
    Ok(split)
}
