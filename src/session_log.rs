//! The log of a whole X session: a file that is put aside when it is long, while it is written too.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::user;

/// A log of this length is put aside, in bytes.
const LONG: u64 = 256 << 10;

/// Opens the log, `$XDG_STATE_HOME/sshvnc/session.log`; a long one is put aside as `session.log.1`.
///
/// # Errors
/// What the system says, with the file.
pub fn open() -> Result<Log, String> {
    let path = log_path(env::var_os("XDG_STATE_HOME").as_deref(), user::home().as_deref())
        .ok_or("there is no home directory for it")?;
    open_at(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn log_path(state: Option<&OsStr>, home: Option<&Path>) -> Option<PathBuf> {
    // A relative path is invalid and to be ignored (XDG Base Directory Specification).
    let state = state.map(PathBuf::from).filter(|path| path.is_absolute());
    Some(state.or_else(|| Some(home?.join(".local/state")))?.join("sshvnc/session.log"))
}

fn open_at(path: &Path) -> io::Result<Log> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if path.metadata().is_ok_and(|file| file.len() > LONG) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    // Host names are nobody else's business.
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    Ok(Log { length: file.metadata()?.len(), file, path: path.to_owned() })
}

/// The log's file. Servers say things that are written there, and a session may last for months.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
    /// In bytes.
    length: u64,
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.length > LONG {
            match open_at(&self.path) {
                Ok(log) => *self = log,
                // The disk may be full: not at each line.
                Err(_) => self.length = 0,
            }
        }
        let written = self.file.write(line)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_long_log_is_put_aside() {
        let home = Path::new("/home/me");
        let at = |state: Option<&str>| log_path(state.map(OsStr::new), Some(home)).unwrap();
        assert_eq!(at(None), Path::new("/home/me/.local/state/sshvnc/session.log"));
        assert_eq!(at(Some("relative")), at(None));
        assert_eq!(at(Some("/s")), Path::new("/s/sshvnc/session.log"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/sshvnc/session.log");
        open_at(&path).unwrap().file.set_len(LONG + 1).unwrap();
        assert_eq!(open_at(&path).unwrap().file.metadata().unwrap().len(), 0);
        assert_eq!(path.with_extension("log.1").metadata().unwrap().len(), LONG + 1);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        // While it is written, too.
        let mut log = open_at(&path).unwrap();
        for number in 0..LONG / 50 * 5 {
            writeln!(log, "{number:>49}").unwrap();
            let lengths = [path.clone(), path.with_extension("log.1")].map(|path| path.metadata().unwrap().len());
            assert!(lengths.iter().all(|length| *length <= LONG + 100), "{lengths:?}");
        }
    }
}
