//! `sshvnc passwd`: writes a VNC password file.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::cli::Passwd;
use crate::error::Failure;
use crate::rfb::vnc_auth::{self, PASSWORD_LENGTH};
use crate::say;
use crate::terminal;
use crate::user;

/// Asks for a password, or takes a line of stdin if that is no terminal, and writes the file.
///
/// # Errors
/// [`Failure`] of the kind usage.
pub fn run(what: &Passwd) -> Result<(), Failure> {
    let path = match &what.file {
        Some(path) => path.clone(),
        None => default_file()?,
    };
    let password = ask()?;
    let bytes = password.expose_secret().as_bytes();
    if bytes.is_empty() {
        return Err(Failure::usage("an empty password was typed; nothing was written"));
    }
    if bytes.contains(&0) {
        return Err(Failure::usage("a password can not hold a NUL byte; nothing was written"));
    }
    if bytes.len() > PASSWORD_LENGTH {
        say::remark(format_args!("only the first {PASSWORD_LENGTH} bytes of a VNC password count"));
    }
    write(&path, &vnc_auth::obfuscate(bytes))
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let path = path.display();
    say::remark(format_args!("wrote {path}; the password in it is hidden from a glance, not encrypted"));
    Ok(())
}

fn default_file() -> Result<PathBuf, Failure> {
    let home = user::home().ok_or_else(|| Failure::usage("HOME is not set").hint("name the file"))?;
    let folder = home.join(".vnc");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    Ok(folder.join("passwd"))
}

fn ask() -> Result<SecretString, Failure> {
    if !io::stdin().is_terminal() {
        let mut line = zeroize::Zeroizing::new(String::new());
        let read = io::stdin().lock().read_line(&mut line);
        read.map_err(|error| Failure::usage(format!("the password on stdin: {error}")))?;
        return Ok(SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let no_terminal = |error: io::Error| Failure::usage(format!("no terminal to ask on: {error}"));
    let password = terminal::secret("new VNC password").map_err(no_terminal)?;
    let again = terminal::secret("the same again").map_err(no_terminal)?;
    if password.expose_secret() != again.expose_secret() {
        return Err(Failure::usage("the two do not match; nothing was written"));
    }
    Ok(password)
}

/// Replaces the file as a whole; nobody but the user can read it at any time.
fn write(path: &Path, block: &[u8; 8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(block)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_users_alone_even_if_it_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passwd");
        fs::write(&path, b"old and longer than eight").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, &vnc_auth::obfuscate(b"secret12")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), vnc_auth::obfuscate(b"secret12"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
