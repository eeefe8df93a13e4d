//! What several wait for at once is made once.
//!
//! When something happens, all open pages ask again together. Who asks stands in a line with those who ask for the same; whoever
//! is first makes it for all who stand there by then, and who comes meanwhile waits for the next making.
//!
//! Invariants
//! - Whoever asks gets what was begun after they asked: nothing is older than if they were alone.
//! - Nothing is kept: what was made goes to those who wait, and to nobody later.
//! - The key has in it all that the thing depends on beside time and the database. What differs from one person to
//!   the next, as the words of forms do, is no part of such a thing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, oneshot};

pub(super) struct Shared<T>(Mutex<HashMap<String, Line<T>>>);

/// Those who wait for one thing.
struct Line<T> {
    /// Whoever has it makes the thing.
    turn: Arc<Turn<()>>,
    waiting: Vec<oneshot::Sender<T>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Shared<T> {
    /// What `work` makes, or what somebody else made of the same `key` since this was called.
    pub(super) async fn make<E>(
        &self,
        key: String,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let (turn, mut made) = self.stand(&key);
        let _mine = tokio::select! {
            biased;
            // Who was to make it may have failed, or gone away.
            Ok(made) = &mut made => return Ok(made),
            mine = turn.lock_owned() => mine,
        };
        if let Ok(made) = made.try_recv() {
            return Ok(made);
        }
        let waiting = self.begin(&key);
        let made = work.await?;
        for one in waiting {
            // Whoever went away needs it no more.
            drop(one.send(made.clone()));
        }
        Ok(made)
    }

    fn stand(&self, key: &str) -> (Arc<Turn<()>>, oneshot::Receiver<T>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Who waits has the turn, too.
        lines.retain(|_, line| Arc::strong_count(&line.turn) > 1);
        let line = lines.entry(key.to_owned()).or_insert_with(|| Line {
            turn: Arc::default(),
            waiting: Vec::new(),
        });
        let (one, made) = oneshot::channel();
        line.waiting.push(one);
        (Arc::clone(&line.turn), made)
    }

    /// Those for whom it is made from now on.
    fn begin(&self, key: &str) -> Vec<oneshot::Sender<T>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.get_mut(key);
        line.map(|line| std::mem::take(&mut line.waiting))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt as _;
    use futures_util::future::{join3, pending};
    use tokio::task::yield_now;

    use super::*;

    /// Makes the number of the making, which takes a while.
    async fn count(made: &Cell<u32>) -> Result<u32, ()> {
        made.set(made.get() + 1);
        let number = made.get();
        yield_now().await;
        yield_now().await;
        Ok(number)
    }

    #[tokio::test]
    async fn who_asks_while_it_is_made_waits_for_the_next_making() {
        let (shared, made) = (Shared::default(), Cell::new(0));
        let ask = || shared.make("list".to_owned(), count(&made));
        let late = async {
            yield_now().await;
            ask().await
        };
        let later = async {
            yield_now().await;
            ask().await
        };
        let (first, late, later) = join3(ask(), late, later).await;
        assert_eq!([first, late, later], [Ok(1), Ok(2), Ok(2)]);
        assert_eq!(ask().await, Ok(3), "nothing is kept");
    }

    #[tokio::test]
    async fn what_has_another_key_is_made_by_itself() {
        let (shared, made) = (Shared::default(), Cell::new(0));
        let ask = |key: &str| shared.make(key.to_owned(), count(&made));
        let all = join3(ask("a"), ask("b"), ask("c")).await;
        assert_eq!(all, (Ok(1), Ok(2), Ok(3)));
    }

    #[tokio::test]
    async fn who_waits_makes_it_where_the_first_fails_or_goes_away() {
        let (shared, made) = (Shared::default(), Cell::new(0));
        let key = || "list".to_owned();
        let ask = || shared.make(key(), count(&made));
        let mut gone = Box::pin(shared.make(key(), pending::<Result<u32, ()>>()));
        assert!(gone.as_mut().now_or_never().is_none());
        let mut waits = Box::pin(ask());
        assert!(waits.as_mut().now_or_never().is_none());
        drop(gone);
        assert_eq!(waits.await, Ok(1));

        let fails = shared.make(key(), async {
            yield_now().await;
            Err(())
        });
        let all = join3(fails, ask(), ask()).await;
        assert_eq!(all, (Err(()), Ok(2), Ok(2)));
    }
}
