//! Reads what was typed, then the files: Host, Match, Include, and the second reading that `Match final` asks for.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Error, Place, quoted};
use super::files::{self, Files};
use super::finish;
use super::keyword::{self, Kind};
use super::line::{self, Line};
use super::pattern;
use super::resolved::{Family, Resolved};
use super::settings::{NO_JUMP, Said, Settings};
use super::tokens::{self, Tokens};
use super::{Request, value};

/// How deep files may include files.
const DEEPEST: usize = 16;

pub(super) fn resolve(request: &Request) -> Result<Resolved, Error> {
    check_typed(request)?;
    let mut resolver = Resolver {
        request,
        settings: Settings::default(),
        files: Files::default(),
        host: request.host.clone(),
        second: false,
        wants_second: false,
        missing: Vec::new(),
    };
    resolver.command_line()?;
    resolver.read_files()?;
    let host = resolver.target()?;
    let host = canonical(&host, family(request, &resolver.settings));
    resolver.settings.replace("hostname", vec![host.clone()]);
    if resolver.wants_second || resolver.settings.get("canonicalizehostname").is_some_and(|how| how != "false") {
        resolver.second = true;
        resolver.host = host;
        resolver.files.again();
        resolver.read_files()?;
    }
    let tokens = resolver.tokens()?;
    finish::finish(request, resolver.settings, &tokens, resolver.files.read, resolver.missing)
}

/// The tokens as far as they are known: `%h` and `%k` are for `Match exec`.
fn tokens_of(request: &Request, settings: &Settings, host: &str) -> Tokens {
    Tokens {
        host: host.to_owned(),
        typed_host: request.host.clone(),
        key_name: settings.get("hostkeyalias").unwrap_or(host).to_owned(),
        port: settings.get("port").unwrap_or("22").to_owned(),
        user: settings.get("user").unwrap_or(&request.local_user).to_owned(),
        local_user: request.local_user.clone(),
        home: home(request),
        uid: request.uid.to_string(),
        local_host: request.local_host.clone(),
    }
}

fn home(request: &Request) -> String {
    request.home.as_deref().map(|home| home.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What was typed may reach a shell through ProxyCommand and Match exec, so ssh refuses what a shell would take apart.
fn check_typed(request: &Request) -> Result<(), Error> {
    let host = &request.host;
    let bad = |c: char| c.is_ascii_control() || " \"$&'(),;<>\\`{|}".contains(c);
    if host.starts_with('-') || host.contains(bad) {
        return Err(Error::new(format!("{} can not be the name of a host", quoted(host))).hint("check what was typed"));
    }
    if request.port == Some(0) {
        return Err(Error::new("there is no port 0").hint("-p takes a number from 1 to 65535"));
    }
    let Some(user) = &request.user else { return Ok(()) };
    let bad = |c: char| c.is_ascii_control() || "\"&'();<>`{|}".contains(c);
    let dash = user.starts_with('-') || user.contains(" -");
    if dash || user.ends_with('\\') || user.contains(bad) {
        return Err(Error::new(format!("{} can not be the name of a user", quoted(user))).hint("check what was typed"));
    }
    Ok(())
}

fn family(request: &Request, settings: &Settings) -> Family {
    request.family.unwrap_or_else(|| Family::named(settings.get("addressfamily").unwrap_or_default()))
}

/// Names in lower case, addresses in their usual form.
fn canonical(host: &str, family: Family) -> String {
    let address = match (ipv4(host), host.parse::<Ipv6Addr>()) {
        (Some(address), _) if family != Family::Inet6 => Some(address.to_string()),
        (None, Ok(address)) if family != Family::Inet => Some(address.to_string()),
        _ => None,
    };
    match address {
        // What differs in case only is left as it is.
        Some(address) if !address.eq_ignore_ascii_case(host) => address,
        Some(_) => host.to_owned(),
        None if host.contains([':', '%']) => host.to_owned(),
        None => host.to_ascii_lowercase(),
    }
}

/// An IPv4 address of one to four numbers, each decimal, octal or hexadecimal (inet_aton(3)).
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut numbers = Vec::new();
    for part in text.split('.') {
        let number = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8),
            None => part.parse(),
        };
        if part.contains('+') {
            return None;
        }
        numbers.push(number.ok()?);
    }
    let last = numbers.pop()?;
    let before = u32::try_from(numbers.len()).ok().filter(|&count| count <= 3)?;
    if u64::from(last) >= 1 << (8 * (4 - before)) || numbers.iter().any(|&number| number > 255) {
        return None;
    }
    let high = numbers.iter().zip([24, 16, 8]).map(|(number, shift)| number << shift).sum::<u32>();
    Some(Ipv4Addr::from(high | last))
}

/// Whose file a line is in: where relative names of included files begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    User,
    Machine,
}

/// Where a line is, and what is above it.
struct Context<'a> {
    file: &'a Path,
    whose: Whose,
    depth: usize,
    /// False in files included for other hosts: nothing in them is ever for this one.
    live: bool,
}

struct Resolver<'r> {
    request: &'r Request,
    settings: Settings,
    files: Files,
    /// What `Host` is compared with: what was typed, and in the second reading the name that came of it.
    host: String,
    second: bool,
    wants_second: bool,
    missing: Vec<PathBuf>,
}

impl Resolver<'_> {
    fn command_line(&mut self) -> Result<(), Error> {
        let request = self.request;
        if let Some(jump) = &request.jump {
            // Typed first or not: ssh refuses it together with an earlier option, and prefers it to a later one.
            let place = Place::Option(format!("ProxyJump={jump}"));
            self.said(&Line { keyword: "proxyjump".to_owned(), rest: jump.clone() }, true, &place)?;
        }
        for option in &request.options {
            let place = Place::Option(option.clone());
            let Some(line) = line::split(option) else { continue };
            if matches!(line.keyword.as_str(), "host" | "match" | "include") {
                return Err(Error::new(format!("{} is for files only", line.keyword))
                    .hint("write it to one")
                    .at(&place));
            }
            self.said(&line, true, &place)?;
        }
        if let Some(port) = request.port {
            self.settings.set("port", vec![port.to_string()], None);
        }
        if let Some(user) = &request.user {
            self.settings.set("user", vec![user.clone()], None);
        }
        for identity in &request.identities {
            let text = identity.to_string_lossy().into_owned();
            match tokens::tilde(&text, &home(request)) {
                Ok(path) if Path::new(&path).exists() => self.settings.add("identityfile", text, None),
                _ => self.missing.push(identity.clone()),
            }
        }
        if request.compression {
            self.settings.replace("compression", vec!["yes".to_owned()]);
        }
        if let Some(family) = request.family {
            self.settings.replace("addressfamily", vec![family.name().to_owned()]);
        }
        Ok(())
    }

    fn read_files(&mut self) -> Result<(), Error> {
        let request = self.request;
        let user = |file| Context { file, whose: Whose::User, depth: 0, live: true };
        match &request.config_file {
            Some(file) if file.as_os_str().eq_ignore_ascii_case("none") => {}
            Some(file) => {
                if !self.file(&user(file), None)? {
                    let missing = Error::new("there is no such file").hint("-F none reads none");
                    return Err(missing.at(&Place::File(file.clone())));
                }
            }
            None => {
                if let Some(home) = &request.home {
                    self.file(&user(&home.join(".ssh/config")), Some(request.uid))?;
                }
                let machine = Context { file: &request.system_file, whose: Whose::Machine, depth: 0, live: true };
                self.file(&machine, None)?;
            }
        }
        Ok(())
    }

    /// Reads a file; false if it is not there.
    fn file(&mut self, context: &Context, owner: Option<u32>) -> Result<bool, Error> {
        let Some(text) = self.files.text(context.file, owner)? else { return Ok(false) };
        let mut active = context.live;
        for (number, text) in text.lines().enumerate() {
            let place = Place::Line { file: context.file.to_owned(), line: number + 1 };
            self.files.count_line().map_err(|error| error.at(&place))?;
            if let Some(line) = line::split(text) {
                self.line(&line, context, &mut active, &place).map_err(|error| error.at(&place))?;
            }
        }
        Ok(true)
    }

    fn line(&mut self, line: &Line, context: &Context, active: &mut bool, place: &Place) -> Result<(), Error> {
        if line.rest.is_empty() {
            return Err(no_argument(line));
        }
        match keyword::find(&line.keyword).map(|keyword| &keyword.kind) {
            Some(Kind::Host) => *active = self.is_host(&arguments(line)?)? && context.live,
            Some(Kind::Match) => {
                arguments(line)?;
                *active = self.matches(&line.rest, context.live)? && context.live;
            }
            Some(Kind::Include) => {
                for pattern in arguments(line)? {
                    self.include(&pattern, context, *active)?;
                }
            }
            _ => self.said(line, *active, place)?,
        }
        Ok(())
    }

    /// A keyword that says something of the host.
    fn said(&mut self, line: &Line, active: bool, place: &Place) -> Result<(), Error> {
        if line.rest.is_empty() {
            return Err(no_argument(line).at(place));
        }
        let arguments = arguments(line).map_err(|error| error.at(place))?;
        let Some(keyword) = keyword::find(&line.keyword) else {
            let ignored = self.settings.get("ignoreunknown");
            if ignored.is_some_and(|ignored| pattern::list(&ignored.to_ascii_lowercase(), &line.keyword)) {
                return Ok(());
            }
            let error = Error::new(format!("the keyword {} is not known", quoted(&line.keyword)));
            return Err(error.hint("correct it, or write IgnoreUnknown and its name above it").at(place));
        };
        let said = Said { keyword, rest: &line.rest, arguments: &arguments, active, place };
        self.settings.hear(&said, &*self.request.environment).map_err(|error| error.at(place))
    }

    fn is_host(&self, patterns: &[String]) -> Result<bool, Error> {
        if patterns.iter().any(String::is_empty) {
            return Err(Error::new("host has an empty pattern").hint("leave it out"));
        }
        let mut found = false;
        for pattern in patterns {
            match pattern.strip_prefix('!') {
                Some(pattern) if pattern::wildcard(pattern, &self.host) => return Ok(false),
                Some(_) => {}
                None => found |= pattern::wildcard(pattern, &self.host),
            }
        }
        Ok(found)
    }

    /// Whether all criteria of `Match` are met.
    fn matches(&mut self, criteria: &str, live: bool) -> Result<bool, Error> {
        let host = self.target()?;
        let mut rest = criteria;
        let mut result = true;
        let mut count = 0;
        while let Some(criterion) = line::word(&mut rest).filter(|word| !word.is_empty()) {
            if criterion.starts_with('#') {
                rest = "";
                break;
            }
            let (negated, name) = match criterion.strip_prefix('!') {
                Some(name) => (true, name.to_ascii_lowercase()),
                None => (false, criterion.to_ascii_lowercase()),
            };
            if name == "all" {
                let more = line::word(&mut rest).is_some_and(|word| !word.is_empty() && !word.starts_with('#'));
                if count > 1 || more {
                    return Err(Error::new("all does not stand alone in match")
                        .hint("write it alone, or after final or canonical"));
                }
                return Ok(result && !negated);
            }
            count += 1;
            if name == "final" || name == "canonical" {
                self.wants_second |= name == "final";
                result &= self.second != negated;
                continue;
            }
            let argument = line::word(&mut rest).filter(|word| !word.is_empty() && !word.starts_with('#'));
            let argument = argument.ok_or_else(|| {
                Error::new(format!("{} has no value in match", quoted(&name))).hint("see Match in ssh_config(5)")
            })?;
            let met = match name.as_str() {
                "host" => pattern::host_list(&argument, &host),
                "originalhost" => pattern::host_list(&argument, &self.request.host),
                "user" => pattern::list(&argument, self.settings.get("user").unwrap_or(&self.request.local_user)),
                "localuser" => pattern::list(&argument, &self.request.local_user),
                "exec" => self.exec(&argument, &host, result && live)?,
                other => {
                    return Err(Error::new(format!("match does not know {}", quoted(other)))
                        .hint("known are: all canonical final exec host originalhost user localuser"));
                }
            };
            result &= met != negated;
        }
        if count == 0 || !rest.is_empty() {
            return Err(Error::new("match has no criteria").hint("Match all matches always"));
        }
        Ok(result)
    }

    /// Runs a command in the user's shell, if the line's outcome depends on it.
    fn exec(&self, command: &str, host: &str, needed: bool) -> Result<bool, Error> {
        let tokens = tokens_of(self.request, &self.settings, host);
        let command = tokens::percent(command, &|token| tokens.value(token))?;
        if !needed {
            return Ok(false);
        }
        if !self.request.allow_match_exec {
            let error = Error::new(format!("match exec would run {}", quoted(&command)));
            return Err(error.hint("--allow-match-exec lets it"));
        }
        let shell = (self.request.environment)("SHELL").filter(|shell| !shell.is_empty());
        let shell = shell.unwrap_or_else(|| "/bin/sh".to_owned());
        let mut run = Command::new(&shell);
        run.arg("-c").arg(&command).stdin(Stdio::null()).stdout(Stdio::null());
        let status = run.status().map_err(|error| {
            Error::new(format!("match exec can not run {}: {error}", quoted(&shell))).hint("check SHELL")
        })?;
        Ok(status.success())
    }

    fn include(&mut self, name: &str, context: &Context, active: bool) -> Result<(), Error> {
        if name.is_empty() {
            return Err(Error::new("include has an empty name").hint("leave it out"));
        }
        let home = home(self.request);
        let pattern = match (context.whose, name.starts_with('~')) {
            (Whose::Machine, true) => {
                return Err(Error::new(format!("include {} is for users' files", quoted(name))).hint("write the path"));
            }
            (_, true) => match tokens::tilde(name, &home) {
                Ok(pattern) => pattern,
                // As any pattern without files.
                Err(_) => return Ok(()),
            },
            _ if name.starts_with('/') => name.to_owned(),
            (Whose::User, _) => format!("{home}/.ssh/{name}"),
            (Whose::Machine, _) => {
                let folder = self.request.system_file.parent().unwrap_or(Path::new("/etc/ssh"));
                format!("{}/{name}", folder.to_string_lossy())
            }
        };
        for file in files::glob(&pattern) {
            let depth = context.depth + 1;
            if depth > DEEPEST {
                return Err(Error::new(format!("files include files more than {DEEPEST} times"))
                    .hint("does one include itself?"));
            }
            let inner = Context { file: &file, whose: context.whose, depth, live: active };
            self.file(&inner, Some(self.request.uid))?;
        }
        Ok(())
    }

    /// The host to connect to, as far as it is known: HostName with its token.
    fn target(&self) -> Result<String, Error> {
        match self.settings.get("hostname") {
            Some(name) if self.second => Ok(name.to_owned()),
            Some(name) => {
                let place = self.settings.place("hostname").cloned();
                let expanded = tokens::percent(name, &|token| (token == 'h').then(|| self.host.clone()));
                expanded.map_err(|error| match &place {
                    Some(place) => error.at(place),
                    None => error,
                })
            }
            None => Ok(self.host.clone()),
        }
    }

    /// The tokens at the end: keys are known under the name that was typed.
    fn tokens(&self) -> Result<Tokens, Error> {
        let host = self.settings.get("hostname").unwrap_or(&self.request.host);
        let mut tokens = tokens_of(self.request, &self.settings, host);
        tokens.key_name =
            self.settings.get("hostkeyalias").map_or_else(|| self.request.host.clone(), str::to_ascii_lowercase);
        let last =
            self.settings.get("proxyjump").filter(|jump| *jump != NO_JUMP).and_then(|jump| jump.rsplit(',').next());
        if let Some(hop) = last.and_then(value::hop) {
            let port = hop.port.unwrap_or(22).to_string();
            if hop.host == host && port == tokens.port && hop.user.is_none_or(|user| user == tokens.user) {
                return Err(Error::new(format!("{} is to be reached through itself", quoted(host)))
                    .hint("write ProxyJump none above, for this host"));
            }
        }
        Ok(tokens)
    }
}

fn no_argument(line: &Line) -> Error {
    Error::new(format!("nothing follows {}", quoted(&line.keyword))).hint("write a value, or delete the line")
}

fn arguments(line: &Line) -> Result<Vec<String>, Error> {
    line::arguments(&line.rest).ok_or_else(|| Error::new("a quote has no twin").hint("close it, or write \\ before it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form_and_names_are_low() {
        for (typed, form) in [
            ("ABC", "abc"),
            ("127.1", "127.0.0.1"),
            ("010.1.1.1", "8.1.1.1"),
            ("1.2.65535", "1.2.255.255"),
            ("0xDEADBEEF", "222.173.190.239"),
            ("4294967296", "4294967296"),
            ("256.1.1.1", "256.1.1.1"),
            ("1.2.3.4.5", "1.2.3.4.5"),
            ("1..2", "1..2"),
            ("2001:0db8:0:0::1", "2001:db8::1"),
            ("FE80::1", "FE80::1"),
            ("FE80::1%Eth0", "FE80::1%Eth0"),
            ("ABC:D", "ABC:D"),
        ] {
            assert_eq!(canonical(typed, Family::Any), form, "{typed}");
        }
        assert_eq!(canonical("127.1", Family::Inet6), "127.1");
    }
}
