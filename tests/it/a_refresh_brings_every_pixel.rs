//! What came with a loss comes without one when that is asked for, and what follows it comes as before.

use std::time::Duration;

use sshvnc::client::{Client, Received, Settings, canvas_for};
use sshvnc::picture::ByteOrder;
use sshvnc::rfb::{Inbox, PixelFormat, encoding};
use sshvnc::session::{Event, Plan, Session};
use sshvnc::transport::{Route, TcpOptions};

use crate::jpeg_by_hand::{Tables, jpeg};
use crate::real::PATIENCE;
use crate::real::program::Program;
use crate::real::scenery::scenery;
use crate::server::{PLAIN, rectangle, update};

/// The encodings and levels that a SetEncodings names, and what follows it.
fn set_encodings(said: &[u8]) -> (Vec<i32>, &[u8]) {
    assert_eq!(said[..2], [2, 0], "{said:?}");
    let (list, rest) = said[4..].split_at(usize::from(u16::from_be_bytes([said[2], said[3]])) * 4);
    (list.chunks(4).map(|number| i32::from_be_bytes(number.try_into().unwrap())).collect(), rest)
}

#[test]
fn loss_ends_until_all_was_painted() {
    let init = PLAIN.parsed(4, 1);
    let format = PixelFormat::rgb888([0, 8, 16]);
    let encodings = vec![encoding::TIGHT, encoding::ZYWRLE, encoding::JPEG];
    let settings = Settings { quality: Some(3), ..Settings::new(format, encodings) };
    let mut client = Client::new(&init, &settings, ByteOrder::Rgbx);
    client.messages();
    client.refresh();
    let said = client.messages();
    let (list, rest) = set_encodings(&said);
    assert_eq!(list[..2], [encoding::TIGHT, encoding::ZRLE]);
    assert!(!list.contains(&encoding::JPEG) && !list.iter().any(|number| (-32..=-23).contains(number)), "{list:?}");
    assert_eq!(rest, [3, 0, 0, 0, 0, 0, 0, 4, 0, 1]);
    let (mut inbox, mut canvas) = (Inbox::default(), canvas_for(&init, ByteOrder::Rgbx).unwrap());
    let mut answers = |client: &mut Client, x: u16, number: i32, payload: &[u8]| {
        inbox.push(update(&[rectangle([x, 0, 2, 1], number, payload)]).into());
        while client.receive(&mut inbox, &mut canvas).unwrap() == Received::UpdateDone {}
        client.messages()
    };
    let asks = [3, 1, 0, 0, 0, 0, 0, 4, 0, 1];
    // What was on its way has a loss yet, and is no answer.
    let jpeg = jpeg(2, 1, [90, 128, 128], Tables::Both);
    let tight = [&[0x90, jpeg.len() as u8 | 0x80, (jpeg.len() >> 7) as u8][..], &jpeg].concat();
    assert_eq!(answers(&mut client, 0, 0, &[9; 8]), asks);
    assert_eq!(answers(&mut client, 2, encoding::TIGHT, &tight), asks);
    assert_eq!(answers(&mut client, 0, 0, &[9; 8]), asks);
    // A copy is as good as what was there.
    assert_eq!(answers(&mut client, 2, 1, &[0; 4]), asks);
    let said = answers(&mut client, 2, 0, &[9; 8]);
    let (list, rest) = set_encodings(&said[10..]);
    assert_eq!((&said[..10], rest), (&asks[..], &[][..]));
    assert!(list.contains(&encoding::ZYWRLE) && list.contains(&encoding::quality_level(3)), "{list:?}");
    // Without loss there is nothing to go back to.
    let mut client = Client::new(&init, &Settings::new(format, vec![encoding::TIGHT]), ByteOrder::Rgbx);
    client.messages();
    client.refresh();
    assert_eq!(client.messages(), [3, 0, 0, 0, 0, 0, 0, 4, 0, 1]);
}

#[test]
fn a_real_server_sends_what_it_shows() {
    let picture = scenery(640, 480);
    let program = Program::start(&picture);
    let format = PixelFormat::rgb888(ByteOrder::Bgrx.shifts());
    let settings = Settings { quality: Some(1), ..Settings::new(format, vec![encoding::TIGHT]) };
    let session = Session::start(Plan {
        route: Route::Tcp { host: "127.0.0.1".into(), port: program.port, options: TcpOptions::default() },
        password: None,
        may_ask: false,
        shared: true,
        settings,
        follow_link: false,
        order: ByteOrder::Bgrx,
        pins: Default::default(),
        recorder: None,
    })
    .unwrap();
    let mut seen = Vec::new();
    let mut look = |wanted: bool| {
        let start = std::time::Instant::now();
        while start.elapsed() < PATIENCE {
            match session.next(Duration::from_millis(100)) {
                Some(Event::Picture(shown)) => {
                    let complete = shown.complete;
                    seen = shown.canvas().to_rgb();
                    drop(shown);
                    session.want_picture();
                    if complete && (seen == picture.2) == wanted {
                        return;
                    }
                }
                Some(Event::Ended(end)) => panic!("{:?}", end.error),
                _ => {}
            }
        }
        let differ = seen.iter().zip(&picture.2).filter(|(seen, shown)| seen != shown).count();
        panic!("{differ} of {} bytes differ", seen.len());
    };
    look(false);
    session.refresh();
    look(true);
}
