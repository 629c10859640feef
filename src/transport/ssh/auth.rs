//! Authentication (RFC 4252): which method and which key is tried when, and what is said when none works.

use std::future::Future;
use std::time::Duration;

use russh::client::AuthResult;
use russh::keys::{Algorithm, HashAlg};
use russh::{MethodKind, MethodSet, Signer};

use super::agent::{Agent, AgentKey, OwnKey, SignFailure};
use super::candidates::{self, Candidate, Candidates, Offer, Source};
use super::link::{Cause, End, Link};
use super::{Login, Method, Options};
use crate::escape::escape;
use crate::transport::{Asker, Error, QuestionKind, Step};

/// One request and its answer; PAM modules that ask another machine may take long.
const STEP_LIMIT: Duration = Duration::from_secs(20);

/// Logs in. Tries what ssh tries: keys of the agent and of files, then keyboard-interactive, then password.
pub(super) async fn authenticate(
    link: &mut Link,
    login: &Login,
    options: &Options,
    asker: &Asker,
) -> Result<(), Error> {
    let offered = MethodSet::empty();
    let mut notes = Vec::new();
    let secrets_allowed = !link.facts().host_key_unproven;
    if !secrets_allowed {
        notes.push("no password is sent to a server whose host key has changed".to_owned());
    }
    Attempt {
        link,
        login,
        options,
        secrets_allowed,
        asker,
        offered,
        asked: false,
        tried: Vec::new(),
        failed: 0,
        notes,
        prompted: Vec::new(),
        answered: Vec::new(),
        rsa_hash: None,
    }
    .run()
    .await
}

/// An authentication under way.
pub(super) struct Attempt<'a> {
    pub link: &'a mut Link,
    pub login: &'a Login,
    options: &'a Options,
    /// Whether the server may see anything secret.
    secrets_allowed: bool,
    pub asker: &'a Asker,
    /// What the server would accept next.
    offered: MethodSet,
    /// Whether it was asked for that.
    asked: bool,
    /// What it did not accept, in words.
    tried: Vec<String>,
    /// How many of these were not even a part of what it wants.
    failed: usize,
    /// Why other things could not be tried.
    pub notes: Vec<String>,
    /// What keyboard-interactive has asked so far.
    pub prompted: Vec<String>,
    /// What was answered, and the server has not judged yet.
    pub answered: Vec<QuestionKind>,
    /// The answer to "which RSA signatures?", which costs a second if the server does not say.
    rsa_hash: Option<Option<HashAlg>>,
}

/// How a request ended.
pub(super) enum Outcome {
    Success,
    Failure,
    /// Nothing was sent, and trying again is useless.
    Impossible,
}

impl Attempt<'_> {
    async fn run(mut self) -> Result<(), Error> {
        let mut keys: Option<Candidates> = None;
        // A key is offered without asking first what may be: that saves a round trip, and the answer tells it too. Not one
        // that would have to be unlocked for it.
        if self.login.methods.first() == Some(&Method::PublicKey) {
            let found = keys.insert(candidates::find(&mut self).await);
            if found.queue.front().is_some_and(|first| first.offer.is_some()) {
                self.offered = MethodSet::from(&[MethodKind::PublicKey][..]);
            }
        }
        let prompts = self.options.password_prompts;
        let (mut interactive_left, mut password_left) = (prompts, prompts);
        loop {
            let next = self.login.methods.iter().copied().find(|&method| {
                let tries = match method {
                    Method::PublicKey => keys.as_ref().is_none_or(|keys| !keys.queue.is_empty()),
                    Method::KeyboardInteractive => interactive_left > 0,
                    Method::Password => password_left > 0,
                };
                tries && self.may(method)
            });
            let (outcome, how) = match next {
                // Before a person is asked: nothing but the list of methods is wanted here, and the few servers without
                // authentication let us in.
                None | Some(Method::KeyboardInteractive | Method::Password) if !self.asked => {
                    self.asked = true;
                    let user = self.login.user.clone();
                    let probe = self.step("authentication", |link| link.handle.authenticate_none(user)).await?;
                    (self.settle(probe, None).await?, "none".to_owned())
                }
                None => return Err(self.refusal()),
                Some(Method::PublicKey) => {
                    let keys = match &mut keys {
                        Some(keys) => keys,
                        none => none.insert(candidates::find(&mut self).await),
                    };
                    let Some(candidate) = keys.queue.pop_front() else { continue };
                    let outcome = self.try_key(&candidate, &mut keys.agent).await?;
                    (outcome, format!("publickey, {}", candidate.name))
                }
                Some(Method::KeyboardInteractive) => {
                    let outcome = self.keyboard_interactive().await?;
                    interactive_left = if let Outcome::Impossible = outcome { 0 } else { interactive_left - 1 };
                    (outcome, "keyboard-interactive".to_owned())
                }
                Some(Method::Password) => {
                    let outcome = self.password(password_left < prompts).await?;
                    password_left = if let Outcome::Impossible = outcome { 0 } else { password_left - 1 };
                    (outcome, "password".to_owned())
                }
            };
            if let Outcome::Success = outcome {
                return self.succeed(&how);
            }
        }
    }

    /// Sends one request and waits for its answer.
    pub(super) async fn step<'l, T, F>(
        &'l mut self,
        what: &str,
        request: impl FnOnce(&'l mut Link) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, russh::Error>> + 'l,
    {
        let name = self.link.server.name.clone();
        let mut life = self.link.life.clone();
        let failed = self.failed;
        let (asker, answered) = (self.asker, &mut self.answered);
        match asker.clock().within(STEP_LIMIT, request(self.link)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::debug!("{name}: {error}");
                let ended = tokio::time::timeout(Duration::from_secs(1), life.wait_for(|life| life.ended.is_some()));
                let end = ended.await.ok().and_then(Result::ok).and_then(|life| life.ended.clone());
                let words = format!("the SSH connection to {name} broke off");
                let error = hung_up(end.unwrap_or(End { words, cause: Cause::Broken }), failed);
                if let Error::Refused(_) = error {
                    all_wrong(asker, answered);
                }
                Err(error)
            }
            Err(_) => Err(Error::timed_out(what, &name, STEP_LIMIT)),
        }
    }

    /// Takes note of the server's answer to the request called `what`.
    pub(super) async fn settle(&mut self, answer: AuthResult, what: Option<String>) -> Result<Outcome, Error> {
        match answer {
            AuthResult::Success => Ok(Outcome::Success),
            AuthResult::Failure { remaining_methods, partial_success } => {
                let is_last = remaining_methods.is_empty();
                if is_last {
                    // A lost connection is reported in the same way; the other one is ended for this reason.
                    self.link.closed().await;
                    let end = End { words: self.link.end_words(), cause: self.link.cause() };
                    if end.cause != Cause::NoMethods {
                        // A goodbye is the answer to what was tried; silence is none.
                        let error = hung_up(end, self.failed + usize::from(what.is_some()));
                        if let Error::Refused(_) = error {
                            all_wrong(self.asker, &mut self.answered);
                        }
                        return Err(error);
                    }
                }
                // What is not enough was not wrong.
                if partial_success {
                    self.answered.clear();
                }
                all_wrong(self.asker, &mut self.answered);
                if let Some(what) = what {
                    tracing::debug!(
                        "{}: {what} {}",
                        self.link.server.name,
                        if partial_success { "is not enough" } else { "failed" }
                    );
                    self.failed += usize::from(!partial_success);
                    self.tried.push(if partial_success { format!("{what} (accepted)") } else { what });
                }
                self.offered = remaining_methods;
                if is_last { Err(self.refusal()) } else { Ok(Outcome::Failure) }
            }
        }
    }

    fn may(&self, method: Method) -> bool {
        let kind = match method {
            Method::PublicKey => MethodKind::PublicKey,
            Method::KeyboardInteractive => MethodKind::KeyboardInteractive,
            Method::Password => MethodKind::Password,
        };
        let allowed = method == Method::PublicKey || self.secrets_allowed;
        allowed && self.login.methods.contains(&method) && self.offered.contains(&kind)
    }

    fn succeed(&self, how: &str) -> Result<(), Error> {
        tracing::debug!("{}: logged in as {} by {how}", self.link.server.name, escape(&self.login.user));
        self.link.facts().authenticated_by = how.to_owned();
        Ok(())
    }

    fn refusal(&self) -> Error {
        let offered: Vec<&str> = self.offered.iter().map(Into::into).collect();
        let tried = if self.tried.is_empty() {
            "nothing could be tried".into()
        } else {
            format!("tried {}", self.tried.join(", "))
        };
        let offered = if offered.is_empty() { "nothing more".into() } else { offered.join(", ") };
        let refusal = Error::refused(format!(
            "{} did not let {} in: {tried}; it accepts {offered}",
            self.link.server.name,
            escape(&self.login.user)
        ));
        if self.notes.is_empty() {
            refusal.hint("check the user name, the key (-i) and that its public half is in authorized_keys there")
        } else {
            refusal.hint(self.notes.join("; "))
        }
    }

    async fn try_key(&mut self, candidate: &Candidate, agent: &mut Option<Agent>) -> Result<Outcome, Error> {
        let asker = self.asker;
        let offer = match (&candidate.offer, &candidate.source) {
            (Some(offer), _) => offer.clone(),
            (None, Source::Agent(_)) => return Ok(Outcome::Failure),
            // Only then is a passphrase asked for before the server has said that the key is any good.
            (None, Source::Own(source)) => match source.unlock(asker).await {
                Ok(key) => Offer::Key(key.public_key().clone()),
                Err(why) => {
                    self.notes.push(why);
                    return Ok(Outcome::Failure);
                }
            },
        };
        let Some(hash) = self.hash_for(&offer, &candidate.name).await? else { return Ok(Outcome::Failure) };
        let answer = match (&candidate.source, agent) {
            (Source::Agent(identity), Some(agent)) => {
                self.offer(offer, hash, &mut AgentKey { agent, identity }).await?
            }
            (Source::Agent(_), None) => return Ok(Outcome::Failure),
            (Source::Own(source), _) => self.offer(offer, hash, &mut OwnKey { source, asker }).await?,
        };
        match answer {
            Ok(answer) => self.settle(answer, Some(format!("publickey, {}", candidate.name))).await,
            Err(why) => {
                tracing::warn!("{why}");
                self.notes.push(why);
                Ok(Outcome::Failure)
            }
        }
    }

    /// Asks whether the server would take it, and signs if it would. The inner error is the signer's.
    async fn offer(
        &mut self,
        offer: Offer,
        hash: Option<HashAlg>,
        signer: &mut (impl Signer<Error = SignFailure> + Send),
    ) -> Result<Result<AuthResult, String>, Error> {
        let user = self.login.user.clone();
        self.step("publickey authentication", |link| async move {
            flatten(match offer {
                Offer::Key(key) => link.handle.authenticate_publickey_with(user, key, hash, signer).await,
                Offer::Certificate(certificate) => {
                    link.handle.authenticate_certificate_with(user, *certificate, hash, signer).await
                }
            })
        })
        .await
    }

    /// The hash to sign with: none needed unless the key is RSA; the outer none means that the key is of no use.
    async fn hash_for(&mut self, offer: &Offer, name: &str) -> Result<Option<Option<HashAlg>>, Error> {
        let algorithm = offer.algorithm();
        let accepted = &self.options.algorithms.user_keys;
        if !matches!(algorithm, Algorithm::Rsa { .. }) {
            let wire_name = offer.wire_name(algorithm);
            if accepted.contains(&wire_name) {
                return Ok(Some(None));
            }
            self.notes
                .push(format!("{name} was not tried: PubkeyAcceptedAlgorithms leaves out {}", escape(&wire_name)));
            return Ok(None);
        }
        let hashes =
            [HashAlg::Sha512, HashAlg::Sha256].map(|hash| (hash, offer.wire_name(Algorithm::Rsa { hash: Some(hash) })));
        let of_name = |name: &String| hashes.iter().find(|(_, known)| known == name).map(|&(hash, _)| hash);
        let accepted: Vec<HashAlg> = accepted.iter().filter_map(of_name).collect();
        if accepted.is_empty() {
            self.notes.push(format!("{name} was not tried: PubkeyAcceptedAlgorithms leaves out RSA with SHA-2"));
            return Ok(None);
        }
        if self.rsa_hash.is_none() {
            let supported = self.step("publickey authentication", |link| link.handle.best_supported_rsa_hash()).await?;
            // Most servers that do not list their algorithms accept SHA-2 all the same; SHA-1 is never used.
            self.rsa_hash = Some(supported.unwrap_or(Some(HashAlg::Sha512)));
        }
        let hash = match self.rsa_hash.flatten() {
            None => {
                self.notes.push(format!("{name}: the server accepts RSA keys only with SHA-1, which is broken"));
                return Ok(None);
            }
            // Whoever knows the longer hash knows the shorter one as well.
            Some(HashAlg::Sha512) => accepted.first().copied(),
            Some(hash) => accepted.into_iter().find(|&accepted| accepted == hash),
        };
        if hash.is_none() {
            self.notes
                .push(format!("{name}: PubkeyAcceptedAlgorithms leaves out what the server accepts for RSA keys"));
        }
        Ok(hash.map(Some))
    }
}

/// The server refused what was answered: which of it is not said.
fn all_wrong(asker: &Asker, answered: &mut Vec<QuestionKind>) {
    answered.drain(..).for_each(|question| asker.report(Step::Wrong(question)));
}

/// Keeps what the signer said apart from a lost connection.
fn flatten(answer: Result<AuthResult, SignFailure>) -> Result<Result<AuthResult, String>, russh::Error> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(SignFailure::Because(why)) => Ok(Err(why)),
        Err(SignFailure::Gone) => Err(russh::Error::SendError),
    }
}

/// Nobody has said no when a connection breaks, or when a server says goodbye before it has seen anything wrong.
fn hung_up(end: End, failed: usize) -> Error {
    let End { words, cause } = end;
    if failed == 0 || cause == Cause::Broken {
        return Error::unreachable(words);
    }
    let attempts = if failed == 1 { "attempt" } else { "attempts" };
    Error::refused(format!("{words} (after {failed} failed {attempts})"))
        .hint("a server allows only a few attempts: name the right key with -i")
}
