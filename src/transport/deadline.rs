//! Deadlines that stand still while a person thinks about a question.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Measures time spent waiting for machines, not for people.
#[derive(Debug, Clone)]
pub struct Clock {
    /// How many people are thinking just now.
    thinking: Arc<watch::Sender<usize>>,
}

/// The time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut;

/// The clock stands still for as long as this lives.
#[derive(Debug)]
pub struct Paused {
    thinking: Arc<watch::Sender<usize>>,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock { thinking: Arc::new(watch::Sender::new(0)) }
    }

    /// Stops this clock until the guard is dropped.
    pub fn pause(&self) -> Paused {
        self.thinking.send_modify(|n| *n += 1);
        Paused { thinking: self.thinking.clone() }
    }

    /// Runs `work` for at most `limit`, not counting the time during which this clock is paused.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, TimedOut> {
        let mut work = pin!(work);
        let mut thinking = self.thinking.subscribe();
        let mut left = limit;
        loop {
            let paused = *thinking.borrow_and_update() > 0;
            let since = Instant::now();
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                _ = thinking.changed() => if !paused { left = left.saturating_sub(since.elapsed()) },
                () = tokio::time::sleep(left), if !paused => return Err(TimedOut),
            }
        }
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.thinking.send_modify(|n| *n -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_for_thinking_does_not_count() {
        let clock = Clock::new();
        let work = async {
            tokio::time::sleep(Duration::from_secs(6)).await;
            let thinking = clock.pause();
            tokio::time::sleep(Duration::from_secs(3600)).await;
            drop(thinking);
            tokio::time::sleep(Duration::from_secs(3)).await;
        };
        assert_eq!(clock.within(Duration::from_secs(10), work).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn time_before_and_after_thinking_adds_up() {
        let clock = Clock::new();
        let work = async {
            tokio::time::sleep(Duration::from_secs(6)).await;
            drop(clock.pause());
            tokio::time::sleep(Duration::from_secs(6)).await;
        };
        assert_eq!(clock.within(Duration::from_secs(10), work).await, Err(TimedOut));
    }
}
