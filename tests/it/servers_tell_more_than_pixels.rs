//! Pseudo-encodings and messages beside the pixels, byte by byte as rfbproto describes them, and what is answered.

use sshvnc::client::{Client, Event, Received, Settings, canvas_for};
use sshvnc::picture::{ByteOrder, Canvas, Cursor, Size};
use sshvnc::rfb::{Inbox, PixelFormat};

use crate::every_cut::Answer;
use crate::server::{COLOUR_MAP, PLAIN, WIRES, rectangle, update};

const CURSOR_WITH_ALPHA: i32 = -314;
const VMWARE_CURSOR: i32 = 0x574d_5664;
const VMWARE_CURSOR_POSITION: i32 = 0x574d_5666;
const LED_STATE: i32 = -261;
const VMWARE_LED_STATE: i32 = 0x574d_5668;

/// What a rectangle of this encoding tells.
fn told(place: [u16; 4], encoding: i32, payload: &[u8]) -> Answer {
    PLAIN.answer(4, 1, &update(&[rectangle(place, encoding, payload)]))
}

#[test]
fn a_cursor_with_alpha_has_opacity_already_in_its_colours() {
    let pixels = [[255, 0, 0, 255], [0, 64, 0, 128], [0, 0, 0, 0], [200, 1, 2, 100]];
    let payload = [&[0; 4], pixels.as_flattened()].concat();
    let straight = vec![[255, 0, 0, 255], [0, 127, 0, 128], [0, 0, 0, 0], [255, 2, 5, 100]];
    let cursor = Cursor { size: Size::new(2, 2), hotspot: (1, 0), pixels: straight };
    assert_eq!(told([1, 0, 2, 2], CURSOR_WITH_ALPHA, &payload).events, [Event::Cursor(Some(cursor))]);
    assert_eq!(told([0, 0, 0, 0], CURSOR_WITH_ALPHA, &[0; 4]).events, [Event::Cursor(None)]);
    let other = told([0, 0, 1, 1], CURSOR_WITH_ALPHA, &[0, 0, 0, 7, 0]);
    assert!(other.error_text().contains("a cursor in the encoding"), "{}", other.error_text());
}

#[test]
fn a_vmware_cursor_is_two_masks_of_pixels_or_has_opacity() {
    for wire in &WIRES {
        // Hides, shows red, inverts, lets through.
        let masks = [wire.pixels("..WW"), wire.pixels(".RW.")].concat();
        let messages = update(&[rectangle([3, 0, 4, 1], VMWARE_CURSOR, &[&[0, 0], &masks[..]].concat())]);
        let answer = wire.answer(4, 1, &[&COLOUR_MAP[..], &messages].concat());
        let [.., Event::Cursor(Some(cursor))] = answer.events.as_slice() else { panic!("{:?}", answer.events) };
        if wire.format[3] != 0 && !wire.name.contains("rubbish") {
            assert_eq!(cursor.pixels, [[0, 0, 0, 255], [255, 0, 0, 255], [0, 0, 0, 255], [0; 4]], "{}", wire.name);
        }
        assert_eq!(cursor.hotspot, (3, 0));
    }
    let answer = told([0, 0, 1, 1], VMWARE_CURSOR, &[1, 0, 9, 8, 7, 100]);
    let cursor = Cursor { size: Size::new(1, 1), hotspot: (0, 0), pixels: vec![[9, 8, 7, 100]] };
    assert_eq!(answer.events, [Event::Cursor(Some(cursor))]);
    assert!(told([0, 0, 1, 1], VMWARE_CURSOR, &[2, 0]).error_text().contains("unknown type 2"));
    assert_eq!(told([0, 0, 0, 0], VMWARE_CURSOR, &[1, 0]).events, [Event::Cursor(None)]);
}

#[test]
fn positions_and_locks() {
    let moved = Event::PointerMoved { x: 700, y: 3 };
    assert_eq!(told([700, 3, 0, 0], VMWARE_CURSOR_POSITION, &[]).events, [moved]);
    let locks = |scroll, num, caps| [Event::Locks { scroll, num, caps }];
    assert_eq!(told([0; 4], LED_STATE, &[5]).events, locks(true, false, true));
    assert_eq!(told([0; 4], VMWARE_LED_STATE, &[0, 0, 0, 2]).events, locks(false, true, false));
}

/// A client of a session, after what it says first.
struct Session {
    client: Client,
    canvas: Canvas,
    inbox: Inbox,
}

impl Session {
    fn new() -> Session {
        let init = PLAIN.parsed(4, 1);
        let settings = Settings::new(PixelFormat::rgb888([0, 8, 16]), vec![0]);
        let mut client = Client::new(&init, &settings, ByteOrder::Rgbx);
        client.messages();
        Session { client, canvas: canvas_for(&init, ByteOrder::Rgbx).unwrap(), inbox: Inbox::default() }
    }

    /// What the client answers to this.
    fn answers(&mut self, said: &[u8]) -> Vec<u8> {
        self.inbox.push(said.to_vec().into());
        while self.client.receive(&mut self.inbox, &mut self.canvas).unwrap() == Received::UpdateDone {}
        self.client.messages()
    }
}

const NOTHING: [u8; 0] = [];
const REQUEST: [u8; 10] = [3, 1, 0, 0, 0, 0, 0, 4, 0, 1];
const CONTINUE: [u8; 10] = [150, 1, 0, 0, 0, 0, 0, 4, 0, 1];
const STOP: [u8; 10] = [150, 0, 0, 0, 0, 0, 0, 4, 0, 1];

#[test]
fn a_fence_comes_back_with_what_is_understood_of_it() {
    let mut session = Session::new();
    let fence =
        |flags: [u8; 4], payload: &[u8]| [&[248, 0, 0, 0][..], &flags, &[payload.len() as u8], payload].concat();
    let asked = fence([0x80, 0xff, 0, 0xff], b"abc");
    assert_eq!(session.answers(&asked[..5]), NOTHING);
    assert_eq!(session.answers(&asked[5..]), fence([0, 0, 0, 7], b"abc"));
    // An answer to none of ours.
    assert_eq!(session.answers(&fence([0, 0, 0, 1], b"")), NOTHING);
    assert_eq!(session.answers(&fence([0x80, 0, 0, 0], &[9; 64])), fence([0; 4], &[9; 64]));
    let long = PLAIN.answer(1, 1, &fence([0; 4], &[9; 65]));
    assert!(long.error_text().contains("a fence with 65 bytes"), "{}", long.error_text());
}

#[test]
fn updates_come_by_themselves_where_the_server_knows_how_until_the_window_lags_behind() {
    let mut session = Session::new();
    let pixel = update(&[rectangle([0, 0, 1, 1], 0, PLAIN.pixel('R'))]);
    assert_eq!(session.answers(&pixel), REQUEST);
    // Both are needed: without fences a server does not know when it sends too much.
    assert_eq!(session.answers(&[150]), NOTHING);
    assert_eq!(session.answers(&pixel), REQUEST);
    let fence = [248, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(session.answers(&fence), NOTHING);
    assert_eq!(session.answers(&pixel), REQUEST);
    // And a link that is not full: whoever has a clock tells.
    session.client.set_room(true);
    assert_eq!(session.client.messages(), CONTINUE);
    assert_eq!(session.answers(&pixel), NOTHING);
    session.client.hold();
    assert_eq!(session.client.messages(), STOP);
    assert_eq!(session.answers(&pixel), NOTHING);
    session.client.release();
    assert_eq!(session.client.messages(), NOTHING);
    assert_eq!(session.answers(&[150]), CONTINUE);
    assert_eq!(session.answers(&pixel), NOTHING);
}
