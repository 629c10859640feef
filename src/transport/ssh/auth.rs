//! Authentication (RFC 4252): which method and which key is tried when, and what is said when none works.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::{Algorithm, HashAlg, PublicKey};
use russh::{MethodKind, MethodSet};

use super::agent::{Agent, OwnKey, OwnSource, SignFailure};
use super::keys::{self, KeyFile};
use super::link::Link;
use super::{Identity, Login, Method};
use crate::escape::escape;
use crate::transport::{Asker, Error};

/// One request and its answer; PAM modules that ask another machine may take long.
const STEP_LIMIT: Duration = Duration::from_secs(20);
/// Logs in. Tries what ssh tries: keys of the agent and of files, then keyboard-interactive, then password.
pub(super) async fn authenticate(link: &mut Link, login: &Login, prompts: usize, asker: &Asker) -> Result<(), Error> {
    let offered = MethodSet::empty();
    let mut notes = Vec::new();
    let secrets_allowed = !link.facts().host_key_unproven;
    if !secrets_allowed {
        notes.push("no password is sent to a server whose host key has changed".to_owned());
    }
    Attempt { link, login, prompts, secrets_allowed, asker, offered, tried: Vec::new(), notes, rsa_hash: None }
        .run()
        .await
}

/// An authentication under way.
pub(super) struct Attempt<'a> {
    pub link: &'a mut Link,
    pub login: &'a Login,
    /// How often a password may be mistyped.
    prompts: usize,
    /// Whether the server may see anything secret.
    secrets_allowed: bool,
    pub asker: &'a Asker,
    /// What the server would accept next.
    offered: MethodSet,
    /// What it did not accept, in words.
    tried: Vec<String>,
    /// Why other things could not be tried.
    pub notes: Vec<String>,
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

/// A key to try.
struct Candidate {
    name: String,
    source: Source,
}

enum Source {
    Agent(AgentIdentity),
    Own(OwnSource, Option<PublicKey>),
}

/// A key of the login.
struct OwnKeyFound {
    /// None for a public key, which only chooses among the agent's.
    source: Option<OwnSource>,
    name: String,
    public: Option<PublicKey>,
    is_default: bool,
}

/// The keys to try, in order, and the agent that holds some of them.
struct Candidates {
    queue: VecDeque<Candidate>,
    agent: Option<Agent>,
}

impl Attempt<'_> {
    async fn run(mut self) -> Result<(), Error> {
        let user = self.login.user.clone();
        // Asks for nothing but the list of methods; the few servers without authentication let us in here.
        let probe = self.step("authentication", |link| link.handle.authenticate_none(user)).await?;
        if let Outcome::Success = self.settle(probe, None).await? {
            return self.succeed("none");
        }
        let mut keys = None;
        let (mut interactive_left, mut password_left) = (self.prompts, self.prompts);
        loop {
            if self.may(Method::PublicKey) {
                let candidates = match &mut keys {
                    Some(candidates) => candidates,
                    none => none.insert(self.candidates().await),
                };
                if let Some(candidate) = candidates.queue.pop_front() {
                    if let Outcome::Success = self.try_key(&candidate, &mut candidates.agent).await? {
                        return self.succeed(&format!("publickey, {}", candidate.name));
                    }
                    continue;
                }
            }
            let (outcome, name) = if self.may(Method::KeyboardInteractive) && interactive_left > 0 {
                let outcome = self.keyboard_interactive().await?;
                interactive_left = if let Outcome::Impossible = outcome { 0 } else { interactive_left - 1 };
                (outcome, "keyboard-interactive")
            } else if self.may(Method::Password) && password_left > 0 {
                let outcome = self.password(password_left < self.prompts).await?;
                password_left = if let Outcome::Impossible = outcome { 0 } else { password_left - 1 };
                (outcome, "password")
            } else {
                return Err(self.refusal());
            };
            if let Outcome::Success = outcome {
                return self.succeed(name);
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
        let life = self.link.life.clone();
        let tried = self.tried.len();
        match self.asker.clock().within(STEP_LIMIT, request(self.link)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::debug!("{name}: {error}");
                let mut life = life;
                let ended = tokio::time::timeout(Duration::from_secs(1), life.wait_for(|life| life.ended.is_some()));
                let words = ended.await.ok().and_then(Result::ok).and_then(|life| life.ended.clone());
                let words = words.unwrap_or_else(|| format!("the SSH connection to {name} broke off"));
                Err(hung_up(words, tried))
            }
            Err(_) => Err(Error::timed_out(what, &name, STEP_LIMIT)),
        }
    }

    /// Takes note of the server's answer to the request called `what`.
    pub(super) async fn settle(&mut self, answer: AuthResult, what: Option<String>) -> Result<Outcome, Error> {
        match answer {
            AuthResult::Success => Ok(Outcome::Success),
            AuthResult::Failure { remaining_methods, partial_success } => {
                if let Some(what) = what {
                    tracing::debug!(
                        "{}: {what} {}",
                        self.link.server.name,
                        if partial_success { "is not enough" } else { "failed" }
                    );
                    self.tried.push(if partial_success { format!("{what} (accepted)") } else { what });
                }
                // A lost connection is reported as a failure that leaves no methods.
                if remaining_methods.is_empty() {
                    if self.link.is_closed() {
                        self.link.closed().await;
                        return Err(hung_up(self.link.end_words(), self.tried.len()));
                    }
                    return Err(self.refusal());
                }
                self.offered = remaining_methods;
                Ok(Outcome::Failure)
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

    /// The keys to try: those of the agent that were named here, the files named here, the agent's others, files that
    /// happen to be there. ssh tries the agent's others before the named files, so that a full agent uses up the
    /// server's patience and the key asked for is never tried.
    async fn candidates(&mut self) -> Candidates {
        let own = self.own_keys().await;
        let (agent, mut held) = match &self.login.agent {
            None => (None, Vec::new()),
            Some(socket) => match Agent::open(socket, &self.link.handle, self.asker).await {
                Ok((agent, held)) => (Some(agent), held),
                Err(why) => {
                    self.notes.push(format!("the SSH agent could not be used: {why}"));
                    (None, Vec::new())
                }
            },
        };
        let (mut queue, mut named, mut default) = (VecDeque::new(), Vec::new(), Vec::new());
        for OwnKeyFound { source, name, public, is_default } in own {
            let same = |held: &AgentIdentity| {
                public.as_ref().is_some_and(|public| held.public_key().key_data() == public.key_data())
            };
            if let Some(index) = held.iter().position(same) {
                let source = Source::Agent(held.remove(index));
                queue.push_back(Candidate { name: format!("{name} (agent)"), source });
                continue;
            }
            match source {
                Some(source) => {
                    let group = if is_default { &mut default } else { &mut named };
                    group.push(Candidate { name, source: Source::Own(source, public) });
                }
                None => self.notes.push(format!("{name} is a public key whose private key the agent does not hold")),
            }
        }
        queue.extend(named);
        if !self.login.identities_only {
            queue.extend(held.into_iter().map(|identity| Candidate {
                name: format!("{} (agent)", agent_name(&identity)),
                source: Source::Agent(identity),
            }));
        }
        queue.extend(default);
        Candidates { queue, agent }
    }

    /// Reads the keys of the login.
    async fn own_keys(&mut self) -> Vec<OwnKeyFound> {
        let mut own = Vec::new();
        let defaults = self.login.default_identities.iter().map(|path| (Identity::File(path.clone()), true));
        let explicit = self.login.identities.iter().map(|identity| (identity.clone(), false));
        for (identity, is_default) in explicit.chain(defaults) {
            let (source, name, public) = match identity {
                Identity::Key(key) => {
                    let public = key.public_key().clone();
                    (Some(OwnSource::Memory(key)), public.algorithm().to_string(), Some(public))
                }
                Identity::File(path) => match keys::read(&path).await {
                    Ok(KeyFile::Private(locked)) => {
                        let (name, public) = (locked.name(), locked.public.clone());
                        (Some(OwnSource::File(locked)), name, public)
                    }
                    Ok(KeyFile::Public(public)) => (None, escape(&path.display().to_string()), Some(public)),
                    Err(keys::Problem::Missing) if is_default => continue,
                    Err(problem) => {
                        let words = problem.words(&path);
                        tracing::warn!("{words}");
                        self.notes.push(words);
                        continue;
                    }
                },
            };
            own.push(OwnKeyFound { source, name, public, is_default });
        }
        own
    }

    async fn try_key(&mut self, candidate: &Candidate, agent: &mut Option<Agent>) -> Result<Outcome, Error> {
        let user = self.login.user.clone();
        let answer = match (&candidate.source, agent) {
            (Source::Agent(identity), Some(agent)) => {
                let Some(hash) = self.hash_for(&identity.public_key(), &candidate.name).await? else {
                    return Ok(Outcome::Failure);
                };
                let identity = identity.clone();
                self.step("publickey authentication", |link| async move {
                    flatten(match identity {
                        AgentIdentity::PublicKey { key, .. } => {
                            link.handle.authenticate_publickey_with(user, key, hash, agent).await
                        }
                        AgentIdentity::Certificate { certificate, .. } => {
                            link.handle.authenticate_certificate_with(user, certificate, hash, agent).await
                        }
                    })
                })
                .await?
            }
            (Source::Agent(_), None) => return Ok(Outcome::Failure),
            (Source::Own(source, public), _) => {
                let public = match public {
                    Some(public) => public.clone(),
                    // Only then is a passphrase asked for before the server has said that the key is any good.
                    None => match source.unlock(self.asker).await {
                        Ok(key) => key.public_key().clone(),
                        Err(why) => {
                            self.notes.push(why);
                            return Ok(Outcome::Failure);
                        }
                    },
                };
                let Some(hash) = self.hash_for(&public, &candidate.name).await? else {
                    return Ok(Outcome::Failure);
                };
                let mut key = OwnKey { source, asker: self.asker };
                self.step("publickey authentication", |link| async move {
                    flatten(link.handle.authenticate_publickey_with(user, public, hash, &mut key).await)
                })
                .await?
            }
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

    /// The hash to sign with: none needed unless the key is RSA; the outer none means that the key is of no use.
    async fn hash_for(&mut self, key: &PublicKey, name: &str) -> Result<Option<Option<HashAlg>>, Error> {
        if !matches!(key.algorithm(), Algorithm::Rsa { .. }) {
            return Ok(Some(None));
        }
        if self.rsa_hash.is_none() {
            let supported = self.step("publickey authentication", |link| link.handle.best_supported_rsa_hash()).await?;
            // Most servers that do not list their algorithms accept SHA-2 all the same; SHA-1 is never used.
            self.rsa_hash = Some(supported.unwrap_or(Some(HashAlg::Sha512)));
        }
        if let Some(Some(hash)) = self.rsa_hash {
            return Ok(Some(Some(hash)));
        }
        self.notes.push(format!("{name}: the server accepts RSA keys only with SHA-1, which is broken"));
        Ok(None)
    }
}

/// Keeps what the signer said apart from a lost connection.
fn flatten(answer: Result<AuthResult, SignFailure>) -> Result<Result<AuthResult, String>, russh::Error> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(SignFailure::Because(why)) => Ok(Err(why)),
        Err(SignFailure::Gone) => Err(russh::Error::SendError),
    }
}

fn agent_name(identity: &AgentIdentity) -> String {
    let comment = escape(identity.comment());
    if comment.is_empty() { identity.public_key().fingerprint(HashAlg::Sha256).to_string() } else { comment }
}

fn hung_up(words: String, tried: usize) -> Error {
    match tried {
        0 => Error::unreachable(words),
        tried => Error::refused(format!("{words} (after {tried} failed attempts)"))
            .hint("a server allows only a few attempts: name the right key with -i"),
    }
}
