//! Reads the files of a configuration: bounded, and only those that nobody else can have written.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::{Error, Place};
use super::pattern::Component;

/// The largest file, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// The most bytes of all files together, each time it is read.
const MOST_BYTES: usize = 16 << 20;
/// The most lines and files together.
const MOST_LINES: usize = 100_000;
/// The most files that one pattern stands for.
const MOST_MATCHES: usize = 4096;

/// What has been read.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Every file once, in the order in which they were opened.
    pub read: Vec<PathBuf>,
    lines: usize,
    bytes: usize,
}

impl Files {
    /// Forgets how much was read: it is read again from the beginning.
    pub fn again(&mut self) {
        (self.lines, self.bytes) = (0, 0);
    }

    /// The text of a file; None if it is not there. With `owner`, only if that user or root wrote it.
    pub fn text(&mut self, path: &Path, owner: Option<u32>) -> Result<Option<String>, Error> {
        let place = Place::File(path.to_owned());
        let failed = |error: std::io::Error| {
            Error::new(format!("can not be read: {}", plain(&error))).hint("see ls -l").at(&place)
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().map_err(failed)?;
        if let Some(owner) = owner {
            check_writers(&metadata, owner).map_err(|error| error.at(&place))?;
        }
        if !self.read.iter().any(|known| known == path) {
            self.read.push(path.to_owned());
        }
        self.count_line().map_err(|error| error.at(&place))?;
        if metadata.is_dir() {
            return Ok(Some(String::new()));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
        self.bytes += bytes.len();
        if bytes.len() as u64 > LARGEST_FILE || self.bytes > MOST_BYTES {
            return Err(Error::new("larger than any configuration").hint("is it one?").at(&place));
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Counts one more line.
    pub fn count_line(&mut self) -> Result<(), Error> {
        self.lines += 1;
        if self.lines > MOST_LINES {
            return Err(Error::new(format!("more than {MOST_LINES} lines")).hint("include fewer files"));
        }
        Ok(())
    }
}

/// An error of the system as a part of a sentence.
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    }
}

/// Whoever writes these files can make ssh run commands (ssh_config(5), FILES).
fn check_writers(metadata: &fs::Metadata, owner: u32) -> Result<(), Error> {
    if metadata.uid() != 0 && metadata.uid() != owner {
        return Err(Error::new("belongs to another user").hint("see ls -l; chown it"));
    }
    let others = metadata.mode() & 0o002 != 0;
    let group = metadata.mode() & 0o020 != 0 && !is_group_of_one(metadata.gid(), metadata.uid());
    if others || group {
        return Err(Error::new("others can write to it").hint("run: chmod go-w on it"));
    }
    Ok(())
}

/// Whether nobody but the user is in the group, as in Debian's private groups.
fn is_group_of_one(gid: u32, uid: u32) -> bool {
    let (Ok(users), Ok(groups)) = (fs::read_to_string("/etc/passwd"), fs::read_to_string("/etc/group")) else {
        return false;
    };
    let mut names = Vec::new();
    let mut belongs = false;
    for line in users.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let (Some(name), Some(user), Some(primary)) = (fields.first(), fields.get(2), fields.get(3)) else { continue };
        if user.parse() == Ok(uid) {
            names.push(*name);
            belongs |= primary.parse() == Ok(gid);
        } else if primary.parse() == Ok(gid) {
            return false;
        }
    }
    groups.lines().any(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let members = fields.get(3).copied().unwrap_or_default();
        let mut members = members.split(',').filter(|member| !member.is_empty()).peekable();
        fields.get(2).is_some_and(|id| id.parse() == Ok(gid))
            && (belongs || members.peek().is_some())
            && members.all(|member| names.contains(&member))
    })
}

/// The files that a pattern stands for, in the order of their bytes; hidden ones only if they are meant.
pub(super) fn glob(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let component = Component::new(part);
        let mut next = Vec::new();
        for folder in &found {
            match &component.literal {
                Some(name) => next.push(joined(folder, name)),
                None => next.extend(fitting(folder, &component)),
            }
            next.truncate(MOST_MATCHES);
        }
        found = next;
    }
    found.sort();
    let fits = |path: &PathBuf| if pattern.ends_with('/') { path.is_dir() } else { path.symlink_metadata().is_ok() };
    found.into_iter().map(PathBuf::from).filter(fits).collect()
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() || folder.ends_with('/') { format!("{folder}{name}") } else { format!("{folder}/{name}") }
}

fn fitting(folder: &str, component: &Component) -> Vec<String> {
    let Ok(entries) = fs::read_dir(if folder.is_empty() { "." } else { folder }) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| component.fits(name)).map(|name| joined(folder, &name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_found_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("d")).unwrap();
        for name in ["d/b", "d/10", "d/2", "d/.hidden", "d/a b"] {
            fs::write(at(name), "").unwrap();
        }
        let names = |pattern: &str| {
            let found = glob(&at(pattern).to_string_lossy());
            found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("d/*"), ["10", "2", "a b", "b"]);
        assert_eq!(names("*/[0-9]"), ["2"]);
        assert_eq!(names("d/a b"), ["a b"]);
        assert!(names("d/b/").is_empty() && names("d/").len() == 1);
        assert!(names("d/nothing").is_empty() && names("e/*").is_empty());
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large");
        fs::write(&large, vec![b'#'; (1 << 20) + 1]).unwrap();
        let error = Files::default().text(&large, None).unwrap_err().to_string();
        assert!(error.ends_with("large: larger than any configuration; is it one?"), "{error}");
        let mut files = Files { lines: MOST_LINES, ..Files::default() };
        assert!(files.count_line().is_err());
    }

    #[test]
    fn files_of_others_are_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, "Port 5").unwrap();
        let owner = fs::metadata(&path).unwrap().uid();
        let mut files = Files::default();
        assert_eq!(files.text(&path, Some(owner)).unwrap().as_deref(), Some("Port 5"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o646)).unwrap();
        assert!(files.text(&path, Some(owner)).unwrap_err().to_string().contains("others can write"));
        assert!(files.text(&path, None).is_ok());
        assert_eq!(files.text(&folder.path().join("nothing"), Some(owner)), Ok(None));
        assert_eq!(files.read, [path]);
    }
}
