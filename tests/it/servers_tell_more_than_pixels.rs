//! Pseudo-encodings and messages beside the pixels, byte by byte as rfbproto describes them, and what is answered.

use sshvnc::client::{Caps, Client, Event, Notice, Received, Settings, canvas_for};
use sshvnc::picture::{ByteOrder, Canvas, Cursor, Size};
use sshvnc::rfb::screen::Screen;
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
        Session::with_clipboard(true)
    }

    fn with_clipboard(clipboard: bool) -> Session {
        let init = PLAIN.parsed(4, 1);
        let settings = Settings { clipboard, ..Settings::new(PixelFormat::rgb888([0, 8, 16]), vec![0]) };
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

/// A message of the extended clipboard.
fn cut_text(flags: u32, payload: &[u8]) -> Vec<u8> {
    let length = -(payload.len() as i32 + 4);
    [&[3, 0, 0, 0][..], &length.to_be_bytes(), &flags.to_be_bytes(), payload].concat()
}

const OUR_CAPS: [u8; 16] = [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 0x1f, 0, 0, 1, 0, 0, 0, 0];
const ASK_FOR_TEXT: [u8; 12] = [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 2, 0, 0, 1];
/// All actions, text and three other formats, and the sizes that may come unasked.
const CAPS: u32 = 0x1f00_000f;
const SIZES: [u8; 16] = [0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const NOTIFY: u32 = 1 << 27;
/// "0 €" with its length, in a stored block (RFC 1951 §3.2.4) of a stream that does not end.
const PROVIDED: [u8; 17] = [0x78, 1, 0, 10, 0, 0xf5, 0xff, 0, 0, 0, 6, b'0', b' ', 0xe2, 0x82, 0xac, 0];

#[test]
fn an_extended_clipboard_is_asked_for_the_text_that_it_announces() {
    let mut session = Session::new();
    // What has not shown that it understands is not asked.
    assert_eq!(session.answers(&cut_text(NOTIFY | 1, &[])), NOTHING);
    assert_eq!(session.answers(&cut_text(CAPS, &SIZES)), OUR_CAPS);
    let [Notice::Size(_), Notice::Caps(caps)] = session.client.notices()[..] else { panic!() };
    let clipboard = caps.clipboard.unwrap();
    assert!(clipboard.text() && clipboard.unsolicited(0x40_0000) && !clipboard.unsolicited(0x40_0001));
    assert_eq!(session.answers(&cut_text(NOTIFY | 1, &[])), ASK_FOR_TEXT);
    // A picture, and nothing.
    assert_eq!(session.answers(&cut_text(NOTIFY | 8, &[])), NOTHING);
    assert_eq!(session.answers(&cut_text(NOTIFY, &[])), NOTHING);
    assert_eq!(session.answers(&cut_text(1 << 28 | 1, &PROVIDED)), NOTHING);
    assert_eq!(session.client.events(), [Event::CutText("0 €".to_owned())]);
    // As after every SetEncodings.
    assert_eq!(session.answers(&cut_text(CAPS, &SIZES)), OUR_CAPS);
    assert_eq!(session.client.notices(), []);
    for request in [CAPS & !(1 << 25), CAPS & !(0xf << 25)] {
        assert_eq!(session.answers(&cut_text(request, &SIZES)), OUR_CAPS);
        assert_eq!(session.answers(&cut_text(NOTIFY | 1, &[])), NOTHING);
    }
    let mut session = Session::with_clipboard(false);
    assert_eq!(session.answers(&cut_text(CAPS, &SIZES)), OUR_CAPS);
    assert_eq!(session.answers(&cut_text(NOTIFY | 1, &[])), NOTHING);
}

#[test]
fn what_is_asked_of_the_clipboard_is_passed_on_once() {
    let (request, peek) = (cut_text(1 << 25 | 1, &[]), cut_text(1 << 26, &[]));
    let asked = |messages: &[&[u8]]| PLAIN.answer(1, 1, &messages.concat()).notices;
    assert_eq!(asked(&[&request]), [Notice::ClipboardRequest]);
    assert_eq!(asked(&[&request, &peek, &request]), [Notice::ClipboardPeek, Notice::ClipboardRequest]);
    // Only pictures; nothing that is known; a text that comes unasked and unannounced.
    let ignored = [cut_text(1 << 25 | 8, &[]), cut_text(1 << 29 | 1, b"??"), cut_text(0x00ff_0000, &[0; 9])];
    let answer = PLAIN.answer(1, 1, &[&ignored.concat()[..], &cut_text(1 << 28 | 1, &PROVIDED)].concat());
    assert_eq!((answer.notices, answer.messages), (vec![], vec![]));
    assert_eq!((answer.events, answer.error), (vec![Event::CutText("0 €".to_owned())], None));
}

#[test]
fn an_extended_clipboard_that_is_nonsense_gets_one_line() {
    let line = |message: &[u8]| PLAIN.answer(1, 1, message).error_text();
    let what = "an extended clipboard message of 4 bytes, too few for the sizes of its formats";
    assert!(line(&cut_text(CAPS, &[])).contains(&format!("{what} (ServerCutText at byte 8)")));
}

#[test]
fn a_text_that_can_not_be_read_is_lost_and_nothing_else() {
    let short = [0x78, 1, 1, 5, 0, 0xfa, 0xff, 0, 0, 0, 9, b'x'];
    // 4 GiB that never come, too much to keep.
    let bomb = [0x78, 1, 0, 4, 0, 0xfb, 0xff, 0xff, 0xff, 0xff, 0xff];
    for text in [&b"no zlib"[..], &[], &short, &bomb] {
        let answer = PLAIN.answer(1, 1, &[cut_text(1 << 28 | 1, text), vec![2]].concat());
        assert_eq!((answer.events, answer.error, answer.at_boundary), (vec![Event::Bell], None, true), "{text:?}");
    }
}

#[test]
fn what_the_server_can_do_is_noticed() {
    let shown = |rectangles: &[(u16, i32)]| {
        let rectangles: Vec<_> = rectangles.iter().map(|&(x, number)| rectangle([x, 0, 0, 0], number, &[])).collect();
        PLAIN.answer(4, 1, &update(&rectangles)).notices
    };
    assert_eq!(shown(&[(0, -258)]), [Notice::Caps(Caps { keycodes: true, ..Caps::default() })]);
    let both = Caps { keycodes: true, extended_buttons: true, ..Caps::default() };
    assert_eq!(shown(&[(0, -316), (0, -258), (0, -258)]), [Notice::Caps(both)]);
    assert_eq!(shown(&[(0, -257)]), [Notice::Caps(Caps { relative_pointer: true, ..Caps::default() })]);
    // Positions are what everybody begins with; sound is not listened to.
    assert_eq!(shown(&[(1, -257), (0, -259)]), []);
    assert_eq!(shown(&[(0, -257), (1, -257)]), [Notice::Caps(Caps::default())]);
}

#[test]
fn a_desktop_that_can_be_resized_says_what_it_is_like_and_how_it_went() {
    let screen = Screen { id: 7, x: 1, y: 2, width: 3, height: 4, flags: 5 };
    let mut bytes = Vec::new();
    screen.write(&mut bytes);
    let told = |reason: u16, status: u16, screens: u8| {
        let payload = [&[screens, 9, 9, 9][..], &bytes.repeat(screens.into())].concat();
        rectangle([reason, status, 4, 1], -308, &payload)
    };
    let notices = |rectangles: &[Vec<u8>]| PLAIN.answer(4, 1, &update(rectangles)).notices;
    let desktop = |screens: usize| Notice::Desktop { size: Size::new(4, 1), screens: vec![screen; screens] };
    assert_eq!(notices(&[told(0, 0, 1)]), [desktop(1)]);
    assert_eq!(notices(&[told(0, 0, 1), told(2, 0, 2), told(2, 0, 2)]), [desktop(2)]);
    assert_eq!(notices(&[told(1, 0, 1)]), [desktop(1), Notice::Resized(0)]);
    assert_eq!(notices(&[told(0, 0, 1), told(1, 3, 2)]), [desktop(1), Notice::Resized(3)]);
    // More screens than anybody has are not kept.
    let many = &notices(&[told(0, 0, 255)])[0];
    assert!(many == &desktop(16) && many.weight() < 1000, "{many:?}");
}

#[test]
fn a_machine_that_can_be_shut_down_says_so() {
    let answer = PLAIN.answer(1, 1, &[250, 9, 1, 1]);
    assert_eq!(answer.events, [Event::XvpInit]);
    assert_eq!(answer.notices, [Notice::Caps(Caps { xvp: true, ..Caps::default() })]);
    let answer = PLAIN.answer(1, 1, &[250, 0, 1, 0]);
    assert_eq!((answer.events, answer.notices), (vec![Event::XvpFail], vec![]));
    let line = PLAIN.answer(1, 1, &[250, 0, 1, 7]).error_text();
    assert!(line.contains("an xvp message with the unknown code 7"), "{line}");
}

#[test]
fn audio_is_counted_and_never_asked_for() {
    let stream =
        [&[255, 1, 0, 1][..], &[255, 1, 0, 2, 0, 0, 0, 3], b"abc", &[255, 1, 0, 2, 0, 0, 0, 0], &[255, 1, 0, 0]];
    let answer = PLAIN.answer(1, 1, &[&stream.concat()[..], &[2]].concat());
    assert_eq!((answer.counts.audio_streams, answer.counts.audio_bytes), (1, 3));
    assert_eq!((answer.messages, answer.events, answer.at_boundary), (vec![], vec![Event::Bell], true));
    let line = |message: &[u8]| PLAIN.answer(1, 1, message).error_text();
    assert!(line(&[255, 1, 0, 2, 0xff, 0xff, 0xff, 0xff]).contains("audio of 4294967295 bytes (QEMU Audio at"));
    assert!(line(&[255, 1, 0, 3]).contains("an audio operation of the unknown number 3"));
    assert!(line(&[255, 7]).contains("a QEMU message of the unknown type 7"));
}
