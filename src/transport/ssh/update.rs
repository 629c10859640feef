//! UpdateHostKeys: host keys that a known server proves to have as well are written down, so that it can change them
//! one day (OpenSSH's PROTOCOL, section 2.5, `hostkeys-00@openssh.com`). Nothing is ever removed. This is the one task
//! that this room starts: nobody waits for what it does.

use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::{KnownHosts, LinkRef, Options};
use crate::transport::Pins;
use crate::transport::pins::Pinned;

/// Nobody waits for the proof, but an unanswered request should not stay for ever.
const PROOF_LIMIT: Duration = Duration::from_secs(30);
/// How soon it is noticed that the connection is no longer wanted.
const GLANCE: Duration = Duration::from_millis(200);

/// What is needed to learn one host's further keys.
pub(super) struct Learner {
    known_hosts: KnownHosts,
    known_as: (String, u16),
    hash: bool,
    /// The types of keys that hosts may have.
    allowed: Vec<Algorithm>,
    /// Where they are held to be the host's from then on, and under what.
    pins: Pins,
    pinned: Pinned,
}

impl Learner {
    /// None if it is not wished (`HostKeyPolicy::update`).
    pub(super) fn new(
        known_hosts: &KnownHosts,
        host: &str,
        port: u16,
        options: &Options,
        pins: &Pins,
    ) -> Option<Learner> {
        let policy = &options.host_keys;
        let known_as = policy.known_as(host, port);
        let pinned = Pinned::new(host, port, policy.alias.as_deref());
        let (known_hosts, hash) = (known_hosts.clone(), policy.hash);
        let allowed = options.algorithms.host_key_types();
        policy.update.then(|| Learner { known_hosts, known_as, hash, allowed, pins: pins.clone(), pinned })
    }

    /// Learns what the server announces, in the background. The task ends with the connection and does not hold it.
    pub(super) fn start(self, link: &LinkRef) {
        let name = link.server.name.clone();
        let mut life = link.life.clone();
        let link = Arc::downgrade(link);
        tokio::spawn(async move {
            // The announcement comes only if the host's key was known already.
            let announced = match life.wait_for(|life| life.announced.is_some() || life.ended.is_some()).await {
                Ok(life) => life.announced.clone().unwrap_or_default(),
                Err(_) => return,
            };
            let announced = self.usable(announced);
            let (learner, new) = self.new_keys(announced).await;
            let new = match new {
                Ok(new) if new.is_empty() => return,
                Ok(new) => new,
                Err(why) => return tracing::debug!("{name}: no host keys are added: {why}"),
            };
            let proof = async {
                let Some(link) = link.upgrade() else { return Err("the connection ended".to_owned()) };
                tokio::select! {
                    proof = link.handle.hostkeys_prove(new.clone()) => proof.map_err(|error| error.to_string()),
                    () = deserted(&link) => Err("the connection ended".into()),
                }
            };
            match tokio::time::timeout(PROOF_LIMIT, proof).await {
                Ok(Ok(())) => learner.remember(&name, new).await,
                Ok(Err(error)) => tracing::debug!("{name} did not prove its other host keys: {error}"),
                Err(_) => tracing::debug!("{name} did not answer when asked to prove its other host keys"),
            }
        });
    }

    /// The keys of types that are allowed for hosts, each once.
    fn usable(&self, announced: Vec<PublicKey>) -> Vec<PublicKey> {
        let mut usable: Vec<PublicKey> = Vec::new();
        for key in announced {
            let double = usable.iter().any(|other| other.key_data() == key.key_data());
            if !double && self.allowed.contains(&key.algorithm()) {
                usable.push(key);
            }
        }
        usable
    }

    async fn new_keys(self, announced: Vec<PublicKey>) -> (Arc<Learner>, Result<Vec<PublicKey>, &'static str>) {
        let learner = Arc::new(self);
        let reader = learner.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let (host, port) = &reader.known_as;
            reader.known_hosts.new_keys(host, *port, &announced)
        });
        (learner, reading.await.unwrap_or(Err("the files could not be read")))
    }

    async fn remember(self: Arc<Learner>, name: &str, new: Vec<PublicKey>) {
        let keys: Vec<String> = new.iter().map(|key| key.fingerprint(HashAlg::Sha256).to_string()).collect();
        let writing = tokio::task::spawn_blocking(move || {
            let (host, port) = &self.known_as;
            let place = self.known_hosts.remember(host, *port, &new, self.hash)?;
            self.pins.add(&self.pinned, new);
            Ok::<_, std::io::Error>(place)
        });
        match writing.await {
            Ok(Ok(place)) => tracing::info!("further host keys of {name} were added to {place}: {}", keys.join(", ")),
            Ok(Err(error)) => tracing::warn!("further host keys of {name} could not be written down: {error}"),
            Err(error) => tracing::debug!("{error}"),
        }
    }
}

/// Waits until nobody else holds the connection, which then shall not live on for our sake.
async fn deserted(link: &LinkRef) {
    while Arc::strong_count(link) > 1 {
        tokio::time::sleep(GLANCE).await;
    }
}
