//! `archc study`: why skips help, shown on the user's own network.

mod args;
mod ask;
mod watch;

use super::args::{Format, ModelArgs};
use super::compute;
use super::data::{OpenOptions, by_order, open_data};
use super::interrupt;
use super::load;
use super::run::noted;
use super::shell::{Exit, Shell};
use super::taught;
use archc::base::Diagnostic;
use archc::elaborate::Recipe;
use archc::lower::with_stack;
use archc::study::{Folder, Halt, Outcome, Report, StudyContext, Subject};
use archc::train::checkpoint::{Run, RunInfo};
use archc::train::data::Split;
pub use args::StudyArgs;
use args::{Common, Kind};
use candle_core::Device;
use serde_json::{Value, json};
use std::path::Path;
use watch::Bar;

/// Asks, works, and says what it shows and where the files are.
pub fn run(args: &StudyArgs, shell: &Shell) -> Result<Exit, Exit> {
    let common = args.kind.common();
    let mut own = shell.quiet_json(common.json || shell.json());
    own.format = if common.json { Format::Json } else { own.format };
    let shell = &own;
    let info = args.kind.weights().and_then(Run::of_weights).map(|(_, info)| info);
    let (subject, recipe) = subject(&args.kind, info.as_ref(), shell)?;
    compute::threads(common.threads, shell)?;
    let device = compute::device(&common.device, shell)?;
    let say = |error: Diagnostic| compute::fail(error, &subject.compiled.sources, shell);
    check_twin(&args.kind, info.as_ref(), shell)?;
    let data = data(&args.kind, &subject, info.as_ref(), shell)?;
    let question = ask::Question::new(&args.kind, &subject, &recipe, shell)?;
    let asked = subject.question(args.kind.name(), question.asked().map_err(say)?);
    let folder = folder(common, args.kind.name(), &asked).map_err(say)?;
    said_where(&folder, shell);
    let mut bar = Bar::new(shell);
    let worked = work(&question, &subject, (&data, &device), &folder, &mut bar);
    drop(bar);
    match worked {
        Ok(report) => {
            let files = folder.finish(args.kind.name(), &report).map_err(say)?;
            show(&args.kind, &subject, &report, (&folder, &files), shell);
            Ok(Exit::Clean)
        }
        Err(Halt::Stopped) => {
            let place = folder.path().display();
            shell.note(&format!("stopped; what is done is in {place}. The same command goes on with it"));
            Ok(Exit::Interrupted)
        }
        Err(Halt::Failed(error)) => Err(say(error.into_diagnostic())),
    }
}

/// What it is studied on: on the terms of the run whose weights are looked at.
fn data(kind: &Kind, subject: &Subject, info: Option<&RunInfo>, shell: &Shell) -> Result<Split, Exit> {
    let strict = kind.common().strict;
    let terms = match info {
        Some(info) => OpenOptions::measuring(Some(info), &subject.data, strict),
        None => OpenOptions { strict, ..OpenOptions::default() },
    };
    let network = subject.network().map_err(|error| compute::fail(error, &subject.compiled.sources, shell))?;
    let data = open_data(&subject.data, network, terms, shell)?;
    if kind.weights().is_some() {
        by_order(&subject.data, &data, info, shell);
    }
    Ok(data)
}

/// Works in a thread whose stack is large enough for deep networks.
fn work(
    question: &ask::Question,
    subject: &Subject,
    (data, device): (&Split, &Device),
    folder: &Folder,
    bar: &mut Bar,
) -> Outcome<Report> {
    let done = with_stack(|| {
        let mut context = StudyContext { folder, watch: bar, stop: interrupt::stop_flag(), count: (0, 0) };
        Ok(question.answer(subject, data, device, &mut context))
    });
    done.unwrap_or_else(|error| Err(error.into()))
}

/// What is studied: the file's network, with what the run noted whose weights are used.
fn subject(kind: &Kind, info: Option<&RunInfo>, shell: &Shell) -> Result<(Subject, Recipe), Exit> {
    let common = kind.common();
    let (mut model, _) = noted(&common.model, info);
    if let Some(seed) = common.seed {
        model.settings.push(format!("seed={seed}"));
    }
    let model = ModelArgs { settings: model.settings, ..model };
    let loaded = load::network(&common.file, &model, false, shell)?;
    let Some(recipe) = loaded.network.recipe.clone() else {
        return Err(loaded.fail(archc::study::no_recipe(&loaded.network.name), shell));
    };
    let spec = common.data.clone().or(info.map(|info| info.data.clone())).or(recipe.data.clone());
    let Some(data) = spec else {
        let help = "name them: --data builtin:digits, or  data = \"…\"  in the recipe";
        return Err(shell.usage("there are no data to study it on", help));
    };
    if common.epochs == Some(0) {
        return Err(shell.usage("0 epochs teach nothing", "--epochs 1, or more"));
    }
    let file = common.file.display().to_string();
    let recipe = taught::as_learnt(recipe, info, shell);
    Ok((Subject { file, compiled: loaded.compiled, data, epochs: common.epochs, run: info.cloned() }, recipe))
}

/// Refuses a plain twin that was taught something else than the network that it is compared with.
fn check_twin(kind: &Kind, info: Option<&RunInfo>, shell: &Shell) -> Result<(), Exit> {
    let twin = kind.plain_weights().and_then(|path| Some((path, Run::of_weights(path)?.1)));
    let (Some(info), Some((path, twin))) = (info, twin) else { return Ok(()) };
    let pixels = |info: &RunInfo| info.normalize(None);
    let differs = match () {
        () if info.classes != twin.classes => "has other classes",
        () if info.levels != twin.levels => "reads masks in another way",
        () if !taught::alike(pixels(info).as_ref(), pixels(&twin).as_ref()) => "normalises pixels in another way",
        () => return Ok(()),
    };
    let message = format!("the plain twin in {} {differs} than the run of `--weights`", path.display());
    let (file, data) = (kind.common().file.display(), &info.data);
    Err(shell.usage(&message, &format!("train the twin on the same data:  archc train {file} --plain --data {data}")))
}

fn folder(common: &Common, kind: &str, asked: &Value) -> Result<Folder, Diagnostic> {
    match &common.out {
        Some(path) => Folder::named(path, asked),
        None => {
            let stem = common.file.file_stem().map_or_else(|| "study".into(), |s| s.to_string_lossy().into_owned());
            Folder::numbered(Path::new("studies"), &format!("{stem}-{kind}"), asked)
        }
    }
}

fn said_where(folder: &Folder, shell: &Shell) {
    let place = folder.path().display();
    match folder.resumed {
        true => shell.note(&format!("going on in {place}, which asked the same")),
        false => shell.note(&format!("results go to {place}")),
    }
}

fn show(
    kind: &Kind,
    subject: &Subject,
    report: &Report,
    (folder, files): (&Folder, &[std::path::PathBuf]),
    shell: &Shell,
) {
    if shell.json() {
        shell.print_json(&json!({
            "study": kind.name(),
            "file": subject.file,
            "model": subject.compiled.network.as_ref().map(|n| n.name.clone()),
            "data": subject.data,
            "folder": folder.path().display().to_string(),
            "resumed": folder.resumed,
            "files": files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>(),
            "findings": report.findings,
            "text": report.text,
        }));
        return;
    }
    shell.print(&report.text);
    let names = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    shell.note(&format!("wrote {names}"));
}
