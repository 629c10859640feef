//! Threads that unpack rectangles beside the painter.

use std::collections::VecDeque;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::decode::{Done, HISTORIES, Job, Lanes, Sheet, Taken};

/// More do not help: Tight has four histories.
const MOST: usize = 4;
/// Sheets that are kept for the next rectangles, and the bytes that they may hold together: each is as large as the largest
/// rectangle that it ever had.
const MOST_SHEETS: usize = 32;
const MOST_KEPT: usize = 16 << 20;
/// A job of less cost is not worth its copy: whoever paints does it.
const LEAST: usize = 2_000;

/// As many lanes as this machine has use for beside the painter: none on one core.
pub fn usual() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1).min(MOST)
}

/// Starts `count` lanes; they end when this is dropped.
///
/// # Errors
/// Whatever the machine says when it gives no threads.
pub fn start(count: usize) -> io::Result<Box<dyn Lanes>> {
    // Dropped, and with it the threads that did start, if another does not.
    let threads = Threads { count, pool: Arc::default(), in_hand: false };
    for _ in 0..count {
        let pool = threads.pool.clone();
        thread::Builder::new().name("lane".to_owned()).spawn(move || pool.work())?;
    }
    Ok(Box::new(threads))
}

/// The painter's end.
struct Threads {
    count: usize,
    pool: Arc<Pool>,
    // Whether the painter does the oldest itself.
    in_hand: bool,
}

#[derive(Default)]
struct Pool {
    state: Mutex<State>,
    to_do: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct State {
    // In the order of the stream.
    jobs: VecDeque<Entry>,
    // How many were taken before the first of them.
    taken: u64,
    // The last is used next.
    sheets: VecDeque<Sheet>,
    // Bytes that they hold.
    kept: usize,
    // Threads that wait for something to do.
    idle: usize,
    closed: bool,
}

struct Entry {
    history: Option<usize>,
    stage: Stage,
}

enum Stage {
    Waiting(Job),
    Begun,
    Done(Done),
    Lost,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane's life.
    fn work(&self) {
        let mut state = self.lock();
        while !state.closed {
            match state.begin() {
                Some(begun) => state = self.finish(state, begun),
                None => {
                    state.idle += 1;
                    state = self.to_do.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.idle -= 1;
                }
            }
        }
    }

    /// Does a job that was begun.
    fn finish<'a>(&'a self, mut state: MutexGuard<'a, State>, (number, job): (u64, Job)) -> MutexGuard<'a, State> {
        let sheet = state.sheets.pop_back().unwrap_or_default();
        state.kept -= sheet.held();
        drop(state);
        let stage = catch_unwind(AssertUnwindSafe(|| job.run(sheet))).map_or(Stage::Lost, Stage::Done);
        let mut state = self.lock();
        let index = (number - state.taken) as usize;
        if let Some(entry) = state.jobs.get_mut(index) {
            entry.stage = stage;
        }
        if index == 0 {
            self.done.notify_one();
        }
        state
    }
}

impl State {
    /// Keeps a sheet for another rectangle, and of the others those that there is room for.
    fn keep(&mut self, sheet: Sheet) {
        self.kept += sheet.held();
        self.sheets.push_back(sheet);
        while self.sheets.len() > MOST_SHEETS || self.kept > MOST_KEPT {
            let Some(oldest) = self.sheets.pop_front() else { break };
            self.kept -= oldest.held();
        }
    }

    /// What a lane begins: the last job that may be begun, because the painter comes from the other end and needs no
    /// sheet there. Left to the painter, which would wait for each job of it, is the history that it comes to next, and one
    /// that has three quarters of what is to do. (To leave it the one with the most, whatever that is, made two equal
    /// threads of four equal histories 1.37 times as fast as one, in place of 1.72.)
    fn begin(&mut self) -> Option<(u64, Job)> {
        let (mut costs, mut next) = ([0; HISTORIES], None);
        for entry in &self.jobs {
            if let (Some(history), Stage::Waiting(job)) = (entry.history, &entry.stage) {
                costs[history] += job.cost();
                next = next.or(Some(history));
            }
        }
        let all: usize = costs.iter().sum();
        self.begin_last(|history| history.is_some_and(|history| Some(history) == next || costs[history] > all / 4 * 3))
    }

    /// Begins the last job that may be, of a history that is not left out.
    fn begin_last(&mut self, left_out: impl Fn(Option<usize>) -> bool) -> Option<(u64, Job)> {
        let mut busy = [false; HISTORIES];
        let mut last = None;
        for (index, entry) in self.jobs.iter().enumerate() {
            let free = entry.history.is_none_or(|history| !busy[history]);
            if let (true, Stage::Waiting(job)) = (free, &entry.stage)
                && job.cost() >= LEAST
                && !left_out(entry.history)
            {
                last = Some(index);
            }
            if let (Some(history), Stage::Waiting(_) | Stage::Begun) = (entry.history, &entry.stage) {
                busy[history] = true;
            }
        }
        let index = last?;
        match std::mem::replace(&mut self.jobs[index].stage, Stage::Begun) {
            Stage::Waiting(job) => Some((self.taken + index as u64, job)),
            _ => None,
        }
    }
}

impl Threads {
    /// The pool, after the painter has done what it had in hand.
    fn lock(&mut self) -> MutexGuard<'_, State> {
        let mut state = self.pool.lock();
        if std::mem::take(&mut self.in_hand) {
            state.jobs.pop_front();
            state.taken += 1;
        }
        state
    }
}

impl Lanes for Threads {
    fn count(&self) -> usize {
        self.count
    }

    fn give(&mut self, jobs: &mut dyn Iterator<Item = Job>) {
        let mut state = self.lock();
        state.jobs.extend(jobs.map(|job| Entry { history: job.history(), stage: Stage::Waiting(job) }));
        let idle = state.idle > 0;
        drop(state);
        if idle {
            self.pool.to_do.notify_all();
        }
    }

    fn take(&mut self) -> Taken {
        drop(self.lock());
        let mut state = self.pool.lock();
        loop {
            let Some(oldest) = state.jobs.front_mut() else { return Taken::Lost };
            let taken = match std::mem::replace(&mut oldest.stage, Stage::Begun) {
                Stage::Waiting(job) => {
                    self.in_hand = true;
                    return Taken::Undone(job);
                }
                Stage::Begun => {
                    // Meanwhile the painter does another.
                    state = match state.begin_last(|_| false) {
                        Some(begun) => self.pool.finish(state, begun),
                        None => self.pool.done.wait(state).unwrap_or_else(PoisonError::into_inner),
                    };
                    continue;
                }
                Stage::Done(done) => Taken::Done(done),
                Stage::Lost => Taken::Lost,
            };
            state.jobs.pop_front();
            state.taken += 1;
            return taken;
        }
    }

    fn put_back(&mut self, sheet: Sheet) {
        self.pool.lock().keep(sheet);
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.pool.lock().closed = true;
        self.pool.to_do.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(state: &State) -> (usize, usize) {
        (state.sheets.len(), state.sheets.iter().map(Sheet::held).sum())
    }

    #[test]
    fn the_sheets_that_are_kept_are_few_and_together_not_large() {
        let mut state = State::default();
        for _ in 0..40 {
            state.keep(Sheet::of(1 << 20));
            let (count, bytes) = kept(&state);
            assert!(count >= 1 && bytes <= MOST_KEPT && state.kept == bytes, "{count} of {bytes} bytes");
        }
        // The small ones take the places of the large ones.
        for _ in 0..40 {
            state.keep(Sheet::of(1 << 8));
        }
        let (count, bytes) = kept(&state);
        assert!(count == MOST_SHEETS && bytes < 1 << 20 && state.kept == bytes, "{count} of {bytes} bytes");
        // One that is too large by itself is not kept.
        state.keep(Sheet::of(1 << 23));
        assert_eq!((kept(&state), state.kept), ((0, 0), 0));
    }
}
