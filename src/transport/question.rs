//! Questions that only a person can answer while a connection is made, and the way to ask them.

use std::path::PathBuf;

use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};

use super::Pins;
use super::deadline::Clock;
use super::ssh::Unlocked;

/// A question on its way to the person; dropping it is a refusal.
#[derive(Debug)]
pub struct Question {
    /// What is asked.
    pub kind: QuestionKind,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
}

/// What is asked. All texts that came from a server are escaped already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuestionKind {
    /// A host that no known_hosts file mentions: is this its key?
    UnknownHostKey {
        /// The host as typed, with its port if that is not 22.
        host: String,
        /// The key's type, such as `ssh-ed25519`.
        key_type: String,
        /// `SHA256:` and base64, as `ssh-keygen -l` prints it.
        fingerprint: String,
    },
    /// Something to type.
    Secret {
        /// The line to show before the typing place.
        prompt: String,
        /// What it is for.
        purpose: Purpose,
        /// Whether what is typed may be seen.
        echo: bool,
        /// Whether it was asked before, and the answer was refused.
        again: bool,
    },
    /// One of several things.
    Choice {
        /// What is to be chosen.
        prompt: String,
        /// In words.
        choices: Vec<String>,
    },
}

/// What a [`QuestionKind::Secret`] is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The passphrase of a private key file.
    KeyPassphrase {
        /// The key file.
        path: PathBuf,
    },
    /// The password of a user.
    Password {
        /// The user's name on the server.
        user: String,
        /// The server.
        host: String,
    },
    /// What the server behind the connection asks for itself.
    Desktop {
        /// Where it is.
        peer: String,
    },
    /// One prompt of keyboard-interactive authentication (RFC 4256).
    KeyboardInteractive {
        /// The user's name on the server.
        user: String,
        /// The server.
        host: String,
        /// The server's title, often empty.
        name: String,
        /// The server's explanation, line by line, often empty.
        instructions: Vec<String>,
    },
}

impl Purpose {
    /// The line to show for `prompt`, which says if the answer before was wrong.
    pub fn line(&self, prompt: &str, again: bool) -> String {
        let remark = match self {
            Purpose::KeyPassphrase { .. } if again => "wrong passphrase; ",
            Purpose::Password { .. } if again => "wrong password; ",
            // The server says so in its own words, or asks only once.
            _ => "",
        };
        format!("{remark}{}", prompt.trim_end_matches([':', ' ']))
    }
}

/// What the person said.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Yes.
    Yes {
        /// Write it down, so that it is not asked again.
        remember: bool,
    },
    /// No, or nobody was there.
    No,
    /// What was typed.
    Secret(SecretString),
    /// What was chosen, counted from 0.
    Choice(usize),
}

/// The asking side: hands questions to whoever reads the other end, and stops the deadlines meanwhile.
#[derive(Debug, Clone)]
pub struct Asker {
    questions: Option<mpsc::UnboundedSender<Question>>,
    steps: Option<mpsc::UnboundedSender<Step>>,
    clock: Clock,
    pins: Pins,
    unlocked: Unlocked,
}

/// A part of the way that is behind us, and whose it was in words; or what was wrong on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The TCP connection, the local socket or the program stands.
    Network(String),
    /// The SSH server has proven its host key.
    HostKey(String),
    /// It has let us in.
    Login(String),
    /// It has opened the channel.
    Channel(String),
    /// What was answered to this was refused, whether or not it is asked again.
    Wrong(QuestionKind),
    /// It listens on this port of its localhost, and a desktop is waited for.
    Listening {
        /// The server.
        server: String,
        /// The port there.
        port: u32,
    },
}

impl Asker {
    /// An asker and the receiver of its questions.
    pub fn new() -> (Asker, mpsc::UnboundedReceiver<Question>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Asker { questions: Some(sender), ..Asker::nobody() }, receiver)
    }

    /// An asker whose questions are all refused at once: there is no terminal.
    pub fn nobody() -> Asker {
        let (pins, unlocked) = (Pins::default(), Unlocked::default());
        Asker { questions: None, steps: None, clock: Clock::new(), pins, unlocked }
    }

    /// The same, telling of each step.
    pub fn watched(self) -> (Asker, mpsc::UnboundedReceiver<Step>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Asker { steps: Some(sender), ..self }, receiver)
    }

    /// The same, to whom host keys that were believed before are known.
    pub fn knowing(self, pins: Pins) -> Asker {
        Asker { pins, ..self }
    }

    pub(super) fn pins(&self) -> &Pins {
        &self.pins
    }

    /// The same, for a connection of its own: what is unlocked for it is forgotten when it stands.
    pub(super) fn for_one_connection(&self) -> Asker {
        Asker { unlocked: Unlocked::default(), ..self.clone() }
    }

    /// The keys that were unlocked for this connection.
    pub(super) fn unlocked(&self) -> &Unlocked {
        &self.unlocked
    }

    pub(crate) fn report(&self, step: Step) {
        if let Some(steps) = &self.steps {
            let _ = steps.send(step);
        }
    }

    /// Whether anybody listens; false changes the words of an error.
    pub fn has_somebody(&self) -> bool {
        self.questions.as_ref().is_some_and(|q| !q.is_closed())
    }

    /// The clock that stands still while a question is open.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Asks and waits; nobody there, a dropped question and a lost receiver all mean [`Answer::No`].
    pub async fn ask(&self, kind: QuestionKind) -> Answer {
        let Some(questions) = &self.questions else { return Answer::No };
        let _thinking = self.clock.pause();
        let (reply, answer) = oneshot::channel();
        if questions.send(Question { kind, reply }).is_err() {
            return Answer::No;
        }
        answer.await.unwrap_or(Answer::No)
    }

    /// Asks for one of several things; None is a refusal.
    pub async fn ask_choice(&self, prompt: String, choices: Vec<String>) -> Option<usize> {
        let count = choices.len();
        match self.ask(QuestionKind::Choice { prompt, choices }).await {
            Answer::Choice(index) => Some(index).filter(|&index| index < count),
            Answer::Yes { .. } | Answer::No | Answer::Secret(_) => None,
        }
    }

    /// Asks for something to type; None is a refusal.
    pub(crate) async fn ask_secret(&self, kind: QuestionKind) -> Option<SecretString> {
        match self.ask(kind).await {
            Answer::Secret(secret) => Some(secret),
            Answer::Yes { .. } | Answer::No | Answer::Choice(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> QuestionKind {
        QuestionKind::UnknownHostKey {
            host: "h".into(),
            key_type: "ssh-ed25519".into(),
            fingerprint: "SHA256:x".into(),
        }
    }

    #[tokio::test]
    async fn a_dropped_question_is_a_refusal() {
        let (asker, mut questions) = Asker::new();
        let (answer, ()) = tokio::join!(asker.ask(question()), async { drop(questions.recv().await) });
        assert!(matches!(answer, Answer::No));
        drop(questions);
        assert!(matches!(asker.ask(question()).await, Answer::No));
        assert!(!asker.has_somebody());
        assert!(matches!(Asker::nobody().ask(question()).await, Answer::No));
    }

    #[tokio::test]
    async fn a_secret_is_never_printed() {
        let answer = Answer::Secret("hunter2".into());
        assert!(!format!("{answer:?}").contains("hunter2"));
    }
}
