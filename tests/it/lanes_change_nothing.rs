//! Rectangles that other threads unpack give the picture, the counts, the news and the errors that one thread gives.

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use sshvnc::client::{Client, canvas_for};
use sshvnc::decode::{Job, Lanes, Sheet, Taken};
use sshvnc::lanes;
use sshvnc::picture::{ByteOrder, Canvas};
use sshvnc::rfb::encoding::{COPY_RECT, JPEG, RAW, TIGHT};
use std::collections::VecDeque;

use crate::every_cut::{Answer, Numbers, random_cuts, receive, whole};
use crate::jpeg_by_hand::{Tables, jpeg};
use crate::server::{PLAIN, rectangle, update};
use crate::tight_and_jpeg_paint_what_the_bytes_say::measured;

const SIDE: u16 = 256;

/// The client's end of nothing but a queue, so that a test decides who does what.
struct Puppet {
    jobs: VecDeque<Job>,
    fate: fn(&mut Numbers, Job) -> Taken,
    numbers: Numbers,
}

impl Lanes for Puppet {
    fn count(&self) -> usize {
        1
    }

    fn give(&mut self, jobs: &mut dyn Iterator<Item = Job>) {
        self.jobs.extend(jobs);
    }

    fn take(&mut self) -> Taken {
        self.jobs.pop_front().map_or(Taken::Lost, |job| (self.fate)(&mut self.numbers, job))
    }

    fn put_back(&mut self, _: Sheet) {}
}

fn open(lanes: Box<dyn Lanes>) -> (Client, Canvas) {
    let init = PLAIN.parsed(SIDE, SIDE);
    let mut client = Client::of_recording(&init, ByteOrder::Bgrx);
    client.set_lanes(lanes);
    (client, canvas_for(&init, ByteOrder::Bgrx).unwrap())
}

fn threads(count: usize) -> (Client, Canvas) {
    open(lanes::start(count).unwrap())
}

/// A server that uses all four streams, begins them anew, and sends everything else between.
struct Server {
    streams: [Compress; 4],
    begun: [bool; 4],
    numbers: Numbers,
}

impl Server {
    fn new(seed: u64) -> Server {
        Server {
            streams: std::array::from_fn(|_| Compress::new(Compression::fast(), true)),
            begun: [false; 4],
            numbers: Numbers(seed),
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.numbers.next_number() % limit
    }

    fn update(&mut self, rectangles: usize) -> Vec<u8> {
        update(&(0..rectangles).map(|_| self.rectangle()).collect::<Vec<_>>())
    }

    fn place(&mut self) -> [u16; 4] {
        let (width, height) = (self.below(120) as u16 + 1, self.below(120) as u16 + 1);
        [self.below((SIDE - width).into()) as u16, self.below((SIDE - height).into()) as u16, width, height]
    }

    fn rectangle(&mut self) -> Vec<u8> {
        let place @ [_, _, width, height] = self.place();
        match self.below(20) {
            0 => rectangle(place, COPY_RECT, &[0, 7, 0, 9]),
            1 => rectangle([place[0], place[1], 1, 1], RAW, &[1, 2, 3, 4]),
            2..4 => rectangle(place, TIGHT, &[&[0x80][..], &self.numbers.bytes(3)].concat()),
            4 | 5 => {
                let colour = [self.below(256) as u8, 128, 128];
                let picture = jpeg(width, height, colour, Tables::Both);
                match self.below(2) {
                    0 => rectangle(place, JPEG, &picture),
                    _ => rectangle(place, TIGHT, &[&[0x90][..], &measured(&picture)].concat()),
                }
            }
            _ => {
                // More than can be compressed away, so that there is something to do.
                let pixels = self.numbers.bytes((usize::from(width) * usize::from(height) * 3).max(12));
                let pixels = &pixels[..usize::from(width) * usize::from(height) * 3];
                self.compressed(place, pixels)
            }
        }
    }

    fn compressed(&mut self, place: [u16; 4], pixels: &[u8]) -> Vec<u8> {
        let number = self.below(4) as usize;
        let mut control = number << 4;
        // Any stream may begin anew with any rectangle.
        for (other, stream) in self.streams.iter_mut().enumerate() {
            if self.begun[other] && self.numbers.next_number().is_multiple_of(8) {
                control |= 1 << other;
                stream.reset();
                self.begun[other] = false;
            }
        }
        if pixels.len() < 12 {
            return rectangle(place, TIGHT, &[&[control as u8][..], pixels].concat());
        }
        self.begun[number] = true;
        let mut data = Vec::with_capacity(pixels.len() * 2 + 100);
        self.streams[number].compress_vec(pixels, &mut data, FlushCompress::Sync).unwrap();
        rectangle(place, TIGHT, &[&[control as u8][..], &measured(&data)].concat())
    }
}

fn stream(seed: u64) -> Bytes {
    let mut server = Server::new(seed);
    (0..6).flat_map(|_| server.update(40)).collect::<Vec<_>>().into()
}

fn same(alone: &Answer, other: &Answer, how: &str) {
    assert!(other == alone, "{how}: {}", other.difference(alone));
}

#[test]
fn whatever_the_threads_do() {
    for seed in 0..6 {
        let stream = stream(seed);
        let alone = whole(threads(0), &stream);
        assert_eq!((alone.error_text(), alone.counts.rectangles), (String::new(), 240));
        for count in [1, 2, 4] {
            same(&alone, &whole(threads(count), &stream), &format!("{count} lanes"));
            let cut = receive(threads(count), &stream, random_cuts(seed));
            same(&alone, &cut, &format!("{count} lanes, cut at random places"));
        }
    }
}

#[test]
fn whoever_does_the_work() {
    let fates: [fn(&mut Numbers, Job) -> Taken; 3] = [
        |_, job| Taken::Undone(job),
        |_, job| Taken::Done(job.run(Sheet::default())),
        |numbers, job| match numbers.next_number() % 2 {
            0 => Taken::Undone(job),
            _ => Taken::Done(job.run(Sheet::default())),
        },
    ];
    let stream = stream(7);
    let alone = whole(threads(0), &stream);
    for (number, fate) in fates.into_iter().enumerate() {
        let puppet = Puppet { jobs: VecDeque::new(), fate, numbers: Numbers(1) };
        same(&alone, &whole(open(Box::new(puppet)), &stream), &format!("fate {number}"));
    }
}

#[test]
fn an_error_is_found_at_its_rectangle() {
    let mut server = Server::new(3);
    let good: Vec<_> = (0..60).map(|_| server.rectangle()).collect();
    let broken = [
        // Not compressed; too little; something behind the last pixel; a picture that is none.
        rectangle([0, 0, 64, 64], TIGHT, &[&[0x00][..], &measured(&[9; 300])].concat()),
        rectangle([0, 0, 64, 64], TIGHT, &[&[0x01][..], &measured(&[0x78, 1, 1, 0, 0, 255, 255])].concat()),
        rectangle([0, 0, 64, 64], TIGHT, &[&[0x90][..], &measured(&[1, 2, 3])].concat()),
        rectangle([0, 0, 64, 64], JPEG, &jpeg(63, 64, [1, 2, 3], Tables::Both)),
        // Found when it is cut, with others under way.
        rectangle([0, 0, SIDE, SIDE + 1], TIGHT, &[0x80, 1, 2, 3]),
        rectangle([0, 0, 64, 64], TIGHT, &[0xf0]),
    ];
    for broken in broken {
        for at in [0, 20, 59] {
            let mut rectangles = good.clone();
            rectangles.insert(at, broken.clone());
            let stream: Bytes = update(&rectangles).into();
            let alone = whole(threads(0), &stream);
            assert_ne!(alone.error, None);
            for count in [1, 3] {
                let other = whole(threads(count), &stream);
                assert_eq!(other.error, alone.error);
                assert_eq!((other.counts, other.damage), (alone.counts.clone(), alone.damage.clone()));
            }
        }
    }
}

#[test]
fn a_thread_that_breaks_down_is_an_error() {
    let puppet = Puppet { jobs: VecDeque::new(), fate: |_, _| Taken::Lost, numbers: Numbers(1) };
    let answer = whole(open(Box::new(puppet)), &stream(1));
    assert!(answer.error_text().contains("a decoder that broke down"), "{}", answer.error_text());
}
