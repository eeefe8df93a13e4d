//! A bounded queue between callers and database threads.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::StoreError;

pub(crate) struct Queue<J> {
    state: Mutex<State<J>>,
    filled: Condvar,
    limit: usize,
}

struct State<J> {
    jobs: VecDeque<J>,
    /// Jobs that were taken last and are being run.
    taken: usize,
    open: bool,
}

impl<J> Queue<J> {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            taken: 0,
            open: true,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            limit,
        }
    }

    /// Adds a job, or gives the reason why not. Never waits.
    pub(crate) fn push(&self, job: J) -> Result<(), (J, StoreError)> {
        let mut state = self.lock();
        if !state.open {
            return Err((job, StoreError::closed()));
        }
        if state.jobs.len() >= self.limit {
            return Err((job, StoreError::Overloaded));
        }
        state.jobs.push_back(job);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for work and takes at most `limit` jobs, oldest first.
    /// Empty only when the queue is closed and everything was taken.
    pub(crate) fn take(&self, limit: usize) -> Vec<J> {
        let mut state = self.lock();
        state.taken = 0;
        while state.open && state.jobs.is_empty() {
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let count = state.jobs.len().min(limit);
        state.taken = count;
        state.jobs.drain(..count).collect()
    }

    /// Takes no more jobs; those inside are still run.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.filled.notify_all();
    }

    /// Takes no more jobs and forgets those inside.
    pub(crate) fn abandon(&self) {
        let forgotten = {
            let mut state = self.lock();
            state.open = false;
            std::mem::take(&mut state.jobs)
        };
        self.filled.notify_all();
        drop(forgotten);
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Jobs that wait, and those that the one thread which takes them is running.
    pub(crate) fn under_way(&self) -> usize {
        let state = self.lock();
        state.jobs.len() + state.taken
    }

    // The lock is never held while foreign code runs, so a poisoned state is still whole.
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
