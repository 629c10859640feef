//! The authentication methods that ask a person: keyboard-interactive (RFC 4256) and password (RFC 4252, section 8).

use russh::client::{AuthResult, KeyboardInteractiveAuthResponse as Reply};
use secrecy::{ExposeSecret, SecretString};

use super::auth::{Attempt, Outcome};
use crate::escape::{escape, escape_lines};
use crate::transport::{Error, Purpose, QuestionKind};

/// No honest server asks in more rounds, or more at once.
const MOST_ROUNDS: usize = 20;
const MOST_PROMPTS: usize = 20;

impl Attempt<'_> {
    pub(super) async fn keyboard_interactive(&mut self) -> Result<Outcome, Error> {
        const NAME: &str = "keyboard-interactive";
        const STEP: &str = "keyboard-interactive authentication";
        // russh can not leave this method once a prompt has come, so it is not begun if nobody could answer.
        if !self.asker.has_somebody() {
            self.notes.push(format!("{NAME} needs a terminal or SSH_ASKPASS to ask on"));
            return Ok(Outcome::Impossible);
        }
        let user = self.login.user.clone();
        let mut reply = self.step(STEP, |link| link.handle.authenticate_keyboard_interactive_start(user, None)).await?;
        let mut asked = false;
        for _ in 0..MOST_ROUNDS {
            let (name, instructions, prompts) = match reply {
                Reply::Success => return Ok(Outcome::Success),
                Reply::Failure { remaining_methods, partial_success } => {
                    let answer = AuthResult::Failure { remaining_methods, partial_success };
                    let outcome = self.settle(answer, Some(NAME.into())).await?;
                    // A server that never asked has nothing to ask: it would only fail again.
                    return Ok(if asked { outcome } else { Outcome::Impossible });
                }
                Reply::InfoRequest { name, instructions, prompts } => (name, instructions, prompts),
            };
            if prompts.len() > MOST_PROMPTS {
                return Err(Error::refused(format!(
                    "{} asks {} questions at once",
                    self.link.server.name,
                    prompts.len()
                )));
            }
            let mut answers = Vec::with_capacity(prompts.len());
            for prompt in prompts {
                asked = true;
                let purpose = Purpose::KeyboardInteractive {
                    user: escape(&self.login.user),
                    host: self.link.server.name.clone(),
                    name: escape(&name),
                    instructions: escape_lines(&instructions),
                };
                let words = escape(prompt.prompt.trim());
                // Which of the answers was wrong is not said, so all of them may have been.
                let again = self.prompted.contains(&words);
                self.prompted.push(words.clone());
                let secret =
                    self.ask(QuestionKind::Secret { prompt: words, purpose, echo: prompt.echo, again }).await?;
                answers.push(secret.expose_secret().to_owned());
            }
            reply = self.step(STEP, |link| link.handle.authenticate_keyboard_interactive_respond(answers)).await?;
        }
        Err(Error::refused(format!("{} does not stop asking questions", self.link.server.name)))
    }

    pub(super) async fn password(&mut self, again: bool) -> Result<Outcome, Error> {
        if !self.asker.has_somebody() {
            self.notes.push("a password needs a terminal or SSH_ASKPASS to ask on".into());
            return Ok(Outcome::Impossible);
        }
        let (user, host) = (escape(&self.login.user), self.link.server.name.clone());
        let prompt = format!("password of {user} on {host}");
        let purpose = Purpose::Password { user, host };
        let password = self.ask(QuestionKind::Secret { prompt, purpose, echo: false, again }).await?;
        let user = self.login.user.clone();
        let password = password.expose_secret().to_owned();
        let answer =
            self.step("password authentication", |link| link.handle.authenticate_password(user, password)).await?;
        self.settle(answer, Some("password".into())).await
    }

    async fn ask(&mut self, question: QuestionKind) -> Result<SecretString, Error> {
        match self.asker.ask_secret(question.clone()).await {
            Some(secret) => {
                self.answered.push(question);
                Ok(secret)
            }
            None => Err(Error::refused(format!("the question of {} was not answered", self.link.server.name))),
        }
    }
}
