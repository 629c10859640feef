//! Adds host keys to a known_hosts file.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::PoisonError;

use russh::keys::PublicKey;

use super::KnownHosts;
use super::host_pattern::{file_name_of, hashed};

impl KnownHosts {
    /// Adds a line for `host` for each key, all in one write; `hash` hides the name. Says where they went.
    pub(super) fn remember(&self, host: &str, port: u16, keys: &[PublicKey], hash: bool) -> io::Result<String> {
        // What has a meaning of its own in the file would become a pattern there.
        if host.is_empty() || host.contains(|c: char| "@?*!#[]|,'\"\\".contains(c) || c.is_whitespace()) {
            return Err(io::Error::other("its name can not be written to a known_hosts file"));
        }
        let mut lines = String::new();
        for key in keys {
            let bare = PublicKey::new(key.key_data().clone(), "");
            let key = bare.to_openssh().map_err(|error| io::Error::other(error.to_string()))?;
            let name = file_name_of(host, port);
            let name = if hash { hashed(&name).map_err(io::Error::other)? } else { name };
            lines.push_str(&format!("{name} {}\n", key.trim_end()));
        }
        match self {
            KnownHosts::Memory(text) => {
                let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&lines);
                Ok("memory".into())
            }
            KnownHosts::Files { user, .. } => {
                let path = user.first().ok_or_else(|| io::Error::other("no known_hosts file to write to"))?;
                append(path, lines)?;
                Ok(path.display().to_string())
            }
        }
    }
}

/// Appends in one write, so that two programs doing it at once both keep their whole lines.
fn append(path: &Path, mut lines: String) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.exists()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let before = file.seek(SeekFrom::End(0))?;
    if before > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            lines.insert(0, '\n');
        }
    }
    let written = file.write(lines.as_bytes())?;
    if written < lines.len() {
        // A full disk took half of a line: take it back, unless somebody else has written behind it.
        if file.metadata()?.len() == before + written as u64 {
            file.set_len(before)?;
        }
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::known_hosts::Verdict;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINjhNDyTkm4DXvFKc5f7N+59tDayzTCtmPuKz6DavQ5x";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEh1BaDryoSZsrgc7Jt8gZYZz91eVrQgZg3q07trSkRb";

    #[test]
    fn a_new_key_is_appended_to_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("home/.ssh/known_hosts");
        let known = KnownHosts::Files { user: vec![file.clone()], global: vec![] };
        let key: PublicKey = format!("{KEY} a comment").parse().unwrap();
        known.remember("Beta", 22, std::slice::from_ref(&key), false).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("beta {KEY}\n"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(matches!(known.study("beta", 22).verdict(&key), Verdict::Known(_)));

        // A last line without its end is completed first.
        fs::write(&file, format!("alpha {OTHER}")).unwrap();
        known.remember("beta", 2222, std::slice::from_ref(&key), false).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("alpha {OTHER}\n[beta]:2222 {KEY}\n"));

        // A hashed line can be found by name and does not show it.
        fs::write(&file, "").unwrap();
        known.remember("Beta", 2222, std::slice::from_ref(&key), true).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("|1|") && text.ends_with(&format!(" {KEY}\n")), "{text}");
        assert!(matches!(known.study("beta", 2222).verdict(&key), Verdict::Known(_)));
        assert_eq!(known.study("beta", 22).verdict(&key), Verdict::Unknown);
    }

    #[test]
    fn a_name_that_would_be_a_pattern_is_not_written() {
        let known = KnownHosts::memory("");
        for name in ["*", "a,b", "a b", "!a", "@revoked", "#a", "|1|a", ""] {
            assert!(known.remember(name, 22, &[KEY.parse().unwrap()], false).is_err(), "{name}");
        }
        assert_eq!(known.study("anything", 22).verdict(&KEY.parse().unwrap()), Verdict::Unknown);
    }
}
