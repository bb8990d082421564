//! What is to be done, in the order of the archive: the earliest blob first, and its segments in their order.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Work by the blob's number and the offset in it. Work may add more work, so the end is when
/// nothing waits and nothing runs.
#[derive(Debug)]
pub(super) struct Queue<W> {
    state: Mutex<State<W>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<W> {
    waiting: BTreeMap<(usize, u64), W>,
    running: usize,
}

impl<W> Queue<W> {
    pub(super) fn new(work: impl IntoIterator<Item = ((usize, u64), W)>) -> Self {
        let state = State { waiting: work.into_iter().collect(), running: 0 };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Adds work; whoever calls it holds work itself.
    pub(super) fn add(&self, key: (usize, u64), work: W) {
        self.state().waiting.insert(key, work);
        self.changed.notify_waiters();
    }

    /// The next work; `None` when all is done. [`Queue::done`] must follow each.
    pub(super) async fn next(&self) -> Option<(usize, W)> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if let Some(((job, _), work)) = state.waiting.pop_first() {
                    state.running += 1;
                    return Some((job, work));
                }
                if state.running == 0 {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Says that one piece of work is done.
    pub(super) fn done(&self) {
        self.state().running -= 1;
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_adds_work_is_waited_for() {
        let queue = Queue::new([((1, 0), "second"), ((0, 0), "first")]);
        assert_eq!(queue.next().await, Some((0, "first")));
        assert_eq!(queue.next().await, Some((1, "second")));
        queue.done();
        let (late, ()) = tokio::join!(queue.next(), async {
            queue.add((0, 9), "segment");
        });
        assert_eq!(late, Some((0, "segment")));
        queue.done();
        let (end, ()) = tokio::join!(queue.next(), async { queue.done() });
        assert_eq!(end, None);
    }
}
