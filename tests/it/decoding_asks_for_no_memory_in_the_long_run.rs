//! In a session that lasts, rectangles are decoded in memory that is already there.

use std::path::Path;

use sshvnc::client::{Client, Received, canvas_for};
use sshvnc::picture::ByteOrder;
use sshvnc::recording::Recording;
use sshvnc::rfb::Inbox;

use crate::memory::allocations;

/// How many rectangles the second half of a recording has, and how often memory was asked for there. Nobody takes the
/// damage and the answers meanwhile: they are taken once an update, which is none of the decoders' doing.
fn second_half(name: &str) -> (u64, usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(format!("{name}.rfb.zst"));
    let recording = Recording::load(&path).unwrap();
    let begin = || {
        let mut inbox = Inbox::default();
        inbox.push(recording.messages.clone());
        let canvas = canvas_for(&recording.init, ByteOrder::Rgbx).unwrap();
        (Client::of_recording(&recording.init, ByteOrder::Rgbx), inbox, canvas)
    };
    let (mut client, mut inbox, mut canvas) = begin();
    while client.receive(&mut inbox, &mut canvas).unwrap() == Received::UpdateDone {}
    let whole = client.counts().clone();

    let (mut client, mut inbox, mut canvas) = begin();
    while client.counts().updates < whole.updates / 2 {
        client.receive(&mut inbox, &mut canvas).unwrap();
    }
    let before = client.counts().rectangles;
    let rest = || while client.receive(&mut inbox, &mut canvas).unwrap() == Received::UpdateDone {};
    let ((), count) = allocations(rest);
    (whole.rectangles - before, count)
}

#[test]
fn no_rectangle_takes_memory() {
    for name in [
        "raw-tigervnc",
        "raw-rgb565be-tigervnc",
        "hextile-tigervnc",
        "hextile-x11vnc",
        "rre-tigervnc",
        "rre-tightvnc",
        "corre-x11vnc",
        "zlib-x11vnc",
        "zlib-tightvnc",
        "zlib-rgb565-tightvnc",
        "zrle-tigervnc",
        "zrle-x11vnc",
        "tight-tigervnc",
        "tight-tightvnc",
        "ultra-x11vnc",
    ] {
        let (rectangles, count) = second_half(name);
        // The lists of damage and of answers still grow, a few times; one for each rectangle would be more than these.
        assert!(rectangles >= 10 && count <= 4, "{name}: {count} allocations for {rectangles} rectangles");
    }
}
