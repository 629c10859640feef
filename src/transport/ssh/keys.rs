//! Private key files: reading them as carefully as ssh does, and unlocking them.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::{Certificate, PrivateKey, PublicKey, decode_secret_key};
use secrecy::{ExposeSecret, SecretString};

use crate::escape::escape;
use crate::transport::error::io_words;
use crate::transport::{Asker, Error, Purpose, QuestionKind, Step};

/// How often a passphrase may be mistyped, as in ssh (NumberOfPasswordPrompts).
const PASSPHRASE_TRIES: usize = 3;
/// No key file is longer; a device file or a mistaken path may be.
const LARGEST: u64 = 1024 * 1024;

/// A key file that was read.
pub(super) enum KeyFile {
    /// A public key, which stands for a private key in the agent.
    Public(PublicKey),
    /// A certificate, which comes with the public key.
    Certificate(Box<Certificate>),
    /// A private key.
    Private(Locked),
}

/// A private key, perhaps still encrypted.
pub(super) struct Locked {
    path: PathBuf,
    text: SecretString,
    /// Known even for most encrypted keys, so the server can be asked before the person is.
    pub public: Option<PublicKey>,
    encrypted: bool,
}

/// Keys that were unlocked, by their files: a person is asked once for each, however many servers on the way and however
/// many signatures want it. Clones share them; as every private key, each is wiped when the last of them is gone.
#[derive(Clone, Default)]
pub(in crate::transport) struct Unlocked(Arc<Mutex<BTreeMap<PathBuf, Arc<PrivateKey>>>>);

/// Why a key file can not be used.
#[derive(Debug)]
pub(super) enum Problem {
    Missing,
    TooOpen(u32),
    Unreadable(String),
    NotAKey(String),
}

/// Checks a key that was asked for by name.
pub(super) async fn check_explicit(path: &Path) -> Result<(), Error> {
    match read(path).await {
        Ok(_) => Ok(()),
        Err(Problem::Missing) => Err(Error::usage(format!("{}: no such key file", shown(path)))),
        Err(problem @ Problem::TooOpen(_)) => Err(Error::refused(problem.words(path))
            .hint(format!("others can read this private key: chmod 600 {}", shown(path)))),
        Err(problem) => Err(Error::refused(problem.words(path))),
    }
}

/// Reads a key file.
pub(super) async fn read(path: &Path) -> Result<KeyFile, Problem> {
    // Whose files must be private: the peer of a socket pair is this process itself.
    let uid = tokio::net::UnixStream::pair().and_then(|(one, _)| one.peer_cred()).map(|cred| cred.uid()).ok();
    let path = path.to_owned();
    let task = tokio::task::spawn_blocking(move || read_blocking(&path, uid));
    task.await.unwrap_or_else(|error| Err(Problem::Unreadable(error.to_string())))
}

fn read_blocking(path: &Path, uid: Option<u32>) -> Result<KeyFile, Problem> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Problem::Missing,
        _ => Problem::Unreadable(io_words(&error)),
    };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() || about.len() > LARGEST {
        return Err(Problem::NotAKey("it is no regular file of a key's size".into()));
    }
    let text = SecretString::from(std::fs::read_to_string(path).map_err(unreadable)?);
    if let Ok(certificate) = Certificate::from_openssh(text.expose_secret().trim()) {
        return Ok(KeyFile::Certificate(Box::new(certificate)));
    }
    if let Ok(public) = PublicKey::from_openssh(text.expose_secret().trim()) {
        return Ok(KeyFile::Public(public));
    }
    // As ssh: it matters only for files of one's own, since root may have good reasons for other modes.
    if uid.is_none_or(|uid| uid == about.uid()) && about.mode() & 0o077 != 0 {
        return Err(Problem::TooOpen(about.mode() & 0o7777));
    }
    let (public, encrypted) = look_at(text.expose_secret(), path)?;
    Ok(KeyFile::Private(Locked { path: path.to_owned(), text, public, encrypted }))
}

/// The public half as far as it can be known, and whether a passphrase is needed.
fn look_at(text: &str, path: &Path) -> Result<(Option<PublicKey>, bool), Problem> {
    if let Ok(key) = PrivateKey::from_openssh(text) {
        return Ok((Some(key.public_key().clone()), key.is_encrypted()));
    }
    match decode_secret_key(text, None) {
        Ok(key) => Ok((Some(key.public_key().clone()), false)),
        Err(russh::keys::Error::KeyIsEncrypted) => Ok((beside(path), true)),
        Err(_) if text.contains("ENCRYPTED") => Ok((beside(path), true)),
        Err(error) => Err(Problem::NotAKey(escape(&error.to_string().to_lowercase()))),
    }
}

/// The `.pub` file that ssh-keygen puts beside the private key.
fn beside(path: &Path) -> Option<PublicKey> {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PublicKey::from_openssh(std::fs::read_to_string(name).ok()?.trim()).ok()
}

impl Locked {
    /// The file's name, to be shown.
    pub(super) fn name(&self) -> String {
        shown(&self.path)
    }

    /// The key itself; asks for the passphrase if there is one. The error says why not.
    pub(super) async fn unlock(&self, asker: &Asker) -> Result<Arc<PrivateKey>, String> {
        if !self.encrypted {
            return self.decode(None).await.map_err(|error| format!("{}: {error}", self.name()));
        }
        if let Some(key) = asker.unlocked().get(&self.path) {
            return Ok(key);
        }
        if !asker.has_somebody() {
            return Err(format!("{} needs a passphrase and there is no terminal to ask on", self.name()));
        }
        for attempt in 1..=PASSPHRASE_TRIES {
            let prompt = format!("passphrase for {}", self.name());
            let purpose = Purpose::KeyPassphrase { path: self.path.clone() };
            let question = QuestionKind::Secret { prompt, purpose, echo: false, again: attempt > 1 };
            let Some(passphrase) = asker.ask_secret(question.clone()).await else {
                return Err(format!("no passphrase was given for {}", self.name()));
            };
            match self.decode(Some(passphrase)).await {
                Ok(key) => {
                    asker.unlocked().add(&self.path, &key);
                    return Ok(key);
                }
                Err(error) => {
                    tracing::debug!("{}: {error}", self.name());
                    asker.report(Step::Wrong(question));
                }
            }
        }
        Err(format!("the passphrase for {} was wrong {PASSPHRASE_TRIES} times", self.name()))
    }

    /// Deriving the key takes about 0.1 s of processor time by design, so it is not done on the net thread.
    async fn decode(&self, passphrase: Option<SecretString>) -> Result<Arc<PrivateKey>, String> {
        let text = self.text.clone();
        let decoding = tokio::task::spawn_blocking(move || {
            decode_secret_key(text.expose_secret(), passphrase.as_ref().map(ExposeSecret::expose_secret))
        });
        match decoding.await {
            Ok(Ok(key)) => Ok(Arc::new(key)),
            Ok(Err(error)) => Err(escape(&error.to_string().to_lowercase())),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Unlocked {
    fn get(&self, path: &Path) -> Option<Arc<PrivateKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn add(&self, path: &Path, key: &Arc<PrivateKey>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), key.clone());
    }
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unlocked")
    }
}

impl Problem {
    /// What is wrong with the file at `path`.
    pub(super) fn words(&self, path: &Path) -> String {
        let path = shown(path);
        match self {
            Problem::Missing => format!("{path}: no such key file"),
            Problem::TooOpen(mode) => format!("permissions {mode:04o} for {path} are too open"),
            Problem::Unreadable(why) => format!("{path} can not be read: {why}"),
            Problem::NotAKey(why) => format!("{path} is not a key that can be used: {why}"),
        }
    }
}

fn shown(path: &Path) -> String {
    escape(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Answer;
    use russh::keys::ssh_key::LineEnding;
    use russh::keys::{Algorithm, key::safe_rng};
    use std::os::unix::fs::PermissionsExt;

    fn write(dir: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn key() -> PrivateKey {
        PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
    }

    #[tokio::test]
    async fn a_missing_key_is_a_usage_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let error = check_explicit(&dir.path().join("id_none")).await.unwrap_err();
        assert!(matches!(error, Error::Usage(_)));
        assert!(error.message().ends_with("id_none: no such key file"), "{error}");
    }

    #[tokio::test]
    async fn a_key_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let text = key().to_openssh(LineEnding::LF).unwrap();
        let error = check_explicit(&write(dir.path(), "id", &text, 0o644)).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)));
        assert!(error.message().starts_with("permissions 0644 for "), "{error}");
        assert!(error.what_to_try().unwrap().contains("chmod 600"));
        check_explicit(&write(dir.path(), "id2", &text, 0o600)).await.unwrap();
    }

    #[tokio::test]
    async fn a_public_key_may_be_readable_but_rubbish_is_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let public = key().public_key().to_openssh().unwrap();
        assert!(matches!(read(&write(dir.path(), "id.pub", &public, 0o644)).await, Ok(KeyFile::Public(_))));
        assert!(matches!(read(&write(dir.path(), "note", "hello\n", 0o600)).await, Err(Problem::NotAKey(_))));
        assert!(matches!(read(dir.path()).await, Err(Problem::NotAKey(_))));
    }

    #[tokio::test]
    async fn a_passphrase_is_asked_for_until_it_fits_and_then_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let plain = key();
        let locked = plain.encrypt(&mut safe_rng(), "right").unwrap().to_openssh(LineEnding::LF).unwrap();
        let path = write(dir.path(), "id", &locked, 0o600);
        let Ok(KeyFile::Private(locked)) = read(&path).await else { panic!("not read") };
        assert_eq!(locked.public.as_ref().unwrap().key_data(), plain.public_key().key_data());

        let nobody = locked.unlock(&Asker::nobody()).await.unwrap_err();
        assert!(nobody.ends_with("needs a passphrase and there is no terminal to ask on"), "{nobody}");

        let (asker, mut questions) = Asker::new();
        let (asker, mut steps) = asker.watched();
        let person = tokio::spawn(async move {
            for word in ["wrong", "right"] {
                questions.recv().await.unwrap().reply.send(Answer::Secret(word.into())).unwrap();
            }
            drop(questions.recv().await);
        });
        let is_wrong = |step| matches!(step, Ok(Step::Wrong(QuestionKind::Secret { .. })));
        for _ in 0..2 {
            assert_eq!(locked.unlock(&asker).await.unwrap().public_key(), plain.public_key());
        }
        assert!(is_wrong(steps.try_recv()) && steps.try_recv().is_err());
        let other = asker.for_one_connection();
        assert!(locked.unlock(&other).await.unwrap_err().starts_with("no passphrase was given"));
        person.await.unwrap();
    }
}
