//! Threads that share one step at a time: a fork and join of a microsecond or two.
//!
//! The threads are started once. Between steps they look for the next one, first without pause, then letting others
//! go first, and at last asleep. A step is open while its caller has not run out of tasks; a thread that comes
//! late finds it closed and is not waited for. So a caller is held up only by tasks that were begun, never by a
//! thread that has no core to run on.

use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Looks at a condition without letting others run: ten to twenty microseconds.
const SPINS: usize = 500;
/// Looks at a condition between others' turns, before sleep.
const PATIENCE: Duration = Duration::from_micros(150);

/// Threads that work together: the caller of [`ThreadPool::run`] and those that wait for it.
pub struct ThreadPool {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

/// What a step calls.
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// A step's work, its lifetime forgotten.
struct Job {
    work: *const Work<'static>,
    tasks: usize,
    /// Threads that tasks are shared among at first.
    shares: usize,
}

impl Job {
    /// The first task of a share.
    fn first(&self, share: usize) -> usize {
        (share as u128 * self.tasks as u128 / self.shares as u128) as usize
    }
}

/// A cache line of its own (two, as processors fetch them in pairs), so that threads do not slow each other down.
#[repr(align(128))]
struct Padded<T>(T);

struct Shared {
    /// The number of the step: odd while it is open, even when it is closed. Written by callers only.
    step: Padded<AtomicUsize>,
    /// For each thread the next of the tasks that fall to it.
    next: Vec<Padded<AtomicUsize>>,
    /// Threads that are in the open step, or looking whether it is still open.
    inside: Padded<AtomicUsize>,
    /// Whether a caller has the thread pool.
    busy: Padded<AtomicBool>,
    /// Whether the threads are to end.
    stop: AtomicBool,
    /// Written by the caller that has the thread pool while the step is closed and no one inside; read by those inside.
    job: UnsafeCell<Job>,
    /// What a task panicked with, the first of them.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Wakes the threads; the first belongs to the caller.
    bells: Vec<Padded<Bell>>,
}

// SAFETY: `job` is the one part that is not `Sync` by itself; its comment says who touches it when, `step` and
// `inside` hold them to it, and the work that it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// Where a thread sleeps until another rings.
#[derive(Default)]
struct Bell {
    asleep: AtomicBool,
    lock: Mutex<()>,
    condvar: Condvar,
}

impl Bell {
    /// Returns when `done` holds. Whoever makes it hold rings afterwards.
    fn wait(&self, done: impl Fn() -> bool) {
        for _ in 0..SPINS {
            if done() {
                return;
            }
            std::hint::spin_loop();
        }
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if done() {
                return;
            }
            std::thread::yield_now();
        }
        // Either the ringer sees `asleep`, or the condition is seen here: all of these are in one total order.
        self.asleep.store(true, SeqCst);
        let mut guard = lock(&self.lock);
        while !done() {
            guard = self.condvar.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.asleep.store(false, SeqCst);
    }

    /// Wakes the sleeper, if there is one.
    fn ring(&self) {
        if self.asleep.load(SeqCst) {
            // Between its last look at the condition and its sleep the sleeper holds the lock.
            drop(lock(&self.lock));
            self.condvar.notify_one();
        }
    }
}

/// A lock that no panic spoils: what it guards is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Rings for the two threads that this one wakes, where there are tasks for them: so all are awake after a
    /// number of steps that grows with the logarithm of theirs.
    fn wake(&self, worker: usize, tasks: usize) {
        let children = 2 * worker + 1..2 * worker + 3;
        children.take_while(|&child| child < tasks.min(self.bells.len())).for_each(|child| self.bells[child].0.ring());
    }

    /// Takes the tasks of its own share, then what others have left. A panic ends the step: the tasks that no one has
    /// begun are not run.
    fn work(&self, worker: usize, job: &Job) {
        // SAFETY: the caller returns from `run`, whose argument this is, after all who are inside have left.
        let work = unsafe { &*job.work };
        let tasks = AssertUnwindSafe(|| {
            for turn in 0..job.shares {
                let share = (worker + turn) % job.shares;
                let (next, end) = (&self.next[share].0, job.first(share + 1));
                while next.load(Relaxed) < end {
                    let task = next.fetch_add(1, Relaxed);
                    if task < end {
                        work(worker, task);
                    }
                }
            }
        });
        if let Err(payload) = catch_unwind(tasks) {
            self.next.iter().for_each(|next| next.0.store(job.tasks, Relaxed));
            lock(&self.panic).get_or_insert(payload);
        }
    }

    /// The life of a thread.
    fn serve(&self, worker: usize) {
        let mut seen = 0;
        loop {
            let new = |step: usize| step != seen && step % 2 == 1;
            self.bells[worker].0.wait(|| new(self.step.0.load(SeqCst)));
            if self.stop.load(SeqCst) {
                return;
            }
            // Entering before looking again: the caller closes before it counts, so that one of the two sees the other.
            self.inside.0.fetch_add(1, SeqCst);
            seen = self.step.0.load(SeqCst);
            if seen % 2 == 1 {
                // SAFETY: the step is open and will not be replaced while this thread is inside; reading its number
                // has made visible what was written before it.
                let job = unsafe { &*self.job.get() };
                self.wake(worker, job.tasks);
                self.work(worker, job);
            }
            if self.inside.0.fetch_sub(1, SeqCst) == 1 {
                self.bells[0].0.ring();
            }
        }
    }

    /// Opens a step, works on it, closes it, and waits for those inside.
    fn lead(&self, tasks: usize, work: &Work) {
        // SAFETY: only the lifetime changes; no one is inside when this function returns, so no one calls it later.
        let work = unsafe { std::mem::transmute::<*const Work, *const Work<'static>>(work) };
        // SAFETY: this caller has the thread pool, the step is closed and no one is inside.
        let job = unsafe {
            *self.job.get() = Job { work, tasks, shares: tasks.clamp(1, self.next.len()) };
            &*self.job.get()
        };
        for (share, next) in self.next[..job.shares].iter().enumerate() {
            next.0.store(job.first(share), Relaxed);
        }
        self.step.0.fetch_add(1, SeqCst);
        self.wake(0, tasks);
        self.work(0, job);
        self.step.0.fetch_add(1, SeqCst);
        self.bells[0].0.wait(|| self.inside.0.load(SeqCst) == 0);
    }
}

impl ThreadPool {
    /// A thread pool of so many threads, the caller's counted; at least one. It is smaller where the system gives no more.
    pub fn new(threads: usize) -> Self {
        let bells = (0..threads.max(1)).map(|_| Padded(Bell::default())).collect();
        let shared = Arc::new(Shared {
            step: Padded(AtomicUsize::new(0)),
            next: (0..threads.max(1)).map(|_| Padded(AtomicUsize::new(0))).collect(),
            inside: Padded(AtomicUsize::new(0)),
            busy: Padded(AtomicBool::new(false)),
            stop: AtomicBool::new(false),
            job: UnsafeCell::new(Job { work: &|_: usize, _: usize| {}, tasks: 0, shares: 1 }),
            panic: Mutex::new(None),
            bells,
        });
        let start = |worker: usize| {
            let shared = Arc::clone(&shared);
            let builder = std::thread::Builder::new().name(format!("archc-{worker}"));
            builder.spawn(move || shared.serve(worker)).ok()
        };
        let handles = (1..threads).map_while(start).collect();
        Self { shared, handles }
    }

    /// Threads, the caller's counted.
    pub fn threads(&self) -> usize {
        self.handles.len() + 1
    }

    /// Calls `f(worker, task)` once for every task in `0..tasks`, and returns when all are done. `worker` is below
    /// [`threads`](Self::threads), and no two calls at once have the same. Neighbouring tasks fall to the same worker, the
    /// same ones in every step, so that each finds near it what it made in the step before; a worker that has done its
    /// share takes what others have left. Allocates nothing.
    ///
    /// A thread pool does one step at a time. While it does, any other call, from another thread or from within a task, runs
    /// all of its tasks on its own thread, as worker 0: workers are told apart within a call only, and so memory that is
    /// indexed by them must belong to the call.
    ///
    /// # Panics
    /// With what a task panicked with; tasks that were not begun are then left out. The thread pool can be used again.
    pub fn run(&self, tasks: usize, f: &(dyn Fn(usize, usize) + Sync)) {
        let alone = tasks <= 1 || self.handles.is_empty();
        if alone || self.shared.busy.0.swap(true, SeqCst) {
            return (0..tasks).for_each(|task| f(0, task));
        }
        self.shared.lead(tasks, f);
        let panic = lock(&self.shared.panic).take();
        self.shared.busy.0.store(false, SeqCst);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.shared.step.0.fetch_add(1, SeqCst);
        self.shared.bells.iter().for_each(|bell| bell.0.ring());
        // Threads do not panic: `work` catches.
        self.handles.drain(..).for_each(|handle| drop(handle.join()));
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Team").field("threads", &self.threads()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    /// Steps of all sizes; each task is called once, each worker does one task at a time, and what the tasks wrote
    /// can be read by the caller without a lock.
    #[test]
    fn every_task_runs_once() {
        for threads in 1..=8 {
            let thread_pool = ThreadPool::new(threads);
            let steps = if cfg!(miri) { 20 } else { 3000 };
            let mut sums = vec![0u64; 40];
            for step in 0..steps {
                let tasks = step * 7 % 41;
                let sums_at = crate::parallel::Parts::new(&mut sums);
                let inside: [AtomicBool; 8] = Default::default();
                thread_pool.run(tasks, &|worker, task| {
                    assert!(worker < threads && !inside[worker].swap(true, SeqCst), "one task a worker");
                    // SAFETY: each task has an element of its own.
                    unsafe { sums_at.range(task, 1)[0] += step as u64 };
                    inside[worker].store(false, SeqCst);
                });
            }
            for (task, sum) in sums.iter().enumerate() {
                let want: usize = (0..steps).filter(|step| step * 7 % 41 > task).sum();
                assert_eq!(*sum, want as u64, "task {task} of {threads} threads");
            }
        }
    }

    /// Steps so far apart that the threads sleep in between still get their help.
    #[test]
    fn sleepers_wake() {
        let thread_pool = ThreadPool::new(7);
        for pause in [0, 100, 400, 2000, 5000] {
            std::thread::sleep(Duration::from_micros(pause));
            let helped = AtomicU64::new(0);
            let start = Instant::now();
            // Seven tasks that each wait for all workers: with one asleep they would wait for ever.
            thread_pool.run(7, &|worker, _| {
                helped.fetch_or(1 << worker, SeqCst);
                while helped.load(SeqCst) != 0x7f && start.elapsed() < Duration::from_secs(20) {
                    std::thread::yield_now();
                }
            });
            assert_eq!(helped.load(SeqCst), 0x7f, "after {pause} µs");
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let thread_pool = ThreadPool::new(3);
        for round in 0..20 {
            let run = || thread_pool.run(10, &|_, task| assert!(task != round % 10, "task {task}"));
            let payload = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert_eq!(*payload.downcast::<String>().unwrap(), format!("task {}", round % 10));
            let count = AtomicU64::new(0);
            thread_pool.run(10, &|_, _| _ = count.fetch_add(1, SeqCst));
            assert_eq!(count.into_inner(), 10, "the thread_pool goes on");
        }
    }

    #[test]
    fn steps_within_tasks_and_from_other_threads() {
        let thread_pool = ThreadPool::new(3);
        let count = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        thread_pool.run(4, &|_, _| thread_pool.run(3, &|_, _| _ = count.fetch_add(1, SeqCst)));
                    }
                });
            }
        });
        assert_eq!(count.into_inner(), 4 * 50 * 4 * 3);
    }
}
