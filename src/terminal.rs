//! Questions on the terminal, and the terminal's settings put back if the program ends in the middle of one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{self, OptionalActions, Termios};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::session::transport::{Answer, Purpose, Question, QuestionKind};

const TERMINAL: &str = "/dev/tty";

/// The settings from before the question that is open.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether there is a terminal to ask on.
pub fn is_there() -> bool {
    open().is_ok()
}

/// Answers a question from another thread, so that signals and the session's end are still seen meanwhile.
pub fn answer(question: Question) {
    let Question { kind, reply } = question;
    let asked = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
        // A question that can not be asked is refused: the error that follows says what was asked.
        let answer = ask(&kind).unwrap_or_else(|error| {
            tracing::debug!("{TERMINAL}: {error}");
            Answer::No
        });
        let _ = reply.send(answer);
    });
    if let Err(error) = asked {
        tracing::debug!("{error}");
    }
}

/// Puts the terminal's settings back, if a question has changed them.
pub fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Some(before), Ok(mut terminal)) = (before, open()) {
        let _ = termios::tcsetattr(&terminal, OptionalActions::Now, &before);
        let _ = writeln!(terminal);
    }
}

/// Asks for something secret.
///
/// # Errors
/// Without a terminal.
pub fn secret(prompt: &str) -> io::Result<SecretString> {
    remember(Some(termios::tcgetattr(open()?)?));
    let typed = rpassword::prompt_password(format!("{prompt}: "));
    remember(None);
    typed.map(SecretString::from)
}

fn remember(settings: Option<Termios>) {
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = settings;
}

fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(TERMINAL)
}

fn ask(kind: &QuestionKind) -> io::Result<Answer> {
    match kind {
        QuestionKind::UnknownHostKey { host, key_type, fingerprint } => {
            let mut terminal = open()?;
            writeln!(terminal, "{host} is not known here. Its {key_type} key has the fingerprint")?;
            writeln!(terminal, "  {fingerprint}")?;
            loop {
                let said = line("Is it the right one? It will be remembered (yes, no, or the fingerprint): ")?;
                match said.trim() {
                    "yes" => return Ok(Answer::Yes { remember: true }),
                    given if given == fingerprint => return Ok(Answer::Yes { remember: true }),
                    "no" | "" => return Ok(Answer::No),
                    _ => {}
                }
            }
        }
        QuestionKind::Secret { prompt, purpose, echo } => {
            if let Purpose::KeyboardInteractive { name, instructions, .. } = purpose {
                let mut terminal = open()?;
                for words in std::iter::once(name).chain(instructions).filter(|words| !words.is_empty()) {
                    writeln!(terminal, "{words}")?;
                }
            }
            let prompt = prompt.trim_end_matches([':', ' ']);
            Ok(Answer::Secret(match echo {
                true => SecretString::from(line(&format!("{prompt}: "))?.trim_end_matches(['\r', '\n']).to_owned()),
                false => secret(prompt)?,
            }))
        }
    }
}

/// Asks for something that may be seen. The end of the input is no answer.
fn line(prompt: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = open()?;
    write!(terminal, "{prompt}")?;
    terminal.flush()?;
    let mut line = Zeroizing::new(String::new());
    match BufReader::new(terminal).read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}
