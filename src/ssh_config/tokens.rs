//! TOKENS and ENVIRONMENT VARIABLES of ssh_config(5), and `~`.

use std::fs;
use std::path::Path;

use sha1::{Digest, Sha1};

use super::error::{Error, quoted};

/// How the value of an environment variable is found.
pub(super) type Environment = dyn Fn(&str) -> Option<String>;

/// What the tokens stand for; the names are theirs.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens {
    /// `%h`, the host to connect to.
    pub host: String,
    /// `%n`, the host as it was typed.
    pub typed_host: String,
    /// `%k`, the name under which its key is known.
    pub key_name: String,
    /// `%p`
    pub port: String,
    /// `%r`, the user there.
    pub user: String,
    /// `%u`, the user here.
    pub local_user: String,
    /// `%d`
    pub home: String,
    /// `%i`
    pub uid: String,
    /// `%l`; `%L` is the same up to its first dot.
    pub local_host: String,
}

impl Tokens {
    /// The tokens of most keywords: CertificateFile, IdentityAgent, IdentityFile, UserKnownHostsFile, Match exec …
    pub fn value(&self, token: char) -> Option<String> {
        Some(match token {
            'C' => self.hash(),
            'd' => self.home.clone(),
            'i' => self.uid.clone(),
            'k' => self.key_name.clone(),
            'L' => self.local_host.split('.').next().unwrap_or_default().to_owned(),
            'l' => self.local_host.clone(),
            'u' => self.local_user.clone(),
            other => return self.proxy_value(other),
        })
    }

    /// The tokens of ProxyCommand and ProxyJump.
    pub fn proxy_value(&self, token: char) -> Option<String> {
        Some(match token {
            'h' => self.host.clone(),
            'n' => self.typed_host.clone(),
            'p' => self.port.clone(),
            'r' => self.user.clone(),
            _ => return None,
        })
    }

    /// `%C`: in OpenSSH 9.2 the SHA-1 of `%l%h%p%r`, in hexadecimal.
    fn hash(&self) -> String {
        let text = [&self.local_host, &self.host, &self.port, &self.user];
        let mut hash = Sha1::new();
        text.iter().for_each(|part| hash.update(part.as_bytes()));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Expands the name of a file: `~` first, then tokens and variables.
    pub fn file(&self, text: &str, environment: &Environment) -> Result<String, Error> {
        self.path(&tilde(text, &self.home)?, environment)
    }

    /// As [`Tokens::file`], where `~` is a name like any other.
    pub fn path(&self, text: &str, environment: &Environment) -> Result<String, Error> {
        expand(text, Some(&|token| self.value(token)), Some(environment))
    }
}

/// Replaces `%` and a letter by what `value` says.
pub(super) fn percent(text: &str, value: &dyn Fn(char) -> Option<String>) -> Result<String, Error> {
    expand(text, Some(value), None)
}

/// Replaces `${NAME}` only.
pub(super) fn variables(text: &str, environment: &Environment) -> Result<String, Error> {
    expand(text, None, Some(environment))
}

type Value<'a> = &'a dyn Fn(char) -> Option<String>;

fn expand(text: &str, value: Option<Value>, environment: Option<&Environment>) -> Result<String, Error> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '$']) {
        let (before, after) = rest.split_at(at);
        expanded.push_str(before);
        let mut after = after.chars();
        match (after.next(), value, environment) {
            (Some('%'), Some(value), _) => match after.next() {
                Some('%') => expanded.push('%'),
                Some(token) => expanded.push_str(&value(token).ok_or_else(|| {
                    Error::new(format!("{} has no token {}", quoted(text), quoted(&format!("%{token}"))))
                        .hint("see TOKENS in ssh_config(5); %% is a percent sign")
                })?),
                None => {
                    return Err(Error::new(format!("{} ends in a percent sign", quoted(text)))
                        .hint("write %% for a percent sign"));
                }
            },
            (Some('$'), _, Some(environment)) if after.as_str().starts_with('{') => {
                let name = after.as_str().strip_prefix('{').and_then(|name| name.split_once('}'));
                let Some((name, behind)) = name else {
                    return Err(Error::new(format!("{} has no closing brace", quoted(text))).hint("write ${NAME}"));
                };
                let found = if name.is_empty() { None } else { environment(name) };
                let found =
                    found.ok_or_else(|| Error::new(format!("the environment has no variable {}", quoted(name))))?;
                expanded.push_str(&found);
                after = behind.chars();
            }
            (Some(c), _, _) => expanded.push(c),
            (None, _, _) => {}
        }
        if expanded.len() > LONGEST {
            return Err(Error::new(format!("{} becomes too long", quoted(text))).hint("write something shorter"));
        }
        rest = after.as_str();
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// No path or command is longer.
const LONGEST: usize = 1 << 20;

/// Replaces `~` and `~user` at the beginning.
pub(super) fn tilde(text: &str, home: &str) -> Result<String, Error> {
    let Some(rest) = text.strip_prefix('~') else { return Ok(text.to_owned()) };
    let (user, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let folder = if user.is_empty() { Some(home.to_owned()) } else { home_of(user) };
    let folder = folder.ok_or_else(|| {
        Error::new(format!("{}: there is no user {}", quoted(text), quoted(user))).hint("write the path")
    })?;
    Ok(format!("{}/{rest}", folder.strip_suffix('/').unwrap_or(&folder)))
}

/// The home directory of a user in the machine's own list.
fn home_of(user: &str) -> Option<String> {
    let users = fs::read_to_string(Path::new("/etc/passwd")).ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() == Some(user) { fields.nth(4).map(str::to_owned) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens {
            host: "real".into(),
            typed_host: "FOO".into(),
            key_name: "alias".into(),
            port: "7".into(),
            user: "u".into(),
            local_user: "me".into(),
            home: "/home/me".into(),
            uid: "5".into(),
            local_host: "vm.example.org".into(),
        }
    }

    fn environment(name: &str) -> Option<String> {
        (name == "X").then(|| "x%h".to_owned())
    }

    #[test]
    fn every_token_stands_for_something() {
        let of = |text| tokens().file(text, &environment).unwrap();
        assert_eq!(of("%h %n %k %p %r %u %d %i %L %l %%"), "real FOO alias 7 u me /home/me 5 vm vm.example.org %");
        assert_eq!(of("~/a~${X}$Y"), "/home/me/a~x%h$Y");
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        let root = users.lines().find_map(|line| line.strip_prefix("root:")?.split(':').nth(4)).unwrap();
        assert_eq!((of("~"), of("~root")), ("/home/me/".into(), format!("{root}/")));
    }

    // sha1sum of what ssh hashes: local host, host, port and user.
    #[test]
    fn the_hash_is_that_of_ssh() {
        let tokens = Tokens { local_host: "vm".into(), ..tokens() };
        assert_eq!(tokens.hash(), "5d9e80b8dbad074de784f115dd1a12f78cae1abb");
    }

    #[test]
    fn what_stands_for_nothing_is_an_error() {
        for text in ["%z", "%", "a%", "${nope}", "${", "${}", "%j", "~no-such-user/x"] {
            assert!(tokens().file(text, &environment).is_err(), "{text}");
        }
        assert!(percent("%u", &|token| tokens().proxy_value(token)).is_err());
        assert_eq!(variables("%z${X}", &environment).unwrap(), "%zx%h");
    }
}
