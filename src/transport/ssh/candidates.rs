//! Which keys and certificates are tried when logging in, and in which order.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use super::agent::{Agent, OwnSource};
use super::auth::Attempt;
use super::certificate::{now, time_problem};
use super::keys::{self, KeyFile};
use super::{Identity, Login};
use crate::escape::escape;

/// The keys to try, in order, and the agent that holds some of them.
pub(super) struct Candidates {
    pub queue: VecDeque<Candidate>,
    pub agent: Option<Agent>,
}

/// A key to try, with or without a certificate.
#[derive(Clone)]
pub(super) struct Candidate {
    /// To be shown.
    pub name: String,
    /// What the server is shown; none for a key file whose public half is not known before it is unlocked.
    pub offer: Option<Offer>,
    pub source: Source,
}

/// What the server is shown before anything is signed.
#[derive(Clone)]
pub(super) enum Offer {
    Key(PublicKey),
    Certificate(Box<Certificate>),
}

/// Who signs.
#[derive(Clone)]
pub(super) enum Source {
    /// The agent, with the key that it knows by this identity.
    Agent(Box<AgentIdentity>),
    Own(Arc<OwnSource>),
}

/// A key of the login.
struct OwnKeyFound {
    /// None for a public key, which only chooses among the agent's.
    source: Option<Arc<OwnSource>>,
    name: String,
    public: Option<PublicKey>,
    is_default: bool,
    /// The certificate in the file beside it.
    beside: Option<CertificateFound>,
}

/// A certificate in a file.
struct CertificateFound {
    name: String,
    certificate: Certificate,
}

impl Offer {
    /// The type of the key; RSA without a hash.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Offer::Key(key) => key.algorithm(),
            Offer::Certificate(certificate) => certificate.algorithm(),
        }
    }

    /// The name by which a server is told of this kind of offer.
    pub(super) fn wire_name(&self, algorithm: Algorithm) -> String {
        match self {
            Offer::Key(_) => algorithm.to_string(),
            Offer::Certificate(_) => algorithm.to_certificate_type(),
        }
    }

    fn of(identity: &AgentIdentity) -> Offer {
        match identity {
            AgentIdentity::PublicKey { key, .. } => Offer::Key(key.clone()),
            AgentIdentity::Certificate { certificate, .. } => Offer::Certificate(Box::new(certificate.clone())),
        }
    }
}

impl Source {
    fn agent(identity: AgentIdentity) -> Source {
        Source::Agent(Box::new(identity))
    }
}

/// Finds the keys to try: certificates named here; the keys of the agent that were named here; the files named here;
/// the agent's others; files that happen to be there. Each key's own certificate comes before the plain key. ssh tries
/// the agent's others before the named files, so that a full agent uses up the server's patience and the key asked for
/// is never tried.
pub(super) async fn find(attempt: &mut Attempt<'_>) -> Candidates {
    let login = attempt.login;
    let (agent, held) = match &login.agent {
        None => (None, Vec::new()),
        Some(socket) => match Agent::open(socket, &attempt.link.handle, attempt.asker).await {
            Ok((agent, held)) => (Some(agent), held),
            Err(why) => {
                attempt.notes.push(format!("the SSH agent could not be used: {why}"));
                (None, Vec::new())
            }
        },
    };
    let mut named = Vec::new();
    for path in &login.certificates {
        named.extend(certificate(path, &mut attempt.notes).await);
    }
    let own = own_keys(login, &mut named, &mut attempt.notes).await;
    Candidates { queue: in_order(own, named, held, login.identities_only, &mut attempt.notes), agent }
}

fn in_order(
    own: Vec<OwnKeyFound>,
    named_certificates: Vec<CertificateFound>,
    mut held: Vec<AgentIdentity>,
    identities_only: bool,
    notes: &mut Vec<String>,
) -> VecDeque<Candidate> {
    let mut queue = VecDeque::new();
    for CertificateFound { name, certificate } in named_certificates {
        let key = certificate.public_key();
        let own = || own.iter().find(|own| own.is_key(key)).and_then(|own| own.source.clone());
        match held_key(&held, key).map(Source::agent).or_else(|| own().map(Source::Own)) {
            Some(source) => {
                remark_on_time(&name, &certificate, notes);
                queue.push_back(Candidate { name, offer: Some(Offer::Certificate(Box::new(certificate))), source });
            }
            None => notes.push(format!("{name} is a certificate whose private key is neither given nor in the agent")),
        }
    }
    let (mut named, mut default) = (Vec::new(), Vec::new());
    for own in own {
        // The agent may hold a key both with and without a certificate.
        let mut of_agent: Vec<AgentIdentity> = held.extract_if(.., |held| own.is_key(data(held))).collect();
        of_agent.sort_by_key(|identity| matches!(identity, AgentIdentity::PublicKey { .. }));
        let OwnKeyFound { source, name, is_default, public, beside } = own;
        let by_agent = of_agent.first().cloned();
        let plain_of_agent = of_agent.iter().find(|identity| matches!(identity, AgentIdentity::PublicKey { .. }));
        let signer = plain_of_agent.or(of_agent.first()).cloned().map(Source::agent);
        let signer = signer.or_else(|| source.clone().map(Source::Own));
        let mut group = Vec::new();
        if let (Some(CertificateFound { name, certificate }), Some(source)) = (beside, signer)
            && !of_agent.iter().any(|held| same_certificate(held, &certificate))
        {
            remark_on_time(&name, &certificate, notes);
            group.push(Candidate { name, offer: Some(Offer::Certificate(Box::new(certificate))), source });
        }
        group.extend(of_agent.into_iter().map(|identity| Candidate {
            name: format!("{name} (agent)"),
            offer: Some(Offer::of(&identity)),
            source: Source::agent(identity),
        }));
        match (by_agent, source) {
            (Some(_), _) => queue.extend(group),
            (None, Some(source)) => {
                group.push(Candidate { name, offer: public.map(Offer::Key), source: Source::Own(source) });
                if is_default { &mut default } else { &mut named }.extend(group);
            }
            (None, None) => notes.push(format!("{name} is a public key whose private key the agent does not hold")),
        }
    }
    queue.extend(named);
    if !identities_only {
        queue.extend(held.into_iter().map(|identity| Candidate {
            name: format!("{} (agent)", agent_name(&identity)),
            offer: Some(Offer::of(&identity)),
            source: Source::agent(identity),
        }));
    }
    queue.extend(default);
    // A certificate may be both named here and held by the agent.
    let mut seen: Vec<Vec<u8>> = Vec::new();
    queue.retain(|candidate: &Candidate| match &candidate.offer {
        Some(Offer::Certificate(certificate)) => match certificate.to_bytes() {
            Ok(bytes) if seen.contains(&bytes) => false,
            Ok(bytes) => {
                seen.push(bytes);
                true
            }
            Err(_) => false,
        },
        _ => true,
    });
    queue
}

/// Reads the keys of the login. A certificate that was named like a key joins `certificates`.
async fn own_keys(
    login: &Login,
    certificates: &mut Vec<CertificateFound>,
    notes: &mut Vec<String>,
) -> Vec<OwnKeyFound> {
    let mut own = Vec::new();
    let defaults = login.default_identities.iter().map(|path| (Identity::File(path.clone()), true));
    let explicit = login.identities.iter().map(|identity| (identity.clone(), false));
    for (identity, is_default) in explicit.chain(defaults) {
        let path = match identity {
            Identity::Key(key) => {
                let public = key.public_key().clone();
                let name = public.algorithm().to_string();
                let source = Some(Arc::new(OwnSource::Memory(key)));
                own.push(OwnKeyFound { source, name, public: Some(public), is_default, beside: None });
                continue;
            }
            Identity::File(path) => path,
        };
        let (source, name, public) = match keys::read(&path).await {
            Ok(KeyFile::Private(locked)) => {
                let (name, public) = (locked.name(), locked.public.clone());
                (Some(Arc::new(OwnSource::File(locked))), name, public)
            }
            Ok(KeyFile::Public(public)) => (None, shown(&path), Some(public)),
            Ok(KeyFile::Certificate(certificate)) => {
                certificates.extend(for_user(shown(&path), *certificate, notes));
                continue;
            }
            Err(keys::Problem::Missing) if is_default => continue,
            Err(problem) => {
                let words = problem.words(&path);
                tracing::warn!("{words}");
                notes.push(words);
                continue;
            }
        };
        // As in ssh, certificates that are named replace those that would be found.
        let beside = if login.certificates.is_empty() { certificate_beside(&path, &public, notes).await } else { None };
        own.push(OwnKeyFound { source, name, public, is_default, beside });
    }
    own
}

/// Reads a certificate that was named (CertificateFile).
async fn certificate(path: &Path, notes: &mut Vec<String>) -> Option<CertificateFound> {
    match keys::read(path).await {
        Ok(KeyFile::Certificate(certificate)) => for_user(shown(path), *certificate, notes),
        Ok(_) => {
            notes.push(format!("{} is a key and not a certificate", shown(path)));
            None
        }
        Err(problem) => {
            let words = problem.words(path);
            tracing::warn!("{words}");
            notes.push(words);
            None
        }
    }
}

/// Reads the certificate that `ssh-keygen -s` puts beside a key: `KEY-cert.pub`.
async fn certificate_beside(
    path: &Path,
    public: &Option<PublicKey>,
    notes: &mut Vec<String>,
) -> Option<CertificateFound> {
    let mut name = match path.extension() {
        Some(extension) if extension == "pub" => path.with_extension(""),
        _ => path.to_owned(),
    }
    .into_os_string();
    name.push("-cert.pub");
    let path = PathBuf::from(name);
    let Ok(KeyFile::Certificate(certificate)) = keys::read(&path).await else { return None };
    if public.as_ref().is_some_and(|public| public.key_data() != certificate.public_key()) {
        notes.push(format!("{} is for another key than the one beside it", shown(&path)));
        return None;
    }
    for_user(shown(&path), *certificate, notes)
}

fn for_user(name: String, certificate: Certificate, notes: &mut Vec<String>) -> Option<CertificateFound> {
    if certificate.cert_type() == CertType::User {
        return Some(CertificateFound { name, certificate });
    }
    notes.push(format!("{name} is the certificate of a host and not of a user"));
    None
}

/// It is offered all the same, as ssh does: the server's clock decides.
fn remark_on_time(name: &str, certificate: &Certificate, notes: &mut Vec<String>) {
    if let Some(problem) = time_problem(certificate, now()) {
        notes.push(format!("the certificate {name} is not good: {problem}"));
    }
}

impl OwnKeyFound {
    fn is_key(&self, key: &KeyData) -> bool {
        self.public.as_ref().is_some_and(|public| public.key_data() == key)
    }
}

fn data(identity: &AgentIdentity) -> &KeyData {
    match identity {
        AgentIdentity::PublicKey { key, .. } => key.key_data(),
        AgentIdentity::Certificate { certificate, .. } => certificate.public_key(),
    }
}

/// The identity by which the agent holds `key`, best without a certificate.
fn held_key(held: &[AgentIdentity], key: &KeyData) -> Option<AgentIdentity> {
    let plain = held.iter().filter(|identity| matches!(identity, AgentIdentity::PublicKey { .. }));
    plain.chain(held).find(|identity| data(identity) == key).cloned()
}

fn same_certificate(identity: &AgentIdentity, certificate: &Certificate) -> bool {
    let AgentIdentity::Certificate { certificate: held, .. } = identity else { return false };
    matches!((held.to_bytes(), certificate.to_bytes()), (Ok(one), Ok(other)) if one == other)
}

fn agent_name(identity: &AgentIdentity) -> String {
    let comment = escape(identity.comment());
    if comment.is_empty() { identity.public_key().fingerprint(HashAlg::Sha256).to_string() } else { comment }
}

fn shown(path: &Path) -> String {
    escape(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::PrivateKey;
    use russh::keys::key::safe_rng;
    use russh::keys::ssh_key::certificate::Builder;

    fn key() -> PrivateKey {
        PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
    }

    fn certificate(key: &PrivateKey) -> Certificate {
        let mut builder = Builder::new_with_random_nonce(&mut safe_rng(), key.public_key(), 0, 1).unwrap();
        builder.cert_type(CertType::User).unwrap().valid_principal("someone").unwrap();
        builder.sign(key).unwrap()
    }

    fn found(name: &str, certificate: Certificate) -> CertificateFound {
        CertificateFound { name: name.into(), certificate }
    }

    fn own(name: &str, key: &PrivateKey, is_default: bool, beside: Option<CertificateFound>) -> OwnKeyFound {
        let source = Some(Arc::new(OwnSource::Memory(Arc::new(key.clone()))));
        OwnKeyFound { source, name: name.into(), public: Some(key.public_key().clone()), is_default, beside }
    }

    fn plain(name: &str, key: &PrivateKey) -> AgentIdentity {
        AgentIdentity::PublicKey { key: key.public_key().clone(), comment: name.into() }
    }

    fn words(queue: &VecDeque<Candidate>) -> Vec<String> {
        let word = |candidate: &Candidate| {
            let offer = if let Some(Offer::Certificate(_)) = candidate.offer { "cert" } else { "key" };
            let source = if let Source::Agent(_) = candidate.source { "agent" } else { "own" };
            format!("{}: {offer} by {source}", candidate.name)
        };
        queue.iter().map(word).collect()
    }

    #[test]
    fn what_was_named_comes_first_and_certificates_before_their_keys() {
        let [named, default, held, other] = [(); 4].map(|()| key());
        let keys = |only| {
            let mut notes = Vec::new();
            let own = vec![
                own("named", &named, false, Some(found("named-cert", certificate(&named)))),
                own("held", &held, false, None),
                own("default", &default, true, None),
            ];
            let certificates = vec![found("of-other", certificate(&other)), found("of-nobody", certificate(&key()))];
            let queue =
                in_order(own, certificates, vec![plain("other", &other), plain("held", &held)], only, &mut notes);
            (words(&queue), notes)
        };
        let (all, notes) = keys(false);
        assert_eq!(
            all,
            [
                "of-other: cert by agent",
                "held (agent): key by agent",
                "named-cert: cert by own",
                "named: key by own",
                "other (agent): key by agent",
                "default: key by own"
            ]
        );
        assert!(notes.iter().any(|note| note.starts_with("the certificate named-cert is not good: it expired")));
        assert!(notes.iter().any(|note| note.starts_with("of-nobody is a certificate whose private key")));
        let only: Vec<_> = all.into_iter().filter(|word| !word.starts_with("other")).collect();
        assert_eq!(keys(true).0, only);
    }

    #[test]
    fn a_certificate_is_shown_once() {
        let key = key();
        let certificate = certificate(&key);
        let identity = AgentIdentity::Certificate { certificate: certificate.clone(), comment: String::new() };
        let beside = || Some(found("beside", certificate.clone()));
        let order = |own, named, held| words(&in_order(own, named, held, false, &mut Vec::new()));
        assert_eq!(
            order(vec![own("id", &key, true, beside())], vec![], vec![plain("id", &key), identity.clone()]),
            ["id (agent): cert by agent", "id (agent): key by agent"]
        );
        assert_eq!(
            order(vec![], vec![found("named", certificate.clone())], vec![identity, plain("id", &key)]),
            ["named: cert by agent", "id (agent): key by agent"]
        );
        // The agent has the key alone: it signs for the certificate in the file.
        assert_eq!(
            order(vec![own("id", &key, true, beside())], vec![], vec![plain("id", &key)]),
            ["beside: cert by agent", "id (agent): key by agent"]
        );
    }
}
