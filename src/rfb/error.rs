//! What a server sent against the protocol, and where.

/// The server broke the protocol. Its text is one line: what, and where in the stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server broke the VNC protocol: {what} ({})", self.place())]
pub struct ProtocolError {
    /// What is wrong, in words.
    pub what: String,
    /// Bytes received before the unit that is wrong, counted from the server's first byte.
    pub offset: u64,
    /// The message it belongs to, by its name in the specification.
    pub message: &'static str,
    /// Number of the rectangle in its FramebufferUpdate, from 1, and its encoding.
    pub rectangle: Option<(u32, i32)>,
}

impl ProtocolError {
    /// Something wrong in `message` at `offset`.
    pub fn new(message: &'static str, offset: u64, what: impl Into<String>) -> ProtocolError {
        ProtocolError { what: what.into(), offset, message, rectangle: None }
    }

    fn place(&self) -> String {
        let at = format!("{} at byte {}", self.message, self.offset);
        match self.rectangle {
            Some((number, encoding)) => {
                format!("{at}, rectangle {number}, encoding {}", super::encoding::name(encoding))
            }
            None => at,
        }
    }
}
