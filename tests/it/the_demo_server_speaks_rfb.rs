//! The demo's RFB server against this project's own handshake and client, through a stream in memory.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use secrecy::SecretString;
use sshvnc::client::{Client, Event, Received, Settings, canvas_for};
use sshvnc::demo::desktop::Desktop;
use sshvnc::demo::rfb_server::serve;
use sshvnc::picture::{ByteOrder, Canvas, Size};
use sshvnc::rfb::handshake::{Handshake, HandshakeError, ServerInit, Step};
use sshvnc::rfb::{ClientMessage, Inbox, Layout, PixelFormat, encoding};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

const SIZE: Size = Size::new(640, 480);
const PASSWORD: &str = "secret12";

/// A server in a task, and the client's end of its stream, which holds `capacity` bytes.
fn start(capacity: usize) -> (DuplexStream, JoinHandle<io::Result<()>>) {
    let (near, far) = duplex(capacity);
    let server = tokio::spawn(serve(far, SecretString::from(PASSWORD), SIZE, "größe"));
    (near, server)
}

async fn read(stream: &mut DuplexStream, inbox: &mut Inbox) -> usize {
    let mut chunk = BytesMut::with_capacity(64 * 1024);
    let count = stream.read_buf(&mut chunk).await.unwrap();
    inbox.push(chunk.freeze());
    count
}

async fn shake(stream: &mut DuplexStream, password: &str) -> Result<(ServerInit, Inbox), HandshakeError> {
    let mut inbox = Inbox::default();
    let mut handshake = Handshake::new(true);
    loop {
        let (bytes, next) = match handshake.advance(&mut inbox)? {
            Step::NeedMore(next) => {
                assert_ne!(read(stream, &mut inbox).await, 0, "the server left while {} was expected", next.expects());
                (Vec::new(), next)
            }
            Step::Send(bytes, next) => (bytes, next),
            Step::NeedPassword(pause) => pause.answer(password.as_bytes()),
            Step::Done(init, agreed) => {
                assert_eq!((agreed.minor, agreed.security_name()), (8, "VNC Authentication"));
                return Ok((init, inbox));
            }
        };
        stream.write_all(&bytes).await.unwrap();
        handshake = next;
    }
}

/// A client that is let in, and the desktop that it should see.
struct Viewer {
    stream: DuplexStream,
    inbox: Inbox,
    client: Client,
    canvas: Canvas,
    format: PixelFormat,
    start: Instant,
    desktop: Desktop,
    told: Duration,
}

impl Viewer {
    async fn new(mut stream: DuplexStream, format: PixelFormat, encodings: &[i32]) -> Viewer {
        let (init, inbox) = shake(&mut stream, PASSWORD).await.unwrap();
        assert_eq!((init.width, init.height, init.name.as_str()), (SIZE.width, SIZE.height, "größe"));
        let settings = Settings::new(format, encodings.to_vec());
        Viewer {
            stream,
            inbox,
            client: Client::new(&init, &settings, ByteOrder::Bgrx),
            canvas: canvas_for(&init, ByteOrder::Bgrx).unwrap(),
            format,
            start: Instant::now(),
            desktop: Desktop::new(SIZE),
            told: Duration::ZERO,
        }
    }

    async fn say(&mut self, message: &ClientMessage) {
        let mut bytes = Vec::new();
        message.write(&mut bytes);
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// Receives one update. With the clock paused, no time passes between its making and its end.
    async fn update(&mut self) {
        loop {
            let messages = self.client.messages();
            self.stream.write_all(&messages).await.unwrap();
            if self.client.receive(&mut self.inbox, &mut self.canvas).unwrap() == Received::UpdateDone {
                let now = self.start.elapsed();
                self.desktop.tick(now - self.told);
                self.told = now;
                return;
            }
            assert_ne!(read(&mut self.stream, &mut self.inbox).await, 0, "the server left");
        }
    }

    /// Whether every pixel is the desktop's, as exactly as the format can say it.
    fn sees_the_desktop(&self) -> bool {
        let Layout::TrueColour { max, .. } = self.format.layout else { return false };
        let expected = self.desktop.canvas().to_rgb();
        let exact = |level: u8, max: u16| {
            let (level, max) = (u32::from(level), u32::from(max));
            (((level * max + 127) / 255 * 255 + max / 2) / max) as u8
        };
        let sent = expected.iter().zip(max.iter().cycle()).map(|(level, max)| exact(*level, *max));
        self.canvas.to_rgb().into_iter().eq(sent)
    }

    async fn leave(self, server: JoinHandle<io::Result<()>>) {
        drop(self.stream);
        server.await.unwrap().unwrap();
    }
}

fn native() -> PixelFormat {
    PixelFormat::rgb888([16, 8, 0])
}

#[tokio::test(start_paused = true)]
async fn the_right_password_shows_the_desktop() {
    let (stream, server) = start(64 * 1024);
    let mut viewer = Viewer::new(stream, native(), &[encoding::RAW]).await;
    viewer.update().await;
    assert!(viewer.canvas.pixels() == Desktop::new(SIZE).canvas().pixels());
    let events = viewer.client.events();
    assert!(events.contains(&Event::Name("größe".to_owned())));
    assert!(events.contains(&Event::Cursor(Some(Desktop::cursor()))));
    for _ in 0..5 {
        viewer.update().await;
    }
    assert_eq!(viewer.client.events(), []);
    viewer.leave(server).await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_refused_with_a_reason() {
    let (mut stream, server) = start(64 * 1024);
    let refused = shake(&mut stream, "secret13").await.unwrap_err();
    assert_eq!(refused, HandshakeError::Refused("wrong password".to_owned()));
    assert_eq!(server.await.unwrap().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn every_encoding_and_format_shows_what_the_server_has() {
    let big_endian = |format| PixelFormat { big_endian: true, ..format };
    let formats = [native(), PixelFormat::bgr233(), big_endian(native()), big_endian(PixelFormat::rgb565())];
    for encoding in [encoding::RAW, encoding::HEXTILE, encoding::ZLIB] {
        for format in formats {
            watch(format, &[encoding::COPY_RECT, encoding]).await;
        }
        watch(PixelFormat::rgb565(), &[encoding]).await;
    }
}

/// Watches until lines have scrolled twice.
async fn watch(format: PixelFormat, encodings: &[i32]) {
    let (stream, server) = start(64 * 1024);
    let mut viewer = Viewer::new(stream, format, encodings).await;
    let mut updates = 0;
    while viewer.start.elapsed() < Duration::from_millis(800) {
        viewer.update().await;
        updates += 1;
        if updates % 12 == 0 {
            assert!(viewer.sees_the_desktop(), "update {updates} in {encodings:?}, {format:?}");
        }
    }
    assert!((20..=26).contains(&updates), "{updates} updates in 0.8 seconds");
    // All of them were used, and no other.
    let used: Vec<i32> = viewer.client.counts().by_encoding.keys().copied().collect();
    let mut offered = encodings.to_vec();
    offered.sort_unstable();
    assert_eq!(used, offered);
    viewer.leave(server).await;
}

#[tokio::test(start_paused = true)]
async fn keys_and_the_pointer_appear() {
    let (stream, server) = start(64 * 1024);
    let mut viewer = Viewer::new(stream, native(), &[encoding::COPY_RECT, encoding::ZLIB]).await;
    viewer.update().await;
    for (at, c) in (0..).zip("typed".chars()) {
        viewer.say(&ClientMessage::KeyEvent { down: true, keysym: c.into() }).await;
        viewer.desktop.key(c.into(), true);
        let (x, y, buttons) = (100 + at * 20, 440, 1);
        viewer.say(&ClientMessage::PointerEvent { buttons, x, y }).await;
        viewer.desktop.pointer(x, y, buttons);
        viewer.say(&ClientMessage::ClientCutText(b"ignored".to_vec())).await;
        viewer.client.take_damage();
        // The first may have been made before the server read the key.
        viewer.update().await;
        viewer.update().await;
        assert!(viewer.sees_the_desktop());
        let (right, bottom) = (u32::from(x), 440);
        let painted = viewer.client.take_damage();
        assert!(painted.areas().iter().any(|area| area.right() > right && area.bottom() > bottom));
    }
    viewer.leave(server).await;
}

#[tokio::test(start_paused = true)]
async fn parts_of_the_desktop_can_be_asked_for() {
    let (mut stream, server) = start(64 * 1024);
    let (init, mut inbox) = shake(&mut stream, PASSWORD).await.unwrap();
    // A client that says nothing of itself: what this test asks for is all that is asked.
    let mut client = Client::of_recording(&init, ByteOrder::Bgrx);
    let mut canvas = canvas_for(&init, ByteOrder::Bgrx).unwrap();
    let mut messages = Vec::new();
    ClientMessage::SetEncodings(vec![encoding::COPY_RECT]).write(&mut messages);
    stream.write_all(&messages).await.unwrap();
    let start = Instant::now();
    let halves = [(0, 0, 320), (320, 0, 320)];
    for step in 0..40 {
        // Changes of one half, then of the other; halves of everything come in between; at last all changes.
        let (x, y, width) = if step == 39 { (0, 0, u16::MAX) } else { halves[step % 2] };
        let incremental = step > 1 && step % 5 != 0;
        let mut request = Vec::new();
        ClientMessage::FramebufferUpdateRequest { incremental, x, y, width, height: u16::MAX }.write(&mut request);
        stream.write_all(&request).await.unwrap();
        while client.receive(&mut inbox, &mut canvas).unwrap() != Received::UpdateDone {
            // The left half may stand still for a while.
            assert_ne!(timeout(Duration::from_secs(5), read(&mut stream, &mut inbox)).await.unwrap(), 0);
        }
    }
    let mut desktop = Desktop::new(SIZE);
    desktop.tick(start.elapsed());
    assert!(canvas.pixels() == desktop.canvas().pixels());
    drop(stream);
    server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_still_heard() {
    let (stream, server) = start(64);
    let mut viewer = Viewer::new(stream, native(), &[encoding::HEXTILE]).await;
    let messages = viewer.client.messages();
    viewer.stream.write_all(&messages).await.unwrap();
    for x in 0..2000 {
        viewer.say(&ClientMessage::PointerEvent { buttons: 0, x: x % 640, y: 400 }).await;
        viewer.say(&ClientMessage::ClientCutText(vec![b'x'; 500])).await;
    }
    viewer.desktop.pointer(1999 % 640, 400, 0);
    viewer.update().await;
    viewer.update().await;
    assert!(viewer.sees_the_desktop());
    viewer.leave(server).await;
}

#[tokio::test(start_paused = true)]
async fn nonsense_ends_the_connection() {
    let format = |bytes: [u8; 16]| [&[0, 0, 0, 0][..], &bytes].concat();
    for nonsense in [
        vec![99],
        vec![1],
        vec![6, 0, 0, 0, 0, 0x10, 0, 1],
        vec![6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0],
        format([24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]),
        format([8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        format([32, 24, 0, 1, 0, 200, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]),
        format([16, 16, 0, 1, 0, 255, 0, 255, 0, 255, 0, 0, 0, 0, 0, 0]),
    ] {
        let (mut stream, server) = start(64 * 1024);
        shake(&mut stream, PASSWORD).await.unwrap();
        stream.write_all(&nonsense).await.unwrap();
        let error = server.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{nonsense:?}: {error}");
    }
    for (at, wrong) in [(0, &b"RFB 003.003\n"[..]), (12, &[1]), (12, &[16])] {
        let (mut stream, server) = start(64 * 1024);
        stream.write_all(&[&b"RFB 003.008\n"[..at], wrong].concat()).await.unwrap();
        assert_eq!(server.await.unwrap().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

#[tokio::test(start_paused = true)]
async fn any_bytes_are_answered_or_refused_and_leaving_is_no_error() {
    let mut seed = 7u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    for round in 0..60 {
        let (mut stream, server) = start(1 << 20);
        let (_, mut inbox) = shake(&mut stream, PASSWORD).await.unwrap();
        // Types of messages that exist, with contents that may not.
        for _ in 0..40 {
            let kind = [2, 3, 4, 5][usize::from(random() % 4)];
            let length = match kind {
                2 => 4,
                3 => 10,
                4 => 8,
                _ => 6,
            };
            let mut message: Vec<u8> = (0..length).map(|_| random()).collect();
            message[0] = kind;
            if kind == 2 {
                message[2] = 0;
                message.extend((0..usize::from(message[3]) * 4).map(|at| if at % 4 < 3 { 0 } else { random() % 8 }));
            }
            stream.write_all(&message).await.unwrap();
        }
        // Some leave in the middle of a message.
        if round % 2 == 0 {
            stream.write_all(&[2, 0, 0xff, 0xff, 1]).await.unwrap();
        }
        stream.shutdown().await.unwrap();
        while read(&mut stream, &mut inbox).await != 0 {
            inbox.consume(usize::MAX);
        }
        server.await.unwrap().unwrap();
    }
    for cut in [&b""[..], b"RFB", b"RFB 003.008\n", b"RFB 003.008\n\x02", b"RFB 003.008\n\x02half"] {
        let (mut stream, server) = start(1024);
        stream.write_all(&Bytes::copy_from_slice(cut)).await.unwrap();
        drop(stream);
        server.await.unwrap().unwrap();
    }
}
