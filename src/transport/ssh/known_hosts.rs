//! The host keys that are known already: reads known_hosts files and judges a key by them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::ssh_key::known_hosts::HostPatterns;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, PublicKey};

use super::host_pattern::{file_name_of, is_simple, matches};
use crate::escape::escape;

/// Where known host keys are kept.
#[derive(Debug, Clone)]
pub enum KnownHosts {
    /// Files in the format of sshd(8); new keys go to the first of the user's.
    Files {
        /// The user's own, usually `~/.ssh/known_hosts` and `known_hosts2`.
        user: Vec<PathBuf>,
        /// The machine's, read after the user's.
        global: Vec<PathBuf>,
    },
    /// A text in the same format that is in no file.
    Memory(Arc<Mutex<String>>),
}

/// What the known keys say of the key that a host offers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is this host's key, at this place.
    Known(Place),
    /// The key is marked `@revoked` at this place.
    Revoked(Place),
    /// The host has another key of the same type at this place.
    Changed(Place),
    /// The host has keys of other types only; the first is at this place.
    OtherTypes { types: Vec<String>, place: Place },
    /// Nothing is known of this host.
    Unknown,
}

/// A line of a known_hosts file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// None for a text in memory.
    pub file: Option<PathBuf>,
    pub line: usize,
}

/// The lines that speak of one host.
#[derive(Debug)]
pub(super) struct Study {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    key: PublicKey,
    place: Place,
    mark: Mark,
    /// False for a line about the bare name when the host is on another port than 22.
    exact: bool,
    /// It is in the user's own file, or in memory, and not in the machine's.
    own: bool,
}

impl KnownHosts {
    /// The files that ssh uses for a user with this home directory.
    pub fn of_home(home: &Path) -> KnownHosts {
        KnownHosts::Files {
            user: ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name)).to_vec(),
            global: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from).to_vec(),
        }
    }

    /// A text in memory, in the format of a known_hosts file.
    pub fn memory(text: impl Into<String>) -> KnownHosts {
        KnownHosts::Memory(Arc::new(Mutex::new(text.into())))
    }

    /// Collects what is known of `host`.
    pub(super) fn study(&self, host: &str, port: u16) -> Study {
        let mut study = Study { lines: Vec::new() };
        match self {
            KnownHosts::Memory(text) => {
                study.read(text.lock().unwrap_or_else(PoisonError::into_inner).as_bytes(), None, true, host, port);
            }
            KnownHosts::Files { user, global } => {
                let own = user.iter().map(|path| (path, true));
                for (path, own) in own.chain(global.iter().map(|path| (path, false))) {
                    if let Some(bytes) = read(path) {
                        study.read(&bytes, Some(path), own, host, port);
                    }
                }
            }
        }
        study
    }

    /// Which of `announced` are new for `host`; or why none of them may be added, as in ssh: lines that a person wrote
    /// are a person's to change, and a key that is known by another name shows that this host has several.
    pub(super) fn new_keys(
        &self,
        host: &str,
        port: u16,
        announced: &[PublicKey],
    ) -> Result<Vec<PublicKey>, &'static str> {
        let texts = match self {
            KnownHosts::Memory(text) => {
                vec![text.lock().unwrap_or_else(PoisonError::into_inner).clone().into_bytes()]
            }
            KnownHosts::Files { user, .. } => user.iter().filter_map(|path| read(path)).collect(),
        };
        let name = file_name_of(host, port);
        let mut new: Vec<PublicKey> = announced.to_vec();
        for line in texts.iter().flat_map(|text| text.split(|&b| b == b'\n')) {
            let Ok(Some((mark, patterns, key))) = parse(&String::from_utf8_lossy(line)) else { continue };
            let Ok(key) = key.parse::<PublicKey>() else { continue };
            let same = |other: &PublicKey| other.key_data() == key.key_data();
            match matches(&patterns, &name) {
                false if announced.iter().any(same) => return Err("one of them is known by another name"),
                false => {}
                true if mark != Mark::None => return Err("the host has a line with a marker"),
                true if !is_simple(&patterns) => return Err("the host has a line with a wildcard or a list"),
                true => new.retain(|other| !same(other)),
            }
        }
        Ok(new)
    }
}

/// A file's bytes, if it is there.
fn read(path: &Path) -> Option<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!("{}: {error}", path.display());
            None
        }
    }
}

impl Study {
    /// Judges `key` as OpenSSH does: `@revoked` first, then any line that has this very key, then lines that differ.
    pub(super) fn verdict(&self, key: &PublicKey) -> Verdict {
        let same = |line: &&Line| line.key.key_data() == key.key_data();
        if let Some(place) = self.revoked(key.key_data()) {
            return Verdict::Revoked(place);
        }
        if let Some(line) = self.valid().find(same) {
            return Verdict::Known(line.place.clone());
        }
        if let Some(line) = self.exact().find(|l| l.key.algorithm() == key.algorithm()) {
            return Verdict::Changed(line.place.clone());
        }
        match self.exact().next() {
            Some(line) => Verdict::OtherTypes { types: self.exact().map(type_of).collect(), place: line.place.clone() },
            None => Verdict::Unknown,
        }
    }

    /// Where this key, a host's or one that signs certificates, is marked `@revoked`.
    pub(super) fn revoked(&self, key: &KeyData) -> Option<Place> {
        let line =
            self.lines.iter().filter(|line| line.mark == Mark::Revoked).find(|line| line.key.key_data() == key)?;
        Some(line.place.clone())
    }

    /// The keys that may sign this host's certificates (`@cert-authority`).
    pub(super) fn authorities(&self) -> impl Iterator<Item = &PublicKey> {
        self.lines.iter().filter(|line| line.mark == Mark::Authority).map(|line| &line.key)
    }

    /// Where the key of an authority is.
    pub(super) fn authority(&self, key: &KeyData) -> Option<&Place> {
        let mut lines = self.lines.iter().filter(|line| line.mark == Mark::Authority);
        lines.find(|line| line.key.key_data() == key).map(|line| &line.place)
    }

    /// Whether the first line that has `key` is the user's own and names the host with its port.
    pub(super) fn is_own(&self, key: &PublicKey) -> bool {
        self.exact().find(|line| line.key.key_data() == key.key_data()).is_some_and(|line| line.own)
    }

    /// The types of the keys that are known: a server with several keys should be asked for one of these.
    pub(super) fn key_types(&self) -> Vec<Algorithm> {
        let exact: Vec<_> = self.exact().map(|line| line.key.algorithm()).collect();
        if exact.is_empty() { self.valid().map(|line| line.key.algorithm()).collect() } else { exact }
    }

    fn valid(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.mark == Mark::None)
    }

    fn exact(&self) -> impl Iterator<Item = &Line> {
        self.valid().filter(|line| line.exact)
    }

    fn read(&mut self, bytes: &[u8], file: Option<&Path>, own: bool, host: &str, port: u16) {
        let (name, bare) = (file_name_of(host, port), file_name_of(host, 22));
        for (number, line) in bytes.split(|&b| b == b'\n').enumerate() {
            let place = Place { file: file.map(Path::to_owned), line: number + 1 };
            match parse(&String::from_utf8_lossy(line)) {
                Ok(None) => {}
                Ok(Some((mark, patterns, key))) => {
                    let exact = matches(&patterns, &name);
                    // Like ssh, take a key that is known for the bare name on any port of that machine.
                    if !exact && !matches(&patterns, &bare) {
                        continue;
                    }
                    match key.parse::<PublicKey>() {
                        Ok(key) => self.lines.push(Line { key, place, mark, exact, own }),
                        Err(error) => tracing::warn!("{place}: this line's key can not be read: {error}"),
                    }
                }
                Err(problem) => tracing::warn!("{place}: skipped: {problem}"),
            }
        }
    }
}

fn type_of(line: &Line) -> String {
    line.key.algorithm().to_string()
}

/// The marker in front of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Revoked,
    /// The key signs host certificates.
    Authority,
}

/// Cuts a line into marker, host patterns and `TYPE BASE64`; None for an empty line or a comment.
fn parse(line: &str) -> Result<Option<(Mark, HostPatterns, String)>, String> {
    let mut fields = line.split_ascii_whitespace().peekable();
    let mark = match fields.peek() {
        None => return Ok(None),
        Some(field) if field.starts_with('#') => return Ok(None),
        Some(&"@revoked") => Mark::Revoked,
        Some(&"@cert-authority") => Mark::Authority,
        Some(field) if field.starts_with('@') => return Err(format!("unknown marker {}", escape(field))),
        Some(_) => Mark::None,
    };
    if mark != Mark::None {
        fields.next();
    }
    let (Some(hosts), Some(kind), Some(base64)) = (fields.next(), fields.next(), fields.next()) else {
        return Err("it is not HOSTS TYPE KEY".into());
    };
    let patterns = hosts.parse().map_err(|_| "the hashed host name can not be read".to_string())?;
    Ok(Some((mark, patterns, format!("{kind} {base64}"))))
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}:{}", escape(&file.display().to_string()), self.line),
            None => write!(f, "line {} of the given keys", self.line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known_at(line: usize) -> Verdict {
        Verdict::Known(Place { file: None, line })
    }

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINjhNDyTkm4DXvFKc5f7N+59tDayzTCtmPuKz6DavQ5x";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEh1BaDryoSZsrgc7Jt8gZYZz91eVrQgZg3q07trSkRb";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBOD5OLZ7oJZfPoEPEvwmjkX/n1Of3Bk/mJ6b7FjFHHrjP6ZLWeh9kh7Wy7fFpT5NB1YUXrNAk/qyAGUDn5Bj1gU=";
    // `ssh-keygen -H` of "myhost.example.org KEY".
    const HASHED: &str = "|1|aFECFi9j0FBK8/SwXM2v3ooNGJM=|Zh+oB7jL5wfim1vnyGhdxFzXYgQ=";

    fn judge(text: &str, host: &str, port: u16) -> Verdict {
        KnownHosts::memory(text).study(host, port).verdict(&KEY.parse().unwrap())
    }

    fn line(line: usize) -> Place {
        Place { file: None, line }
    }

    #[test]
    fn a_key_on_a_matching_line_is_known() {
        assert_eq!(judge(&format!("alpha,beta {KEY} comment # more\n"), "BETA", 22), known_at(1));
        assert_eq!(judge(&format!("beta\t{}", KEY.replace(' ', "\t")), "beta", 22), known_at(1));
        assert_eq!(judge(&format!("{HASHED} {KEY}"), "myhost.example.org", 22), known_at(1));
        assert_eq!(judge(&format!("beta {KEY}\r\n"), "beta", 22), known_at(1));
    }

    #[test]
    fn a_host_on_no_line_is_unknown() {
        assert_eq!(judge("", "beta", 22), Verdict::Unknown);
        assert_eq!(judge(&format!("alpha {KEY}"), "beta", 22), Verdict::Unknown);
        assert_eq!(judge(&format!("# beta {KEY}"), "beta", 22), Verdict::Unknown);
    }

    #[test]
    fn another_key_of_the_same_type_is_a_change() {
        assert_eq!(judge(&format!("\n# c\nbeta {OTHER}"), "beta", 22), Verdict::Changed(line(3)));
    }

    #[test]
    fn two_keys_of_one_type_are_both_good() {
        assert_eq!(judge(&format!("beta {OTHER}\nbeta {KEY}"), "beta", 22), known_at(2));
    }

    #[test]
    fn a_host_with_other_types_only_is_told_apart() {
        assert_eq!(
            judge(&format!("beta {ECDSA}"), "beta", 22),
            Verdict::OtherTypes { types: vec!["ecdsa-sha2-nistp256".into()], place: line(1) }
        );
        let study = KnownHosts::memory(format!("beta {ECDSA}")).study("beta", 22);
        assert_eq!(study.key_types().iter().map(ToString::to_string).collect::<Vec<_>>(), ["ecdsa-sha2-nistp256"]);
    }

    #[test]
    fn a_revoked_key_is_refused_wherever_it_stands() {
        assert_eq!(judge(&format!("beta {KEY}\n@revoked * {KEY}"), "beta", 22), Verdict::Revoked(line(2)));
        assert_eq!(judge(&format!("@revoked beta {KEY}"), "beta", 2222), Verdict::Revoked(line(1)));
        // Another key that is revoked says nothing of this one.
        assert_eq!(judge(&format!("@revoked * {OTHER}"), "beta", 22), Verdict::Unknown);
    }

    #[test]
    fn a_certificate_authority_is_no_host_key() {
        assert_eq!(judge(&format!("@cert-authority * {KEY}"), "beta", 22), Verdict::Unknown);
        assert_eq!(judge(&format!("@cert-authority * {OTHER}\nbeta {KEY}"), "beta", 22), known_at(2));
    }

    #[test]
    fn authorities_are_those_whose_patterns_match() {
        let count = |hosts: &str, host: &str, port: u16| {
            let study = KnownHosts::memory(format!("@cert-authority {hosts} {KEY}\nbeta {OTHER}")).study(host, port);
            study.authorities().filter(|key| key.key_data() == KEY.parse::<PublicKey>().unwrap().key_data()).count()
        };
        assert_eq!(count("*.example.org", "beta.example.org", 22), 1);
        assert_eq!(count("*.example.org", "beta.example.org", 2222), 1, "the bare name stands for every port");
        assert_eq!(count("*.example.org", "beta.example.net", 22), 0);
        assert_eq!(count("*.example.org,!beta.example.org", "beta.example.org", 22), 0);
        assert_eq!(count(HASHED, "myhost.example.org", 22), 1);
        assert_eq!(count("[*]:2222", "beta", 22), 0);
    }

    #[test]
    fn a_revoked_authority_is_found() {
        let study = KnownHosts::memory(format!("@cert-authority * {KEY}\n@revoked * {KEY}")).study("beta", 22);
        assert_eq!(study.revoked(KEY.parse::<PublicKey>().unwrap().key_data()), Some(line(2)));
        assert_eq!(study.revoked(OTHER.parse::<PublicKey>().unwrap().key_data()), None);
    }

    #[test]
    fn new_keys_are_added_only_beside_lines_that_a_program_wrote() {
        let keys: Vec<PublicKey> = [KEY, OTHER, ECDSA].iter().map(|key| key.parse().unwrap()).collect();
        let new = |text: String| {
            let new = KnownHosts::memory(text).new_keys("beta", 22, &keys)?;
            Ok(new.iter().map(|key| key.to_openssh().unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(new(format!("beta {KEY}\n[beta]:2222 x y\n")), Ok(vec![OTHER.into(), ECDSA.into()]));
        assert_eq!(new(format!("beta,192.0.2.1 {KEY}\nbeta {OTHER}\nbeta {ECDSA}")), Ok(vec![]));
        assert_eq!(new(format!("beta {KEY}\nalpha {OTHER}")), Err("one of them is known by another name"));
        assert_eq!(new(format!("bet* {KEY}")), Err("the host has a line with a wildcard or a list"));
        assert_eq!(new(format!("beta,b,c {KEY}")), Err("the host has a line with a wildcard or a list"));
        assert_eq!(new(format!("@cert-authority beta {KEY}")), Err("the host has a line with a marker"));
        assert_eq!(new(format!("beta {KEY}\n@revoked * {OTHER}")), Err("the host has a line with a marker"));
    }

    #[test]
    fn whose_line_it_is_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let [user, global] = ["user", "global"].map(|name| dir.path().join(name));
        let known = KnownHosts::Files { user: vec![user.clone()], global: vec![global.clone()] };
        let key: PublicKey = KEY.parse().unwrap();
        fs::write(&global, format!("beta {KEY}\n")).unwrap();
        assert!(!known.study("beta", 22).is_own(&key));
        fs::write(&user, format!("beta {KEY}\n")).unwrap();
        assert!(known.study("beta", 22).is_own(&key));
        assert!(!known.study("beta", 2222).is_own(&key), "it is known by the bare name only");
    }

    #[test]
    fn bad_lines_are_skipped() {
        let text = format!("beta\nbeta ssh-ed25519 !!!\n@what beta {KEY}\n|1|x|y {KEY}\nbeta x y\n\u{1b}\nbeta {KEY}");
        assert_eq!(judge(&text, "beta", 22), known_at(7));
    }

    #[test]
    fn ports_are_told_apart() {
        assert_eq!(judge(&format!("[beta]:2222 {KEY}"), "beta", 2222), known_at(1));
        assert_eq!(judge(&format!("[beta]:2222 {KEY}"), "beta", 22), Verdict::Unknown);
        assert_eq!(judge(&format!("[beta]:2222 {OTHER}"), "beta", 2222), Verdict::Changed(line(1)));
        // The bare name vouches for its key on any port, but does not forbid another key there.
        assert_eq!(judge(&format!("beta {KEY}"), "beta", 2222), known_at(1));
        assert_eq!(judge(&format!("beta {OTHER}"), "beta", 2222), Verdict::Unknown);
    }

    #[test]
    fn negations_and_wildcards_apply() {
        let text = format!("*.example.org,!b.example.org {KEY}");
        assert_eq!(judge(&text, "a.example.org", 22), known_at(1));
        assert_eq!(judge(&text, "b.example.org", 22), Verdict::Unknown);
    }

    #[test]
    fn all_files_are_read_and_the_place_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let [user, global] = ["user", "global"].map(|name| dir.path().join(name));
        fs::write(&global, format!("\nbeta {OTHER}\n")).unwrap();
        let known =
            KnownHosts::Files { user: vec![dir.path().join("none"), user.clone()], global: vec![global.clone()] };
        let key = KEY.parse().unwrap();
        assert_eq!(known.study("beta", 22).verdict(&key), Verdict::Changed(Place { file: Some(global), line: 2 }));
        fs::write(&user, format!("beta {KEY}\n")).unwrap();
        let place = Place { file: Some(user), line: 1 };
        assert_eq!(known.study("beta", 22).verdict(&key), Verdict::Known(place));
    }
}
