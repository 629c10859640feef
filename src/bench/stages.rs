//! The clock behind `sshvnc bench --stages`: how long decoding was in each stage.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::decode::{Probe, Stage, probed};

/// The stages in the order they are shown in, and their names.
pub const NAMES: [(Stage, &str); 4] =
    [(Stage::Frame, "frame"), (Stage::Inflate, "inflate"), (Stage::Unpack, "unpack"), (Stage::Paint, "paint")];

/// The time of each stage, in the order of [`NAMES`].
pub type Times = [Duration; NAMES.len()];

#[derive(Clone, Copy)]
struct Clock {
    stage: Stage,
    since: Instant,
    times: Times,
}

thread_local! {
    static CLOCK: Cell<Option<Clock>> = const { Cell::new(None) };
}

impl Probe for Clock {
    fn enter(stage: Stage) -> Stage {
        let Some(mut clock) = CLOCK.get() else { return stage };
        let before = clock.stage;
        let now = Instant::now();
        for ((known, _), time) in NAMES.iter().zip(&mut clock.times) {
            if *known == before {
                *time += now - clock.since;
            }
        }
        (clock.stage, clock.since) = (stage, now);
        CLOCK.set(Some(clock));
        before
    }
}

/// Does `work`, which begins in [`Stage::Frame`], and gives the time of each stage.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Times) {
    CLOCK.set(Some(Clock { stage: Stage::Frame, since: Instant::now(), times: Times::default() }));
    let result = probed::<Clock, T>(work);
    Clock::enter(Stage::Frame);
    (result, CLOCK.take().map_or(Times::default(), |clock| clock.times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_has_its_own_time() {
        let long = Duration::from_millis(5);
        let (result, [frame, inflate, unpack, paint]) = timed(|| {
            std::thread::sleep(long);
            let before = Clock::enter(Stage::Inflate);
            std::thread::sleep(2 * long);
            Clock::enter(before);
            7
        });
        assert_eq!((result, unpack, paint), (7, Duration::ZERO, Duration::ZERO));
        assert!(frame >= long && inflate >= 2 * long, "{frame:?}, {inflate:?}");
    }
}
