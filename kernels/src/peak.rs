//! What this machine can do at most, measured: the yardstick of profiles.

use super::arena::Arena;
use super::blocked::Cpu;
use super::isa::Kernel;
use super::vector::{LANES, Vector};
use std::hint::black_box;
use std::time::Instant;

/// Floats that each thread reads for the bandwidth: 64 MiB, more than caches hold.
const STREAM: usize = 1 << 24;

/// Multiply-adds that each thread chains in one measurement, per accumulator.
const CHAIN: usize = 1 << 17;

/// Accumulators: enough to hide the latency of a fused multiply-add.
const ACCUMULATORS: usize = 12;

/// Measurements, of which the best counts.
const ROUNDS: usize = 5;

/// Rates of all threads of a thread pool together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Floating-point operations a second, a multiply-add being two, on registers alone.
    pub flops: f64,
    /// Bytes a second, read from memory.
    pub bandwidth: f64,
}

/// Measures; takes some tens of milliseconds and 64 MiB a thread.
pub fn measure(cpu: &Cpu) -> Peak {
    let threads = cpu.thread_pool.threads();
    let multiply = |_, _| {
        black_box(cpu.isa.run(Multiply));
    };
    let done = threads * CHAIN * ACCUMULATORS * LANES * 2;
    let data = Arena::new(STREAM * threads);
    let read = |_, task: usize| {
        black_box(cpu.isa.run(Read(&data.floats()[task * STREAM..(task + 1) * STREAM])));
    };
    let bytes = data.len() * size_of::<f32>();
    // The first round wakes the threads and touches the pages.
    Peak {
        flops: best(done, || cpu.thread_pool.run(threads, &multiply)),
        bandwidth: best(bytes, || cpu.thread_pool.run(threads, &read)),
    }
}

/// How much is done in a second, at best.
fn best(amount: usize, work: impl Fn()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    amount as f64 / (0..=ROUNDS).map(time).skip(1).fold(f64::INFINITY, f64::min)
}

struct Multiply;

impl Kernel for Multiply {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        let factor = V::splat(black_box(0.999));
        let mut sums = [V::splat(black_box(1.0)); ACCUMULATORS];
        for _ in 0..CHAIN {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, factor);
            }
        }
        first(sums.into_iter().fold(V::zero(), V::add))
    }
}

struct Read<'a>(&'a [f32]);

impl Kernel for Read<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        let mut sums = [V::zero(); 8];
        for eight in self.0.chunks_exact(8 * LANES) {
            for (sum, sixteen) in sums.iter_mut().zip(eight.chunks_exact(LANES)) {
                // SAFETY: a chunk has sixteen floats.
                *sum = sum.add(unsafe { V::load(sixteen.as_ptr()) });
            }
        }
        first(sums.into_iter().fold(V::zero(), V::add))
    }
}

#[inline(always)]
fn first<V: Vector>(sum: V) -> f32 {
    let mut lanes = [0.0; LANES];
    // SAFETY: the array has sixteen floats.
    unsafe { sum.store(lanes.as_mut_ptr()) };
    lanes[0]
}
