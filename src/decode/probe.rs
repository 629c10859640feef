//! Where decoding spends its time: marks that the decoders make, for whoever has a clock.
//!
//! The probe belongs to the thread and not to a decoder: it would pass through every signature for the sake of one
//! command. Without one a mark is a look at a thread-local word, a few times a rectangle: 0.12 % more instructions on
//! average of `tests/recordings`.

use std::cell::Cell;

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading messages and cutting rectangles out of the stream.
    Frame,
    /// Decompression: zlib, LZO.
    Inflate,
    /// Making pixels of what a rectangle holds; where an encoding paints as it reads, painting them too.
    Unpack,
    /// Copying, filling and converting whole rows.
    Paint,
}

/// Somebody who is told of every change of stage.
pub trait Probe {
    /// The stage of this thread is now `stage`; gives the one before it.
    fn enter(stage: Stage) -> Stage;
}

type Enter = fn(Stage) -> Stage;

thread_local! {
    static ENTER: Cell<Option<Enter>> = const { Cell::new(None) };
}

/// Does `work` while `P` is told of the stages of this thread.
pub fn probed<P: Probe, T>(work: impl FnOnce() -> T) -> T {
    let before = ENTER.replace(Some(P::enter));
    let result = work();
    ENTER.set(before);
    result
}

/// Begins `stage`, which lasts until the mark is dropped.
///
/// A closure for the work of a stage had the compiler reload a filter's fields at every pixel: 1.4 times the
/// instructions.
#[must_use = "the stage ends with it"]
#[inline]
pub(crate) fn stage(stage: Stage) -> Mark {
    Mark(ENTER.get().map(|enter| (enter, enter(stage))))
}

/// A stage that has begun.
pub(crate) struct Mark(Option<(Enter, Stage)>);

impl Drop for Mark {
    #[inline]
    fn drop(&mut self) {
        if let Some((enter, before)) = self.0 {
            enter(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static SEEN: Cell<Vec<Stage>> = const { Cell::new(Vec::new()) };
    }

    struct Notes;

    impl Probe for Notes {
        fn enter(stage: Stage) -> Stage {
            let mut seen = SEEN.take();
            let before = seen.last().copied().unwrap_or(Stage::Frame);
            seen.push(stage);
            SEEN.set(seen);
            before
        }
    }

    #[test]
    fn a_stage_ends_where_the_one_around_it_goes_on() {
        let nested = || {
            let _unpack = stage(Stage::Unpack);
            drop(stage(Stage::Inflate));
            7
        };
        assert_eq!(probed::<Notes, _>(nested), 7);
        assert_eq!(SEEN.take(), [Stage::Unpack, Stage::Inflate, Stage::Unpack, Stage::Frame]);
        assert_eq!((nested(), SEEN.take()), (7, vec![]));
    }
}
