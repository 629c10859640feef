//! Nobody has to know how fast the way to a desktop is: what is asked for follows it.

use std::time::Duration;

use sshvnc::picture::ByteOrder;
use sshvnc::rfb::{PixelFormat, encoding};
use sshvnc::session::{Event, Session, Settings};

use crate::real::browsing::{Browser, plan};
use crate::real::desktop::{Desktop, Server};
use crate::real::link::Link;
use crate::real::sshd::Sshd;
use crate::real::{PATIENCE, within};

fn settings() -> Settings {
    Settings::new(PixelFormat::rgb888(ByteOrder::Bgrx.shifts()), encoding::default_pixel_encodings())
}

fn browse(browser: &mut Browser, session: &Session, pages: usize) {
    assert!(browser.is_seen(session, PATIENCE));
    for _ in 0..pages {
        browser.go_on();
        assert!(browser.is_seen(session, PATIENCE));
    }
}

#[test]
fn a_slow_one_gets_pictures_with_a_loss() {
    let (sshd, desktop) = (Sshd::start(), Desktop::start_empty(Server::Xtigervnc));
    let bytes = [true, false].map(|follow| {
        let link = Link::to(sshd.port, 2e6, Duration::from_millis(20));
        let mut browser = Browser::open(&desktop.display);
        browser.go_on();
        let session = Session::start(plan(&sshd, &link, &desktop, settings(), follow)).unwrap();
        browse(&mut browser, &session, 6);
        session.close();
        link.received()
    });
    assert!(bytes[0] * 10 < bytes[1] * 7, "{bytes:?} bytes with and without");
}

#[test]
fn on_a_fast_one_every_pixel_is_right_in_the_end() {
    let (sshd, desktop) = (Sshd::start(), Desktop::start_empty(Server::Xtigervnc));
    let link = Link::to(sshd.port, 1e9, Duration::from_millis(10));
    let mut browser = Browser::open(&desktop.display);
    browser.go_on();
    let session = Session::start(plan(&sshd, &link, &desktop, settings(), true)).unwrap();
    browse(&mut browser, &session, 6);
    browser.go_on();
    let screen = desktop.screen().2;
    let mut last = Vec::new();
    let same = within(PATIENCE, || {
        if let Some(Event::Picture(picture)) = session.next(Duration::from_millis(200)) {
            last = picture.canvas().to_rgb();
            drop(picture);
            session.want_picture();
        }
        last == screen
    });
    assert!(same, "{} bytes differ", last.iter().zip(&screen).filter(|(ours, theirs)| ours != theirs).count());
}
