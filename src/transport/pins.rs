//! Host keys that were believed once and must not change while the program runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::keys::{Algorithm, PublicKey};

/// Host keys by host. Clones share them: they outlive a connection, so that the next one can be compared.
#[derive(Debug, Clone, Default)]
pub struct Pins(Arc<Mutex<BTreeMap<Pinned, Vec<PublicKey>>>>);

/// Whose keys they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pinned {
    host: String,
    port: u16,
    /// HostKeyAlias: behind one forwarded port there may be several hosts, and several hosts behind one alias.
    alias: Option<String>,
}

impl Pinned {
    pub(super) fn new(host: &str, port: u16, alias: Option<&str>) -> Pinned {
        Pinned { host: host.to_ascii_lowercase(), port, alias: alias.map(str::to_lowercase) }
    }
}

impl Pins {
    /// Remembers a key of a host that has none yet. False if the host has others.
    pub(super) fn hold(&self, host: &Pinned, key: &PublicKey) -> bool {
        let mut pins = self.lock();
        let keys = pins.entry(host.clone()).or_default();
        if keys.is_empty() {
            keys.push(key.clone());
        }
        keys.iter().any(|held| held.key_data() == key.key_data())
    }

    /// Whether this is a key of the host.
    pub(super) fn has(&self, host: &Pinned, key: &PublicKey) -> bool {
        let pins = self.lock();
        pins.get(host).is_some_and(|keys| keys.iter().any(|held| held.key_data() == key.key_data()))
    }

    /// Adds keys that the host has proven to have as well, over a connection with one that it is held to.
    pub(super) fn add(&self, host: &Pinned, proven: Vec<PublicKey>) {
        self.lock().entry(host.clone()).or_default().extend(proven);
    }

    /// The types of the host's keys, the one that was believed first in front.
    pub(super) fn types(&self, host: &Pinned) -> Vec<Algorithm> {
        self.lock().get(host).map_or_else(Vec::new, |keys| keys.iter().map(PublicKey::algorithm).collect())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Pinned, Vec<PublicKey>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> [PublicKey; 3] {
        [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ comment",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINjhNDyTkm4DXvFKc5f7N+59tDayzTCtmPuKz6DavQ5x",
        ]
        .map(|text| PublicKey::from_openssh(text).unwrap())
    }

    #[test]
    fn a_host_keeps_its_key() {
        let [one, other, _] = keys();
        let host = |name, port, alias| Pinned::new(name, port, alias);
        let pins = Pins::default();
        assert!(pins.hold(&host("Host", 22, None), &one) && pins.clone().hold(&host("host", 22, None), &one));
        assert!(!pins.hold(&host("host", 22, None), &other));
        assert!(pins.hold(&host("host", 23, None), &other) && pins.hold(&host("elsewhere", 22, None), &other));
        // One that has a name of its own is another host.
        assert!(pins.hold(&host("host", 22, Some("Alias")), &other));
        assert!(!pins.hold(&host("host", 22, Some("alias")), &one));
        assert!(pins.hold(&host("elsewhere", 22, Some("alias")), &one));
    }

    #[test]
    fn keys_that_it_has_proven_are_as_good() {
        let [one, other, third] = keys();
        let (pins, host) = (Pins::default(), Pinned::new("host", 22, None));
        assert!(pins.types(&host).is_empty());
        assert!(pins.hold(&host, &one));
        pins.add(&host, vec![other.clone()]);
        assert!(pins.hold(&host, &other) && pins.hold(&host, &one) && !pins.hold(&host, &third));
        assert_eq!(pins.types(&host), [Algorithm::Ed25519, Algorithm::Ed25519]);
    }
}
