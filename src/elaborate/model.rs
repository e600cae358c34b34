//! One model, from its parameters to a verified network.

use super::compile::Options;
use super::flow::Flow;
use super::frame::{Binding, Frame, Sets, Vars};
use super::names;
use super::network::Network;
use super::program::{Named, Program};
use super::settings::Settings;
use super::sketch::Sketch;
use super::unroll::Unroller;
use super::{lints, train};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, codes};
use crate::graph::{Graph, Output, ScopeId, verify};
use crate::syntax::ast;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Bytes of stack that one pair of braces may take while unrolling.
const FRAME_BYTES: usize = 12 << 10;
/// Braces that may be open in a block, on average over a chain of calls.
const BRACES_PER_CALL: usize = 12;
/// The largest stack asked for.
const STACK_BYTES: usize = 1 << 30;

/// Unrolls the model that the options name, on a thread whose stack holds the limits.
/// `watch` asks for every step that is taken.
pub(super) fn elaborate(program: &Program, options: &Options, watch: bool) -> Sketch {
    let limits = &options.limits;
    let wanted = limits.call_depth.saturating_mul(BRACES_PER_CALL).saturating_add(limits.nesting);
    let depth = wanted.min(STACK_BYTES / FRAME_BYTES);
    let stack = depth * FRAME_BYTES + (1 << 20);
    std::thread::scope(|scope| {
        let work = move || elaborate_here(program, options, depth, watch);
        match std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, work).map(|thread| thread.join()) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => {
                let message = format!("cannot start a thread with {stack} bytes of stack: {error}");
                Sketch::of_nothing(Diagnostic::new(codes::LIMIT, message).help("use lower limits"))
            }
        }
    })
}

fn elaborate_here(program: &Program, options: &Options, depth: usize, watch: bool) -> Sketch {
    let (module, item, model) = match chosen(program, options) {
        Ok(found) => found,
        Err(error) => return Sketch::of_nothing(error),
    };
    if options.sizes.values().chain(options.spatial.iter().flatten()).any(|&size| size == 0) {
        return Sketch::of_nothing(
            Diagnostic::new(codes::OPTION, "`--size` gives a size of 0").help("sizes are at least 1"),
        );
    }
    let mut unroller = Unroller::new(program, options, depth);
    unroller.taken = watch.then(Vec::new);
    let mut frame =
        Frame { module, vars: Vars::default(), sets: Rc::new(Sets::new()), scope: ScopeId(0), table: names::ROOT };
    frame.sets = unroller.sets_at(module, item, &frame);
    let mut settings = Settings::new(&options.settings);
    let shown = unroller.model_params(model, &mut frame, &mut settings);
    let end = unroller.body(&model.body, &mut frame, Flow::Nothing);
    unroller.finish(model, &frame, end);
    let recipe = train::recipe(program, &mut unroller, &frame, model, &mut settings);
    for error in settings.unused(model, recipe.is_some()) {
        unroller.error(error, &frame);
    }
    let met = unroller.met();
    let Unroller { graph, report, ports, taken, .. } = unroller;
    let taken = taken.unwrap_or_default();
    let mut diagnostics = report.finish(&graph.scopes);
    if diagnostics.has_errors() {
        return Sketch { network: None, partial: graph, taken, met, diagnostics };
    }
    if let Err(broken) = verify::verify(&graph) {
        let error = Diagnostic::new(codes::INTERNAL, format!("the graph of `{}` is broken: {broken}", model.name.node));
        diagnostics.push(error);
        return Sketch { network: None, partial: graph, taken, met, diagnostics };
    }
    let network = Network {
        name: model.name.node.clone(),
        doc: model.doc.clone(),
        settings: shown,
        graph,
        inputs: ports.inputs,
        free_sizes: ports.free,
        recipe,
    };
    diagnostics.extend(lints::check(&network, &program.sources));
    Sketch { network: Some(network), partial: Graph::default(), taken, met, diagnostics }
}

fn chosen<'p>(program: &'p Program, options: &Options) -> Result<(usize, usize, &'p ast::Model), Diagnostic> {
    let models = program.models();
    let error = |message: String| Diagnostic::new(codes::WHICH_MODEL, message);
    let listed = || models.iter().map(|m| format!("`{m}`")).collect::<Vec<_>>().join(", ");
    let name = match (&options.model, models.as_slice()) {
        (Some(name), _) => name.as_str(),
        (None, [only]) => only,
        (None, []) => {
            let file = &program.sources.files()[0].name;
            return Err(
                error(format!("there is no model in {file}")).help("model Name { input image [N, 3, 224, 224] … }")
            );
        }
        (None, [first, ..]) => {
            let message = format!("the file has {} models: {}", models.len(), listed());
            return Err(error(message).help(format!("say which: `--model {first}`")));
        }
    };
    if let Some(Named::Model { module, item }) = program.lookup(0, name)
        && let Some(model) = program.model(module, item)
    {
        return Ok((module, item, model));
    }
    let missing = error(format!("there is no model named `{name}`"));
    Err(match nearest(name, models.iter().copied()) {
        Some(meant) => missing.help(format!("did you mean `--model {meant}`?")),
        None if models.is_empty() => missing.help("the file has no model"),
        None => missing.help(format!("the models are {}", listed())),
    })
}

impl<'p> Unroller<'p> {
    /// Binds the model's parameters: settings first, then defaults.
    fn model_params(
        &mut self,
        model: &'p ast::Model,
        frame: &mut Frame<'p>,
        settings: &mut Settings,
    ) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        for param in &model.params {
            let name = &param.name.node;
            let binding = match (settings.take(name), &param.default) {
                (Some(setting), _) => match setting.value() {
                    Ok(value) => Some(Binding::Value(Rc::new(value))),
                    Err(error) => {
                        self.error(error, frame);
                        None
                    }
                },
                (None, Some(default)) => {
                    let (value, vars) =
                        self.default_value(default, std::mem::take(&mut frame.vars), frame, Flow::Nothing);
                    frame.vars = vars;
                    value
                }
                (None, None) => {
                    let error =
                        Diagnostic::new(codes::MISSING_ARGUMENT, format!("`{}` needs `{name}`", model.name.node))
                            .label(param.name.span, "has no default")
                            .help(format!("write a default, `{name}=…`, or say `--set {name}=…`"));
                    self.error(error, frame);
                    None
                }
            };
            if let Some(Binding::Value(value)) = &binding {
                shown.insert(name.clone(), value.to_string());
            }
            frame.vars.bind(name, binding.unwrap_or(Binding::Poison));
        }
        shown
    }

    /// Names the last value an output where the model names none, and checks what the whole must have.
    fn finish(&mut self, model: &'p ast::Model, frame: &Frame<'p>, end: Flow) {
        self.check_sizes(frame);
        if self.halted || !self.ports.outputs.is_empty() {
            return;
        }
        match end {
            Flow::Poison => {}
            Flow::Nothing => {
                let error = Diagnostic::new(codes::NO_VALUE, format!("`{}` computes nothing", model.name.node))
                    .label(model.name.span, "has no input")
                    .help("a model begins with `input image [N, 3, 224, 224]`");
                self.error(error, frame);
            }
            Flow::Node(node) => {
                let label = model.body.lines.last().and_then(|line| line.last()).and_then(|step| step.label.as_ref());
                let name = label.and_then(names::plain).filter(|name| *name != "_").unwrap_or("output");
                self.graph.outputs.push(Output { name: name.to_string(), node });
            }
        }
    }

    /// The `set`s of a file in force at one of its items.
    pub(super) fn sets_at(&mut self, module: usize, item: usize, frame: &Frame<'p>) -> Rc<Sets> {
        if !self.file_sets.contains_key(&module) {
            let mut scratch = Frame {
                module,
                vars: Vars::default(),
                sets: Rc::new(Sets::new()),
                scope: frame.scope,
                table: frame.table,
            };
            let mut after = Vec::new();
            for content in self.program.items(module) {
                if let ast::Item::Set(set) = content {
                    self.apply_set(set, &mut scratch, Flow::Nothing);
                }
                after.push(Rc::clone(&scratch.sets));
            }
            self.file_sets.insert(module, after);
        }
        self.file_sets.get(&module).and_then(|sets| sets.get(item)).cloned().unwrap_or_default()
    }
}
