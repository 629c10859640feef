//! Options are found out as the installed ssh finds them out: both answer the same command lines on the same files.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ssh_config_cases::{CASES, INCLUDED};
use sshvnc::ssh_config::{Algorithms, Error, Family, Request, print, resolve};

/// Who runs the tests, as ssh sees it.
struct Me {
    uid: u32,
    user: String,
    home: String,
    host: String,
}

impl Me {
    fn new(folder: &Path) -> Me {
        let uid = fs::metadata(folder).unwrap().uid();
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let mine = fields.into_iter().find(|fields| fields[2].parse() == Ok(uid)).expect("a user with this number");
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        Me { uid, user: mine[0].to_owned(), home: mine[5].to_owned(), host: host.trim().to_owned() }
    }

    /// What sshvnc answers to a command line of ssh.
    fn ours(&self, line: &[String]) -> Result<String, Error> {
        let mut request = Request::new("");
        let mut words = line.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("a value").clone();
            match word.as_str() {
                "-F" => request.config_file = Some(PathBuf::from(value())),
                "-l" => request.user = Some(value()),
                "-p" => request.port = Some(value().parse().unwrap()),
                "-o" => request.options.push(value()),
                "-c" => request.options.push(format!("Ciphers={}", value())),
                "-i" => request.identities.push(PathBuf::from(value())),
                "-J" => request.jump = Some(value()),
                "-C" => request.compression = true,
                "-4" => request.family = Some(Family::Inet),
                "-6" => request.family = Some(Family::Inet6),
                host => take_host(&mut request, host),
            }
        }
        request.home = Some(PathBuf::from(&self.home));
        request.local_user = self.user.clone();
        request.local_host = self.host.clone();
        request.uid = self.uid;
        request.allow_match_exec = true;
        request.environment = Box::new(|name| match name {
            "MY_AGENT_SOCK" => Some("/run/my/agent".to_owned()),
            name => std::env::var(name).ok(),
        });
        resolve(&request).map(|resolved| print(&resolved, &Algorithms::OPENSSH_9_2))
    }
}

fn take_host(request: &mut Request, host: &str) {
    let mut host = host.to_owned();
    if let Some(uri) = host.strip_prefix("ssh://") {
        let (place, port) = uri.rsplit_once(':').unwrap_or((uri, "22"));
        request.port.get_or_insert(port.parse().unwrap());
        host = place.to_owned();
    }
    if let Some((user, place)) = host.clone().rsplit_once('@') {
        request.user.get_or_insert(user.to_owned());
        host = place.to_owned();
    }
    request.host = host;
}

/// The lines of ours that are not ssh's, and the other way round.
fn differences(ours: &str, theirs: &str) -> Vec<String> {
    let keywords: Vec<&str> = ours.lines().filter_map(|line| line.split(' ').next()).collect();
    let kept = |text: &str| -> Vec<String> {
        let known = |word: &str| SHOWN.contains(&word) || keywords.contains(&word);
        text.lines().filter(|line| line.split(' ').next().is_some_and(known)).map(str::to_owned).collect()
    };
    let (ours, theirs) = (kept(ours), kept(theirs));
    if ours == theirs {
        return Vec::new();
    }
    let only = |a: &[String], b: &[String], sign: &str| {
        a.iter().filter(|line| !b.contains(line)).map(|line| format!("{sign}{line}")).collect::<Vec<_>>()
    };
    let mut lines = only(&ours, &theirs, "+");
    lines.extend(only(&theirs, &ours, "-"));
    if lines.is_empty() {
        lines.push("the order is another".to_owned());
    }
    lines
}

/// Keywords that ssh shows only if they were said: ours must not leave them out.
const SHOWN: [&str; 16] = [
    "bindaddress",
    "bindinterface",
    "certificatefile",
    "hostkeyalias",
    "identityagent",
    "identityfile",
    "knownhostscommand",
    "localforward",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "remotecommand",
    "remoteforward",
    "sendenv",
    "setenv",
    "userknownhostsfile",
];

/// Splits a command line at blanks; single quotes hold them together.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate().flat_map(|(i, part)| match i % 2 {
        1 => vec![part.to_owned()],
        _ => part.split_whitespace().map(str::to_owned).collect(),
    });
    parts.collect()
}

fn write_private(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn the_given_cases_come_out() {
    let given = std::env::var_os("SSHVNC_SSH_CONFIG_CASES").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/ssh-config-cases");
    let root = given.unwrap_or_else(beside);
    let Ok(cases) = fs::read_dir(root.join("cases")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let me = Me::new(folder.path());
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in cases.map(|case| case.unwrap().path()) {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(case.join("config")).unwrap().replace("@DIR@", &case.to_string_lossy());
        let config = folder.path().join(&name);
        write_private(&config, &text);
        for (i, line) in fs::read_to_string(case.join("args")).unwrap().lines().enumerate() {
            count += 1;
            let expected = root.join("expected").join(&name).join(format!("{:02}.txt", i + 1));
            let expected = fs::read_to_string(&expected).unwrap();
            let expected = expected.replace("@DIR@", &case.to_string_lossy());
            let expected = expected.replace("@HOME@", &me.home).replace("user @USER@", &format!("user {}", me.user));
            let well = expected.lines().nth(1) == Some("exit 0");
            let expected: String = expected.lines().skip(2).map(|line| format!("{line}\n")).collect();
            let mut typed = vec!["-F".to_owned(), config.to_string_lossy().into_owned()];
            typed.extend(words(line));
            match me.ours(&typed) {
                Ok(ours) if well => {
                    let lines = differences(&ours, &expected);
                    if !lines.is_empty() {
                        wrong.push(format!("{name}: {line}: {lines:?}"));
                    }
                }
                Ok(_) => wrong.push(format!("{name}: {line}: is to be refused")),
                Err(error) if well => wrong.push(format!("{name}: {line}: {error}")),
                Err(_) => {}
            }
        }
    }
    assert!(count > 0, "no cases in {}", root.display());
    assert!(wrong.is_empty(), "{} of {count} command lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_installed_ssh_answers_the_same() {
    let version = Command::new("ssh").arg("-V").output().expect("ssh is installed");
    if !String::from_utf8_lossy(&version.stderr).starts_with("OpenSSH_9.2") {
        // Others show more, and know other algorithms.
        eprintln!("not compared: this ssh is no OpenSSH 9.2");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let me = Me::new(folder.path());
    for (name, text) in INCLUDED {
        write_private(&folder.path().join(name), &text.replace("@", &folder.path().to_string_lossy()));
    }
    let config = folder.path().join("config");
    let mut wrong = Vec::new();
    for (text, lines) in CASES {
        write_private(&config, &text.replace("@@", &folder.path().to_string_lossy()));
        for line in lines.split(" | ") {
            let mut typed = vec!["-F".to_owned(), config.to_string_lossy().into_owned()];
            typed.extend(words(line));
            let mut ssh = Command::new("ssh");
            ssh.arg("-G").args(&typed).env("MY_AGENT_SOCK", "/run/my/agent").env("LC_ALL", "C");
            let theirs = ssh.output().expect("ssh runs");
            let lines = match (theirs.status.success(), me.ours(&typed)) {
                (true, Ok(ours)) => differences(&ours, &String::from_utf8_lossy(&theirs.stdout)),
                (true, Err(error)) => vec![error.to_string()],
                (false, Ok(_)) => vec![String::from_utf8_lossy(&theirs.stderr).into_owned()],
                (false, Err(_)) => Vec::new(),
            };
            if !lines.is_empty() {
                wrong.push(format!("{text:?}: {line}: {lines:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
