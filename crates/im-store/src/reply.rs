//! A result that comes later from another thread: await it or wait for it.
//!
//! Standard library only, so the store's API belongs to no async runtime.

use std::{
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::StoreError;

/// The result of a database job.
///
/// The job runs whether or not anyone waits for it.
#[must_use = "the job runs anyway, but its error would be lost"]
pub struct Pending<T, E> {
    slot: Arc<Slot<Result<T, E>>>,
}

struct Slot<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
}

enum State<R> {
    Waiting(Option<Waker>),
    Done(R),
    /// The job was dropped without an answer, or the answer was taken.
    Gone,
}

impl<R> Slot<R> {
    // The lock is never held across a panic, so a poisoned state is still whole.
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, new: State<R>) {
        let old = std::mem::replace(&mut *self.lock(), new);
        self.changed.notify_all();
        if let State::Waiting(Some(waker)) = old {
            waker.wake();
        }
    }
}

/// Where the job puts its result. Dropped without one, the waiting side learns that too.
pub(crate) struct Reply<T, E> {
    slot: Arc<Slot<Result<T, E>>>,
}

impl<T, E> Reply<T, E> {
    pub(crate) fn send(self, result: Result<T, E>) {
        self.slot.set(State::Done(result));
    }
}

impl<T, E> Drop for Reply<T, E> {
    fn drop(&mut self) {
        let waiting = matches!(*self.slot.lock(), State::Waiting(_));
        if waiting {
            self.slot.set(State::Gone);
        }
    }
}

/// Makes both ends.
pub(crate) fn pair<T, E>() -> (Reply<T, E>, Pending<T, E>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State::Waiting(None)),
        changed: Condvar::new(),
    });
    (
        Reply {
            slot: Arc::clone(&slot),
        },
        Pending { slot },
    )
}

impl<T, E: From<StoreError>> Pending<T, E> {
    /// Blocks this thread until the job has run. Not for threads of an async runtime.
    pub fn wait(self) -> Result<T, E> {
        let mut state = self.slot.lock();
        loop {
            match std::mem::replace(&mut *state, State::Gone) {
                State::Done(result) => return result,
                State::Gone => return Err(StoreError::closed().into()),
                waiting @ State::Waiting(_) => *state = waiting,
            }
            state = self
                .slot
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T, E: From<StoreError>> Future for Pending<T, E> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.slot.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Done(result) => Poll::Ready(result),
            State::Gone => Poll::Ready(Err(StoreError::closed().into())),
            State::Waiting(_) => {
                *state = State::Waiting(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}
