//! What a person answered once, kept in memory alone: so that a lost desktop comes back without a touch.

use secrecy::ExposeSecret;

use crate::session::transport::{Answer, Purpose, QuestionKind};

/// Answers that were not refused, and those of the attempt under way.
#[derive(Default)]
pub struct Memory {
    /// Whether there will be another attempt: else nothing is kept.
    keeps: bool,
    known: Vec<(QuestionKind, Answer)>,
    fresh: Vec<(QuestionKind, Answer)>,
    /// Questions whose known answer was refused, as a code that is good for once is: no answer to them is kept any more,
    /// since each that is refused counts as a failed login. With the answer: whoever gives the same one again says that it
    /// was right, and another one beside it wrong.
    fickle: Vec<(QuestionKind, Answer)>,
}

impl Memory {
    /// Nothing yet. What is answered is kept only if it may be of use.
    pub fn new(keeps: bool) -> Memory {
        Memory { keeps, ..Memory::default() }
    }

    /// Another attempt begins.
    pub fn begin(&mut self) {
        self.fresh.clear();
    }

    /// What was answered before, however often it is needed. What is asked again was wrong, and is forgotten.
    pub fn recall(&mut self, question: &QuestionKind) -> Option<Answer> {
        if !matches!(question, QuestionKind::Secret { again: true, .. }) {
            return self.known.iter().find(|(known, _)| same(known, question)).map(|(_, answer)| answer.clone());
        }
        self.forget(question);
        None
    }

    /// What was answered was refused.
    pub fn forget(&mut self, question: &QuestionKind) {
        self.fresh.retain(|(fresh, _)| !same(fresh, question));
        self.fickle.extend(self.known.extract_if(.., |(known, _)| same(known, question)));
    }

    /// A person answered.
    pub fn hear(&mut self, question: &QuestionKind, answer: &Answer) {
        self.fickle.retain(|(fickle, refused)| !same(fickle, question) || !is_equal(refused, answer));
        let is_worth_it = match answer {
            // There are other ways than this key.
            Answer::No => matches!(question, QuestionKind::Secret { purpose: Purpose::KeyPassphrase { .. }, .. }),
            _ => !self.fickle.iter().any(|(fickle, _)| same(fickle, question)),
        };
        if self.keeps && is_worth_it {
            self.fresh.retain(|(fresh, _)| !same(fresh, question));
            self.fresh.push((question.clone(), answer.clone()));
        }
    }

    /// The attempt succeeded, or failed for another reason.
    pub fn keep(&mut self) {
        for (question, answer) in self.fresh.drain(..) {
            self.known.retain(|(known, _)| !same(known, &question));
            self.known.push((question, answer));
        }
    }
}

/// Whether the same was typed.
fn is_equal(one: &Answer, other: &Answer) -> bool {
    let (Answer::Secret(one), Answer::Secret(other)) = (one, other) else { return false };
    one.expose_secret() == other.expose_secret()
}

/// Whether the same answer is wanted: what is said around the question, and whether it is asked again, does not matter.
fn same(one: &QuestionKind, other: &QuestionKind) -> bool {
    use Purpose::KeyboardInteractive as Asked;
    use QuestionKind::Secret;
    match (one, other) {
        (Secret { prompt, purpose, .. }, Secret { prompt: other_prompt, purpose: other_purpose, .. }) => {
            let for_the_same = match (purpose, other_purpose) {
                (Asked { user, host, .. }, Asked { user: other_user, host: other_host, .. }) => {
                    (user, host) == (other_user, other_host)
                }
                (purpose, other) => purpose == other,
            };
            prompt == other_prompt && for_the_same
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(prompt: &str) -> QuestionKind {
        QuestionKind::Choice { prompt: prompt.to_owned(), choices: vec!["a".to_owned(), "b".to_owned()] }
    }

    fn password(again: bool) -> QuestionKind {
        let purpose = Purpose::Password { user: "someone".to_owned(), host: "alpha:22".to_owned() };
        QuestionKind::Secret { prompt: "password".to_owned(), purpose, echo: false, again }
    }

    /// A question of keyboard-interactive, with words of the server around it.
    fn asked(prompt: &str, words: &str, again: bool) -> QuestionKind {
        let purpose = Purpose::KeyboardInteractive {
            user: "someone".to_owned(),
            host: "alpha:22".to_owned(),
            name: "Login".to_owned(),
            instructions: vec![words.to_owned()],
        };
        QuestionKind::Secret { prompt: prompt.to_owned(), purpose, echo: false, again }
    }

    fn secret(words: &str) -> Answer {
        Answer::Secret(words.into())
    }

    fn recalled(memory: &mut Memory, question: &QuestionKind) -> Option<String> {
        memory.recall(question).map(|answer| match answer {
            Answer::Secret(secret) => secret.expose_secret().to_owned(),
            answer => format!("{answer:?}"),
        })
    }

    #[test]
    fn answers_that_worked_are_given_as_often_as_they_are_needed() {
        let mut memory = Memory::new(true);
        memory.hear(&question("x"), &Answer::Choice(0));
        memory.hear(&question("x"), &Answer::Choice(1));
        memory.hear(&question("y"), &Answer::No);
        memory.keep();
        for _ in 0..2 {
            memory.begin();
            for _ in 0..2 {
                assert!(matches!(memory.recall(&question("x")), Some(Answer::Choice(1))));
                assert!(memory.recall(&question("y")).is_none());
            }
        }
    }

    #[test]
    fn an_answer_that_was_mistyped_is_replaced() {
        let mut memory = Memory::new(true);
        assert_eq!(recalled(&mut memory, &password(false)), None);
        memory.hear(&password(false), &secret("wrong"));
        assert_eq!(recalled(&mut memory, &password(true)), None);
        // The connection may be lost before the person has answered.
        memory.keep();
        assert_eq!(recalled(&mut memory, &password(false)), None);
        memory.hear(&password(true), &secret("right"));
        memory.keep();
        for _ in 0..2 {
            memory.begin();
            assert_eq!(recalled(&mut memory, &password(false)).as_deref(), Some("right"));
        }
    }

    #[test]
    fn what_was_refused_when_it_was_remembered_is_never_kept_again() {
        let mut memory = Memory::new(true);
        // As sshd asks with PAM: after a wrong code it begins anew with the password.
        let mut attempt = |code: &str| {
            memory.begin();
            let mut ask = |words: &str, again| {
                ["Password:", "Code:"].map(|prompt| {
                    let known = recalled(&mut memory, &asked(prompt, words, again));
                    if known.is_none() {
                        let typed = if prompt == "Code:" { code } else { "right" };
                        memory.hear(&asked(prompt, words, again), &secret(typed));
                    }
                    known.is_some()
                })
            };
            let given = ask("welcome", false);
            if given[1] {
                assert_eq!(ask("that was wrong", true), [false, false]);
            }
            memory.keep();
            given
        };
        assert_eq!(attempt("1"), [false, false]);
        assert_eq!(attempt("2"), [true, true]);
        assert_eq!(attempt("3"), [true, false]);
        assert_eq!(attempt("4"), [true, false]);
    }

    #[test]
    fn what_was_refused_last_is_not_given_again() {
        let mut memory = Memory::new(true);
        for wrong in ["first", "second"] {
            assert_eq!(recalled(&mut memory, &password(wrong == "second")), None);
            memory.hear(&password(wrong == "second"), &secret(wrong));
            memory.forget(&password(false));
        }
        memory.hear(&asked("Password:", "", false), &secret("right"));
        memory.keep();
        memory.begin();
        assert_eq!(recalled(&mut memory, &password(false)), None);
        assert_eq!(recalled(&mut memory, &asked("Password:", "", false)).as_deref(), Some("right"));
        // It was changed there. Each attempt would be another failed login.
        memory.forget(&asked("Password:", "", false));
        memory.keep();
        memory.begin();
        assert_eq!(recalled(&mut memory, &asked("Password:", "", false)), None);
        // Whoever insists on it means it.
        memory.hear(&asked("Password:", "", false), &secret("right"));
        memory.keep();
        assert_eq!(recalled(&mut memory, &asked("Password:", "", false)).as_deref(), Some("right"));
    }

    #[test]
    fn nothing_is_kept_without_need() {
        let mut memory = Memory::new(false);
        memory.hear(&question("x"), &Answer::Choice(0));
        memory.keep();
        assert!(memory.recall(&question("x")).is_none());
    }

    #[test]
    fn answers_that_did_not_work_are_not_kept() {
        let mut memory = Memory::new(true);
        memory.hear(&question("x"), &Answer::Choice(0));
        memory.begin();
        memory.keep();
        assert!(memory.recall(&question("x")).is_none());
    }
}
