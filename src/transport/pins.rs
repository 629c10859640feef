//! Host keys that were believed once and must not change while the program runs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::PublicKey;

/// Host keys by host and port. Clones share them: they outlive a connection, so that the next one can be compared.
#[derive(Debug, Clone, Default)]
pub struct Pins(Arc<Mutex<BTreeMap<(String, u16), PublicKey>>>);

impl Pins {
    /// Remembers a key of a host that has none yet. False if the host has another one.
    pub(super) fn hold(&self, host: &str, port: u16, key: &PublicKey) -> bool {
        let mut pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match pins.entry((host.to_ascii_lowercase(), port)) {
            Entry::Occupied(held) => held.get().key_data() == key.key_data(),
            Entry::Vacant(none) => {
                none.insert(key.clone());
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_keeps_its_key() {
        let key = |text: &str| PublicKey::from_openssh(text).unwrap();
        let one = key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl");
        let other = key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ comment");
        let pins = Pins::default();
        assert!(pins.hold("Host", 22, &one) && pins.clone().hold("host", 22, &one));
        assert!(!pins.hold("host", 22, &other));
        assert!(pins.hold("host", 23, &other) && pins.hold("elsewhere", 22, &other));
    }
}
