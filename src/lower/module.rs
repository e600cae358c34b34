//! A network as a candle module.

use super::bind::bind;
use super::error::{Error, Result};
use super::exec::{Pass, compute};
use super::init;
use super::schedule::Schedule;
use crate::base::{Diagnostic, Rng, codes};
use crate::elaborate::{Compiled, InputDecl, Network};
use crate::engine::Sizes;
use crate::ops::{Init, ParamSpec};
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{ModuleT, VarBuilder};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Elaborates the network again at other values of its free sizes.
pub type Resize = Arc<dyn Fn(&Sizes) -> std::result::Result<Network, Diagnostic> + Send + Sync>;

/// A network with its parameters, computed by candle: values on the CPU or a GPU, gradients by candle's
/// autograd.
///
/// It holds the variables of the `VarBuilder` that it was made with, so what an optimizer or a checkpoint
/// writes to them is seen at once. In training, batch normalisation moves its running statistics,
/// and dropout draws from the module's own generator.
pub struct Module {
    inputs: Vec<InputDecl>,
    params: BTreeMap<String, Tensor>,
    dtype: DType,
    planned: (Sizes, Arc<Schedule>),
    resized: Mutex<BTreeMap<Sizes, Arc<Schedule>>>,
    resize: Option<Resize>,
    rng: Mutex<Rng>,
}

impl Network {
    /// Makes the network a candle module whose parameters come from `vb`: a
    /// [`ParamStore`](super::ParamStore)'s, a `VarMap`'s, or a file's. Its type is the builder's.
    ///
    /// # Errors
    /// Where `vb` lacks a parameter or has it in other sizes.
    pub fn lower(&self, vb: VarBuilder) -> Result<Module> {
        let params = self.graph.named_params().into_iter().map(|(path, spec)| {
            let tensor = fetch(&vb, &path, &spec)?;
            Ok((path, tensor))
        });
        let params = params.collect::<Result<BTreeMap<_, _>>>()?;
        let schedule = Arc::new(Schedule::new(&self.graph, &params)?);
        let planned = self.free_sizes.iter().map(|free| (free.name.clone(), free.default)).collect();
        Ok(Module {
            inputs: self.inputs.clone(),
            params,
            dtype: vb.dtype(),
            planned: (planned, schedule),
            resized: Mutex::default(),
            resize: None,
            rng: Mutex::new(Rng::new(0)),
        })
    }
}

impl Compiled {
    /// The network.
    ///
    /// # Errors
    /// The first error of the compilation, where there is one.
    pub fn checked(&self) -> Result<&Network> {
        Ok(self.sound()?)
    }

    /// Makes the network a candle module, as [`Network::lower`] does, that also works at every other valid
    /// value of its free sizes.
    ///
    /// # Errors
    /// As [`checked`](Self::checked) and [`Network::lower`].
    pub fn lower(&self, vb: VarBuilder) -> Result<Module> {
        let network = self.checked()?;
        Ok(network.lower(vb)?.with_resize(Arc::new(self.resizer(network))))
    }
}

/// A parameter from the builder. A builder that makes what it lacks is told the initialisation;
/// the identity, for which candle has no name, is written over what it made.
fn fetch(vb: &VarBuilder, path: &str, spec: &ParamSpec) -> Result<Tensor> {
    let made = !vb.contains_tensor(path);
    let hint = init::hint(spec.init, &spec.dims);
    let dtype = if spec.dims.is_empty() { DType::I64 } else { vb.dtype() };
    let tensor = vb.get_with_hints_dtype(spec.dims.as_slice(), path, hint, dtype)?;
    if made && spec.init == Init::Identity && tensor.is_variable() {
        Var::from_tensor(&tensor)?.set(&init::values(spec, path, 0, dtype, vb.device())?)?;
    }
    // A buffer is written to: it needs a variable, which a builder over a file does not give.
    Ok(if spec.trainable { tensor } else { Var::from_tensor(&tensor)?.into_inner() })
}

impl Module {
    /// The module with a way to work at other values of its free sizes than those planned for. Without it,
    /// they are an error.
    pub fn with_resize(mut self, resize: Resize) -> Self {
        self.resize = Some(resize);
        self
    }

    /// The type that it computes in.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The device of its parameters; `None` where it has none.
    pub fn device(&self) -> Option<&Device> {
        self.params.values().next().map(|tensor| tensor.device())
    }

    /// The names of its inputs, in file order.
    pub fn input_names(&self) -> Vec<&str> {
        self.inputs.iter().map(|decl| decl.name.as_str()).collect()
    }

    /// The names of its outputs, in file order.
    pub fn output_names(&self) -> Vec<&str> {
        self.planned.1.outputs.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The generator that dropout draws from, to be saved.
    pub fn rng_state(&self) -> [u64; 4] {
        lock(&self.rng).state()
    }

    /// Sets the generator that dropout draws from: training goes on as if it had never stopped.
    pub fn set_rng_state(&self, state: [u64; 4]) {
        *lock(&self.rng) = Rng::from_state(state);
    }

    /// Computes all outputs, by name, from all inputs, by name; each input is `[N, …]` as declared.
    ///
    /// In training (`train`), normalisations use the batch and move their running statistics, and dropout
    /// drops.
    ///
    /// # Errors
    /// `E0902` where an input does not fit, `E0903` where the network does not work at the sizes given,
    /// and whatever the device reports.
    pub fn forward_all(&self, inputs: &[(&str, &Tensor)], train: bool) -> Result<BTreeMap<String, Tensor>> {
        let (tensors, sizes) = bind(&self.inputs, inputs, self.dtype)?;
        let schedule = self.schedule(sizes)?;
        let values = compute(&schedule, tensors, &mut Pass { train, rng: &mut lock(&self.rng) })?;
        Ok(schedule.outputs.iter().map(|(name, _)| name.clone()).zip(values).collect())
    }

    /// Computes the first output from the only input.
    ///
    /// # Errors
    /// As [`forward_all`](Self::forward_all), and where the network has several inputs.
    pub fn forward(&self, input: &Tensor, train: bool) -> Result<Tensor> {
        let [decl] = self.inputs.as_slice() else {
            let names = self.input_names().join("`, `");
            return Err(Error::new(codes::INPUT_UNFIT, format!("the network has several inputs: `{names}`")));
        };
        let mut outputs = self.forward_all(&[(&decl.name, input)], train)?;
        let first = self.output_names().first().and_then(|&name| outputs.remove(name));
        first.ok_or_else(|| Error::internal("the network has no output"))
    }

    /// The schedule for these sizes, made on their first use.
    fn schedule(&self, sizes: Sizes) -> Result<Arc<Schedule>> {
        if sizes == self.planned.0 {
            return Ok(self.planned.1.clone());
        }
        if let Some(schedule) = lock(&self.resized).get(&sizes) {
            return Ok(schedule.clone());
        }
        let schedule = Arc::new(self.elaborate(&sizes)?);
        lock(&self.resized).insert(sizes, schedule.clone());
        Ok(schedule)
    }

    fn elaborate(&self, sizes: &Sizes) -> Result<Schedule> {
        let at = sizes.iter().map(|(name, size)| format!("{name} = {size}")).collect::<Vec<_>>().join(", ");
        let invalid =
            |why: String| Diagnostic::new(codes::SIZES_INVALID, format!("the network does not work at {at}: {why}"));
        let resize = self.resize.as_ref().ok_or_else(|| {
            invalid("it was lowered for the sizes planned only".into()).help("lower it with `Module::with_resize`")
        })?;
        let network = resize(sizes).map_err(|error| {
            let diagnostic = invalid(error.message).help("`archc check FILE --sizes` lists the sizes that work");
            error.notes.into_iter().fold(diagnostic, Diagnostic::note)
        })?;
        for (path, spec) in network.graph.named_params() {
            let found = self.params.get(&path).map(|tensor| tensor.dims());
            if found != Some(spec.dims.as_slice()) {
                let has = found.map_or("missing".into(), |dims| format!("{dims:?}"));
                return Err(invalid(format!("`{path}` would be {:?}, and is {has}", spec.dims)).into());
            }
        }
        Schedule::new(&network.graph, &self.params)
    }
}

/// A panic elsewhere leaves these values whole: each is set in one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ModuleT for Module {
    fn forward_t(&self, xs: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        Ok(self.forward(xs, train)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::lower::ParamStore;
    use crate::lower::testing::{add, network, wrap};
    use crate::ops::structure::{Dropout, Input};
    use crate::shape::Shape;
    use candle_nn::VarMap;

    fn image(dims: &[usize]) -> Tensor {
        let count: usize = dims.iter().product();
        let list: Vec<f64> = (0..count).map(|i| ((i * 37 % 101) as f64 - 50.0) / 25.0).collect();
        Tensor::from_vec(list, dims, &Device::Cpu).unwrap()
    }

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn dropper() -> Module {
        let mut graph = Graph::default();
        let image = add(&mut graph, "image", Input { shape: Shape::new([64]) }, &[]);
        let output = add(&mut graph, "dropout1", Dropout { p: 0.5 }, &[image]);
        let store = ParamStore::new(&wrap(graph.clone(), &[64], output), 1, DType::F64, &Device::Cpu).unwrap();
        wrap(graph, &[64], output).lower(store.var_builder()).unwrap()
    }

    #[test]
    fn training_moves_running_statistics_and_gives_gradients() {
        let store = ParamStore::new(&network(), 1, DType::F64, &Device::Cpu).unwrap();
        let module = network().lower(store.var_builder()).unwrap();
        let x = image(&[2, 1, 4, 4]);
        let before = numbers(&module.forward(&x, false).unwrap());
        assert_eq!(numbers(&store.get("bn.running_mean").unwrap().var), [0.0, 0.0]);
        let loss = module.forward_t(&x, true).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let trainable = store.trainable();
        let paths: Vec<&str> = trainable.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, ["conv.weight", "bn.weight", "bn.bias", "fc.weight", "fc.bias"]);
        assert!(trainable.iter().all(|(_, var)| gradients.get(var).is_some()));
        assert_ne!(numbers(&store.get("bn.running_mean").unwrap().var), [0.0, 0.0]);
        assert_eq!(store.get("bn.num_batches_tracked").unwrap().var.to_scalar::<i64>().unwrap(), 1);
        assert_ne!(numbers(&module.forward(&x, false).unwrap()), before);
    }

    #[test]
    fn a_snapshot_brings_the_store_back() {
        let store = ParamStore::new(&network(), 1, DType::F64, &Device::Cpu).unwrap();
        let module = network().lower(store.var_builder()).unwrap();
        let (x, snapshot) = (image(&[2, 1, 4, 4]), store.snapshot().unwrap());
        let before = numbers(&module.forward(&x, false).unwrap());
        module.forward(&x, true).unwrap();
        store.restore(&snapshot).unwrap();
        assert_eq!(numbers(&module.forward(&x, false).unwrap()), before);
        let error = store.restore(&BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("`conv.weight` is missing"), "{error}");
    }

    #[test]
    fn works_from_a_var_map() {
        let map = VarMap::new();
        let vb = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
        let module = network().lower(vb).unwrap();
        assert_eq!(map.all_vars().len(), 8);
        let x = image(&[2, 1, 4, 4]).to_dtype(DType::F32).unwrap();
        assert_eq!(module.forward(&x, true).unwrap().dims(), [2, 3]);
        let counted = &map.data().lock().unwrap()["bn.num_batches_tracked"];
        assert_eq!(counted.to_scalar::<i64>().unwrap(), 1);
    }

    #[test]
    fn dropout_goes_on_from_a_saved_state() {
        let (module, x) = (dropper(), image(&[3, 64]));
        let state = module.rng_state();
        let first = numbers(&module.forward(&x, true).unwrap());
        assert_ne!(first, numbers(&module.forward(&x, true).unwrap()));
        module.set_rng_state(state);
        assert_eq!(first, numbers(&module.forward(&x, true).unwrap()));
        assert_eq!(numbers(&x), numbers(&module.forward(&x, false).unwrap()));
    }

    #[test]
    fn other_sizes_are_elaborated_once_or_refused() {
        let store = ParamStore::new(&network(), 1, DType::F64, &Device::Cpu).unwrap();
        let module = network().lower(store.var_builder()).unwrap();
        let code = |module: &Module| module.forward(&image(&[2, 1, 6, 4]), false).unwrap_err().into_diagnostic();
        let diagnostic = code(&module);
        assert_eq!(diagnostic.code, codes::SIZES_INVALID);
        assert!(diagnostic.message.contains("at H = 6"), "{}", diagnostic.message);
        // An elaboration that gives other shapes than the values have is our own mistake, and is said to be.
        let module = module.with_resize(Arc::new(|_| Ok(network())));
        assert_eq!(code(&module).code, codes::INTERNAL);
    }
}
