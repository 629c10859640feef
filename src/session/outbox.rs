//! What goes to the server: a queue that takes everything at once, and the task that empties it onto the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::resizes::{self, Resizes};
use crate::client::{InputEncoder, Notice, UserInput};
use crate::transport::Outbound;

/// Something to send.
pub(super) enum Outgoing {
    /// What the user did.
    Input(UserInput),
    /// What the server shows or asks of whoever puts that into words.
    Notice(Notice),
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
    pub(super) fn send(&self, input: UserInput) {
        // Without a receiver the session is over and nobody misses it.
        let _ = self.queue.send(Outgoing::Input(input));
    }

    pub(super) fn notice(&self, notice: Notice) {
        self.answers.fetch_add(notice.weight(), Ordering::Relaxed);
        let _ = self.queue.send(Outgoing::Notice(notice));
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
    let mut encoder = InputEncoder::default();
    let mut resizes = Resizes::default();
    loop {
        let more = outgoings.queue.recv_many(&mut batch, 256);
        let count = match resizes.pause(&encoder) {
            Some(pause) => timeout(pause, more).await.ok(),
            None => Some(more.await),
        };
        if count == Some(0) {
            break;
        }
        let closing = batch.iter().any(|outgoing| matches!(outgoing, Outgoing::Close));
        let length = |outgoing: &Outgoing| match outgoing {
            Outgoing::Bytes(bytes) => bytes.len(),
            Outgoing::Notice(notice) => notice.weight(),
            Outgoing::Input(_) | Outgoing::Close => 0,
        };
        let answers: usize = batch.iter().map(length).sum();
        let mut bytes = join(&mut encoder, batch.drain(..));
        resizes.ask(&mut encoder, &mut bytes);
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
/// worth sending, and a clipboard that is asked for several times is sent once.
fn join(encoder: &mut InputEncoder, batch: impl Iterator<Item = Outgoing>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut waiting: Option<UserInput> = None;
    let mut asked = Vec::new();
    for outgoing in batch {
        let input = match outgoing {
            Outgoing::Input(input) => input,
            Outgoing::Bytes(more) => {
                // Update requests need not keep their place among the user's input.
                bytes.extend(more);
                continue;
            }
            Outgoing::Notice(notice) => {
                let repeats = matches!(notice, Notice::ClipboardRequest | Notice::ClipboardPeek);
                if repeats && asked.contains(&notice) {
                    continue;
                }
                if repeats {
                    asked.push(notice.clone());
                }
                resizes::hear(&notice);
                encoder.notice(notice, &mut bytes);
                continue;
            }
            Outgoing::Close => break,
        };
        if let Some(before) = waiting.take()
            && !replaces(&input, &before)
        {
            encoder.input(before, &mut bytes);
        }
        waiting = Some(input);
    }
    if let Some(last) = waiting {
        encoder.input(last, &mut bytes);
    }
    bytes
}

fn replaces(input: &UserInput, before: &UserInput) -> bool {
    match (input, before) {
        (UserInput::Pointer { buttons, .. }, UserInput::Pointer { buttons: held, .. }) => buttons == held,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(batch: impl IntoIterator<Item = Outgoing>) -> Vec<u8> {
        join(&mut InputEncoder::default(), batch.into_iter())
    }

    #[test]
    fn only_the_last_of_several_positions_is_sent() {
        let at = |x, buttons| Outgoing::Input(UserInput::Pointer { x, y: 0, buttons });
        let key = || Outgoing::Input(UserInput::Key { keysym: 97, keycode: None, down: true });
        let bytes = joined([at(1, 0), at(2, 0), at(2, 1), at(3, 1), key(), at(4, 1), Outgoing::Close]);
        let expected = [[5, 0, 0, 2, 0, 0], [5, 1, 0, 3, 0, 0]].concat();
        let key = [4, 1, 0, 0, 0, 0, 0, 97];
        assert_eq!(bytes, [&expected[..], &key, &[5, 1, 0, 4, 0, 0]].concat());
    }

    #[test]
    fn a_clipboard_that_is_asked_for_without_end_is_sent_once() {
        let text = || Outgoing::Input(UserInput::Clipboard("x".to_owned()));
        let key = || Outgoing::Input(UserInput::Key { keysym: 97, keycode: None, down: true });
        let ask = || Outgoing::Notice(Notice::ClipboardRequest);
        let once = joined([text(), key(), ask()]);
        assert_eq!(joined([text(), key(), ask(), ask(), ask()]), once);
        assert!(once.len() > joined([text(), key()]).len());
    }

    #[test]
    fn requests_that_nobody_reads_the_answers_to_are_too_many_some_time() {
        let (outbox, _outgoings) = new();
        for _ in 0..MOST_ANSWERS / Notice::ClipboardPeek.weight() {
            outbox.notice(Notice::ClipboardPeek);
        }
        assert!(!outbox.is_clogged());
        outbox.notice(Notice::ClipboardPeek);
        assert!(outbox.is_clogged());
    }
}
