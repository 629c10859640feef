//! Why a command ended otherwise than well: one line for a person, an exit code for a script.

use std::fmt;
use std::path::Path;

use crate::recording;
use crate::rfb::ProtocolError;
use crate::rfb::handshake::HandshakeError;

/// The exit codes, as `--help` lists them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  the desktop was closed: its window, or its server in an orderly way
  1  usage or configuration
  2  no connection: unreachable, refused, timed out, lost before the first picture
  3  not let in: host key, authentication
  4  the server broke the protocol
  5  no display, or the window failed
  6  the connection was lost after it had worked
  128 + N  ended by signal N (HUP, INT, TERM)";

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Usage or configuration.
    Usage = 1,
    /// No connection, or none that lived to show a picture.
    NoConnection = 2,
    /// Not let in.
    NotLetIn = 3,
    /// The server broke the protocol.
    Protocol = 4,
    /// No display.
    Display = 5,
    /// Lost after it worked.
    Lost = 6,
}

/// The end of a command that failed.
#[derive(Debug)]
pub enum Failure {
    /// Something went wrong.
    Because {
        /// What kind of thing.
        kind: Kind,
        /// What happened, in one line.
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// A signal asked the program to end: its number.
    Signal(i32),
}

impl Failure {
    /// A failure without a hint.
    pub fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure::Because { kind, message: message.into(), hint: None }
    }

    /// What was typed makes no sense.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Usage, message)
    }

    /// What a file holds is against the protocol.
    pub fn in_file(path: &Path, error: ProtocolError) -> Failure {
        Failure::new(Kind::Protocol, format!("{}: {error}", path.display()))
    }

    /// Adds what to try.
    pub fn hint(mut self, what: impl Into<String>) -> Failure {
        if let Failure::Because { hint, .. } = &mut self {
            *hint = Some(what.into());
        }
        self
    }

    /// The program's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Because { kind, .. } => *kind as u8,
            Failure::Signal(number) => u8::try_from(128 + number).unwrap_or(u8::MAX),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Because { message, hint: Some(hint), .. } => write!(f, "{message}; {hint}"),
            Failure::Because { message, hint: None, .. } => f.write_str(message),
            Failure::Signal(number) => write!(f, "ended by signal {number}"),
        }
    }
}

impl From<recording::Error> for Failure {
    fn from(error: recording::Error) -> Failure {
        Failure::usage(error.to_string())
    }
}

impl From<ProtocolError> for Failure {
    fn from(error: ProtocolError) -> Failure {
        Failure::new(Kind::Protocol, error.to_string())
    }
}

impl From<HandshakeError> for Failure {
    fn from(error: HandshakeError) -> Failure {
        let message = error.to_string();
        match error {
            HandshakeError::Protocol(error) => error.into(),
            HandshakeError::Refused(_) => {
                Failure::new(Kind::NotLetIn, message).hint("check the VNC password: it is not the one of the SSH login")
            }
            HandshakeError::Closed(_) => Failure::new(Kind::NotLetIn, message),
            HandshakeError::NoCommonSecurity(_) => Failure::new(Kind::NotLetIn, message)
                .hint("inside SSH the server may safely offer VncAuth or None, such as with -SecurityTypes VncAuth"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_lines() {
        assert_eq!(Failure::new(Kind::Lost, "gone").exit_code(), 6);
        assert_eq!(Failure::Signal(15).exit_code(), 143);
        assert_eq!(Failure::usage("no such option").hint("see --help").to_string(), "no such option; see --help");
    }
}
