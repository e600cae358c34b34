//! Data named on the command line: opened for a network, on the terms that a run sets.

use super::compute;
use super::kin::Kin;
use super::shell::{Exit, Shell};
use archc::base::{Fault, codes};
use archc::elaborate::Network;
use archc::train::checkpoint::RunInfo;
use archc::train::data::{DataSpec, Holding, Levels, Split, TargetKind, open};
use archc::train::fit;
use std::path::Path;

/// On what terms data are opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
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
    /// How the data stand to those that a run learnt from, where weights are measured on them.
    pub kin: Kin,
}

impl OpenOptions {
    /// To measure weights on data: classes are the run's; of the run's own data that part is measured on that was held out, of
    /// others all.
    pub fn measuring(info: Option<&RunInfo>, spec: &str, strict: bool) -> Self {
        let known = info.map(|info| info.classes.clone()).unwrap_or_default();
        let kin = info.map(|info| Kin::of(info, spec)).unwrap_or_default();
        let holding = info.map_or(Holding::Nothing, |info| kin.holding(info.held_out));
        Self { strict, known, growing: false, holding, levels: info.and_then(|info| info.levels.clone()), kin }
    }

    /// To go on with a run: as it began.
    pub fn resuming(info: &RunInfo, strict: bool) -> Self {
        let (known, levels) = (info.classes.clone(), info.levels.clone());
        Self { strict, known, growing: false, holding: info.held_out, levels, kin: Kin::default() }
    }

    /// To learn further from a run's weights, on data that may have other classes.
    pub fn learning_from(info: Option<&RunInfo>, strict: bool) -> Self {
        let known = info.map(|info| info.classes.clone()).unwrap_or_default();
        Self { strict, known, growing: true, ..Self::default() }
    }
}

/// Opens data for the network's only input, and says what readers noticed.
///
/// # Errors
/// The exit status, after saying what is wrong.
pub fn open_data(spec: &str, network: &Network, terms: OpenOptions, shell: &Shell) -> Result<Split, Exit> {
    let graph = &network.graph;
    let [input] = graph.inputs[..] else {
        let names = network.inputs.iter().map(|i| format!("`{}`", i.name)).collect::<Vec<_>>().join(", ");
        let message = format!("`{}` has {} inputs ({names}); data sets fill one", network.name, graph.inputs.len());
        return Err(compute::say(Fault::new(codes::TRAIN_UNFIT, message), shell));
    };
    let OpenOptions { strict, known, growing, holding, levels, kin } = terms;
    let want = DataSpec {
        strict,
        known,
        growing,
        holding,
        aim: fit::aim(network, levels),
        ..DataSpec::new(graph.shape(input).dims())
    };
    let split = open(spec, &want).map_err(|error| compute::say(error.fault(), shell))?;
    split.warnings.iter().for_each(|warning| _ = compute::say(warning.clone(), shell));
    split.notes.iter().for_each(|note| shell.note(note));
    kin.remark(spec, &split).into_iter().for_each(|note| shell.note(&note));
    Ok(split)
}

/// Says that classes in folders are matched by their order alone, where the weights do not say the names of theirs.
pub fn by_order(spec: &str, data: &Split, info: Option<&RunInfo>, shell: &Shell) {
    if !Path::new(spec).is_dir() || info.is_some_and(|info| !info.classes.is_empty()) {
        return;
    }
    let TargetKind::Class { names, .. } = data.evaluation().target() else { return };
    if let [first, .., last] = &names[..] {
        let last_number = names.len() - 1;
        shell.note(&format!(
            "the weights do not say the names of their classes: the data's are taken in order, `{first}` as 0 to `{last}` as {last_number}"
        ));
    }
}
