//! A bounded queue that hands out results in the order of their tickets, whichever thread made them.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Results by ticket. Workers claim tickets; at most `depth` results wait to be taken.
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    depth: usize,
    end: Option<usize>,
}

struct State<T> {
    claimed: usize,
    taken: usize,
    ready: BTreeMap<usize, T>,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue of the tickets from `start` up to `end` (for ever without one).
    pub fn new(start: usize, end: Option<usize>, depth: usize) -> Self {
        let state = State { claimed: start, taken: start, ready: BTreeMap::new(), closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), depth: depth.max(1), end }
    }

    /// The next ticket to work on, as soon as there is room for its result; `None` when there is nothing left to do.
    pub fn claim(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.closed || self.end.is_some_and(|end| state.claimed >= end) {
                return None;
            }
            if state.claimed < state.taken + self.depth {
                state.claimed += 1;
                return Some(state.claimed - 1);
            }
            state = self.wait(state);
        }
    }

    /// Hands in the result of a ticket.
    pub fn put(&self, ticket: usize, result: T) {
        self.lock().ready.insert(ticket, result);
        self.changed.notify_all();
    }

    /// The result of the next ticket, waiting for it; `None` after the last.
    pub fn take(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            let next = state.taken;
            if let Some(result) = state.ready.remove(&next) {
                state.taken += 1;
                self.changed.notify_all();
                return Some(result);
            }
            if state.closed || self.end.is_some_and(|end| next >= end) {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// Lets everyone who waits go.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}
