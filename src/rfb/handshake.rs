//! From the first byte to ServerInit (RFC 6143 §7.1–7.3): states consumed by value, a pause when a password is needed.

use super::pixel_format::PixelFormat;
use super::wire::{Inbox, Short};
use super::{ProtocolError, text, vnc_auth};
use crate::escape::escape;

/// Names, reasons and lists beyond this are a fault or an attack.
const MAX_TEXT: usize = 1 << 20;

/// Security types of RFC 6143 §7.2 that are spoken.
const NONE: u8 = 1;
const VNC_AUTHENTICATION: u8 = 2;

/// ServerInit (§7.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInit {
    /// Width of the framebuffer in pixels.
    pub width: u16,
    /// Height of the framebuffer in pixels.
    pub height: u16,
    /// The server's native pixel format: in a session whatever it says, because none of its pixels come in it.
    pub format: PixelFormat,
    /// The name of the desktop, as sent.
    pub name: String,
}

impl ServerInit {
    /// Appends the message's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.width.to_be_bytes());
        out.extend(self.height.to_be_bytes());
        self.format.write(out);
        out.extend(u32::try_from(self.name.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend(self.name.as_bytes());
    }
}

/// What was agreed on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreed {
    /// The minor version: 3, 7 or 8.
    pub minor: u8,
    /// The security type: 1 None, 2 VNC Authentication.
    pub security: u8,
    /// All security types that the server offered, in its order.
    pub offered: Vec<u8>,
}

impl Agreed {
    /// The security type's name in the specification.
    pub fn security_name(&self) -> &'static str {
        if self.security == NONE { "None" } else { "VNC Authentication" }
    }
}

/// The name of a security type in the specification and its registry, or its number.
pub fn security_type_name(security: u8) -> String {
    let name = match security {
        1 => "None",
        2 => "VNC Authentication",
        5 | 129 => "RSA-AES",
        6 | 130 => "RSA-AES unencrypted",
        16 => "Tight",
        17 => "Ultra",
        18 => "TLS",
        19 => "VeNCrypt",
        20 => "SASL",
        30 => "Apple Diffie-Hellman",
        113 => "MSLogonII",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// Why the handshake ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The server broke the protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The server does not let us in; its reason, if it gave one.
    #[error("the VNC server does not let you in: {0}")]
    Refused(String),
    /// The server ended the conversation before security was agreed.
    #[error("the VNC server refuses connections: {0}")]
    Closed(String),
    /// No security type in common.
    #[error("the VNC server offers only security types that are not known here: {0}")]
    NoCommonSecurity(String),
}

/// A handshake under way.
#[derive(Debug)]
pub struct Handshake {
    state: State,
    agreed: Agreed,
    shared: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Version,
    SecurityTypes,
    Security33,
    Challenge,
    SecurityResult,
    Reason(ReasonFor),
    ServerInit,
}

#[derive(Debug, Clone, Copy)]
enum ReasonFor {
    NoSecurityTypes,
    SecurityResult,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// More bytes are needed.
    NeedMore(Handshake),
    /// These bytes go to the server; then on with it.
    Send(Vec<u8>, Handshake),
    /// The server wants a password.
    NeedPassword(NeedPassword),
    /// Done: what follows belongs to the conversation.
    Done(ServerInit, Agreed),
}

/// A pause that ends when the password is given. Dropping it ends the handshake.
#[derive(Debug)]
pub struct NeedPassword {
    challenge: vnc_auth::Challenge,
    handshake: Handshake,
}

impl NeedPassword {
    /// The bytes for the server, and the handshake to go on with. Only the first eight bytes count.
    pub fn answer(self, password: &[u8]) -> (Vec<u8>, Handshake) {
        let response = vnc_auth::respond(password, &self.challenge).to_vec();
        (response, Handshake { state: State::SecurityResult, ..self.handshake })
    }
}

impl Handshake {
    /// A handshake that waits for the server's ProtocolVersion. `shared` is ClientInit's flag (§7.3.1):
    /// false asks the server to disconnect other viewers.
    pub fn new(shared: bool) -> Handshake {
        Handshake { state: State::Version, agreed: Agreed::default(), shared }
    }

    /// What the server is expected to send, in words for an error about its end.
    pub fn expects(&self) -> &'static str {
        match self.state {
            State::Version => "ProtocolVersion",
            State::SecurityTypes | State::Security33 => "the list of security types",
            State::Challenge => "the authentication challenge",
            State::SecurityResult => "SecurityResult",
            State::Reason(_) => "the reason of its refusal",
            State::ServerInit => "ServerInit",
        }
    }

    /// Reads on as far as the bytes reach.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub fn advance(self, inbox: &mut Inbox) -> Result<Step, HandshakeError> {
        match self.state {
            State::Version => self.version(inbox),
            State::SecurityTypes => self.security_types(inbox),
            State::Security33 => self.security_33(inbox),
            State::Challenge => Ok(match inbox.unit(|reader| reader.bytes(16).map(<[u8]>::to_vec)) {
                Some(bytes) => {
                    let mut challenge = [0; 16];
                    challenge.copy_from_slice(&bytes);
                    Step::NeedPassword(NeedPassword { challenge, handshake: self })
                }
                None => Step::NeedMore(self),
            }),
            State::SecurityResult => self.security_result(inbox),
            State::Reason(reason_for) => self.reason(reason_for, inbox),
            State::ServerInit => self.server_init(inbox),
        }
    }

    fn version(mut self, inbox: &mut Inbox) -> Result<Step, HandshakeError> {
        let offset = inbox.offset();
        let here = inbox.available();
        // Only what was judged is quoted: the line may not depend on how much else had arrived by then.
        let wrong = |judged: usize| {
            let start: Vec<u8> = here.iter().copied().take(judged).collect();
            let hint = if start.starts_with(b"SSH-") { "; that is an SSH server" } else { "" };
            let start = escape(&text::from_latin1(&start));
            ProtocolError::new("ProtocolVersion", offset, format!("\"{start}\" is no RFB version{hint}"))
        };
        if here.len() >= 4 && !here.starts_with(b"RFB ") {
            return Err(wrong(4).into());
        }
        let Some(line) = here.first_chunk::<12>() else { return Ok(Step::NeedMore(self)) };
        let [_, _, _, _, a, b, c, b'.', d, e, f, b'\n'] = *line else { return Err(wrong(12).into()) };
        if ![a, b, c, d, e, f].iter().all(u8::is_ascii_digit) {
            return Err(wrong(12).into());
        }
        let number = |digits: [u8; 3]| digits.iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        self.agreed.minor = match (number([a, b, c]), number([d, e, f])) {
            (0..=2, _) => return Err(wrong(12).into()),
            // 3.5 was never published and is answered as 3.3; 3.889 is Apple's, 4 and 5 RealVNC's: all know 3.8.
            (3, 0..=6) => 3,
            (3, 7) => 7,
            _ => 8,
        };
        inbox.consume(12);
        self.state = if self.agreed.minor == 3 { State::Security33 } else { State::SecurityTypes };
        Ok(Step::Send(format!("RFB 003.{:03}\n", self.agreed.minor).into_bytes(), self))
    }

    fn security_types(mut self, inbox: &mut Inbox) -> Result<Step, HandshakeError> {
        let read = inbox.unit(|reader| {
            let count = reader.u8()?;
            reader.bytes(count.into()).map(<[u8]>::to_vec)
        });
        let Some(types) = read else { return Ok(Step::NeedMore(self)) };
        if types.is_empty() {
            self.state = State::Reason(ReasonFor::NoSecurityTypes);
            return self.advance(inbox);
        }
        // The server's order is its preference; types that are not known are passed over.
        let Some(&security) = types.iter().find(|security| matches!(**security, NONE | VNC_AUTHENTICATION)) else {
            let list: Vec<String> = types.iter().map(u8::to_string).collect();
            return Err(HandshakeError::NoCommonSecurity(list.join(", ")));
        };
        self.agreed.security = security;
        self.agreed.offered = types;
        self.state = match security {
            VNC_AUTHENTICATION => State::Challenge,
            // Only 3.8 sends a SecurityResult for None.
            _ if self.agreed.minor == 8 => State::SecurityResult,
            _ => {
                let mut bytes = vec![security];
                bytes.push(u8::from(self.shared));
                self.state = State::ServerInit;
                return Ok(Step::Send(bytes, self));
            }
        };
        Ok(Step::Send(vec![security], self))
    }

    fn security_33(mut self, inbox: &mut Inbox) -> Result<Step, HandshakeError> {
        let offset = inbox.offset();
        let Some(security) = inbox.unit(|reader| reader.u32()) else { return Ok(Step::NeedMore(self)) };
        self.agreed.offered = u8::try_from(security).into_iter().collect();
        match security {
            0 => {
                self.state = State::Reason(ReasonFor::NoSecurityTypes);
                self.advance(inbox)
            }
            1 => {
                self.agreed.security = NONE;
                self.client_init()
            }
            2 => {
                self.agreed.security = VNC_AUTHENTICATION;
                self.state = State::Challenge;
                self.advance(inbox)
            }
            other if other <= 255 => Err(HandshakeError::NoCommonSecurity(other.to_string())),
            other => Err(ProtocolError::new("security type", offset, format!("{other} is no security type")).into()),
        }
    }

    fn security_result(mut self, inbox: &mut Inbox) -> Result<Step, HandshakeError> {
        let offset = inbox.offset();
        let Some(result) = inbox.unit(|reader| reader.u32()) else { return Ok(Step::NeedMore(self)) };
        match result {
            0 => self.client_init(),
            1 if self.agreed.minor == 8 => {
                self.state = State::Reason(ReasonFor::SecurityResult);
                self.advance(inbox)
            }
            1 => Err(HandshakeError::Refused("wrong password".to_owned())),
            2 => Err(HandshakeError::Refused("too many attempts, try again later".to_owned())),
            other => Err(ProtocolError::new("SecurityResult", offset, format!("{other} is no result")).into()),
        }
    }

    fn reason(self, reason_for: ReasonFor, inbox: &mut Inbox) -> Result<Step, HandshakeError> {
        let Some(reason) = long_text(inbox, "failure reason")? else { return Ok(Step::NeedMore(self)) };
        let reason = match escape(reason.trim_end()) {
            reason if reason.is_empty() => "it gives no reason".to_owned(),
            reason => reason,
        };
        Err(match reason_for {
            ReasonFor::NoSecurityTypes => HandshakeError::Closed(reason),
            ReasonFor::SecurityResult => HandshakeError::Refused(reason),
        })
    }

    fn client_init(mut self) -> Result<Step, HandshakeError> {
        self.state = State::ServerInit;
        Ok(Step::Send(vec![u8::from(self.shared)], self))
    }

    fn server_init(self, inbox: &mut Inbox) -> Result<Step, HandshakeError> {
        Ok(match server_init(inbox)? {
            Some(init) => Step::Done(init, self.agreed),
            None => Step::NeedMore(self),
        })
    }
}

/// Reads ServerInit (§7.3.2) as the start of a recording, whose pixels are in the format that it names.
///
/// # Errors
/// [`ProtocolError`] if its pixel format or name is nonsense.
pub fn read_server_init(inbox: &mut Inbox) -> Result<Option<ServerInit>, ProtocolError> {
    let offset = inbox.offset();
    let Some(init) = server_init(inbox)? else { return Ok(None) };
    match init.format.checked() {
        Ok(_) => Ok(Some(init)),
        Err(what) => Err(ProtocolError::new("ServerInit", offset, what)),
    }
}

fn server_init(inbox: &mut Inbox) -> Result<Option<ServerInit>, ProtocolError> {
    let offset = inbox.offset();
    let mut reader = super::Reader::new(inbox.available());
    let mut head = || {
        let (width, height) = (reader.u16()?, reader.u16()?);
        Ok::<_, Short>((width, height, PixelFormat::read(&mut reader)?, reader.u32()? as usize))
    };
    let Ok((width, height, format, length)) = head() else { return Ok(None) };
    if length > MAX_TEXT {
        return Err(ProtocolError::new("ServerInit", offset, format!("a desktop name of {length} bytes")));
    }
    let Ok(name) = reader.bytes(length) else { return Ok(None) };
    let init = ServerInit { width, height, format, name: text::from_peer(name) };
    inbox.consume(8 + PixelFormat::LENGTH + length);
    Ok(Some(init))
}

// A U32 length and as many bytes; `None` if they have not all arrived.
fn long_text(inbox: &mut Inbox, message: &'static str) -> Result<Option<String>, ProtocolError> {
    let offset = inbox.offset();
    let Ok(length) = super::Reader::new(inbox.available()).u32() else { return Ok(None) };
    if length as usize > MAX_TEXT {
        return Err(ProtocolError::new(message, offset, format!("a text of {length} bytes")));
    }
    Ok(inbox.unit(|reader| {
        let length = reader.u32()?;
        reader.bytes(length as usize).map(text::from_peer)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    type Ended = Result<Option<(ServerInit, Agreed)>, HandshakeError>;

    /// Runs a handshake against what a server says, a byte at a time; gives what the client sent and how it ended.
    fn run(server: &[u8]) -> (Vec<u8>, Ended) {
        let mut inbox = Inbox::default();
        let mut sent = Vec::new();
        let mut handshake = Handshake::new(true);
        let mut rest = server.iter();
        loop {
            handshake = match handshake.advance(&mut inbox) {
                Ok(Step::NeedMore(handshake)) => match rest.next() {
                    Some(&byte) => {
                        inbox.push(Bytes::from(vec![byte]));
                        handshake
                    }
                    None => return (sent, Ok(None)),
                },
                Ok(Step::Send(bytes, handshake)) => {
                    sent.extend(bytes);
                    handshake
                }
                Ok(Step::NeedPassword(pause)) => {
                    let (bytes, handshake) = pause.answer(b"secret12");
                    sent.extend(bytes);
                    handshake
                }
                Ok(Step::Done(init, agreed)) => return (sent, Ok(Some((init, agreed)))),
                Err(error) => return (sent, Err(error)),
            }
        }
    }

    fn init() -> Vec<u8> {
        let mut bytes = vec![0, 3, 0, 2];
        PixelFormat::rgb888([16, 8, 0]).write(&mut bytes);
        bytes.extend([0, 0, 0, 2, b'h', b'i']);
        bytes
    }

    #[test]
    fn a_native_format_that_nobody_can_decode_is_no_hindrance_to_a_session() {
        // x11vnc on a framebuffer of 24 bits a pixel; a map for 32 bits; noise.
        for format in [
            [24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0],
            [32, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0xff; 16],
        ] {
            let bytes = [&[0, 3, 0, 2][..], &format, &[0, 0, 0, 2, b'h', b'i']].concat();
            let (_, end) = run(&[&b"RFB 003.003\n\0\0\0\x01"[..], &bytes].concat());
            let init = end.unwrap().unwrap().0;
            assert_eq!((init.width, init.height, init.name.as_str()), (3, 2, "hi"));
            assert_eq!(init.format.bits_per_pixel, format[0]);
            // A recording would be of such pixels.
            let mut inbox = Inbox::default();
            inbox.push(bytes.into());
            assert_eq!(read_server_init(&mut inbox).unwrap_err().message, "ServerInit");
        }
    }

    #[test]
    fn every_version_gets_its_answer() {
        for (server, answer) in [
            ("003.003", "003.003"),
            ("003.005", "003.003"),
            ("003.007", "003.007"),
            ("003.008", "003.008"),
            ("003.889", "003.008"),
            ("004.001", "003.008"),
            ("005.000", "003.008"),
        ] {
            let (sent, end) = run(format!("RFB {server}\n").as_bytes());
            assert_eq!(sent, format!("RFB {answer}\n").as_bytes());
            assert_eq!(end, Ok(None));
        }
    }

    #[test]
    fn security_none_in_three_versions() {
        for (version, security, client) in [
            (b"RFB 003.003\n", &[0, 0, 0, 1][..], &[1][..]),
            (b"RFB 003.007\n", &[3, 99, 1, 2], &[1, 1]),
            (b"RFB 003.008\n", &[3, 99, 1, 2, 0, 0, 0, 0], &[1, 1]),
        ] {
            let (sent, end) = run(&[version, security, &init()].concat());
            assert_eq!(&sent[12..], client);
            let (init, agreed) = end.unwrap().unwrap();
            assert_eq!((init.width, init.height, init.name.as_str()), (3, 2, "hi"));
            assert_eq!(agreed.security_name(), "None");
        }
    }

    #[test]
    fn vnc_authentication_and_its_refusals() {
        let challenge: Vec<u8> = (0..16).collect();
        let response = vnc_auth::respond(b"secret12", &std::array::from_fn(|i| i as u8));
        let start = [&b"RFB 003.008\n"[..], &[1, 2], &challenge].concat();
        let (sent, end) = run(&[&start[..], &[0, 0, 0, 0], &init()].concat());
        assert_eq!(sent[12..], [&[2][..], &response, &[1]].concat());
        assert!(end.unwrap().is_some());
        let (_, end) = run(&[&start[..], &[0, 0, 0, 1, 0, 0, 0, 3, b'n', 0x1b, b'o']].concat());
        assert_eq!(end, Err(HandshakeError::Refused("n\\u{1b}o".to_owned())));
        let (_, end) = run(&[&b"RFB 003.003\n"[..], &[0, 0, 0, 2], &challenge, &[0, 0, 0, 2]].concat());
        assert!(matches!(end, Err(HandshakeError::Refused(_))));
    }

    #[test]
    fn what_is_no_version_is_quoted_alike_however_it_arrives() {
        for words in [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"RFB 3.8\nand more than twelve bytes"] {
            let mut inbox = Inbox::default();
            inbox.push(Bytes::from(words));
            let whole = Handshake::new(true).advance(&mut inbox).unwrap_err();
            assert_eq!(run(words).1, Err(whole));
        }
    }

    #[test]
    fn hostile_servers_get_one_line() {
        let error = |server: &[u8]| run(server).1.unwrap_err().to_string();
        assert!(error(b"SSH-2.0-x").contains("that is an SSH server"));
        assert!(error(b"RFB 00x.008\n").contains("no RFB version"));
        assert!(error(b"RFB 003.008\n\0\0\0\0\x04oops").contains("oops"));
        assert!(error(b"RFB 003.008\n\0\xff\xff\xff\xff").contains("4294967295 bytes"));
        assert!(error(b"RFB 003.008\n\x02\x10\x13").contains("16, 19"));
        assert!(error(b"RFB 003.008\n\x01\x01\0\0\0\x09").contains("9 is no result"));
        let mut long = [&b"RFB 003.007\n\x01\x01"[..], &init()].concat();
        let name = long.len() - 6;
        long[name] = 0x80;
        assert!(error(&long).contains("desktop name of 2147483650 bytes"));
    }
}
