//! Decodes the same bytes whole, byte by byte and cut at random places: the answer must not depend on it.
//!
//! The fuzz targets include this file as well.

use bytes::Bytes;
use sshvnc::client::{Client, Counts, Event, Notice, Received};
use sshvnc::picture::{Area, Canvas, Size};
use sshvnc::rfb::{Inbox, ProtocolError};

/// Everything that can be seen of a client after it was given some bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub size: Size,
    /// As they lie on the canvas.
    pub pixels: Vec<u32>,
    /// Red, green and blue of each pixel.
    pub rgb: Vec<u8>,
    pub damage: Vec<Area>,
    pub events: Vec<Event>,
    pub notices: Vec<Notice>,
    /// What the client said to the server.
    pub messages: Vec<u8>,
    pub counts: Counts,
    pub error: Option<ProtocolError>,
    /// Bytes used of those given.
    pub used: u64,
    pub at_boundary: bool,
}

impl Answer {
    /// Names what differs, for a message that a person can read.
    pub fn difference(&self, other: &Answer) -> String {
        let mut all = String::new();
        let mut say = |name: &str, same: bool, ours: String, theirs: String| {
            if !same {
                all += &format!("{name}: {ours:.300} against {theirs:.300}; ");
            }
        };
        macro_rules! compare {
            ($($field:ident)*) => {$(
                let (ours, theirs) = (&self.$field, &other.$field);
                say(stringify!($field), ours == theirs, format!("{ours:?}"), format!("{theirs:?}"));
            )*};
        }
        compare!(size damage events notices messages counts error used at_boundary);
        let first = self.pixels.iter().zip(&other.pixels).position(|(ours, theirs)| ours != theirs);
        say("pixels", self.pixels == other.pixels, format!("first at {first:?}"), String::new());
        all
    }

    /// The error's one line.
    pub fn error_text(&self) -> String {
        self.error.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// Gives `bytes` to a client in pieces of the given lengths, and what is left in one; stops at the first error.
pub fn receive(
    (mut client, mut canvas): (Client, Canvas),
    bytes: &Bytes,
    cuts: impl IntoIterator<Item = usize>,
) -> Answer {
    let mut inbox = Inbox::default();
    let mut rest = bytes.clone();
    let mut error = None;
    let mut cuts = cuts.into_iter();
    while error.is_none() && !rest.is_empty() {
        inbox.push(rest.split_to(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len())));
        error = loop {
            match client.receive(&mut inbox, &mut canvas) {
                Ok(Received::UpdateDone | Received::Busy) => {}
                Ok(Received::NeedMore) => break None,
                Err(error) => break Some(error),
            }
        };
    }
    Answer {
        size: canvas.size(),
        rgb: canvas.to_rgb(),
        pixels: canvas.pixels().to_vec(),
        damage: client.take_damage().areas().to_vec(),
        events: client.events(),
        notices: client.notices(),
        messages: client.messages(),
        counts: client.counts().clone(),
        at_boundary: error.is_none() && client.at_boundary(&inbox),
        used: inbox.offset(),
        error,
    }
}

/// What is received in one piece.
pub fn whole(client: (Client, Canvas), bytes: &Bytes) -> Answer {
    receive(client, bytes, [])
}

/// The lengths of random pieces: mostly a few bytes, some a few hundred, few many thousand; the same for the same seed.
pub fn random_cuts(seed: u64) -> impl Iterator<Item = usize> {
    let mut numbers = Numbers(seed);
    std::iter::repeat_with(move || {
        let number = numbers.next_number();
        let below = [8, 8, 40, 40, 300, 2000, 20_000, 200_000][number as usize % 8];
        (number >> 8) as usize % below + 1
    })
}

/// Checks that `bytes` give the same answer whole, byte by byte and cut at random places, and gives it.
///
/// # Panics
/// If they do not.
pub fn every_cut(open: impl Fn() -> (Client, Canvas), bytes: &[u8]) -> Answer {
    let bytes = Bytes::copy_from_slice(bytes);
    let answer = whole(open(), &bytes);
    let check = |how: &str, other: Answer| {
        assert!(other == answer, "{how}, the answer is another: {}", other.difference(&answer));
    };
    check("byte by byte", receive(open(), &bytes, std::iter::repeat(1)));
    for seed in 0..4 {
        check(&format!("cut at random places (seed {seed})"), receive(open(), &bytes, random_cuts(seed)));
    }
    answer
}

/// Random numbers (splitmix64) that are the same in every run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next_number() as u8).take(count).collect()
    }
}
