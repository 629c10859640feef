//! Rectangles between the stream and the canvas: lanes unpack them if that is worth it; they are painted in their order.

use std::collections::VecDeque;

use crate::decode::{Fault, Job, Lanes, Scratch, Taken};
use crate::picture::{Area, Canvas};

/// What is worth a hand-over, by [`Job::cost`]: to wake a thread takes a third of it.
const WORTH: usize = 150_000;
/// Pixels under way, so that what was unpacked stays in the cache and memory is bounded. A rectangle with more of them
/// is unpacked where it is painted.
const MOST_PIXELS: usize = 1 << 20;
/// Rectangles under way.
const MOST: usize = 256;

/// Where a rectangle belongs, and where in the stream it stood.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) area: Area,
    pub(super) encoding: i32,
    /// Something of it was lost when it was packed.
    pub(super) lossy: bool,
    /// Its number in the update, from 1.
    pub(super) number: u32,
    /// Of the stream's first byte behind it.
    pub(super) offset: u64,
}

/// The rectangles that were cut out of the stream and not painted yet.
pub(super) struct Underway {
    lanes: Box<dyn Lanes>,
    given: VecDeque<Place>,
    // Behind those that were given.
    here: VecDeque<(Place, Job)>,
    // Of those that are here.
    cost: usize,
    pixels: usize,
    scratch: Scratch,
}

impl Underway {
    pub(super) fn new(lanes: Box<dyn Lanes>) -> Underway {
        Underway {
            lanes,
            given: VecDeque::new(),
            here: VecDeque::new(),
            cost: 0,
            pixels: 0,
            scratch: Scratch::default(),
        }
    }

    /// Whether everything is painted.
    pub(super) fn is_empty(&self) -> bool {
        self.here.is_empty() && self.given.is_empty()
    }

    /// Whether a rectangle of so many pixels must wait until the oldest is painted.
    pub(super) fn is_full(&self, pixels: usize) -> bool {
        self.here.len() + self.given.len() >= MOST || self.pixels + pixels > MOST_PIXELS
    }

    /// Takes a rectangle; it is painted at once, or when its turn comes.
    pub(super) fn add(&mut self, job: Job, place: Place) {
        self.cost += job.cost();
        self.pixels += place.area.pixels();
        self.here.push_back((place, job));
        if self.cost >= WORTH && self.here.len() > 1 && self.lanes.count() > 0 {
            self.cost = 0;
            let Underway { lanes, given, here, .. } = self;
            lanes.give(&mut here.drain(..).map(|(place, job)| {
                given.push_back(place);
                job
            }));
        }
    }

    /// Whether nothing is gained by waiting for more rectangles.
    pub(super) fn is_alone(&self) -> bool {
        self.lanes.count() == 0
    }

    /// Paints the oldest, waiting for it if need be, and says which it was.
    pub(super) fn paint(&mut self, canvas: &mut Canvas) -> Option<(Place, Result<(), Fault>)> {
        let (place, taken) = match self.given.pop_front() {
            Some(place) => (place, self.lanes.take()),
            None => {
                let (place, job) = self.here.pop_front()?;
                self.cost -= job.cost();
                (place, Taken::Undone(job))
            }
        };
        self.pixels -= place.area.pixels();
        Some((place, self.onto(canvas, place.area, taken)))
    }

    fn onto(&mut self, canvas: &mut Canvas, area: Area, taken: Taken) -> Result<(), Fault> {
        let mut target = canvas.target(area)?;
        match taken {
            Taken::Undone(job) => job.paint(&mut target, &mut self.scratch),
            Taken::Done(done) => {
                let sheet = done.paint(&mut target)?;
                self.lanes.put_back(sheet);
                Ok(())
            }
            Taken::Lost => Err(Fault::from("a decoder that broke down")),
        }
    }
}
