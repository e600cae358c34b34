//! What all jobs share, and how each is done: reads, frames, asks, cuts, says and writes, with one session for all.

use super::Values;
use super::ask::{Answer, by_tiles, cut, frame};
use super::compute::Computer;
use super::framing::{Framing, times};
use super::jobs::{Job, is_picture};
use super::kind::{self, Drawn, Kind};
use super::progress::Progress;
use super::scene::{Scene, SceneOptions};
use super::table::{Part, Table};
use super::target::{self, Target, Written};
use crate::cli::answer::{Said, Words};
use crate::cli::compute::say;
use crate::cli::interrupt;
use crate::cli::load::Loaded;
use crate::cli::shell::{Exit, Shell};
use archc::analysis::canvas::{Canvas, Follow};
use archc::base::Diagnostic;
use archc::elaborate::recipe::Normalize;
use archc::engine::Input;
use archc::train::data::DataError;
use archc::train::data::photo::{Photo, foreign};
use archc::train::data::tensor_io::{Reading, TensorData, read_input};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;

/// The most memory that reading one input may take.
const INPUT_MEMORY: u64 = 4 << 30;

/// Likeliest classes of each file that a table has; of pixels it has all.
const TABLED: usize = 5;

/// What is to be done with all jobs.
pub struct Orders<'a> {
    /// The network.
    pub loaded: &'a Loaded,
    /// What the command line and the machine say.
    pub terms: SceneOptions,
    /// How pixels were normalised in training.
    pub normalize: Option<Normalize>,
    /// Whether the weights are those of a run, which says so itself; the recipe says it otherwise.
    pub trained: bool,
    /// How answers are said.
    pub words: Words<'a>,
    /// Where they are written.
    pub target: Target,
    /// How a PNG shows what is answered for each pixel, where that was said.
    pub drawn: Option<Drawn>,
}

/// What all jobs share.
pub struct JobContext<'a> {
    orders: Orders<'a>,
    computer: Computer,
    progress: Progress,
    /// For each input how pictures are framed for it, once one came.
    scenes: Vec<Option<Scene<'a>>>,
    table: Table,
    written: usize,
    /// What was remarked about files that were written, of several.
    said: BTreeSet<String>,
}

/// A picture as it goes into the network, and how that is said.
struct Framed {
    framing: Framing,
    line: String,
    json: Value,
}

/// Refuses what is no file: a pipe would wait for whoever writes to it.
fn regular(path: &Path) -> Result<(), DataError> {
    match std::fs::metadata(path).map_err(|error| DataError::io(path, &error))?.is_file() {
        true => Ok(()),
        false => Err(DataError::Format {
            path: path.display().to_string(),
            reason: "it is no regular file: copy what it gives into one".into(),
        }),
    }
}

impl<'a> JobContext<'a> {
    /// An empty context.
    pub fn new(orders: Orders<'a>, computer: Computer, progress: Progress) -> Self {
        let scenes = orders.loaded.network.inputs.iter().map(|_| None).collect();
        Self { orders, computer, progress, scenes, table: Table::default(), written: 0, said: BTreeSet::new() }
    }

    /// Says what a job failed of.
    pub fn say(&self, error: Diagnostic) {
        self.progress.beside(|shell| _ = self.orders.loaded.fail(error, shell));
    }

    /// Does one job; `false` where it was stopped.
    ///
    /// # Errors
    /// What is wrong with its files, or what computing them came to.
    pub fn answer(&mut self, number: usize, job: &Job) -> Result<bool, Diagnostic> {
        let names: Vec<String> = self.orders.loaded.network.inputs.iter().map(|decl| decl.name.clone()).collect();
        let (mut given, mut framed): (Values, Vec<(usize, Framed)>) = (Vec::new(), Vec::new());
        for (slot, (name, path)) in names.into_iter().zip(&job.files).enumerate() {
            regular(path).map_err(|error| error.fault())?;
            let tensor = match is_picture(path) {
                true => {
                    let (tensor, how) = self.picture(slot, path)?;
                    framed.push((slot, how));
                    tensor
                }
                false => self.tensor(slot, path)?,
            };
            given.push((name, tensor));
        }
        let lines: Vec<&str> = framed.iter().map(|(_, framed)| framed.line.as_str()).collect();
        self.progress.begin(number, &job.shown, (!lines.is_empty()).then(|| lines.join("\n")).as_deref());
        let Some(outputs) = self.ask(&given, framed.first(), &job.shown)? else { return Ok(false) };
        drop(given);
        let answers = match framed.first() {
            Some((slot, framed)) => {
                let follows = self.scenes[*slot].as_ref().map(|scene| scene.follows.as_slice()).unwrap_or(&[]);
                cut(outputs, &framed.framing, follows)
            }
            None => outputs.into_iter().map(|(name, tensor)| Answer { name, tensor, part: None }).collect(),
        };
        self.deliver(number, job, &answers, &framed)?;
        Ok(true)
    }

    fn tensor(&self, slot: usize, path: &Path) -> Result<TensorData, Diagnostic> {
        if let Some(fault) = foreign(path) {
            return Err(fault.into());
        }
        let graph = &self.orders.loaded.network.graph;
        let id = graph.inputs[slot];
        let (name, shape) = (&graph.node(id).path, graph.shape(id).dims());
        let reading = Reading { name, shape, normalize: self.orders.normalize.as_ref(), memory: INPUT_MEMORY };
        Ok(read_input(path, &reading).map_err(|error| error.fault())?)
    }

    /// A picture, framed for an input.
    fn picture(&mut self, slot: usize, path: &Path) -> Result<(TensorData, Framed), Diagnostic> {
        let network = &self.orders.loaded.network;
        let shape = network.graph.shape(network.graph.inputs[slot]).dims().to_vec();
        let [channels @ (1 | 3), _, _] = shape[..] else {
            return Err(DataError::Pictures { path: path.display().to_string(), wants: shape }.fault().into());
        };
        if let Some(by) = &self.orders.normalize
            && let Some(has) = [by.mean.len(), by.std.len()].into_iter().find(|&n| n != 1 && n != channels)
        {
            return Err(DataError::Normalize { has, channels }.fault().into());
        }
        let photo = Photo::read(path, channels).map_err(|error| error.fault())?;
        self.look_at(slot);
        let Some(scene) = &self.scenes[slot] else {
            return Err(DataError::Pictures { path: path.display().to_string(), wants: shape }.fault().into());
        };
        let named =
            |error: Diagnostic| Diagnostic { message: format!("`{}`: {}", path.display(), error.message), ..error };
        let framing = scene.frame(photo.size).map_err(named)?;
        let values = frame(&photo, &framing, self.orders.normalize.as_ref());
        let [height, width] = framing.frame;
        let tensor = TensorData { shape: vec![1, channels, height, width], values };
        let framed = self.framed(path, &photo, framing);
        Ok((tensor, framed))
    }

    /// Sets an input's scene, where it takes pictures.
    fn look_at(&mut self, slot: usize) {
        if self.scenes[slot].is_none() {
            let network = &self.orders.loaded.network;
            let canvas = Canvas::new(&self.orders.loaded.compiled, network, slot);
            self.scenes[slot] = canvas.map(|canvas| Scene::new(canvas, network, self.orders.terms));
        }
    }

    /// How outputs follow their input: the picture, or the first input that could be one, so that an array is drawn as a picture
    /// would be.
    fn follows(&mut self, framed: &[(usize, Framed)]) -> Vec<Option<Follow>> {
        let inputs = match framed.first() {
            Some((slot, _)) => *slot..slot + 1,
            None if self.orders.target.keeps() => 0..self.scenes.len(),
            None => 0..0,
        };
        for slot in inputs {
            self.look_at(slot);
            if let Some(scene) = &self.scenes[slot] {
                return scene.follows.clone();
            }
        }
        Vec::new()
    }

    /// What was done to a picture, in words.
    fn framed(&self, path: &Path, photo: &Photo, framing: Framing) -> Framed {
        let (shown, size) = (path.display(), times(photo.size));
        let made = if photo.stored == photo.made { String::new() } else { format!(" → {}", photo.made) };
        let changes: String = photo.changes.iter().map(|change| format!(", {change}")).collect();
        let (by, values) = match (&self.orders.normalize, self.orders.trained) {
            (Some(_), true) => (Some("training"), "normalised as in training"),
            (Some(_), false) => (Some("recipe"), "normalised as the recipe says"),
            (None, _) => (None, "values from 0 to 1"),
        };
        let line = format!("{shown}: {size} {}{made}{changes}, {}; {values}", photo.stored, framing.words());
        let mut json = framing.json();
        json["stored"] = json!(photo.stored);
        json["made"] = json!(photo.made);
        json["changes"] = json!(photo.changes);
        json["normalised"] = json!(by.is_some());
        json["normalised_by"] = json!(by);
        json["said"] = json!(line);
        Framed { framing, line, json }
    }

    /// The network's outputs; `None` where it was stopped.
    fn ask(
        &mut self,
        given: &Values,
        framed: Option<&(usize, Framed)>,
        shown: &str,
    ) -> Result<Option<Values>, Diagnostic> {
        let network = &self.orders.loaded.network;
        let (Some((slot, framed)), Some((_, tensor))) = (framed, given.first()) else {
            return self.at_once(given).map(Some);
        };
        let Some(scene) = self.scenes[*slot].as_ref().filter(|_| framed.framing.cuts.is_some()) else {
            return self.at_once(given).map(Some);
        };
        let (stop, tiles, progress) = (interrupt::stop_flag(), framed.framing.tiles(), &mut self.progress);
        let mut tick = |done: usize| {
            progress.tile(shown, done, tiles);
            !stop.load(Ordering::Relaxed)
        };
        by_tiles(&mut self.computer, network, &tensor.values, &framed.framing, &scene.follows, &mut tick)
    }

    fn at_once(&mut self, given: &Values) -> Result<Values, Diagnostic> {
        let inputs: Vec<Input> =
            given.iter().map(|(name, tensor)| Input { name, dims: &tensor.shape, data: &tensor.values }).collect();
        self.computer.run(&self.orders.loaded.network, &inputs)
    }

    /// Says and writes what was answered.
    fn deliver(
        &mut self,
        number: usize,
        job: &Job,
        answers: &[Answer],
        framed: &[(usize, Framed)],
    ) -> Result<(), Diagnostic> {
        let follows = self.follows(framed);
        let network = &self.orders.loaded.network;
        let framing = framed.first().map(|(_, framed)| &framed.framing);
        let follow = |output: usize| follows.get(output).and_then(Option::as_ref);
        let kinds: Vec<Kind> =
            (0..answers.len()).map(|output| kind::of(network, output, follow(output), self.orders.drawn)).collect();
        let mut written = self.orders.target.write(number, answers, &kinds, framing).map_err(|error| error.fault())?;
        self.once(&mut written);
        let mask = |output: usize, answer: &Answer| match kinds[output] {
            Kind::Mask { threshold, .. } if kind::tells_shares(network, output, self.orders.drawn) => {
                target::mask(answer, threshold, framing)
            }
            Kind::Mask { .. } | Kind::Picture { .. } | Kind::Numbers => None,
        };
        let outputs = answers.iter().enumerate();
        let said: Vec<Said> = outputs
            .map(|(i, answer)| Said { name: &answer.name, tensor: &answer.tensor, mask: mask(i, answer) })
            .collect();
        for output in &said {
            let (part, most) = match output.mask {
                Some(_) => (Part::Share, usize::MAX),
                None => (Part::Probability, TABLED),
            };
            if let Some(samples) = self.orders.words.ranked(output, most) {
                self.table.add(&job.shown, output.name, part, &samples);
            }
        }
        self.written += written.len();
        self.tell(job, &said, framed, &written);
        Ok(())
    }

    /// Of what is remarked about several files, leaves what was not said yet.
    fn once(&mut self, written: &mut [Written]) {
        for file in written.iter_mut().filter(|_| self.orders.words.several) {
            file.remark = file.remark.take().filter(|remark| self.said.insert(remark.clone()));
        }
    }

    /// Prints what was answered, and where it is kept.
    fn tell(&self, job: &Job, said: &[Said], framed: &[(usize, Framed)], written: &[Written]) {
        let several = self.orders.words.several;
        self.progress.beside(|shell| {
            match shell.json() {
                true => shell.print_json(&self.object(job, said, framed, written)),
                false => self.orders.words.print(&job.shown, said, shell),
            }
            for file in written {
                let remark = file.remark.as_ref().map(|remark| format!(": {remark}")).unwrap_or_default();
                if !several || !remark.is_empty() {
                    shell.note(&format!("wrote {}{remark}", file.path.display()));
                }
            }
            if !self.orders.target.keeps() && !several && said.iter().any(|output| output.tensor.shape.len() > 2) {
                shell.note(
                    "--output y.safetensors keeps the numbers; --output mask.png, the likeliest class of each pixel",
                );
            }
        });
    }

    /// One job's answer as JSON.
    fn object(&self, job: &Job, said: &[Said], framed: &[(usize, Framed)], written: &[Written]) -> Value {
        let mut object = json!({ "file": job.shown, "model": self.orders.loaded.network.name });
        if let [(_, framed)] = framed {
            object["picture"] = framed.json.clone();
        } else if !framed.is_empty() {
            object["pictures"] = framed.iter().map(|(_, framed)| framed.json.clone()).collect();
        }
        object["outputs"] = Value::Object(self.orders.words.json(said));
        if !written.is_empty() {
            object["written"] = written.iter().map(|file| file.path.display().to_string()).collect();
        }
        object
    }

    /// Writes the table, and says what was written in all.
    ///
    /// # Errors
    /// The exit status, after saying why it cannot be written.
    pub fn finish(self, shell: &Shell) -> Result<(), Exit> {
        drop(self.progress);
        if let Some(path) = self.orders.target.table() {
            self.table.write(path).map_err(|error| say(error.fault(), shell))?;
            shell.note(&format!("wrote {}", path.display()));
        }
        if let (Target::Folder(folder, _), true) = (&self.orders.target, self.orders.words.several) {
            shell.note(&format!("wrote {} files in {}", self.written, folder.display()));
        }
        Ok(())
    }
}
