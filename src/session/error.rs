//! How a session ends.

use std::io;

use crate::recording;
use crate::rfb::ProtocolError;
use crate::rfb::handshake::HandshakeError;
use crate::transport;

/// The end of a session.
#[derive(Debug)]
pub struct End {
    /// What went wrong; `None` if the server ended the stream between two messages and everything on the way still
    /// answers.
    pub error: Option<Error>,
    /// Whether anything of the desktop had been shown before.
    pub shown: bool,
}

impl Error {
    /// Whether another attempt may end otherwise by itself, after one that worked: a machine that starts refuses for a while
    /// what it takes later.
    pub fn may_pass(&self) -> bool {
        match self {
            // Not what was typed, which worked once: a key file may be on a home that is on the network.
            Error::Transport(transport::Error::Distrusted(_)) => false,
            // Who knows the wrong password is locked out by asking again and again.
            Error::Handshake(HandshakeError::Refused(_) | HandshakeError::NoCommonSecurity(_)) => false,
            Error::NoPassword(_) | Error::Recording(_) | Error::Local(_) => false,
            _ => true,
        }
    }
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The way to the server.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// The server did not let us in, or did not speak RFB.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The server broke the protocol later on.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The server wants a password and nobody knows one.
    #[error("the desktop on {0} wants a VNC password")]
    NoPassword(String),
    /// The stream ended inside something.
    #[error("{peer} ended the connection in the middle of {what}")]
    CutOff {
        /// Who.
        peer: String,
        /// What was expected, by its name in the specification.
        what: &'static str,
    },
    /// Nothing came although something was due.
    #[error("{peer} sent nothing for {seconds} s in the middle of {what}")]
    Silent {
        /// Who.
        peer: String,
        /// What was expected, by its name in the specification.
        what: &'static str,
        /// For how long.
        seconds: u64,
    },
    /// The queue before the decoders stayed full.
    #[error("{0} sends more than this machine can decode")]
    Flooded(String),
    /// The queue of answers grew and grew.
    #[error("{0} asks for answers without end and does not read them")]
    Deaf(String),
    /// The recording could not be written.
    #[error(transparent)]
    Recording(#[from] recording::Error),
    /// This machine gives no thread or signal handler.
    #[error("no thread could be started: {0}")]
    Local(io::Error),
    /// A thread ended without a word.
    #[error("the viewer failed inside, which is a fault of its own")]
    Broken,
}
