//! A question that is asked in the window, and what was typed in answer so far.

use secrecy::SecretString;
use xkeysym::Keysym;
use zeroize::Zeroizing;

use super::compose::{composed, is_dead};
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

/// Said of an accent and a key that make no letter.
const NO_LETTER: &str = "There is no letter with that accent: nothing was typed";

/// A question under way.
pub struct Asking {
    question: Question,
    typed: Zeroizing<Vec<char>>,
    cursor: usize,
    selected: usize,
    /// A dead key that waits for its letter.
    accent: Option<u32>,
    /// The last one got none.
    refused: bool,
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
        Asking { question, typed, cursor: 0, selected, accent: None, refused: false }
    }

    /// As it is drawn.
    pub fn shown(&self) -> overlay::Question {
        let (title, mut lines) = words(&self.question.kind);
        lines.extend(self.refused.then(|| NO_LETTER.to_owned()));
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
        // A capital may follow an accent.
        if Keysym::new(keysym).is_modifier_key() {
            return (Some(self), Outcome::Open);
        }
        self.refused = false;
        if let Some(accent) = self.accent.take_if(|_| keysym != ESCAPE) {
            let letter = if let Typed::Letter = typed { composed(accent, keysym) } else { None };
            match letter {
                Some(letter) => self.insert(letter),
                // It is taken back.
                None if keysym == BACKSPACE => {}
                // A wrong letter among bullets would not be seen.
                None => self.refused = true,
            }
            return (Some(self), Outcome::Open);
        }
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
                Typed::Letter if is_dead(keysym) => self.accent = Some(keysym),
                Typed::Letter => {
                    if let Some(c) = Keysym::new(keysym).key_char() {
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
    pub fn choose(mut self, choice: usize) -> (Option<Asking>, Outcome) {
        if choice == 0 && self.accent.take().is_some() {
            self.refused = true;
            return (Some(self), Outcome::Open);
        }
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
    fn an_accent_is_typed_with_its_letter_or_not_at_all() {
        let (grave, acute, circumflex, shift) = (0xfe50, 0xfe51, 0xfe52, 0xffe1);
        let keys = [acute, 0x61, grave, shift, 0x45, circumflex, circumflex, acute, 0x20, 0xff0d];
        assert_eq!(text(press(secret(), &keys)), "áÈ^'");
        let refused = |keys: &[u32]| {
            let asking = press(secret(), keys).ok().unwrap();
            let says = asking.shown().lines == [NO_LETTER];
            (says, text(press(asking, &[shift, 0x78, 0xff0d])))
        };
        let (no, yes) = (|text: &str| (false, text.to_owned()), |text: &str| (true, text.to_owned()));
        // Until then it waits, and nothing is said.
        assert_eq!(refused(&[0x61, acute]), no("a"));
        assert_eq!(refused(&[0x61, acute, 0x71]), yes("ax"));
        assert_eq!(refused(&[0x61, acute, grave]), yes("ax"));
        // One that has no letters here, and keys that are none.
        assert_eq!(refused(&[0xfe8c, 0x61]), yes("x"));
        assert_eq!(refused(&[0x61, acute, 0xff0d]), yes("ax"));
        assert_eq!(refused(&[0x61, acute, LEFT]), yes("ax"));
        assert_eq!(refused(&[0x61, acute, BACKSPACE]), no("ax"));
        assert_eq!(refused(&[acute, 0x71, 0x61]), no("ax"));
        assert_eq!(text(press(secret(), &[acute, ESCAPE])), "No");
        // A click beside the keyboard, a paste, and a command.
        let waiting = || press(secret(), &[acute]).ok().unwrap();
        assert!(waiting().choose(0).0.is_some_and(|asking| asking.refused));
        assert!(waiting().choose(1).0.is_none());
        let (asking, _) = waiting().key(0x76, Typed::Text("pasted"));
        assert_eq!(asking.map(|asking| (asking.refused, asking.typed.len())), Some((true, 0)));
        let (asking, _) = secret().key(acute, Typed::Nothing);
        assert_eq!(text(press(asking.unwrap(), &[0x61, 0xff0d])), "a");
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
