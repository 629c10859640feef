//! Questions on the terminal or by an askpass program, and the terminal's settings put back if the program ends in the
//! middle of one.

use std::env;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{self, OptionalActions, Termios};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::session::transport::{Answer, Purpose, Question, QuestionKind};

const TERMINAL: &str = "/dev/tty";

/// The settings from before the question that is open.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Who answers questions.
enum Answerer {
    Terminal,
    /// The program named by SSH_ASKPASS, as in ssh(1).
    Program(OsString),
}

/// Whether there is a terminal or a program to ask.
pub fn can_ask() -> bool {
    answerer().is_some()
}

/// Whether the program is to be asked before anything else.
pub fn must_ask_program() -> bool {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    set("SSH_ASKPASS").is_some() && set("SSH_ASKPASS_REQUIRE").is_some_and(|require| require == "force")
}

/// As ssh decides it: SSH_ASKPASS_REQUIRE first, then the terminal, then the program if there is a screen for it.
fn answerer() -> Option<Answerer> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let program = set("SSH_ASKPASS").map(Answerer::Program);
    let require = set("SSH_ASKPASS_REQUIRE").unwrap_or_default();
    if require == "force" || require == "prefer" {
        if let Some(program) = program {
            return Some(program);
        }
    } else if open().is_err() && require != "never" && (set("DISPLAY").is_some() || set("WAYLAND_DISPLAY").is_some()) {
        return program;
    }
    open().is_ok().then_some(Answerer::Terminal)
}

/// Answers a question from another thread, so that signals and the session's end are still seen meanwhile. What was
/// answered is told to `heard`, too.
pub fn answer(question: Question, heard: impl FnOnce(&Answer) + Send + 'static) {
    let Question { kind, reply } = question;
    let asked = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
        // A question that can not be asked is refused: the error that follows says what was asked.
        let asked = match answerer() {
            Some(Answerer::Program(program)) => ask_program(&program, &kind),
            Some(Answerer::Terminal) => ask(&kind),
            None => Ok(Answer::No),
        };
        let answer = asked.unwrap_or_else(|error| {
            tracing::debug!("{TERMINAL}: {error}");
            Answer::No
        });
        heard(&answer);
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
        QuestionKind::Choice { prompt, choices } => {
            let mut terminal = open()?;
            writeln!(terminal, "{}", numbered(prompt, choices))?;
            loop {
                let said = line(&format!("Which one (1 to {}, or nothing to end)? ", choices.len()))?;
                match chosen(&said, choices) {
                    Answer::No if !said.trim().is_empty() => {}
                    answer => return Ok(answer),
                }
            }
        }
        QuestionKind::Secret { prompt, purpose, echo, again } => {
            if let Purpose::KeyboardInteractive { name, instructions, .. } = purpose {
                let mut terminal = open()?;
                for words in std::iter::once(name).chain(instructions).filter(|words| !words.is_empty()) {
                    writeln!(terminal, "{words}")?;
                }
            }
            let prompt = purpose.line(prompt, *again);
            Ok(Answer::Secret(match echo {
                true => SecretString::from(line(&format!("{prompt}: "))?.trim_end_matches(['\r', '\n']).to_owned()),
                false => secret(&prompt)?,
            }))
        }
    }
}

/// Asks through a program: what it prints is the answer, and a status other than 0 is a refusal.
fn ask_program(program: &OsString, kind: &QuestionKind) -> io::Result<Answer> {
    let mut call = Command::new(program);
    let prompt = match kind {
        QuestionKind::UnknownHostKey { host, key_type, fingerprint } => {
            format!(
                "{host} is not known here. Its {key_type} key has the fingerprint {fingerprint}. Is it the right one (yes or no)?"
            )
        }
        QuestionKind::Choice { prompt, choices } => {
            format!("{}\nWhich one (1 to {})?", numbered(prompt, choices), choices.len())
        }
        QuestionKind::Secret { prompt, purpose, again, .. } => format!("{}: ", purpose.line(prompt, *again)),
    };
    let output = call.arg(&prompt).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Ok(Answer::No);
    }
    let first = printed.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = Zeroizing::new(String::from_utf8_lossy(first).trim_end_matches('\r').to_owned());
    Ok(match kind {
        QuestionKind::UnknownHostKey { fingerprint, .. } if *text == "yes" || *text == *fingerprint => {
            Answer::Yes { remember: true }
        }
        QuestionKind::UnknownHostKey { .. } => Answer::No,
        QuestionKind::Choice { choices, .. } => chosen(&text, choices),
        QuestionKind::Secret { .. } => Answer::Secret(SecretString::from(text.to_string())),
    })
}

fn numbered(prompt: &str, choices: &[String]) -> String {
    let lines = choices.iter().enumerate().map(|(index, choice)| format!("\n  {}  {choice}", index + 1));
    format!("{prompt}:{}", lines.collect::<String>())
}

fn chosen(said: &str, choices: &[String]) -> Answer {
    let number = said.trim().parse::<usize>().ok();
    number
        .and_then(|number| number.checked_sub(1))
        .filter(|&index| index < choices.len())
        .map_or(Answer::No, Answer::Choice)
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
