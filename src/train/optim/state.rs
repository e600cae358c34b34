//! What an optimizer remembers of a parameter, and how an update reaches it.

use super::{Update, rules, tensors};
use crate::train::real::Real;
use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Result, Tensor, Var, bail};
use rayon::prelude::*;
use std::cell::RefCell;

/// Elements that one thread updates at a time: enough to outweigh handing it over.
const CHUNK: usize = 1 << 14;

/// One buffer for each slot, of the parameter's size: slices where the CPU updates in place, tensors elsewhere.
pub enum Memory {
    /// On the CPU, single precision.
    F32(Vec<Vec<f32>>),
    /// On the CPU, double precision.
    F64(Vec<Vec<f64>>),
    /// Anywhere else.
    Tensors(Vec<Tensor>),
}

impl Memory {
    /// Zeros for this many slots.
    pub fn new(var: &Var, slots: usize) -> Result<Self> {
        let n = var.elem_count();
        Ok(match (var.device().is_cpu(), var.dtype()) {
            (true, DType::F32) => Self::F32(vec![vec![0.0; n]; slots]),
            (true, DType::F64) => Self::F64(vec![vec![0.0; n]; slots]),
            _ => Self::Tensors((0..slots).map(|_| var.zeros_like()).collect::<Result<_>>()?),
        })
    }

    /// From saved tensors, one for each slot.
    pub fn load(var: &Var, saved: &[&Tensor]) -> Result<Self> {
        if let Some(other) = saved.iter().find(|t| t.dims() != var.dims()) {
            bail!("the optimizer's state is {:?} where the parameter is {:?}", other.dims(), var.dims());
        }
        Ok(match Self::new(var, 0)? {
            Self::F32(_) => Self::F32(saved.iter().map(|t| t.flatten_all()?.to_vec1()).collect::<Result<_>>()?),
            Self::F64(_) => Self::F64(saved.iter().map(|t| t.flatten_all()?.to_vec1()).collect::<Result<_>>()?),
            Self::Tensors(_) => Self::Tensors(saved.iter().map(|t| t.to_device(var.device())).collect::<Result<_>>()?),
        })
    }

    /// As tensors of the parameter's shape, on the CPU.
    pub fn save(&self, dims: &[usize]) -> Result<Vec<Tensor>> {
        let cpu = &candle_core::Device::Cpu;
        match self {
            Self::F32(slots) => slots.iter().map(|s| Tensor::from_slice(s, dims, cpu)).collect(),
            Self::F64(slots) => slots.iter().map(|s| Tensor::from_slice(s, dims, cpu)).collect(),
            Self::Tensors(slots) => slots.iter().map(|s| s.to_device(cpu)).collect(),
        }
    }

    /// Updates the parameter and the memory.
    pub fn apply(&mut self, update: &Update, var: &Var, gradient: &Tensor) -> Result<()> {
        match self {
            Self::Tensors(slots) => tensors::update(update, var, gradient, slots),
            memory => {
                let gradient = gradient.contiguous()?;
                var.as_tensor().inplace_op2(&gradient, &InPlace { update, memory: RefCell::new(memory) })
            }
        }
    }
}

/// The fused pass, as candle lets at a parameter's storage.
struct InPlace<'a> {
    update: &'a Update<'a>,
    memory: RefCell<&'a mut Memory>,
}

impl InplaceOp2 for InPlace<'_> {
    fn name(&self) -> &'static str {
        "optimizer_step"
    }

    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        let (Some((from, to)), Some((g_from, g_to))) = (l1.contiguous_offsets(), l2.contiguous_offsets()) else {
            bail!("a parameter and its gradient must be contiguous");
        };
        if to - from != g_to - g_from {
            bail!("a gradient {:?} does not fit its parameter {:?}", l2.dims(), l1.dims());
        }
        match (&mut **self.memory.borrow_mut(), s1, s2) {
            (Memory::F32(slots), CpuStorage::F32(p), CpuStorage::F32(g)) => {
                in_chunks(self.update, &mut p[from..to], &g[g_from..g_to], slots)
            }
            (Memory::F64(slots), CpuStorage::F64(p), CpuStorage::F64(g)) => {
                in_chunks(self.update, &mut p[from..to], &g[g_from..g_to], slots)
            }
            _ => bail!("a gradient is not of its parameter's type"),
        }
        Ok(())
    }
}

/// The update of a parameter, large ones by several threads. Elements do not depend on one another, so neither
/// does the result on the number of threads.
fn in_chunks<T: Real>(update: &Update, p: &mut [T], g: &[T], slots: &mut [Vec<T>]) {
    let mut slots: Vec<&mut [T]> = slots.iter_mut().map(Vec::as_mut_slice).collect();
    if p.len() <= CHUNK {
        return rules::update(update, p, g, &mut slots);
    }
    let mut pieces: Vec<_> = p.chunks_mut(CHUNK).zip(g.chunks(CHUNK)).map(|(p, g)| (p, g, Vec::new())).collect();
    for slot in slots {
        pieces.iter_mut().zip(slot.chunks_mut(CHUNK)).for_each(|(piece, chunk)| piece.2.push(chunk));
    }
    pieces.into_par_iter().for_each(|(p, g, mut slots)| rules::update(update, p, g, &mut slots));
}
