//! Decides whether a host key is believed: the known hosts are asked first, then the person.

use std::path::Path;

use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::KnownHosts;
use super::client::Server;
use super::host_pattern::file_name_of;
use super::known_hosts::{Place, Study, Verdict};
use crate::escape::escape;
use crate::transport::{Answer, Asker, Error, QuestionKind};

/// Knows one host's keys.
pub(super) struct Judge {
    server: Server,
    known_hosts: KnownHosts,
    study: Study,
    asker: Asker,
}

impl Judge {
    pub(super) fn new(server: Server, known_hosts: KnownHosts, asker: Asker) -> Judge {
        let study = known_hosts.study(&server.host, server.port);
        Judge { server, known_hosts, study, asker }
    }

    /// The types of this host's known keys.
    pub(super) fn known_key_types(&self) -> Vec<Algorithm> {
        self.study.key_types()
    }

    /// Returns if `key` is this host's.
    pub(super) async fn check(&self, key: &PublicKey) -> Result<(), Error> {
        let name = &self.server.name;
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let key_type = key.algorithm().to_string();
        match self.study.verdict(key) {
            Verdict::Known => Ok(()),
            Verdict::Revoked(place) => {
                Err(Error::refused(format!("the host key of {name}, {key_type} {fingerprint}, is revoked at {place}"))
                    .hint("do not connect: ask the server's administrator for its new key"))
            }
            Verdict::Changed(place) => Err(Error::refused(format!(
                "the host key of {name} has changed: {place} has another {key_type} key, the server shows {fingerprint}"
            ))
            .hint(self.removal("somebody may be posing as the server; if its key was changed on purpose", &place))),
            Verdict::OtherTypes { types, place } => Err(Error::refused(format!(
                "{name} shows a host key of type {key_type}, {fingerprint}, but {place} knows it by {}",
                escape(&types.join(", "))
            ))
            .hint(self.removal("somebody may be posing as the server; if its keys were changed on purpose", &place))),
            Verdict::Unknown => self.ask(key, key_type, fingerprint).await,
        }
    }

    async fn ask(&self, key: &PublicKey, key_type: String, fingerprint: String) -> Result<(), Error> {
        let Server { name, host, port } = &self.server;
        let question = QuestionKind::UnknownHostKey {
            host: if *port == 22 { escape(host) } else { name.clone() },
            key_type: key_type.clone(),
            fingerprint: fingerprint.clone(),
        };
        let unknown = format!("the host key of {name} is not known: {key_type} {fingerprint}");
        match self.asker.ask(question).await {
            Answer::Yes { remember } => {
                if remember {
                    match self.known_hosts.remember(host, *port, key) {
                        Ok(place) => tracing::info!("the host key of {name} was added to {place}"),
                        Err(error) => tracing::warn!("the host key of {name} could not be written down: {error}"),
                    }
                }
                Ok(())
            }
            _ if self.asker.has_somebody() => Err(Error::refused(unknown).hint("it was not confirmed")),
            _ => Err(Error::refused(format!("{unknown}, and there is no terminal to ask on")).hint(format!(
                "connect once from a terminal, or add the key with: ssh-keyscan -p {port} {} (and compare the fingerprint)",
                shell_word(host)
            ))),
        }
    }

    fn removal(&self, why: &str, place: &Place) -> String {
        let name = shell_word(&file_name_of(&self.server.host, self.server.port));
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

    #[test]
    fn hints_can_be_pasted() {
        assert_eq!(shell_word("alpha"), "alpha");
        assert_eq!(shell_word("[alpha]:2222"), "'[alpha]:2222'");
        assert_eq!(shell_word("a'b"), r"'a'\''b'");
    }
}
