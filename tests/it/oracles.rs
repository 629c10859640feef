//! What must hold for any bytes at all: run by the fuzz targets with bytes of their making, and here with their seeds.

use std::time::Duration;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use sshvnc::decode::{
    DirectDecoder, Fault, Hextile, Jpeg, ParcelDecoder, Pixels, Progress, Raw, Rre, Tight, Trle, Ultra, Zlib, ZlibHex,
    ZlibStream, Zrle,
};
use sshvnc::picture::{ByteOrder, Target};
use sshvnc::recording::{Arrival, Recording};
use sshvnc::rfb::Inbox;
use sshvnc::rfb::handshake::{Handshake, Step};

use crate::every_cut::{random_cuts, receive, whole};
use crate::naive::{self, End};
use crate::server::{WIRES, Wire, rectangle, update};

/// The number of Open H.264.
const H264: i32 = 50;

/// The first bytes of an input choose how the others are looked at.
struct Case<'a> {
    wire: &'static Wire,
    width: u16,
    height: u16,
    seed: u64,
    bytes: &'a [u8],
}

impl Case<'_> {
    fn of(data: &[u8]) -> Option<Case<'_>> {
        let (&[wire, width, height, seed], bytes) = data.split_first_chunk()?;
        let wire = &WIRES[usize::from(wire) % WIRES.len()];
        // A few tiles in each direction show all there is to see, and many inputs can be tried in a second.
        let (width, height) = (u16::from(width) % 50, u16::from(height) % 50);
        Some(Case { wire, width, height, seed: seed.into(), bytes })
    }
}

type Advance = Box<dyn FnMut(&mut Inbox, &mut Target<'_>, &Pixels) -> Result<Progress, Fault>>;

fn decoder_of(encoding: i32) -> Advance {
    fn direct(mut decoder: impl DirectDecoder + 'static) -> Advance {
        Box::new(move |inbox, target, pixels| decoder.advance(inbox, target, pixels))
    }
    fn parcels(mut decoder: impl ParcelDecoder + 'static) -> Advance {
        Box::new(move |inbox, target, pixels| match decoder.cut(inbox, target.width(), target.height(), pixels)? {
            Some(parcel) => decoder.unpack(parcel, target, pixels).map(|()| Progress::Done),
            None => Ok(Progress::NeedMore),
        })
    }
    match encoding {
        0 => direct(Raw::default()),
        2 => direct(Rre::new()),
        4 => direct(Rre::compact()),
        5 => direct(Hextile::default()),
        6 => parcels(Zlib::new()),
        8 => direct(ZlibHex::new()),
        9 => parcels(Ultra::default()),
        15 => direct(Trle::default()),
        16 => parcels(Zrle::new()),
        17 => {
            let mut zywrle = Zrle::new();
            zywrle.set_levels(2);
            parcels(zywrle)
        }
        7 => parcels(Tight::new()),
        21 => parcels(Jpeg::default()),
        -260 => parcels(Tight::png()),
        other => panic!("no decoder of {other} here"),
    }
}

/// One rectangle through its decoder: no cut changes the answer, no pixel outside of the target is painted, and the
/// naive decoder paints the same.
pub fn decoder(encoding: i32, data: &[u8]) {
    let Some(Case { wire, width, height, seed, bytes }) = Case::of(data) else { return };
    let (across, down) = (usize::from(width), usize::from(height));
    let pixels = Pixels::new(wire.parsed(0, 0).format, ByteOrder::Rgbx);
    let bytes = Bytes::copy_from_slice(bytes);
    let run = |cuts: &mut dyn Iterator<Item = usize>| {
        // Two columns and two rows more than the target has, in a colour that no decoder makes.
        const EDGE: u32 = 0xdead_beef;
        let stride = across + 2;
        let mut canvas = vec![EDGE; stride * (down + 2)];
        for row in canvas.chunks_mut(stride).skip(1).take(down) {
            row[1..=across].fill(0);
        }
        let mut advance = decoder_of(encoding);
        let mut inbox = Inbox::default();
        let mut rest = bytes.clone();
        let mut result;
        loop {
            let mut target = Target::new(&mut canvas[stride + 1..], stride, across, down).unwrap();
            result = advance(&mut inbox, &mut target, &pixels);
            if result != Ok(Progress::NeedMore) || rest.is_empty() {
                break;
            }
            inbox.push(rest.split_to(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len())));
        }
        let edge = |at: &usize| !(1..=across).contains(&(at % stride)) || !(1..=down).contains(&(at / stride));
        assert!((0..canvas.len()).filter(edge).all(|at| canvas[at] == EDGE), "painted outside of its target");
        let inside: Vec<u32> = (0..canvas.len()).filter(|at| !edge(at)).map(|at| canvas[at]).collect();
        (result, inbox.offset() as usize, inside)
    };
    let answer = run(&mut std::iter::empty());
    let (result, used, painted) = &answer;
    for (how, other) in [("byte by byte", run(&mut std::iter::repeat(1))), ("cut", run(&mut random_cuts(seed)))] {
        assert!(other == answer, "{how}: {:?} after {} against {result:?} after {used}", other.0, other.1);
    }

    let naive = |bytes: &[u8]| {
        let message = update(&[rectangle([0, 0, width, height], encoding, bytes)]);
        naive::decode(&[wire.server_init(width, height), message].concat())
    };
    match result {
        Ok(Progress::Done) => {
            let colours: Vec<[u8; 3]> = painted.iter().map(|&pixel| ByteOrder::Rgbx.colour(pixel)).collect();
            let picture = naive(&bytes[..*used]).expect("the naive decoder takes what this one took");
            assert!(picture.rgb == colours, "the naive decoder paints otherwise");
        }
        // The naive one looks into tiles that are not all there, so it may find fault earlier.
        Ok(Progress::NeedMore) => assert!(naive(&bytes).is_err(), "the naive decoder needs no more"),
        // These are limits, or a header, that the naive decoder does not know.
        Err(Fault(what))
            if ["fewer pixels", "compressed data for", "header", "picture of more than"]
                .iter()
                .any(|w| what.contains(w)) => {}
        Err(Fault(what)) => assert!(matches!(naive(&bytes), Err(End::Wrong(_))), "only this one says: {what}"),
    }
}

/// Deflate data, cut anywhere: what zlib makes of it, and the same faults.
pub fn inflate(data: &[u8]) {
    let Some((&seed, bytes)) = data.split_first() else { return };
    let zlib = {
        let (mut stream, mut input, mut all, mut out) = (Decompress::new(false), bytes, Vec::new(), [0; 4096]);
        loop {
            let (read, written) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(input, &mut out, FlushDecompress::Sync);
            let (read, written) = ((stream.total_in() - read) as usize, (stream.total_out() - written) as usize);
            all.extend_from_slice(&out[..written]);
            input = &input[read..];
            match status {
                Err(_) => break (all, true),
                Ok(Status::StreamEnd) => break (all, false),
                Ok(_) if read == 0 && written == 0 => break (all, false),
                Ok(_) => {}
            }
        }
    };
    let ours = |inputs: &mut dyn Iterator<Item = usize>, outputs: &mut dyn Iterator<Item = usize>| {
        let mut stream = ZlibStream::new();
        assert_eq!(stream.next(&mut &[0x78, 0x9c][..], 1), Ok(&[][..]));
        let (mut rest, mut all) = (bytes, Vec::new());
        while !rest.is_empty() {
            let (mut part, later) = rest.split_at(inputs.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            rest = later;
            loop {
                let count = outputs.next().unwrap_or(65536);
                let Ok(some) = stream.next(&mut part, count) else { return (all, true) };
                all.extend_from_slice(some);
                if some.len() < count {
                    break;
                }
            }
        }
        (all, false)
    };
    let outputs = |seed| random_cuts(seed).map(|count| count * 7);
    for (how, (all, fault)) in [
        ("whole", ours(&mut std::iter::empty(), &mut std::iter::empty())),
        ("byte by byte", ours(&mut std::iter::repeat(1), &mut std::iter::empty())),
        ("cut", ours(&mut random_cuts(seed.into()), &mut outputs(u64::from(seed) + 1))),
    ] {
        assert!(fault == zlib.1, "{how}: {} against zlib's {}", fault, zlib.1);
        // Of what was asked for when a fault was found, nothing is given.
        let same = if fault { zlib.0.starts_with(&all) } else { all == zlib.0 };
        assert!(same, "{how}: other bytes than zlib's");
    }
}

/// All that comes after ServerInit: no cut changes the answer, and the naive decoder paints the same.
pub fn client(data: &[u8]) {
    let Some(Case { wire, width, height, seed, bytes }) = Case::of(data) else { return };
    let bytes = Bytes::copy_from_slice(bytes);
    let open = || wire.client(width, height, ByteOrder::Rgbx);
    let answer = whole(open(), &bytes);
    // A desktop of many millions of pixels is allowed, but too slow to be tried again and again.
    let large = |event: &sshvnc::client::Event| matches!(event, sshvnc::client::Event::Resized(size) if size.pixels() > 1 << 18);
    if answer.events.iter().any(large) {
        return;
    }
    for (how, other) in [
        ("byte by byte", receive(open(), &bytes, std::iter::repeat(1))),
        ("cut", receive(open(), &bytes, random_cuts(seed))),
    ] {
        assert!(other == answer, "{how}, the answer is another: {}", other.difference(&answer));
    }
    // The naive decoder has no limits: what was refused here might be more than memory holds. And it knows no H.264.
    if answer.error.is_some() || answer.counts.by_encoding.contains_key(&H264) {
        return;
    }
    let naive = naive::decode(&[&wire.server_init(width, height)[..], &bytes].concat());
    if answer.at_boundary {
        let picture = naive.expect("the naive decoder takes what this one took");
        assert!(picture.rgb.as_flattened() == answer.rgb, "the naive decoder paints otherwise");
    } else {
        assert!(naive.is_err(), "the naive decoder needs no more");
    }
}

/// Rectangles of Open H.264 at a few places, one after the other: no cut changes the answer, and nothing is painted
/// outside of them.
///
/// So that the fuzzer need not find lengths, the data of each ends where a unit of a type begins that H.264 leaves to
/// others. Its next byte tells the flags of the rectangle behind it, and where that lies.
#[cfg(feature = "h264")]
pub fn h264(data: &[u8]) {
    const NEXT: [u8; 4] = [0, 0, 1, 31];
    let Some(Case { wire, width, height, seed, bytes }) = Case::of(data) else { return };
    let (mut rectangles, mut choice, mut rest) = (Vec::new(), 0, bytes);
    loop {
        let end = rest.windows(NEXT.len()).position(|bytes| bytes == NEXT).unwrap_or(rest.len());
        let (data, later) = rest.split_at(end);
        let (flags, x) = (u32::from(choice & 3), u16::from(choice >> 2 & 3));
        let payload = [&(data.len() as u32).to_be_bytes()[..], &flags.to_be_bytes(), data].concat();
        rectangles.push(rectangle([x, 0, width, height], H264, &payload));
        let Some((&next, behind)) = later.get(NEXT.len()..).and_then(<[u8]>::split_first) else { break };
        (choice, rest) = (next, behind);
    }
    let bytes = Bytes::from(update(&rectangles));
    // A column and a row more than the places have.
    let open = || wire.client(width + 4, height + 1, ByteOrder::Rgbx);
    let answer = whole(open(), &bytes);
    for (how, other) in [
        ("byte by byte", receive(open(), &bytes, std::iter::repeat(1))),
        ("cut", receive(open(), &bytes, random_cuts(seed))),
    ] {
        assert!(other == answer, "{how}, the answer is another: {}", other.difference(&answer));
    }
    let text = answer.error_text();
    assert!(!text.contains(char::is_control), "a control character is shown: {text:?}");
    assert!(answer.error.is_some() || answer.at_boundary, "more bytes are wanted");
    for (y, row) in answer.pixels.chunks_exact(usize::from(width) + 4).enumerate() {
        let outside = if y < height.into() { usize::from(width) + 3.. } else { 0.. };
        assert!(row[outside].iter().all(|&pixel| pixel == 0), "painted outside of its target");
    }
}

/// A handshake with any server: no cut changes what is sent or how it ends.
pub fn handshake(data: &[u8]) {
    let Some((&seed, bytes)) = data.split_first() else { return };
    let bytes = Bytes::copy_from_slice(bytes);
    let run = |cuts: &mut dyn Iterator<Item = usize>| {
        let (mut inbox, mut rest, mut sent) = (Inbox::default(), bytes.clone(), Vec::new());
        let mut handshake = Handshake::new(seed & 1 == 0);
        let end = loop {
            handshake = match handshake.advance(&mut inbox) {
                Ok(Step::NeedMore(handshake)) => {
                    if rest.is_empty() {
                        break format!("waits for {}", handshake.expects());
                    }
                    inbox.push(rest.split_to(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len())));
                    handshake
                }
                Ok(Step::Send(bytes, handshake)) => {
                    sent.extend(bytes);
                    handshake
                }
                Ok(Step::NeedPassword(pause)) => {
                    let (bytes, handshake) = pause.answer(b"password");
                    sent.extend(bytes);
                    handshake
                }
                Ok(Step::Done(init, agreed)) => break format!("{init:?} {agreed:?}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(!text.contains(char::is_control), "a control character is shown: {text:?}");
                    break text;
                }
            };
        };
        (end, sent, inbox.offset())
    };
    let answer = run(&mut std::iter::empty());
    assert_eq!(run(&mut std::iter::repeat(1)), answer, "byte by byte against whole");
    assert_eq!(run(&mut random_cuts(seed.into())), answer, "cut against whole");
}

/// A file that may be a recording: what it says of itself is true of what was read. And the blocks of FBS that a stream
/// lies in change nothing but the times.
pub fn recording(data: &[u8]) {
    let read = |bytes: Vec<u8>| {
        let length = bytes.len();
        let recording = Recording::parse(bytes)?;
        let Recording { messages, start, arrivals, .. } = &recording;
        assert!(*start as usize + messages.len() <= length, "more than the file holds");
        assert!(arrivals.is_sorted_by(|a, b| a.at < b.at && a.end <= b.end), "not in order: {arrivals:?}");
        assert_eq!(arrivals.last().map_or(0, |last| last.end), messages.len());
        Ok::<_, String>(recording)
    };
    if let Err(text) = read(data.to_vec()) {
        assert!(!text.contains(char::is_control), "a control character is shown: {text:?}");
    }
    let Some((&seed, stream)) = data.split_first() else { return };
    let in_blocks = |cuts: &mut dyn Iterator<Item = usize>| {
        let (mut file, mut rest, mut milliseconds) = (b"FBS 001.001\n".to_vec(), stream, 0u32);
        let mut times = Vec::new();
        while !rest.is_empty() {
            let (block, later) = rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            rest = later;
            milliseconds += u32::from(seed);
            times.push((stream.len() - rest.len(), Duration::from_millis(milliseconds.into())));
            file.extend((block.len() as u32).to_be_bytes());
            file.extend(block);
            file.resize(file.len() + block.len().wrapping_neg() % 4, 0);
            file.extend(milliseconds.to_be_bytes());
        }
        let Recording { init, messages, start, arrivals, cut_off } = read(file)?;
        // Each byte came with the block that it lies in.
        for &Arrival { at, end } in arrivals.iter() {
            let last = times.iter().find(|(behind, _)| *behind >= start as usize + end);
            assert_eq!(last.map(|(_, time)| *time), Some(at));
        }
        Ok::<_, String>((init, messages, start, cut_off))
    };
    let answer = in_blocks(&mut std::iter::empty());
    assert_eq!(in_blocks(&mut std::iter::repeat(1)), answer, "byte by byte against whole");
    assert_eq!(in_blocks(&mut random_cuts(seed.into())), answer, "cut against whole");
}
