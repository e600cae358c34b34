//! Threads that share one step at a time.

/// Threads that work together: the caller of [`Team::run`] and those that wait for it.
#[derive(Debug)]
pub struct Team {
    threads: usize,
}

impl Team {
    /// A team of so many threads, the caller's counted; at least one.
    pub fn new(threads: usize) -> Self {
        Self { threads: threads.max(1) }
    }

    /// Threads, the caller's counted.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Calls `f(worker, task)` once for every task in `0..tasks`, and returns when all are done. `worker` is below
    /// [`threads`](Self::threads), and no two calls at once have the same.
    pub fn run(&self, tasks: usize, f: &(dyn Fn(usize, usize) + Sync)) {
        (0..tasks).for_each(|task| f(0, task));
    }
}
