//! A small RFB server that shows the demo's desktop over any stream.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod encode;

use super::desktop::Desktop;
use crate::picture::{Area, Damage, Size};
use crate::rfb::handshake::ServerInit;
use crate::rfb::server_message::{FRAMEBUFFER_UPDATE, RectangleHeader};
use crate::rfb::{ClientMessage, Inbox, PixelFormat, Reader, Short, encoding, vnc_auth};
use bytes::{Buf, BytesMut};
use encode::{Encoder, PixelEncoding, WireFormat, native_format};
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::rand_core::Rng;
use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep_until};

/// Updates that only tell of changes do not follow each other faster.
const FRAME: Duration = Duration::from_millis(33);
/// The longest ClientCutText, in bytes.
const LONGEST_CUT_TEXT: u32 = 1 << 20;
/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;

const VERSION: &[u8; 12] = b"RFB 003.008\n";
const VNC_AUTHENTICATION: u8 = 2;

/// Shows a desktop of `size`, called `name`, to one client that knows `password`, until it leaves.
///
/// Speaks RFB 3.8 with VNC authentication (RFC 6143). It goes on reading while the client does not, and holds at most
/// one update that is not written yet.
///
/// # Errors
/// A client that breaks the protocol or does not know the password, or a stream that fails. Leaving is no error.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    password: SecretString,
    size: Size,
    name: &str,
) -> io::Result<()> {
    let (reader, writer) = tokio::io::split(stream);
    let mut peer = Peer { reader, writer, inbox: Inbox::default() };
    match converse(&mut peer, &password, size, name).await {
        Err(error) if has_left(&error) => Ok(()),
        result => result,
    }
}

async fn converse<S: AsyncRead + AsyncWrite>(
    peer: &mut Peer<S>,
    password: &SecretString,
    size: Size,
    name: &str,
) -> io::Result<()> {
    authenticate(peer, password).await?;
    // ClientInit (§7.3.1): there is a desktop for each client, so sharing it is no question.
    peer.unit(|reader| reader.u8()).await?;
    let mut show = Show::new(size, name)?;
    let format = native_format(show.desktop.canvas().order());
    let mut init = Vec::new();
    ServerInit { width: size.width, height: size.height, format, name: name.to_owned() }.write(&mut init);
    peer.say(&init).await?;

    let mut out = BytesMut::new();
    let mut flushed = true;
    let mut chunk = BytesMut::new();
    loop {
        while let Some(message) = read_message(&mut peer.inbox)? {
            show.hear(message)?;
        }
        if out.is_empty() {
            let update = show.update(Instant::now())?;
            flushed &= update.is_empty();
            out.extend_from_slice(&update);
        }
        let due = if out.is_empty() { show.due() } else { None };
        chunk.reserve(CHUNK);
        // None of these loses anything when another one is ready first.
        tokio::select! {
            read = peer.reader.read_buf(&mut chunk) => match read? {
                0 => return Ok(()),
                _ => peer.inbox.push(chunk.split().freeze()),
            },
            written = write_some(&mut peer.writer, &mut out), if !flushed => flushed = written?,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }
}

/// ProtocolVersion, security type and VNC authentication (§7.1, §7.2).
async fn authenticate<S: AsyncRead + AsyncWrite>(peer: &mut Peer<S>, password: &SecretString) -> io::Result<()> {
    peer.say(VERSION).await?;
    let version = peer.unit(|reader| reader.bytes(VERSION.len()).map(<[u8]>::to_vec)).await?;
    if version != VERSION {
        return Err(broken("a ProtocolVersion other than 3.8"));
    }
    peer.say(&[1, VNC_AUTHENTICATION]).await?;
    let chosen = peer.unit(|reader| reader.u8()).await?;
    if chosen != VNC_AUTHENTICATION {
        return Err(broken(&format!("the security type {chosen}, which was not offered")));
    }
    let challenge = challenge();
    peer.say(&challenge).await?;
    let response = peer.unit(|reader| reader.bytes(challenge.len()).map(<[u8]>::to_vec)).await?;
    let right = vnc_auth::respond(password.expose_secret().as_bytes(), &challenge);
    let differences = response.iter().zip(right).fold(0, |all, (given, right)| all | (given ^ right));
    if differences != 0 {
        let reason = b"wrong password";
        let mut result = vec![0, 0, 0, 1, 0, 0, 0, reason.len() as u8];
        result.extend(reason);
        peer.say(&result).await?;
        peer.writer.shutdown().await?;
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the client does not know the password"));
    }
    peer.say(&[0; 4]).await
}

fn challenge() -> vnc_auth::Challenge {
    let mut challenge = [0; 16];
    safe_rng().fill_bytes(&mut challenge);
    challenge
}

/// Writes what is left of `out`, as much as the stream takes; then flushes. Tells whether all of that is done.
async fn write_some<S: AsyncWrite>(writer: &mut WriteHalf<S>, out: &mut BytesMut) -> io::Result<bool> {
    if out.is_empty() {
        writer.flush().await?;
        return Ok(true);
    }
    match writer.write(out).await? {
        0 => return Err(io::ErrorKind::WriteZero.into()),
        written => out.advance(written),
    }
    Ok(false)
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the client broke the VNC protocol: {what}"))
}

fn has_left(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof, WriteZero};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof | WriteZero)
}

/// The client's end of the stream.
struct Peer<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    inbox: Inbox,
}

impl<S: AsyncRead + AsyncWrite> Peer<S> {
    /// Waits for a unit of the handshake.
    async fn unit<T>(&mut self, read: impl Fn(&mut Reader<'_>) -> Result<T, Short>) -> io::Result<T> {
        loop {
            if let Some(unit) = self.inbox.unit(&read) {
                return Ok(unit);
            }
            let mut chunk = BytesMut::with_capacity(CHUNK);
            if self.reader.read_buf(&mut chunk).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.inbox.push(chunk.freeze());
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await?;
        self.writer.flush().await
    }
}

/// Reads a whole message of the client (§7.5), or nothing.
fn read_message(inbox: &mut Inbox) -> io::Result<Option<ClientMessage>> {
    let mut peek = Reader::new(inbox.available());
    match peek.u8() {
        Ok(0) => {
            let format = inbox.unit(|reader| {
                reader.bytes(4)?;
                PixelFormat::read(reader)
            });
            format
                .map(|format| format.checked().map(ClientMessage::SetPixelFormat).map_err(|what| broken(&what)))
                .transpose()
        }
        Ok(6) => {
            let length = peek.bytes(3).and_then(|_| peek.u32());
            if let Ok(length) = length
                && length > LONGEST_CUT_TEXT
            {
                return Err(broken(&format!("a clipboard of {length} bytes")));
            }
            Ok(inbox.unit(|reader| {
                reader.bytes(4)?;
                let length = reader.u32()?;
                reader.bytes(length as usize).map(|text| ClientMessage::ClientCutText(text.to_vec()))
            }))
        }
        Ok(kind @ 2..=5) => Ok(inbox.unit(|reader| {
            reader.u8()?;
            read_plain(kind, reader)
        })),
        Ok(other) => Err(broken(&format!("a message of the unknown type {other}"))),
        Err(Short) => Ok(None),
    }
}

/// Reads what follows the type of SetEncodings, FramebufferUpdateRequest, KeyEvent and, for any other, PointerEvent:
/// nothing in them can be wrong.
fn read_plain(kind: u8, reader: &mut Reader<'_>) -> Result<ClientMessage, Short> {
    Ok(match kind {
        2 => {
            reader.u8()?;
            let count = reader.u16()?;
            let encodings = reader.bytes(usize::from(count) * 4)?.as_chunks().0;
            ClientMessage::SetEncodings(encodings.iter().map(|number| i32::from_be_bytes(*number)).collect())
        }
        3 => {
            let incremental = reader.u8()? != 0;
            let (x, y, width, height) = (reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
            ClientMessage::FramebufferUpdateRequest { incremental, x, y, width, height }
        }
        4 => {
            let down = reader.u8()? != 0;
            reader.bytes(2)?;
            ClientMessage::KeyEvent { down, keysym: reader.u32()? }
        }
        _ => ClientMessage::PointerEvent { buttons: reader.u8()?, x: reader.u16()?, y: reader.u16()? },
    })
}

/// A desktop, and what its client knows of it.
struct Show<'a> {
    desktop: Desktop,
    name: &'a str,
    encoder: Encoder,
    encoding: PixelEncoding,
    copy_rect: bool,
    cursor: Offer,
    desktop_name: Offer,
    /// What changed and lay outside of what the client asked for.
    unsent: Damage,
    /// What the client wants to see at once, and what it wants to see when it changes.
    wanted: Option<Area>,
    watched: Option<Area>,
    /// When the desktop's time was last looked at, and when the next update of changes may be sent.
    time: Instant,
    next: Instant,
}

/// A pseudo-encoding that is told once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    No,
    Due,
    Told,
}

impl Offer {
    fn offered(&mut self, offered: bool) {
        if offered && *self == Offer::No {
            *self = Offer::Due;
        }
    }

    /// Whether to tell now; if so, it is told.
    fn tell(&mut self) -> bool {
        let due = *self == Offer::Due;
        if due {
            *self = Offer::Told;
        }
        due
    }
}

impl<'a> Show<'a> {
    fn new(size: Size, name: &'a str) -> io::Result<Show<'a>> {
        let desktop = Desktop::new(size);
        let format = WireFormat::new(&native_format(desktop.canvas().order())).map_err(io::Error::other)?;
        let now = Instant::now();
        Ok(Show {
            desktop,
            name,
            encoder: Encoder::new(format),
            encoding: PixelEncoding::Raw,
            copy_rect: false,
            cursor: Offer::No,
            desktop_name: Offer::No,
            unsent: Damage::default(),
            wanted: None,
            watched: None,
            time: now,
            next: now,
        })
    }

    fn hear(&mut self, message: ClientMessage) -> io::Result<()> {
        match message {
            ClientMessage::SetPixelFormat(format) => {
                self.encoder.set_format(WireFormat::new(&format).map_err(|what| broken(&what))?);
            }
            ClientMessage::SetEncodings(encodings) => {
                let known = encodings.iter().find_map(|&number| PixelEncoding::of_number(number));
                // Raw need not be offered (§7.7.1).
                self.encoding = known.unwrap_or(PixelEncoding::Raw);
                self.copy_rect = encodings.contains(&encoding::COPY_RECT);
                self.cursor.offered(encodings.contains(&encoding::CURSOR));
                self.desktop_name.offered(encodings.contains(&encoding::DESKTOP_NAME));
            }
            ClientMessage::FramebufferUpdateRequest { incremental, x, y, width, height } => {
                let size = self.desktop.canvas().size();
                let (x, y) = (x.min(size.width), y.min(size.height));
                let area = size.area(x, y, width.min(size.width - x), height.min(size.height - y));
                let asked = if incremental { &mut self.watched } else { &mut self.wanted };
                // Several requests may be answered by one update (§7.5.3).
                if let Some(area) = area.filter(|area| !area.is_empty()) {
                    *asked = Some(asked.map_or(area, |before| before.union(area)));
                }
            }
            ClientMessage::KeyEvent { down, keysym } => self.desktop.key(keysym, down),
            ClientMessage::PointerEvent { buttons, x, y } => self.desktop.pointer(x, y, buttons),
            // The desktop has nothing that text could be pasted into.
            ClientMessage::ClientCutText(_) => {}
            // It has not said that it knows these.
            ClientMessage::QemuExtendedKeyEvent { .. }
            | ClientMessage::ExtendedPointerEvent { .. }
            | ClientMessage::ExtendedClipboard(_)
            | ClientMessage::Xvp(_)
            | ClientMessage::SetDesktopSize { .. }
            | ClientMessage::EnableContinuousUpdates { .. }
            | ClientMessage::ClientFence { .. } => {}
        }
        Ok(())
    }

    /// When there may be something to tell.
    fn due(&self) -> Option<Instant> {
        self.watched.map(|_| self.next)
    }

    /// The bytes of an update, if one is asked for, due, and not empty.
    fn update(&mut self, now: Instant) -> io::Result<Vec<u8>> {
        let due = self.watched.is_some() && now >= self.next;
        if self.wanted.is_none() && !due {
            return Ok(Vec::new());
        }
        self.desktop.tick(now.saturating_duration_since(self.time));
        (self.time, self.next) = (now, now + FRAME);
        let size = self.desktop.canvas().size();
        let whole = self.watched == Some(size.whole());
        // A copy needs a source that the client has: not if some of it was held back or is sent anew.
        let copy = match self.wanted {
            None if self.copy_rect && whole && self.unsent.is_empty() => self.desktop.take_copy(),
            _ => None,
        };
        self.unsent.extend(&self.desktop.take_damage());
        if let Some(wanted) = self.wanted.take() {
            self.forget(wanted);
            return self.write(None, &[wanted]);
        }
        let watched = self.watched.unwrap_or(size.whole());
        let areas: Vec<_> = self.unsent.areas().iter().filter_map(|area| area.common(watched)).collect();
        self.forget(watched);
        let update = self.write(copy, &areas)?;
        if !update.is_empty() {
            self.watched = None;
        }
        Ok(update)
    }

    /// Takes `sent` out of what is to be sent.
    fn forget(&mut self, sent: Area) {
        for area in self.unsent.take().areas() {
            area.outside(sent).for_each(|part| self.unsent.add(part));
        }
    }

    fn write(&mut self, copy: Option<(u16, u16, Area)>, areas: &[Area]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut count = 0;
        if self.desktop_name.tell() {
            count += 1;
            let encoding = encoding::DESKTOP_NAME;
            encode::write_header(&RectangleHeader { x: 0, y: 0, width: 0, height: 0, encoding }, &mut out);
            out.extend(u32::try_from(self.name.len()).map_err(io::Error::other)?.to_be_bytes());
            out.extend(self.name.as_bytes());
        }
        if self.cursor.tell() {
            count += 1;
            self.encoder.cursor(&Desktop::cursor(), &mut out);
        }
        if let Some((x, y, to)) = copy {
            count += 1;
            encode::header(to, encoding::COPY_RECT, &mut out);
            out.extend([x, y].iter().flat_map(|number| number.to_be_bytes()));
        }
        for area in areas {
            count += 1;
            self.encoder.rectangle(self.desktop.canvas(), *area, self.encoding, &mut out)?;
        }
        if count == 0 {
            return Ok(out);
        }
        // FramebufferUpdate (§7.6.1). Damage is a few rectangles: their number fits.
        let mut update = vec![FRAMEBUFFER_UPDATE, 0];
        update.extend(u16::try_from(count).map_err(io::Error::other)?.to_be_bytes());
        update.append(&mut out);
        Ok(update)
    }
}
