//! `sshvnc install-session`: entries that display managers take, and that undo nothing of others.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::real::output;
use crate::real::viewer::{Ended, run, sshvnc};

fn install(folder: &Path, arguments: &[&str]) -> Ended {
    run(sshvnc(folder).arg("install-session").args(arguments))
}

#[test]
fn an_entry_is_valid_and_holds_what_was_typed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sessions");
    let dir = folder.to_str().unwrap();
    let odd = "sh -c 'echo \"$HOME\" 100% \\\\ `id`; exec twm'";
    let arguments = ["--dir", dir, "me@host:1", "--", "--fallback", odd, "-p", "2222", "-viewonly"];
    let ended = install(home.path(), &arguments);
    let file = folder.join("sshvnc-me-host-1.desktop");
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.said.contains(&format!("rm {}", file.display())), "{}", ended.said);
    assert_eq!(output(Command::new("desktop-file-validate").arg(&file)), "");
    let text = fs::read_to_string(&file).unwrap();
    let program = env!("CARGO_BIN_EXE_sshvnc");
    let line = |start: String| assert!(text.lines().any(|line| line == start), "{start}\n{text}");
    line("Name=Remote desktop: me@host:1".to_owned());
    line(format!("TryExec={program}"));
    // As the specification has it: a quote, a dollar, a backslash and a backquote take two backslashes or four.
    let odd = r#""sh -c 'echo \\"\\$HOME\\" 100%% \\\\\\\\ \\`id\\`; exec twm'""#;
    line(format!("Exec={program} --fullscreen --fallback {odd} -p 2222 -viewonly me@host:1"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(install(home.path(), &[&["--print"], &arguments[..]].concat()).out, text);
}

#[test]
fn what_is_there_is_replaced_by_force_only() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().to_str().unwrap();
    let file = home.path().join("sshvnc-work.desktop");
    assert_eq!(install(home.path(), &["--dir", dir, "--name", "Work", "host:1"]).code, Some(0));
    let first = fs::read_to_string(&file).unwrap();
    let ended = install(home.path(), &["--dir", dir, "--name", "Work", "host:2"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.said.contains("--force") && ended.said.lines().count() == 1, "{}", ended.said);
    assert_eq!(fs::read_to_string(&file).unwrap(), first);
    assert_eq!(install(home.path(), &["--force", "--dir", dir, "--name", "Work", "host:2"]).code, Some(0));
    let second = fs::read_to_string(&file).unwrap();
    assert!(second.contains("Name=Work\n") && second.contains(" --fullscreen host:2\n"), "{second}");
    // Nothing else is left behind.
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn nonsense_is_refused_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("sessions");
    let nonsense: [&[&str]; 7] = [
        &["host:1", "--", "--nonsense"],
        &["host:1", "--", "--help"],
        &["host:1", "--", "bench"],
        &["host:1", "--", "other:2"],
        &["host:1", "--", "--fallback", "'"],
        &["host:1", "--", "--passwd", "a\nExec=evil"],
        &["--name", "a\nExec=evil", "host:1"],
    ];
    for arguments in nonsense {
        let ended = install(home.path(), &[&["--dir", dir.to_str().unwrap()], arguments].concat());
        assert_eq!((ended.code, ended.said.lines().count()), (Some(1), 1), "{arguments:?}: {}", ended.said);
    }
    assert!(!dir.exists());
}

#[test]
fn who_is_not_root_is_told_what_to_type() {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
    // Where anybody can run it.
    let program = home.path().join("sshvnc");
    fs::copy(env!("CARGO_BIN_EXE_sshvnc"), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["install-session", "--name", "It's mine", "me@host:1", "--", "--fallback", "openbox-session"]);
    command.env_clear().stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65534).gid(65534);
    }
    let ended = run(&mut command);
    assert_eq!((ended.code, ended.said.lines().count()), (Some(1), 1), "{}", ended.said);
    let (_, typed) = ended.said.split_once("sudo ").unwrap();
    let words = shlex::split(typed.trim()).unwrap();
    let expected = [
        program.to_str().unwrap(),
        "install-session",
        "--name=It's mine",
        "me@host:1",
        "--",
        "--fallback",
        "openbox-session",
    ];
    assert_eq!(words, expected);
}
