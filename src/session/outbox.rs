//! What goes to the server: a queue that takes everything at once, and the task that empties it onto the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::rfb::ClientMessage;
use crate::transport::Outbound;

/// Something to send.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// A message.
    Message(ClientMessage),
    /// Messages already written.
    Bytes(Vec<u8>),
    /// Nothing more comes.
    Close,
}

/// Answers that may wait to be sent, in bytes: a server that makes us answer without end and reads nothing is at fault.
const MOST_ANSWERS: usize = 4 << 20;

/// The queue's front end.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    queue: UnboundedSender<Outgoing>,
    answers: Arc<AtomicUsize>,
}

/// The queue's other end.
pub(super) struct Outgoings {
    queue: UnboundedReceiver<Outgoing>,
    answers: Arc<AtomicUsize>,
}

pub(super) fn new() -> (Outbox, Outgoings) {
    let (sender, receiver) = unbounded_channel();
    let answers = Arc::new(AtomicUsize::new(0));
    (Outbox { queue: sender, answers: answers.clone() }, Outgoings { queue: receiver, answers })
}

impl Outbox {
    pub(super) fn send(&self, message: ClientMessage) {
        // Without a receiver the session is over and nobody misses the message.
        let _ = self.queue.send(Outgoing::Message(message));
    }

    pub(super) fn send_bytes(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.answers.fetch_add(bytes.len(), Ordering::Relaxed);
            let _ = self.queue.send(Outgoing::Bytes(bytes));
        }
    }

    pub(super) fn close(&self) {
        let _ = self.queue.send(Outgoing::Close);
    }

    /// Whether more answers wait than any server has a use for.
    pub(super) fn is_clogged(&self) -> bool {
        self.answers.load(Ordering::Relaxed) > MOST_ANSWERS
    }
}

/// Sends until the queue is closed or the connection is gone; the reader says why it went.
pub(super) async fn write(mut outgoings: Outgoings, mut outbound: Outbound) {
    let mut batch = Vec::new();
    while outgoings.queue.recv_many(&mut batch, 256).await > 0 {
        let closing = batch.iter().any(|outgoing| matches!(outgoing, Outgoing::Close));
        let length = |outgoing: &Outgoing| if let Outgoing::Bytes(bytes) = outgoing { bytes.len() } else { 0 };
        let answers: usize = batch.iter().map(length).sum();
        let bytes = join(batch.drain(..));
        if !bytes.is_empty() && outbound.send(bytes.into()).await.is_err() {
            return;
        }
        outgoings.answers.fetch_sub(answers, Ordering::Relaxed);
        if closing {
            break;
        }
    }
    outbound.close().await;
}

/// The bytes of several messages. Of pointer positions that follow each other with the same buttons only the last is
/// worth sending.
fn join(batch: impl Iterator<Item = Outgoing>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut waiting: Option<ClientMessage> = None;
    for outgoing in batch {
        let message = match outgoing {
            Outgoing::Message(message) => message,
            Outgoing::Bytes(more) => {
                // Update requests need not keep their place among the user's input.
                bytes.extend(more);
                continue;
            }
            Outgoing::Close => break,
        };
        if let Some(before) = waiting.take()
            && !replaces(&message, &before)
        {
            before.write(&mut bytes);
        }
        waiting = Some(message);
    }
    if let Some(last) = waiting {
        last.write(&mut bytes);
    }
    bytes
}

fn replaces(message: &ClientMessage, before: &ClientMessage) -> bool {
    match (message, before) {
        (ClientMessage::PointerEvent { buttons, .. }, ClientMessage::PointerEvent { buttons: held, .. }) => {
            buttons == held
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_of_several_positions_is_sent() {
        let at = |x, buttons| Outgoing::Message(ClientMessage::PointerEvent { buttons, x, y: 0 });
        let key = || Outgoing::Message(ClientMessage::KeyEvent { down: true, keysym: 97 });
        let bytes = join([at(1, 0), at(2, 0), at(2, 1), at(3, 1), key(), at(4, 1), Outgoing::Close].into_iter());
        let expected = [[5, 0, 0, 2, 0, 0], [5, 1, 0, 3, 0, 0]].concat();
        let key = [4, 1, 0, 0, 0, 0, 0, 97];
        assert_eq!(bytes, [&expected[..], &key, &[5, 1, 0, 4, 0, 0]].concat());
    }
}
