//! Who runs this program: the name and the folder of the user's files.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The folder of the user's files: `$HOME`.
pub fn home() -> Option<PathBuf> {
    env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// `~/FILE`, which a shell leaves alone behind a `=`.
pub fn expand(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// The number of the user.
pub fn id() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|process| process.uid())
}

/// The user's name, by the system's list of users, else by the environment.
pub fn name() -> Option<String> {
    let id = id().map(|id| id.to_string());
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let by_id = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == id.as_deref() && id.is_some()).then(|| name.to_owned())
    });
    by_id.or_else(|| ["LOGNAME", "USER"].iter().find_map(|name| env::var(name).ok().filter(|name| !name.is_empty())))
}
