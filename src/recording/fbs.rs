//! FBS, the file of VNC's proxies and players: the server's whole stream in blocks, and when each of them came.
//!
//! A line with the version, then blocks: U32 length, that many bytes, up to 3 of padding to a multiple of 4, U32
//! milliseconds since the start. Numbers are big-endian.

use std::time::Duration;

use super::Arrival;
use crate::escape::escape;
use crate::rfb::handshake::{Handshake, HandshakeError, ServerInit, Step};
use crate::rfb::{Inbox, Reader, text};

/// What every version begins with. As a ServerInit's these bytes would be a desktop of 17986x21280.
pub(super) const SIGNATURE: &[u8] = b"FBS ";
/// The line that is written. Version 001.000, which most recorders write, has the same blocks.
pub(super) const HEADER: &[u8; 12] = b"FBS 001.001\n";
const HEADER_OF_OLD: &[u8; 12] = b"FBS 001.000\n";
/// A recorder sits behind the authentication and writes a handshake without one: version 3.3 tells, nobody answers.
pub(super) const HANDSHAKE: &[u8] = b"RFB 003.003\n\0\0\0\x01";

/// The bytes behind a block's data: its padding and its time.
pub(super) fn trailer(length: u32, at: Duration) -> Vec<u8> {
    let mut bytes = vec![0; padding(length as usize)];
    // After 49 days the clock stands still.
    bytes.extend(u32::try_from(at.as_millis()).unwrap_or(u32::MAX).to_be_bytes());
    bytes
}

/// How many bytes of padding follow that many of data.
pub(super) fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}

/// When what lay in the blocks came.
pub(super) struct Blocks {
    pub(super) arrivals: Vec<Arrival>,
    pub(super) cut_off: bool,
}

/// Joins the blocks of a file to the stream that lies in them, in the same memory.
///
/// The last block may be shorter than it says: a recorder that was killed leaves such a file. Times that go backwards
/// stand still, so that nothing is played before what came before it.
pub(super) fn join(file: &mut Vec<u8>) -> Result<Blocks, String> {
    match file.first_chunk() {
        Some(HEADER | HEADER_OF_OLD) => {}
        line => {
            let version = escape(&text::from_latin1(line.map_or(file.as_slice(), |line: &[u8; 12]| line)));
            return Err(format!("\"{version}\" is no version of FBS that is known here"));
        }
    }
    let mut arrivals: Vec<Arrival> = Vec::new();
    let mut at = Duration::ZERO;
    let (mut from, mut to) = (HEADER.len(), 0);
    let mut cut_off = false;
    while from < file.len() && !cut_off {
        let mut reader = Reader::new(file.get(from..).unwrap_or_default());
        let length = reader.u32().unwrap_or_default() as usize;
        let here = length.min(reader.rest().len());
        let data = file.len() - reader.rest().len();
        let time = reader.bytes(length).and_then(|_| reader.bytes(padding(length))).and_then(|_| reader.u32());
        from = file.len() - reader.rest().len();
        cut_off = time.is_err();
        at = at.max(Duration::from_millis(time.unwrap_or_default().into()));
        file.copy_within(data..data + here, to);
        to += here;
        match arrivals.last_mut() {
            // Nothing came.
            _ if here == 0 => {}
            Some(last) if last.at == at => last.end = to,
            _ => arrivals.push(Arrival { at, end: to }),
        }
    }
    // The end may be later than what came last.
    if arrivals.last().is_some_and(|last| last.at < at) {
        arrivals.push(Arrival { at, end: to });
    }
    file.truncate(to);
    Ok(Blocks { arrivals, cut_off })
}

/// Passes over the handshake, which nobody answers any more. `None` if ServerInit is not all there.
pub(super) fn skip_handshake(inbox: &mut Inbox) -> Result<Option<ServerInit>, String> {
    let mut handshake = Handshake::new(true);
    let other = |name: &str| format!("its handshake is of the security type {name}: only None can be played");
    loop {
        handshake = match handshake.advance(inbox) {
            Ok(Step::Send(_, handshake)) => handshake,
            Ok(Step::NeedMore(_)) => return Ok(None),
            Ok(Step::NeedPassword(_)) => return Err(other("VNC Authentication")),
            Ok(Step::Done(init, _)) => {
                let checked = init.format.checked();
                return checked.map(|_| Some(init)).map_err(|what| format!("no recording of a server: {what}"));
            }
            Err(HandshakeError::Protocol(error)) => return Err(format!("no recording of a server: {}", error.what)),
            Err(HandshakeError::NoCommonSecurity(names)) => return Err(other(&names)),
            Err(HandshakeError::Refused(why) | HandshakeError::Closed(why)) => {
                return Err(format!("its server let nobody in: {why}"));
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{FORMAT, Recording};

    fn block(data: &[u8], milliseconds: u32) -> Vec<u8> {
        let at = Duration::from_millis(milliseconds.into());
        [&(data.len() as u32).to_be_bytes()[..], data, &trailer(data.len() as u32, at)].concat()
    }

    fn init() -> Vec<u8> {
        let mut bytes = Vec::new();
        ServerInit { width: 3, height: 2, format: FORMAT, name: "x".to_owned() }.write(&mut bytes);
        bytes
    }

    fn parsed(parts: &[&[u8]]) -> Result<Recording, String> {
        Recording::parse([HEADER, &parts.concat()[..]].concat())
    }

    fn arrivals(recording: &Recording) -> Vec<(u128, usize)> {
        recording.arrivals.iter().map(|arrival| (arrival.at.as_millis(), arrival.end)).collect()
    }

    #[test]
    fn blocks_are_joined_and_their_times_kept() {
        let start = block(&[HANDSHAKE, &init()].concat(), 0);
        let recording =
            parsed(&[&start, &block(&[1, 2, 3, 4, 5], 40), &block(&[], 41), &block(&[6], 41), &block(&[7, 8, 9], 90)]);
        let recording = recording.unwrap();
        assert_eq!(recording.messages[..], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(arrivals(&recording), [(40, 5), (41, 6), (90, 9)]);
        assert_eq!((recording.start, recording.duration().as_millis()), (16 + init().len() as u64, 90));
    }

    #[test]
    fn empty_blocks_take_no_memory_but_the_last_tells_the_end() {
        let start = block(&[HANDSHAKE, &init()].concat(), 0);
        let empty: Vec<u8> = (1..=1000).flat_map(|at| block(&[], at)).collect();
        let recording = parsed(&[&start, &empty, &block(&[1], 1001), &empty, &block(&[], 2000)]).unwrap();
        assert_eq!(arrivals(&recording), [(1001, 1), (2000, 1)]);
    }

    #[test]
    fn the_handshake_may_be_of_any_version_and_in_any_pieces() {
        let versions: [&[u8]; 3] =
            [b"RFB 003.003\n\0\0\0\x01", b"RFB 003.007\n\x01\x01", b"RFB 003.008\n\x01\x01\0\0\0\0"];
        for handshake in versions {
            let stream = [handshake, &init(), &[2, 2]].concat();
            let blocks: Vec<Vec<u8>> = stream.iter().map(|&byte| block(&[byte], 7)).collect();
            let recording = parsed(&[&blocks.concat()]).unwrap();
            assert_eq!((&recording.messages[..], arrivals(&recording)), (&[2, 2][..], vec![(7, 2)]));
        }
        for (handshake, words) in [
            (&b"RFB 003.003\n\0\0\0\x02 challenge 16 bytes"[..], "VNC Authentication: only None"),
            (b"RFB 003.008\n\x02\x13\x10", "type 19, 16: only None"),
            (b"RFB 003.008\n\x00\0\0\0\x04busy", "let nobody in: busy"),
            (&[b"RFB 003.003\n\0\0\0\x01\0\x03\0\x02\x18", &[0; 19][..]].concat(), "a pixel of 24 bits"),
            (b"HTTP/1.1 400 Bad Request", "no recording of a server"),
            (b"RFB 003.003\n\0\0\0\x01\0\x03\0", "ends before its ServerInit"),
            (b"", "ends before its ServerInit"),
        ] {
            let error = parsed(&[&block(handshake, 0)]).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn lies_about_length_and_time_do_no_harm() {
        let start = block(&[HANDSHAKE, &init()].concat(), 50);
        // Backwards: the clock stands still.
        let recording = parsed(&[&start, &block(&[1], 40), &block(&[2], 60), &block(&[3], 0)]).unwrap();
        assert_eq!(arrivals(&recording), [(50, 1), (60, 3)]);
        // Four gigabytes that are not there.
        let recording = parsed(&[&start, &[0xff, 0xff, 0xff, 0xff, 1, 2, 3]]).unwrap();
        assert_eq!((&recording.messages[..], recording.cut_off), (&[1, 2, 3][..], true));
        // Cut off in a length, in data, in padding, in a time; and not at all.
        let whole = [start.clone(), block(&[1, 2, 3, 4, 5], 70)].concat();
        for (less, messages, cut_off) in
            [(0, 5, false), (1, 5, true), (5, 5, true), (8, 4, true), (13, 0, true), (16, 0, false)]
        {
            let recording = parsed(&[&whole[..whole.len() - less]]).unwrap();
            assert_eq!((recording.messages.len(), recording.cut_off), (messages, cut_off), "{less} bytes less");
            assert!(recording.arrivals.last().is_none_or(|last| last.end == messages), "{less} bytes less");
        }
    }

    #[test]
    fn other_versions_are_named() {
        for line in ["FBS 001.002\n{}\n", "FBS 1", "FBS \u{1b}[31m1.1\n"] {
            let error = Recording::parse(line.into()).unwrap_err();
            assert!(error.contains("no version of FBS") && !error.contains(char::is_control), "{error}");
        }
    }
}
