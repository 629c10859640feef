//! Drives RFB's handshake over a connection: sends, waits, and asks for the password when it is needed.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretSlice};

use super::Error;
use crate::rfb::Inbox;
use crate::rfb::handshake::{Agreed, Handshake, HandshakeError, ServerInit, Step};
use crate::transport::{Answer, Asker, Connection, Purpose, QuestionKind};

/// How long a server may take for each of its messages.
const LIMIT: Duration = Duration::from_secs(20);

/// What the handshake found out.
pub struct Shaken {
    /// The desktop.
    pub init: ServerInit,
    /// The version and the security type.
    pub agreed: Agreed,
    /// The shortest time between something that was sent and the answer.
    pub round_trip: Duration,
}

/// Speaks until ServerInit; what the server sent behind it is left in the inbox.
///
/// # Errors
/// See [`Error`].
pub async fn shake(
    connection: &mut Connection,
    inbox: &mut Inbox,
    shared: bool,
    known: Option<SecretSlice<u8>>,
    asker: &Asker,
) -> Result<Shaken, Error> {
    let mut handshake = Handshake::new(shared);
    let mut round_trip = Duration::MAX;
    let mut sent = None;
    let mut told = false;
    loop {
        handshake = match handshake.advance(inbox)? {
            Step::NeedMore(handshake) => {
                let what = handshake.expects();
                let peer = || connection.facts.peer.clone();
                match asker.clock().within(LIMIT, connection.inbound.chunk()).await {
                    Ok(Ok(Some(chunk))) => {
                        round_trip = sent.take().map_or(round_trip, |sent: Instant| sent.elapsed().min(round_trip));
                        inbox.push(chunk);
                    }
                    // neatvnc answers a wrong password by hanging up.
                    Ok(Ok(None)) if told && what == "SecurityResult" => {
                        let words = "it hung up instead of answering, as some servers do after a wrong password";
                        return Err(HandshakeError::Refused(words.to_owned()).into());
                    }
                    Ok(Ok(None)) => return Err(Error::CutOff { peer: peer(), what }),
                    Ok(Err(error)) => return Err(error.into()),
                    Err(_) => return Err(Error::Silent { peer: peer(), what, seconds: LIMIT.as_secs() }),
                }
                handshake
            }
            Step::Send(bytes, handshake) => {
                connection.outbound.send(bytes.into()).await?;
                sent = Some(Instant::now());
                handshake
            }
            Step::NeedPassword(pause) => {
                let peer = &connection.facts.peer;
                let password = match &known {
                    Some(password) => password.clone(),
                    None => ask(peer, asker).await.ok_or_else(|| Error::NoPassword(peer.clone()))?,
                };
                let (bytes, handshake) = pause.answer(password.expose_secret());
                connection.outbound.send(bytes.into()).await?;
                told = true;
                handshake
            }
            Step::Done(init, agreed) => return Ok(Shaken { init, agreed, round_trip }),
        };
    }
}

async fn ask(peer: &str, asker: &Asker) -> Option<SecretSlice<u8>> {
    let prompt = format!("VNC password of the desktop on {peer}");
    let purpose = Purpose::Desktop { peer: peer.to_owned() };
    let kind = QuestionKind::Secret { prompt, purpose, echo: false, again: false };
    match asker.ask(kind).await {
        Answer::Secret(password) => Some(password.expose_secret().as_bytes().to_vec().into()),
        Answer::Yes { .. } | Answer::No | Answer::Choice(_) => None,
    }
}
