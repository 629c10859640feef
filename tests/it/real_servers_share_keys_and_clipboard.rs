//! A session without a window, with servers that were not written here: what is copied and typed on one side is there
//! on the other.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use sshvnc::picture::ByteOrder;
use sshvnc::rfb::{PixelFormat, encoding};
use sshvnc::session::transport::{Route, TcpOptions};
use sshvnc::session::{Event, Plan, ServerEvent, Session, Settings, UserInput};

use crate::real::desktop::{Desktop, Server};
use crate::real::{PATIENCE, Running, within};

/// A session that wants the server's clipboard, after its first picture.
fn open(desktop: &Desktop) -> Session {
    let order = ByteOrder::Bgrx;
    let settings = Settings::new(PixelFormat::rgb888(order.shifts()), encoding::default_pixel_encodings());
    let session = Session::start(Plan {
        route: Route::Tcp { host: "127.0.0.1".to_owned(), port: desktop.port, options: TcpOptions::default() },
        password: None,
        may_ask: false,
        shared: true,
        follow_link: false,
        settings: Settings { clipboard: true, ..settings },
        order,
        pins: Default::default(),
        recorder: None,
    });
    let session = session.unwrap();
    wait_for(&session, |event| matches!(event, Event::Picture(_)).then_some(()));
    session
}

/// Waits for what `wanted` finds in an event.
fn wait_for<T>(session: &Session, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match session.next(Duration::from_millis(100)) {
            Some(Event::Ended(end)) => panic!("{:?}", end.error.map(|error| error.to_string())),
            Some(event) => {
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
            None => {}
        }
        session.want_picture();
    }
    panic!("nothing came");
}

fn clipboard_text(event: Event) -> Option<String> {
    let Event::Server(news) = event else { return None };
    news.into_iter().find_map(|news| match news {
        ServerEvent::CutText(text) => Some(text),
        _ => None,
    })
}

/// Hands text on between the X clients of a desktop; UTF-8, but Latin-1 in a cut buffer.
fn xclip(desktop: &Desktop, selection: &str) -> Command {
    let mut xclip = Command::new("xclip");
    xclip.args(["-quiet", "-selection", selection]).env("DISPLAY", &desktop.display);
    xclip
}

/// Copies `text` on the desktop, until another text is copied.
fn copy(desktop: &Desktop, selection: &str, text: &[u8]) -> Running {
    let file = desktop.path("copied");
    fs::write(&file, text).unwrap();
    Running::start(xclip(desktop, selection).arg("-in").arg(&file), &desktop.path("xclip.log"))
}

/// Whether `text` would be pasted on the desktop within this time.
fn reaches(desktop: &Desktop, selection: &str, text: &[u8], limit: Duration) -> bool {
    within(limit, || {
        let mut paste = xclip(desktop, selection);
        paste.arg("-out").output().expect("xclip is needed; tests/run installs it").stdout == text
    })
}

#[test]
fn text_in_any_script_is_copied_both_ways() {
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    let desktop = desktop.with_helper("vncconfig", &["-nowin"]);
    let session = open(&desktop);
    // Longer than one piece of any buffer.
    let long = "grüße, мир, 世界 €\n".repeat(5000);
    for text in ["grüße, мир, 世界\nand a second line\n", "plain", &long] {
        session.send(UserInput::Clipboard(text.to_owned()));
        assert!(reaches(&desktop, "clipboard", text.as_bytes(), PATIENCE), "{text:.60?}");
    }
    for text in ["€ 世界\nzwei\n", "plain again", &long] {
        let _owner = copy(&desktop, "clipboard", text.as_bytes());
        let copied = wait_for(&session, clipboard_text);
        assert!(copied == text, "{} characters {copied:.60?}", copied.len());
    }
    assert!(session.close().is_none());
}

#[test]
fn x11vnc_which_announces_more_than_it_takes_gets_and_gives_latin1() {
    let desktop = Desktop::start_without_password(Server::X11vnc);
    let session = open(&desktop);
    // It may wait for 15 seconds before it looks.
    let arrived = within(PATIENCE, || {
        session.send(UserInput::Clipboard("grüße €\n".to_owned()));
        reaches(&desktop, "buffer-cut", b"gr\xfc\xdfe ?\n", Duration::from_secs(1))
    });
    assert!(arrived);
    let copied = within(PATIENCE, || {
        let _owner = copy(&desktop, "buffer-cut", b"caf\xe9\n");
        session.next(Duration::from_secs(1)).and_then(clipboard_text).is_some_and(|text| text == "café\n")
    });
    assert!(copied);
    assert!(session.close().is_none());
}

#[test]
fn a_key_is_told_by_its_place_where_the_server_wants_it() {
    // It looks at places only then.
    let desktop = Desktop::start_with_options(&["-RawKeyboard"]);
    let events = desktop.path("client.log");
    let desktop = desktop.with_client("xev", &["-geometry", "200x200+0+0"]);
    let session = open(&desktop);
    session.send(UserInput::Pointer { x: 100, y: 100, buttons: 0 });
    // The keysym says `a`, the place is that of `b`; the cursor key has a prefix.
    for (keysym, keycode, seen) in
        [(0x61, 0x30, "keycode 56 (keysym 0x62, b)"), (0xff53, 0xcd, "(keysym 0xff53, Right)")]
    {
        let arrived = within(PATIENCE, || {
            for down in [true, false] {
                session.send(UserInput::Key { keysym, keycode: Some(keycode), down });
            }
            fs::read_to_string(&events).is_ok_and(|text| text.contains(seen))
        });
        assert!(arrived, "{seen} was not seen");
    }
    // Without a place the keysym counts.
    for down in [true, false] {
        session.send(UserInput::Key { keysym: 0x61, keycode: None, down });
    }
    let arrived = within(PATIENCE, || fs::read_to_string(&events).is_ok_and(|text| text.contains("(keysym 0x61, a)")));
    assert!(arrived, "the keysym was not seen");
    assert!(session.close().is_none());
}
