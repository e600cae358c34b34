//! What a run allocates: nothing, once the arena is there; and the arena is as large as planned.
//!
//! The allocator counts for threads that ask for it only, so that tests beside this one do not matter.

use crate::random::random;
use crate::sketch::{inputs, parameters};
use archc::engine::{Engine, Input, SessionOptions};
use archc::kernels::ThreadPool;
use archc::{Network, Options};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};

/// The start of an arena is a multiple of this, and that of little else.
const ARENA_ALIGNMENT: usize = 64;

/// Allocations of watched threads, and bytes of those aligned as arenas are.
static COUNT: AtomicUsize = AtomicUsize::new(0);
static ARENAS: AtomicUsize = AtomicUsize::new(0);

/// Tests that watch run one after another.
static ONE: Mutex<()> = Mutex::new(());

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

fn note(layout: Layout, size: usize) {
    if WATCHED.get() {
        COUNT.fetch_add(1, SeqCst);
        if layout.align() == ARENA_ALIGNMENT {
            ARENAS.fetch_add(size, SeqCst);
        }
    }
}

// SAFETY: all is handed to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout, layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout, layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(layout, size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(start, layout, size) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Has every thread of a thread pool watched, or left alone.
fn watch(thread_pool: &ThreadPool, watched: bool) {
    let all = Barrier::new(thread_pool.threads());
    // No thread leaves before all have come, so each takes one task.
    thread_pool.run(thread_pool.threads(), &|_, _| {
        WATCHED.set(watched);
        all.wait();
    });
}

/// Allocations while `f` runs, by this thread and a thread pool's, and bytes of arenas among them.
fn allocated(thread_pool: &ThreadPool, f: impl FnOnce()) -> (usize, usize) {
    watch(thread_pool, true);
    COUNT.store(0, SeqCst);
    ARENAS.store(0, SeqCst);
    f();
    let found = (COUNT.load(SeqCst), ARENAS.load(SeqCst));
    watch(thread_pool, false);
    found
}

fn check(network: Network, batch: usize, threads: usize) {
    let place = format!("{} with {} nodes", network.name, network.graph.len());
    let (weights, given) = (parameters(&network.graph, 1), inputs(&network.graph, batch, 2));
    let given: Vec<Input> = given.iter().map(|(name, dims, data)| Input { name, dims, data }).collect();
    let numbers = |output: &archc::graph::Output| network.graph.shape(output.node).elements().unwrap() as usize * batch;
    let mut numbers: Vec<Vec<f32>> = network.graph.outputs.iter().map(|output| vec![0.0; numbers(output)]).collect();
    let mut outputs: Vec<&mut [f32]> = numbers.iter_mut().map(Vec::as_mut_slice).collect();
    let engine = Engine::of(network, Arc::new(weights));
    let thread_pool = Arc::new(ThreadPool::new(threads));
    let session =
        || engine.session(SessionOptions { thread_pool: Some(thread_pool.clone()), ..SessionOptions::default() });
    // The first session has the plan made, the second finds it.
    session().run_into(&given, &mut outputs).unwrap();
    let mut session = session();
    let (_, arena) = allocated(&thread_pool, || session.run_into(&given, &mut outputs).unwrap());
    assert_eq!(arena as u64, session.plan().unwrap().peak, "{place}: the arena is as planned");
    for run in 0..3 {
        let (count, _) = allocated(&thread_pool, || session.run_into(&given, &mut outputs).unwrap());
        assert_eq!(count, 0, "{place}: run {run} allocates");
    }
}

#[test]
fn a_watched_thread_is_counted() {
    let _one = ONE.lock();
    let thread_pool = ThreadPool::new(3);
    let (count, _) = allocated(&thread_pool, || {
        let all = Barrier::new(3);
        thread_pool.run(3, &|_, _| {
            std::hint::black_box(vec![1u8; 100]);
            all.wait();
        });
    });
    assert!(count >= 3, "{count}");
    assert_eq!(allocated(&thread_pool, || {}).0, 0);
}

#[test]
fn examples_allocate_nothing_after_the_first_run() {
    let _one = ONE.lock();
    let table = [("resnet", "ResNet18", 64), ("densenet", "DenseNet121", 64), ("unet", "UNet", 64)];
    for (file, model, size) in table {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file).with_extension("arch");
        let (model, spatial) = (Some(model.to_string()), Some(vec![size, size]));
        let compiled = archc::compile(&path, &Options { model, spatial, ..Options::default() });
        let network = compiled.network.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        check(network.clone(), 1, 2);
        check(network, 2, 3);
    }
}

#[test]
fn no_op_allocates_after_the_first_run() {
    let _one = ONE.lock();
    let mut kinds = BTreeSet::new();
    for seed in 0..250 {
        let network = random(seed);
        kinds.extend(network.graph.order().map(|node| network.graph.node(node).op.layer().kind()));
        check(network, 1 + seed as usize % 2, 1 + seed as usize % 3);
    }
    let layers = archc::ops::layers().iter().map(|layer| layer.name);
    let merges = ["add", "concat", "mul", "gate", "fit_crop", "fit_pad", "zero_pad"];
    let missing: Vec<&str> = layers.chain(merges).filter(|kind| !kinds.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?} were not run");
}
