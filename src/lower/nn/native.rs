//! Kernels as candle operations: one adapter between tensors and slices.

use crate::kernels::Elem;
use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Device, Layout, Result, Shape, Storage, Tensor, WithDType, bail,
};
use std::borrow::Cow;
use std::sync::Arc;

/// An argument as a kernel sees it.
pub(super) struct Arg<'a, E> {
    raw: &'a [E],
    layout: &'a Layout,
}

impl<'a, E: Elem> Arg<'a, E> {
    /// Its sizes.
    pub fn dims(&self) -> &'a [usize] {
        self.layout.dims()
    }

    /// Its elements in row-major order; copied only where the tensor is a view with gaps.
    pub fn data(&self) -> Cow<'a, [E]> {
        match self.layout.contiguous_offsets() {
            Some((start, end)) => Cow::Borrowed(&self.raw[start..end]),
            None => Cow::Owned(gather(self.raw, self.layout)),
        }
    }
}

/// The elements of a strided view in row-major order.
fn gather<E: Elem>(raw: &[E], layout: &Layout) -> Vec<E> {
    let (dims, strides) = (layout.dims(), layout.stride());
    let (&inner, &step) = match (dims.last(), strides.last()) {
        (Some(inner), Some(step)) => (inner, step),
        _ => return vec![raw[layout.start_offset()]],
    };
    let mut out = Vec::with_capacity(dims.iter().product());
    let outer = &dims[..dims.len() - 1];
    let mut index = vec![0; outer.len()];
    for _ in 0..outer.iter().product() {
        let start = layout.start_offset() + index.iter().zip(strides).map(|(i, s)| i * s).sum::<usize>();
        out.extend((0..inner).map(|i| raw[start + i * step]));
        for (i, &dim) in index.iter_mut().zip(outer).rev() {
            *i += 1;
            if *i < dim {
                break;
            }
            *i = 0;
        }
    }
    out
}

/// The gradients of the arguments, in order; `None` where none is wanted.
pub(super) type ArgGrads<E> = Vec<Option<Vec<E>>>;

/// An operation with one to three arguments, in `f32` and `f64`. What backward needs besides the
/// arguments and the result is kept in the object.
pub(super) trait Native: Send + Sync + 'static {
    /// What errors call it.
    const NAME: &'static str;

    /// The result and its sizes.
    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)>;

    /// The gradients that are wanted, each in its argument's sizes.
    fn backward<E: Elem>(&self, args: &[Arg<E>], out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>>;
}

/// Applies an operation to CPU tensors of one dtype; candle records it.
pub(super) fn apply<K: Native>(op: K, args: &[&Tensor]) -> Result<Tensor> {
    if let Some(odd) = args.iter().find(|a| a.dtype() != args[0].dtype()) {
        bail!("{}: arguments of {:?} and {:?}", K::NAME, args[0].dtype(), odd.dtype())
    }
    let op = Adapter(op);
    match args {
        [a] => a.apply_op1_arc(Arc::new(Box::new(op))),
        [a, b] => a.apply_op2_arc(b, Arc::new(Box::new(op))),
        [a, b, c] => a.apply_op3_arc(b, c, Arc::new(Box::new(op))),
        _ => bail!("{}: {} arguments", K::NAME, args.len()),
    }
}

struct Adapter<K>(K);

impl<K: Native> Adapter<K> {
    fn run(&self, args: &[(&CpuStorage, &Layout)]) -> Result<(CpuStorage, Shape)> {
        match args[0].0.dtype() {
            DType::F32 => self.run_as::<f32>(args),
            DType::F64 => self.run_as::<f64>(args),
            other => bail!("{} takes f32 or f64, not {other:?}", K::NAME),
        }
    }

    fn run_as<E: Elem + WithDType>(&self, args: &[(&CpuStorage, &Layout)]) -> Result<(CpuStorage, Shape)> {
        let args = args.iter().map(|(s, layout)| Ok(Arg { raw: E::cpu_storage_as_slice(s)?, layout }));
        let (out, dims) = self.0.forward(&args.collect::<Result<Vec<Arg<E>>>>()?)?;
        Ok((E::to_cpu_storage_owned(out), Shape::from(dims)))
    }

    fn grads(&self, args: &[&Tensor], out: &Tensor, grad: &Tensor) -> Result<Vec<Option<Tensor>>> {
        match grad.dtype() {
            DType::F32 => self.grads_as::<f32>(args, out, grad),
            DType::F64 => self.grads_as::<f64>(args, out, grad),
            other => bail!("{} takes f32 or f64, not {other:?}", K::NAME),
        }
    }

    fn grads_as<E: Elem + WithDType>(
        &self,
        args: &[&Tensor],
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<Vec<Option<Tensor>>> {
        let wanted: Vec<bool> = args.iter().map(|a| a.track_op()).collect();
        let tensors = args.iter().copied().chain([out, grad]);
        let locks: Vec<_> = tensors.map(|t| t.storage_and_layout()).collect();
        let mut views = Vec::with_capacity(locks.len());
        for (storage, layout) in &locks {
            let Storage::Cpu(storage) = &**storage else { bail!("{}: a gradient left the CPU", K::NAME) };
            views.push(Arg { raw: E::cpu_storage_as_slice(storage)?, layout });
        }
        let grads =
            self.0.backward::<E>(&views[..args.len()], &views[args.len()], &views[args.len() + 1].data(), &wanted)?;
        let tensor = |(g, arg): (Option<Vec<E>>, &&Tensor)| {
            g.map(|g| Tensor::from_vec(g, arg.shape(), &Device::Cpu)).transpose()
        };
        grads.into_iter().zip(args).map(tensor).collect()
    }
}

impl<K: Native> CustomOp1 for Adapter<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }
    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        self.run(&[(s, l)])
    }
    fn bwd(&self, a: &Tensor, out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(self.grads(&[a], out, grad)?.pop().flatten())
    }
}

impl<K: Native> CustomOp2 for Adapter<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }
    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        self.run(&[(s1, l1), (s2, l2)])
    }
    fn bwd(&self, a: &Tensor, b: &Tensor, out: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut grads = self.grads(&[a, b], out, grad)?.into_iter();
        Ok((grads.next().flatten(), grads.next().flatten()))
    }
}

impl<K: Native> CustomOp3 for Adapter<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }
    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.run(&[(s1, l1), (s2, l2), (s3, l3)])
    }
    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut grads = self.grads(&[a, b, c], out, grad)?.into_iter();
        Ok((grads.next().flatten(), grads.next().flatten(), grads.next().flatten()))
    }
}
