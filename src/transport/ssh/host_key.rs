//! Decides whether a host key is believed: the known hosts are asked first, then the person.

use std::path::Path;

use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use super::certificate;
use super::client::Server;
use super::host_pattern::file_name_of;
use super::known_hosts::{Place, Study, Verdict};
use super::{HostKeyChecking, HostKeyPolicy, KnownHosts, Options};
use crate::escape::escape;
use crate::transport::pins::Pinned;
use crate::transport::{Answer, Asker, Error, QuestionKind};

/// Knows one host's keys.
pub(super) struct Judge {
    server: Server,
    known_hosts: KnownHosts,
    policy: HostKeyPolicy,
    /// The name to look for and to write down, with its port.
    known_as: (String, u16),
    study: Study,
    /// To whom the key belongs that was believed.
    pinned: Pinned,
    /// The types of keys that a host may use without a certificate (HostKeyAlgorithms).
    allowed: Vec<Algorithm>,
    asker: Asker,
}

/// Why a host key is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belief {
    /// The user's own file has it, under this very name.
    Own,
    /// It is known or new, or a person said so.
    Known,
    /// A certificate proves it.
    Certified,
    /// It is not the known one and was let pass all the same.
    LetPass,
}

/// A host key that is believed, and by what, in words.
#[derive(Debug)]
pub(super) struct Believed {
    pub belief: Belief,
    pub by: String,
}

impl Belief {
    fn by(self, by: impl Into<String>) -> Believed {
        Believed { belief: self, by: by.into() }
    }
}

impl Judge {
    pub(super) fn new(server: Server, known_hosts: KnownHosts, options: &Options, asker: Asker) -> Judge {
        let policy = options.host_keys.clone();
        let known_as = policy.known_as(&server.host, server.port);
        let study = known_hosts.study(&known_as.0, known_as.1);
        let pinned = Pinned::new(&server.host, server.port, policy.alias.as_deref());
        let allowed = options.algorithms.host_key_types();
        Judge { server, known_hosts, policy, known_as, study, pinned, allowed, asker }
    }

    /// Whether certificates of this host can be checked.
    pub(super) fn has_authority(&self) -> bool {
        self.study.authorities().next().is_some()
    }

    /// The types of the keys that were believed in this process.
    pub(super) fn pinned_key_types(&self) -> Vec<Algorithm> {
        self.asker.pins().types(&self.pinned)
    }

    /// The types of this host's known keys.
    pub(super) fn known_key_types(&self) -> Vec<Algorithm> {
        self.study.key_types()
    }

    /// Judges a certificate, and if it proves nothing the key in it like any other, as ssh does: the key may be known.
    pub(super) async fn check_certificate(&self, certificate: &Certificate) -> Result<Believed, Error> {
        let believed = self.judge_certificate(certificate).await?;
        self.hold(&PublicKey::new(certificate.public_key().clone(), ""), believed)
    }

    /// Judges a key that came without a certificate.
    pub(super) async fn check(&self, key: &PublicKey) -> Result<Believed, Error> {
        let believed = self.judge(key, "").await?;
        self.hold(key, believed)
    }

    /// Whoever was believed once in this process is so only with the same key, or one that was proven by it.
    fn hold(&self, key: &PublicKey, believed: Believed) -> Result<Believed, Error> {
        let name = &self.server.name;
        if self.asker.pins().hold(&self.pinned, key) {
            return Ok(believed);
        }
        let (key_type, fingerprint) = (key.algorithm(), key.fingerprint(HashAlg::Sha256));
        Err(Error::distrusted(format!(
            "the host key of {name} is another one than when the connection was first made: {key_type} {fingerprint}"
        ))
        .hint("somebody may be posing as the server; if its key was changed on purpose, start the viewer anew"))
    }

    async fn judge_certificate(&self, certificate: &Certificate) -> Result<Believed, Error> {
        let name = &self.server.name;
        let signer = certificate.signature_key();
        if let Some(place) = self.study.revoked(signer) {
            let fingerprint = signer.fingerprint(HashAlg::Sha256);
            return Err(Error::distrusted(format!(
                "the key that signed the host certificate of {name}, {} {fingerprint}, is revoked at {place}",
                signer.algorithm()
            ))
            .hint("do not connect: ask the server's administrator for a certificate by another authority"));
        }
        let key = PublicKey::new(certificate.public_key().clone(), "");
        if let Some(place) = self.study.revoked(key.key_data()) {
            return Err(self.revoked(&key, &place));
        }
        let principal = self.policy.alias.clone().unwrap_or_else(|| self.server.host.to_ascii_lowercase());
        let authorities = self.study.authorities();
        let Some(problem) = certificate::host_problem(certificate, &principal, authorities, certificate::now()) else {
            return Ok(Belief::Certified.by(match self.study.authority(signer) {
                Some(place) => format!("certified by the authority at {place}"),
                None => "certified".to_owned(),
            }));
        };
        let problem = format!("its certificate is not accepted: {problem}");
        // One authority of several hosts need not be this one's, so only a bad certificate of the right one is news.
        if self.study.authorities().any(|authority| authority.key_data() == signer) {
            tracing::warn!("{name}: {problem}");
        } else {
            tracing::debug!("{name}: {problem}");
        }
        if !self.allowed.contains(&key.algorithm()) {
            return Err(Error::distrusted(format!("the host key of {name} is not proven: {problem}"))
                .hint("HostKeyAlgorithms does not allow its key without a certificate"));
        }
        self.judge(&key, &format!(" ({problem})")).await
    }

    fn revoked(&self, key: &PublicKey, place: &Place) -> Error {
        let (key_type, fingerprint) = (key.algorithm(), key.fingerprint(HashAlg::Sha256));
        let name = &self.server.name;
        Error::distrusted(format!("the host key of {name}, {key_type} {fingerprint}, is revoked at {place}"))
            .hint("do not connect: ask the server's administrator for its new key")
    }

    /// `remark` is shown behind the key's fingerprint.
    async fn judge(&self, key: &PublicKey, remark: &str) -> Result<Believed, Error> {
        let name = &self.server.name;
        let fingerprint = format!("{}{remark}", key.fingerprint(HashAlg::Sha256));
        let key_type = key.algorithm().to_string();
        match self.study.verdict(key) {
            Verdict::Known(place) if self.study.is_own(key) => Ok(Belief::Own.by(format!("known by {place}"))),
            Verdict::Known(place) => Ok(Belief::Known.by(format!("known by {place}"))),
            Verdict::Revoked(place) => Err(self.revoked(key, &place)),
            Verdict::Changed(place) | Verdict::OtherTypes { place, .. }
                if self.policy.checking == HostKeyChecking::No =>
            {
                tracing::warn!(
                    "the host key of {name} is not the one at {place} but {key_type} {fingerprint}; \
                     it is let pass because StrictHostKeyChecking is no"
                );
                Ok(Belief::LetPass.by(format!("NOT the known one, which is at {place}")))
            }
            Verdict::Changed(place) => Err(Error::distrusted(format!(
                "the host key of {name} has changed: {place} has another {key_type} key, the server shows {fingerprint}"
            ))
            .hint(self.removal("somebody may be posing as the server; if its key was changed on purpose", &place))),
            Verdict::OtherTypes { types, place } => Err(Error::distrusted(format!(
                "{name} shows a host key of type {key_type}, {fingerprint}, but {place} knows it by {}",
                escape(&types.join(", "))
            ))
            .hint(self.removal("somebody may be posing as the server; if its keys were changed on purpose", &place))),
            // The files may be away for a while, with the network that they are on.
            Verdict::Unknown if self.asker.pins().has(&self.pinned, key) => Ok(Belief::Known.by("believed before")),
            Verdict::Unknown => match self.policy.checking {
                HostKeyChecking::Yes => Err(Error::distrusted(format!(
                    "the host key of {name} is not known: {key_type} {fingerprint}, and StrictHostKeyChecking is yes"
                ))
                .hint(self.addition())),
                HostKeyChecking::AcceptNew | HostKeyChecking::No => Ok(Belief::Known.by(self.remember(key))),
                HostKeyChecking::Ask => self.ask(key, key_type, fingerprint).await.map(|by| Belief::Known.by(by)),
            },
        }
    }

    async fn ask(&self, key: &PublicKey, key_type: String, fingerprint: String) -> Result<String, Error> {
        let Server { name, host, port, .. } = &self.server;
        let question = QuestionKind::UnknownHostKey {
            host: if *port == 22 { escape(host) } else { name.clone() },
            key_type: key_type.clone(),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        };
        let unknown = format!("the host key of {name} is not known: {key_type} {fingerprint}");
        match self.asker.ask(question).await {
            Answer::Yes { remember } => Ok(if remember { self.remember(key) } else { "confirmed just now".to_owned() }),
            _ if self.asker.has_somebody() => Err(Error::distrusted(unknown).hint("it was not confirmed")),
            _ => Err(Error::distrusted(format!("{unknown}, and there is no terminal to ask on")).hint(self.addition())),
        }
    }

    /// Writes a key down. Says where it is now, in words.
    fn remember(&self, key: &PublicKey) -> String {
        let name = &self.server.name;
        let (host, port) = &self.known_as;
        match self.known_hosts.remember(host, *port, std::slice::from_ref(key), self.policy.hash) {
            Ok(place) => {
                tracing::info!("the host key of {name} was added to {place}");
                format!("new, added to {place}")
            }
            Err(error) => {
                tracing::warn!("the host key of {name} could not be written down: {error}");
                "new, and not written down".to_owned()
            }
        }
    }

    fn addition(&self) -> String {
        let Server { host, port, .. } = &self.server;
        let host = shell_word(host);
        format!(
            "connect once from a terminal, or add the key with: ssh-keyscan -p {port} {host} (and compare the fingerprint)"
        )
    }

    fn removal(&self, why: &str, place: &Place) -> String {
        let name = shell_word(&file_name_of(&self.known_as.0, self.known_as.1));
        match &place.file {
            Some(file) => format!("{why}: ssh-keygen -R {name} -f {}", shell_word(&path_words(file))),
            None => format!("{why}, give the new key"),
        }
    }
}

fn path_words(path: &Path) -> String {
    escape(&path.display().to_string())
}

/// Quotes what a shell would take apart, so that a hint can be copied.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    let word = escape(word);
    if word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Pins;
    use std::time::Duration;

    #[tokio::test]
    async fn a_key_that_was_believed_is_so_while_the_files_are_away() {
        let [one, other] = [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ",
        ];
        let mut options = Options::default();
        options.host_keys.checking = HostKeyChecking::Yes;
        let believes = async |known: &str, key: &str, pins: &Pins| {
            let (host, name) = ("alpha".to_owned(), "alpha:22".to_owned());
            let server = Server { name, host, port: 22, silence: Duration::ZERO };
            let asker = Asker::nobody().knowing(pins.clone());
            let judge = Judge::new(server, KnownHosts::memory(known), &options, asker);
            judge.check(&PublicKey::from_openssh(key).unwrap()).await.is_ok()
        };
        let pins = Pins::default();
        assert!(!believes("", one, &pins).await);
        assert!(believes(&format!("alpha {one}"), one, &pins).await);
        assert!(believes("", one, &pins).await && !believes("", other, &pins).await);
        // What the files say counts more.
        assert!(!believes(&format!("alpha {other}"), one, &pins).await);
        assert!(!believes(&format!("@revoked * {one}"), one, &pins).await);
        assert!(!believes("", one, &Pins::default()).await);
    }

    #[test]
    fn hints_can_be_pasted() {
        assert_eq!(shell_word("alpha"), "alpha");
        assert_eq!(shell_word("[alpha]:2222"), "'[alpha]:2222'");
        assert_eq!(shell_word("a'b"), r"'a'\''b'");
    }
}
