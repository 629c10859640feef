//! What a person answered once, kept in memory alone: so that a lost desktop comes back without a touch.

use crate::session::transport::{Answer, QuestionKind};

/// Answers that were not refused, and those of the attempt under way.
#[derive(Default)]
pub struct Memory {
    /// Whether there will be another attempt: else nothing is kept.
    keeps: bool,
    known: Vec<Known>,
    fresh: Vec<(QuestionKind, Answer)>,
}

struct Known {
    question: QuestionKind,
    answer: Answer,
    /// Given in this attempt already.
    given: bool,
}

impl Memory {
    /// Nothing yet. What is answered is kept only if it may be of use.
    pub fn new(keeps: bool) -> Memory {
        Memory { keeps, ..Memory::default() }
    }

    /// Another attempt begins.
    pub fn begin(&mut self) {
        self.fresh.clear();
        self.known.iter_mut().for_each(|known| known.given = false);
    }

    /// What was answered before. Asked for a second time in one attempt it was wrong, and is forgotten.
    pub fn recall(&mut self, question: &QuestionKind) -> Option<Answer> {
        let at = self.known.iter().position(|known| known.question == *question)?;
        if self.known.get(at).is_some_and(|known| known.given) {
            self.known.remove(at);
            return None;
        }
        let known = self.known.get_mut(at)?;
        known.given = true;
        Some(known.answer.clone())
    }

    /// A person answered.
    pub fn hear(&mut self, question: &QuestionKind, answer: &Answer) {
        if self.keeps && !matches!(answer, Answer::No) {
            self.fresh.retain(|(other, _)| other != question);
            self.fresh.push((question.clone(), answer.clone()));
        }
    }

    /// The attempt succeeded, or failed for another reason.
    pub fn keep(&mut self) {
        for (question, answer) in self.fresh.drain(..) {
            self.known.retain(|known| known.question != question);
            self.known.push(Known { question, answer, given: true });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(prompt: &str) -> QuestionKind {
        QuestionKind::Choice { prompt: prompt.to_owned(), choices: vec!["a".to_owned(), "b".to_owned()] }
    }

    #[test]
    fn answers_that_worked_are_given_once_an_attempt() {
        let mut memory = Memory::new(true);
        memory.hear(&question("x"), &Answer::Choice(0));
        memory.hear(&question("x"), &Answer::Choice(1));
        memory.hear(&question("y"), &Answer::No);
        memory.keep();
        for _ in 0..2 {
            memory.begin();
            assert!(matches!(memory.recall(&question("x")), Some(Answer::Choice(1))));
            assert!(memory.recall(&question("y")).is_none());
        }
        assert!(memory.recall(&question("x")).is_none());
        memory.begin();
        assert!(memory.recall(&question("x")).is_none());
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
