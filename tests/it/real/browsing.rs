//! Somebody who browses: pages that are drawn on a desktop when the one before has been seen.

use std::time::{Duration, Instant};

use sshvnc::picture::ByteOrder;
use sshvnc::session::{Event, Plan, Session, Settings};
use sshvnc::transport::{Destination, Identity, KnownHosts, Login, Route, SshOptions, SshRoute, TcpOptions};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, CreateGCAux, Gcontext, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

use super::desktop::{Desktop, PASSWORD};
use super::link::Link;
use super::sshd::{Sshd, me};

/// The corner that tells which page it is.
const MARK: u16 = 24;
/// How far one turns of the wheel scrolls.
const SCROLL: u16 = 120;

/// A desktop of Xtigervnc with pages on it instead of windows.
pub struct Browser {
    connection: RustConnection,
    root: Window,
    context: Gcontext,
    size: (u16, u16),
    page: usize,
    scrolled: u16,
    mark: usize,
}

impl Browser {
    pub fn open(display: &str) -> Browser {
        let (connection, screen) = RustConnection::connect(Some(display)).unwrap();
        let screen = &connection.setup().roots[screen];
        let (root, size) = (screen.root, (screen.width_in_pixels, screen.height_in_pixels));
        let context = connection.generate_id().unwrap();
        connection.create_gc(context, root, &CreateGCAux::new()).unwrap();
        Browser { connection, root, context, size, page: 0, scrolled: 0, mark: 0 }
    }

    /// Follows a link, or scrolls: two of three times.
    pub fn go_on(&mut self) {
        let (width, height) = self.size;
        if self.mark.is_multiple_of(3) {
            (self.page, self.scrolled) = (self.page + 1, 0);
            self.draw(0, height);
        } else {
            self.scrolled += SCROLL;
            let (root, rest) = (self.root, height - SCROLL);
            self.connection.copy_area(root, root, self.context, 0, SCROLL as i16, 0, 0, width, rest).unwrap();
            self.draw(rest, SCROLL);
        }
        self.mark += 1;
        let pixels = colour(self.mark).repeat(usize::from(MARK) * usize::from(MARK));
        self.put(width - MARK, height - MARK, MARK, MARK, &pixels);
        // All of it has been drawn when this is answered.
        self.connection.get_input_focus().unwrap().reply().unwrap();
    }

    fn draw(&self, top: u16, rows: u16) {
        // As large as one request may be.
        for top in (top..top + rows).step_by(40) {
            let rows = 40.min(self.size.1 - top);
            let pixel = |y, x| pixel(self.page, usize::from(x), usize::from(y + self.scrolled));
            let pixels: Vec<u8> =
                (top..top + rows).flat_map(|y| (0..self.size.0).flat_map(move |x| pixel(y, x))).collect();
            self.put(0, top, self.size.0, rows, &pixels);
        }
    }

    fn put(&self, x: u16, y: u16, width: u16, height: u16, pixels: &[u8]) {
        let (format, root) = (ImageFormat::Z_PIXMAP, self.root);
        self.connection
            .put_image(format, root, self.context, width, height, x as i16, y as i16, 0, 24, pixels)
            .unwrap();
    }

    /// Waits until the page is seen through a session; false if it takes longer than `limit`.
    pub fn is_seen(&self, session: &Session, limit: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < limit {
            match session.next(Duration::from_millis(100)) {
                Some(Event::Picture(picture)) => {
                    let canvas = picture.canvas();
                    let (width, height) = (usize::from(canvas.size().width), usize::from(canvas.size().height));
                    let away = usize::from(MARK / 2);
                    let seen = canvas.order().colour(canvas.pixels()[(height - away) * width + width - away]);
                    let [blue, green, red, _] = colour(self.mark);
                    let near = seen.iter().zip([red, green, blue]).all(|(ours, theirs)| ours.abs_diff(theirs) < 40);
                    drop(picture);
                    session.want_picture();
                    if near {
                        return true;
                    }
                }
                Some(Event::Ended(end)) => panic!("{:?}", end.error),
                _ => {}
            }
        }
        false
    }
}

/// Of the corner, as blue, green, red, 0: neighbours are far from each other, whatever JPEG makes of them.
fn colour(mark: usize) -> [u8; 4] {
    [(mark & 1) as u8 * 200, (mark >> 1 & 1) as u8 * 200, (mark >> 2 & 1) as u8 * 200, 0]
}

/// Two columns of text, and pictures: slow waves under grain.
fn pixel(page: usize, x: usize, y: usize) -> [u8; 4] {
    let block = y / 150;
    if y < 30 {
        return [90, 60, 40, 0];
    }
    if (block + page) % 3 == 1 && (60..420).contains(&x) {
        let wave = |a: usize, b: usize| ((x * a + page * 900) as f64 / 97.0).sin() * ((y * b) as f64 / 71.0).cos();
        let grain = ((x * 0x9e37_79b1) ^ (y * 0x85eb_ca77) ^ page).wrapping_mul(0xc2b2_ae3d) >> 20 & 7;
        let part = |a, b| (128.0 + 110.0 * wave(a, b)) as u8 / 8 * 8 + grain as u8;
        return [part(1, 2), part(2, 1), part(1, 1), 0];
    }
    let sign = (x / 7 * 31 + y / 14 * 17 + page * 101).wrapping_mul(0x9e37_79b9);
    let inside = x % 7 < 6 && (2..12).contains(&(y % 14)) && sign >> 5 & 7 != 0;
    let dot = sign >> (x % 7 * 3 + y % 14 * 2) & 3 == 0;
    if inside && dot { [40, 40, 40, 0] } else { [255, 255, 255, 0] }
}

/// The plan of a session through `link`, which leads to `sshd`, with a desktop beside that.
pub fn plan(sshd: &Sshd, link: &Link, desktop: &Desktop, settings: Settings, follow_link: bool) -> Plan {
    let mut login = Login::new(me());
    login.identities = vec![Identity::File(sshd.path("user"))];
    Plan {
        route: Route::Ssh(Box::new(SshRoute {
            via: Route::Tcp { host: "127.0.0.1".into(), port: link.port, options: TcpOptions::default() },
            host: "127.0.0.1".into(),
            port: link.port,
            login,
            known_hosts: KnownHosts::memory(format!("[127.0.0.1]:{} {}\n", link.port, sshd.public("host"))),
            to: Destination::Tcp { host: "127.0.0.1".into(), port: desktop.port },
            options: SshOptions::default(),
        })),
        password: Some(PASSWORD.as_bytes().to_vec().into()),
        may_ask: false,
        shared: true,
        settings,
        follow_link,
        order: ByteOrder::Bgrx,
        pins: Default::default(),
        recorder: None,
    }
}
