//! A question that is asked in the window, and what was typed in answer so far.

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::overlay;
use crate::session::transport::{Answer, Purpose, Question, QuestionKind};

/// The longest answer, in characters.
const LONGEST: usize = 1024;

const BACKSPACE: u32 = 0xff08;
const TAB: u32 = 0xff09;
const ENTER: [u32; 2] = [0xff0d, 0xff8d];
const ESCAPE: u32 = 0xff1b;
const HOME: u32 = 0xff50;
const LEFT: u32 = 0xff51;
const UP: u32 = 0xff52;
const RIGHT: u32 = 0xff53;
const DOWN: u32 = 0xff54;
const END: u32 = 0xff57;
const BACK_TAB: u32 = 0xfe20;
const DELETE: u32 = 0xffff;

/// A question under way.
pub struct Asking {
    question: Question,
    typed: Zeroizing<Vec<char>>,
    cursor: usize,
    selected: usize,
}

/// What a key stands for beside its name.
#[derive(Debug, Clone, Copy)]
pub enum Typed<'a> {
    /// The letter that it is named by, if it is one.
    Letter,
    /// What was copied.
    Text(&'a str),
    /// A command to somebody else.
    Nothing,
}

/// What a key or click came to.
pub enum Outcome {
    /// The question stays.
    Open,
    /// It is answered.
    Answered(Question, Answer),
}

impl Asking {
    /// Nothing typed yet. The answer that is safe is the one that is chosen first.
    pub fn new(question: Question) -> Asking {
        let selected = usize::from(matches!(question.kind, QuestionKind::UnknownHostKey { .. }));
        // Room at once, so that no copy of a secret is left behind when it grows.
        let typed = Zeroizing::new(Vec::with_capacity(LONGEST));
        Asking { question, typed, cursor: 0, selected }
    }

    /// As it is drawn.
    pub fn shown(&self) -> overlay::Question {
        let (title, lines) = words(&self.question.kind);
        let field = match &self.question.kind {
            QuestionKind::Secret { echo, .. } => {
                let typed = self.text();
                Some(match echo {
                    true => overlay::Field::shown(&typed, self.cursor),
                    false => overlay::Field::masked(&typed, self.cursor),
                })
            }
            _ => None,
        };
        overlay::Question { title, lines, field, choices: self.choices(), selected: self.selected }
    }

    /// What was typed. Room for all of it at once, so that no copy of a secret is left behind when it grows.
    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.typed.len() * 4));
        text.extend(self.typed.iter());
        text
    }

    fn choices(&self) -> Vec<String> {
        let words = |words: [&str; 2]| words.map(str::to_owned).to_vec();
        match &self.question.kind {
            QuestionKind::UnknownHostKey { .. } => words(["Connect, and remember the key", "Do not connect"]),
            QuestionKind::Secret { .. } => words(["OK", "Cancel"]),
            QuestionKind::Choice { choices, .. } => {
                choices.iter().cloned().chain(std::iter::once("Cancel".to_owned())).collect()
            }
        }
    }

    /// A key was pressed.
    pub fn key(mut self, keysym: u32, typed: Typed<'_>) -> (Option<Asking>, Outcome) {
        let count = self.choices().len();
        let typing = matches!(self.question.kind, QuestionKind::Secret { .. });
        match keysym {
            ESCAPE => return (None, Outcome::Answered(self.question, Answer::No)),
            keysym if ENTER.contains(&keysym) => {
                let selected = self.selected;
                return self.choose(selected);
            }
            TAB | DOWN => self.selected = (self.selected + 1) % count,
            BACK_TAB | UP => self.selected = (self.selected + count - 1) % count,
            LEFT if typing => self.cursor = self.cursor.saturating_sub(1),
            RIGHT if typing => self.cursor = (self.cursor + 1).min(self.typed.len()),
            HOME => self.cursor = 0,
            END => self.cursor = self.typed.len(),
            LEFT => self.selected = (self.selected + count - 1) % count,
            RIGHT => self.selected = (self.selected + 1) % count,
            BACKSPACE if self.cursor > 0 => {
                self.cursor -= 1;
                self.typed.remove(self.cursor);
            }
            DELETE if self.cursor < self.typed.len() => drop(self.typed.remove(self.cursor)),
            _ if typing => match typed {
                Typed::Nothing => {}
                Typed::Text(text) => text.lines().next().unwrap_or_default().chars().for_each(|c| self.insert(c)),
                Typed::Letter => {
                    if let Some(c) = xkeysym::Keysym::new(keysym).key_char() {
                        self.insert(c);
                    }
                }
            },
            _ => {}
        }
        (Some(self), Outcome::Open)
    }

    fn insert(&mut self, c: char) {
        if !c.is_control() && self.typed.len() < LONGEST {
            self.typed.insert(self.cursor, c);
            self.cursor += 1;
        }
    }

    /// A choice was clicked, or taken by Enter.
    pub fn choose(self, choice: usize) -> (Option<Asking>, Outcome) {
        let answer = match &self.question.kind {
            QuestionKind::UnknownHostKey { .. } if choice == 0 => Answer::Yes { remember: true },
            QuestionKind::Secret { .. } if choice == 0 => {
                let typed = self.text();
                Answer::Secret(SecretString::from(typed.as_str()))
            }
            QuestionKind::Choice { choices, .. } if choice < choices.len() => Answer::Choice(choice),
            _ => Answer::No,
        };
        (None, Outcome::Answered(self.question, answer))
    }

    /// Another choice is under the pointer.
    pub fn point(&mut self, choice: usize) -> bool {
        std::mem::replace(&mut self.selected, choice) != choice
    }

    /// Whether anybody still waits for the answer.
    pub fn is_wanted(&self) -> bool {
        !self.question.reply.is_closed()
    }
}

/// A title, and the rest.
fn words(kind: &QuestionKind) -> (String, Vec<String>) {
    match kind {
        QuestionKind::UnknownHostKey { host, key_type, fingerprint } => (
            format!("{host} is not known here"),
            vec![format!("Its {key_type} key has the fingerprint"), fingerprint.clone(), "Is it the right one?".into()],
        ),
        QuestionKind::Secret { prompt, purpose, again, .. } => {
            let lines = match purpose {
                Purpose::KeyboardInteractive { name, instructions, .. } => {
                    std::iter::once(name).chain(instructions).filter(|words| !words.is_empty()).cloned().collect()
                }
                _ => Vec::new(),
            };
            (purpose.line(prompt, *again), lines)
        }
        QuestionKind::Choice { prompt, .. } => (prompt.clone(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use tokio::sync::oneshot;

    fn asking(kind: QuestionKind) -> Asking {
        Asking::new(Question { kind, reply: oneshot::channel().0 })
    }

    fn secret() -> Asking {
        let purpose = Purpose::Desktop { peer: "x".to_owned() };
        asking(QuestionKind::Secret { prompt: "password: ".to_owned(), purpose, echo: false, again: false })
    }

    fn press(asking: Asking, keys: &[u32]) -> Result<Asking, Answer> {
        keys.iter().try_fold(asking, |asking, &key| match asking.key(key, Typed::Letter) {
            (Some(asking), _) => Ok(asking),
            (None, Outcome::Answered(_, answer)) => Err(answer),
            (None, Outcome::Open) => panic!(),
        })
    }

    fn text(answer: Result<Asking, Answer>) -> String {
        match answer {
            Err(Answer::Secret(secret)) => secret.expose_secret().to_owned(),
            Err(answer) => format!("{answer:?}"),
            Ok(_) => "open".to_owned(),
        }
    }

    #[test]
    fn secrets_are_typed_in_any_alphabet() {
        // a, Greek alpha, Cyrillic zhe, a euro sign by its number; then corrected.
        let keys = [0x61, 0x7e1, 0x6d6, 0x0100_20ac, BACKSPACE, HOME, 0x62, RIGHT, DELETE, 0xff0d];
        assert_eq!(text(press(secret(), &keys)), "baж");
        assert_eq!(text(press(secret(), &[0x61, TAB, 0xff0d])), "No");
        assert_eq!(text(press(secret(), &[0x61, ESCAPE])), "No");
        assert_eq!(text(press(secret(), &[0xffe1, BACKSPACE, DELETE, 0xff8d])), "");
        let (asking, _) = secret().key(0x76, Typed::Text("pasted\nmore"));
        let (asking, _) = asking.unwrap().key(0x75, Typed::Nothing);
        assert_eq!(text(press(asking.unwrap(), &[0xff0d])), "pasted");
    }

    #[test]
    fn an_unknown_key_is_not_taken_by_a_slip_of_the_hand() {
        let kind = || QuestionKind::UnknownHostKey {
            host: "h".to_owned(),
            key_type: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:x".to_owned(),
        };
        assert_eq!(text(press(asking(kind()), &[0xff0d])), "No");
        assert_eq!(text(press(asking(kind()), &[LEFT, 0xff0d])), "Yes { remember: true }");
        let choices = QuestionKind::Choice { prompt: "p".to_owned(), choices: vec!["a".to_owned(), "b".to_owned()] };
        assert_eq!(text(press(asking(choices.clone()), &[DOWN, 0xff0d])), "Choice(1)");
        assert_eq!(text(press(asking(choices), &[UP, 0xff0d])), "No");
    }

    #[test]
    fn what_nobody_waits_for_is_known() {
        assert!(!secret().is_wanted());
    }
}
