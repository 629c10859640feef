//! `sshvnc install-session`: offers a desktop at the login screen, by an entry among the X sessions.
//!
//! What is written is a desktop entry (freedesktop.org, "Desktop Entry Specification" 1.5).

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::cli::{self, Command, InstallSession, Typed};
use crate::error::Failure;
use crate::say;
use crate::user;
use crate::xsession::Fallback;

/// Where display managers look for X sessions.
const SESSIONS: &str = "/usr/share/xsessions";
/// A longer name makes no file.
const LONGEST_NAME: usize = 64;

/// Writes the entry, or shows it.
///
/// # Errors
/// [`Failure`] of the kind usage.
pub fn run(what: &InstallSession) -> Result<(), Failure> {
    let program = program()?;
    let name = what.name.clone().unwrap_or_else(|| format!("Remote desktop: {}", what.target));
    let entry = Entry { program: &program, arguments: &arguments(what)?, name: &name, target: &what.target };
    let text = entry.text()?;
    if what.print {
        say::result(text.trim_end());
        return Ok(());
    }
    if what.dir.is_none() && user::id() != Some(0) {
        let again = again(&program, what);
        return Err(Failure::usage(format!("only root can write to {SESSIONS}")).hint(format!("try: sudo {again}")));
    }
    let folder = what.dir.clone().unwrap_or_else(|| PathBuf::from(SESSIONS));
    let file = folder.join(format!("sshvnc-{}.desktop", file_name(what.name.as_deref().unwrap_or(&what.target))));
    write(&file, &text, what.force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::usage(format!("{} is there already", file.display()))
            .hint("give another --name, or --force to replace it"),
        _ => Failure::usage(format!("{}: {error}", file.display())),
    })?;
    let undo = shlex_path(&file);
    let file = file.display();
    say::remark(format_args!("wrote {file}; the login screen offers \"{name}\" now; rm {undo} takes it back"));
    Ok(())
}

/// The arguments of the session, once they are known to make sense.
fn arguments(what: &InstallSession) -> Result<Vec<String>, Failure> {
    let mut arguments: Vec<OsString> = Vec::new();
    if !what.options.iter().any(|option| option == "--fullscreen" || option == "-fullscreen") {
        arguments.push("--fullscreen".into());
    }
    arguments.extend(what.options.iter().cloned());
    arguments.push(what.target.clone().into());
    let typed = cli::read(std::iter::once("sshvnc".into()).chain(arguments.iter().cloned()))?;
    let view = match typed {
        Typed::Do(command) => match *command {
            Command::View(view) => Some(view),
            _ => None,
        },
        Typed::Say(_) => None,
    };
    let view = view.ok_or_else(|| Failure::usage("what is behind -- must be options of sshvnc that show a desktop"))?;
    Fallback::of(&view.session)?;
    let text = |argument: OsString| {
        argument.into_string().map_err(|_| Failure::usage("an entry can only hold arguments in UTF-8"))
    };
    arguments.into_iter().map(text).collect()
}

/// Where this program is.
fn program() -> Result<String, Failure> {
    let path = std::env::current_exe().map_err(|error| Failure::usage(format!("where this program is: {error}")))?;
    path.into_os_string().into_string().map_err(|_| Failure::usage("the path of this program is not UTF-8"))
}

/// The same command for a shell.
fn again(program: &str, what: &InstallSession) -> String {
    let mut words = vec![program.to_owned(), "install-session".to_owned()];
    if let Some(name) = &what.name {
        words.push(format!("--name={name}"));
    }
    if what.force {
        words.push("--force".to_owned());
    }
    words.push(what.target.clone());
    if !what.options.is_empty() {
        words.push("--".to_owned());
        words.extend(what.options.iter().map(|option| option.to_string_lossy().into_owned()));
    }
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

fn shlex_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    shlex::try_quote(&path).map_or_else(|_| path.to_string(), |quoted| quoted.into_owned())
}

/// What of a name is fit for the name of a file.
fn file_name(name: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let dashed: String = name.chars().take(LONGEST_NAME).map(fit).collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "desktop".to_owned() } else { words.join("-") }
}

/// What is there stays, unless it is to be replaced.
fn write(file: &Path, text: &str, force: bool) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = if force { file.with_extension(format!("{}.new", std::process::id())) } else { file.to_owned() };
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&new)?;
    // The login screen runs as somebody else.
    written.set_permissions(Permissions::from_mode(0o644))?;
    let done = written.write_all(text.as_bytes()).and_then(|()| if force { fs::rename(&new, file) } else { Ok(()) });
    if done.is_err() {
        let _ = fs::remove_file(&new);
    }
    done
}

/// A desktop entry.
struct Entry<'a> {
    program: &'a str,
    arguments: &'a [String],
    name: &'a str,
    target: &'a str,
}

impl Entry<'_> {
    fn text(&self) -> Result<String, Failure> {
        let all = [self.program, self.name, self.target].into_iter().chain(self.arguments.iter().map(String::as_str));
        if all.flat_map(str::chars).any(char::is_control) {
            return Err(Failure::usage("an entry can not hold control characters"));
        }
        let words = std::iter::once(self.program).chain(self.arguments.iter().map(String::as_str));
        let line = words.map(word).collect::<Vec<_>>().join(" ");
        Ok(format!(
            "[Desktop Entry]\nType=Application\nName={}\nComment={}\nTryExec={}\nExec={}\n",
            value(self.name),
            value(&format!("The desktop {}, shown by sshvnc", self.target)),
            value(self.program),
            value(&line),
        ))
    }
}

/// An argument as Exec wants it ("The Exec key"): quoted if anything in it means something, and % doubled.
fn word(argument: &str) -> String {
    const RESERVED: &str = " \"'\\><~|&;$*?#()`";
    let argument = argument.replace('%', "%%");
    if !argument.is_empty() && !argument.chars().any(|c| RESERVED.contains(c)) {
        return argument;
    }
    let mut quoted = String::from("\"");
    for c in argument.chars() {
        if matches!(c, '"' | '`' | '$' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// A string as a value ("Possible value types").
fn value(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\");
    match escaped.strip_prefix(' ') {
        Some(rest) => format!("\\s{rest}"),
        None => escaped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a value, and Exec's arguments in it, as the specification says and without a shell.
    fn parsed(line: &str) -> Vec<String> {
        let mut unescaped = String::new();
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            unescaped.push(match c {
                '\\' => match chars.next().unwrap() {
                    's' => ' ',
                    '\\' => '\\',
                    other => panic!("\\{other}"),
                },
                c => c,
            });
        }
        let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
        let mut chars = unescaped.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    word.get_or_insert_default();
                    quoted = !quoted;
                }
                '\\' if quoted => word.get_or_insert_default().push(chars.next().unwrap()),
                ' ' if !quoted => words.extend(word.take()),
                '%' => {
                    assert_eq!(chars.next(), Some('%'), "a field code");
                    word.get_or_insert_default().push('%');
                }
                c => {
                    assert!(quoted || !"\"'\\><~|&;$*?#()`".contains(c), "{c} is not quoted");
                    word.get_or_insert_default().push(c);
                }
            }
        }
        assert!(!quoted);
        words.extend(word);
        words
    }

    #[test]
    fn what_is_written_is_read_back() {
        let arguments = [
            "plain",
            "",
            "two words",
            "100%",
            "%f",
            "\"",
            "'",
            "\\",
            "\\\\\"$`%",
            "$HOME",
            "`id`",
            "a;b|c&d>e<f*g?h#i(j)k~",
            " begins",
            "Ζωή",
            "--exec=socat STDIO 'EXEC:x11vnc -inetd'",
        ];
        let arguments = arguments.map(str::to_owned);
        for program in ["/usr/bin/sshvnc", "/opt/my $tools\\/sshvnc"] {
            let entry = Entry { program, arguments: &arguments, name: "a\\b", target: "me@host:1" };
            let text = entry.text().unwrap();
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines[..3], ["[Desktop Entry]", "Type=Application", "Name=a\\\\b"]);
            assert_eq!(lines[4], format!("TryExec={}", program.replace('\\', "\\\\")));
            let words = parsed(lines[5].strip_prefix("Exec=").unwrap());
            assert_eq!((words[0].as_str(), &words[1..]), (program, &arguments[..]));
        }
    }

    #[test]
    fn values_are_written_as_the_specification_shows() {
        // A literal dollar and a literal backslash in quotes ("The Exec key").
        assert_eq!((value(&word("$")), value(&word("\\"))), ("\"\\\\$\"".to_owned(), "\"\\\\\\\\\"".to_owned()));
        assert_eq!((word("me@host:1"), word("50%"), word("")), ("me@host:1".into(), "50%%".into(), "\"\"".into()));
        assert_eq!(value("  x"), "\\s x");
    }

    #[test]
    fn no_line_can_be_forged() {
        for bad in ["a\nExec=evil", "a\tb", "\x1b"] {
            let arguments = [bad.to_owned()];
            let entry = |name, arguments| Entry { program: "/p", arguments, name, target: "t" };
            assert!(entry("n", &arguments).text().is_err() && entry(bad, &[]).text().is_err());
        }
    }

    #[test]
    fn names_of_files_are_plain() {
        assert_eq!(file_name("me@My-Host.example.org:1"), "me-my-host-example-org-1");
        assert_eq!((file_name("../../etc/x"), file_name("δ / ..")), ("etc-x".to_owned(), "desktop".to_owned()));
        assert!(file_name(&"x".repeat(1000)).len() <= LONGEST_NAME);
    }
}
