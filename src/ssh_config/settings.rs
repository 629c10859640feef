//! What has been said so far: the first value of a keyword wins, some keywords collect theirs.
//!
//! Values are kept in the form of `ssh -G`; they have been checked by then.

use std::collections::BTreeMap;

use super::algorithms;
use super::error::{Error, Place, quoted};
use super::keyword::{ADD_KEYS, Keyword, Kind, YES_OR_NO};
use super::line;
use super::pattern;
use super::tokens::{self, Environment};
use super::value::{self, Hop};

/// The values that have been obtained, by keyword.
#[derive(Debug, Default, Clone)]
pub(super) struct Settings {
    held: BTreeMap<&'static str, Held>,
}

#[derive(Debug, Clone)]
struct Held {
    values: Vec<String>,
    place: Option<Place>,
}

/// What is said in one place.
pub(super) struct Said<'a> {
    pub keyword: &'static Keyword,
    /// What follows the keyword, and the same as arguments.
    pub rest: &'a str,
    pub arguments: &'a [String],
    /// False in a block for other hosts: then it is only checked.
    pub active: bool,
    pub place: &'a Place,
}

/// The second value of RekeyLimit.
pub(super) const REKEY_SECONDS: &str = "rekeylimit seconds";
/// The value of `ProxyJump none`. With more on its line, `none` is the name of a host.
pub(super) const NO_JUMP: &str = "";
/// A path in ForwardAgent, which is kept apart from yes and no.
pub(super) const FORWARD_AGENT_PATH: &str = "forwardagent path";

const MOST_FILES: usize = 100;
const MOST_KNOWN_HOSTS: usize = 32;
/// Of forwardings and variables; ssh has no bound.
const MOST_OTHERS: usize = 1000;

impl Settings {
    /// The first value of a keyword.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// All values of a keyword.
    pub fn all(&self, name: &str) -> &[String] {
        self.held.get(name).map_or(&[], |held| held.values.as_slice())
    }

    /// Where the first value was said.
    pub fn place(&self, name: &str) -> Option<&Place> {
        self.held.get(name)?.place.as_ref()
    }

    /// Takes values unless there are some.
    pub fn set(&mut self, name: &'static str, values: Vec<String>, place: Option<&Place>) {
        self.held.entry(name).or_insert_with(|| Held { values, place: place.cloned() });
    }

    /// Takes one more value, unless it is there.
    pub fn add(&mut self, name: &'static str, value: String, place: Option<&Place>) {
        let held = self.held.entry(name).or_insert_with(|| Held { values: Vec::new(), place: place.cloned() });
        if !held.values.contains(&value) {
            held.values.push(value);
        }
    }

    /// Takes values whatever there is.
    pub fn replace(&mut self, name: &'static str, values: Vec<String>) {
        let place = self.held.remove(name).and_then(|held| held.place);
        self.held.insert(name, Held { values, place });
    }

    /// Checks what is said, and takes it if it is for this host.
    pub fn hear(&mut self, said: &Said, environment: &Environment) -> Result<(), Error> {
        let name = said.keyword.name;
        let arguments: Vec<&str> = said.arguments.iter().map(String::as_str).collect();
        let values = match &said.keyword.kind {
            Kind::Host | Kind::Match | Kind::Include | Kind::Anything => return Ok(()),
            Kind::Choice(choices) => vec![choice(name, one(name, &arguments)?, choices)?.to_owned()],
            Kind::Count => {
                let text = one(name, &arguments)?;
                let number = value::count(text);
                vec![number.ok_or_else(|| bad(name, text, "write a whole number, at most 2147483647"))?.to_string()]
            }
            Kind::Seconds => match one(name, &arguments)? {
                "none" => return Ok(()),
                text => vec![seconds(name, text)?.to_string()],
            },
            Kind::Port => {
                let text = one(name, &arguments)?;
                let port = value::port(text);
                vec![port.ok_or_else(|| bad(name, text, "write a number from 1 to 65535"))?.to_string()]
            }
            Kind::Word => vec![one(name, &arguments)?.to_owned()],
            Kind::Command => vec![none_or(line::command(said.rest))],
            Kind::ProxyCommand => {
                if self.get("proxyjump").is_some_and(|jump| jump != NO_JUMP) {
                    return Ok(());
                }
                vec![none_or(line::command(said.rest))]
            }
            Kind::ProxyJump => {
                let jump = proxy_jump(line::command(said.rest))?;
                if self.get("proxycommand").is_some() {
                    return Ok(());
                }
                vec![jump]
            }
            Kind::Algorithms(family) => {
                let text = one(name, &arguments)?;
                if let Some(unknown) = algorithms::unknown(*family, text) {
                    return Err(bad(name, &unknown, "ssh -Q help tells which names there are"));
                }
                vec![text.to_owned()]
            }
            Kind::Files => {
                if arguments.is_empty() {
                    return Ok(());
                }
                files(name, &arguments)?
            }
            Kind::OneMoreFile => return self.hear_file(name, one(name, &arguments)?, said),
            Kind::RekeyLimit => return self.hear_rekey_limit(name, &arguments, said),
            Kind::AddKeysToAgent => vec![add_keys(name, &arguments)?],
            Kind::ForwardAgent => return self.hear_forward_agent(name, one(name, &arguments)?, said, environment),
            Kind::IdentityAgent => {
                let agent = one(name, &arguments)?;
                check_environment(name, agent, environment)?;
                vec![agent.to_owned()]
            }
            Kind::Forward(kind) => {
                let (listen, connect) = forward_ends(name, *kind, &arguments)?;
                let forward = value::forward(*kind, listen, connect);
                let forward = forward
                    .ok_or_else(|| bad(name, &arguments.join(" "), "write [ADDRESS:]PORT and HOST:PORT, or paths"))?;
                if said.active {
                    self.add(name, forward, Some(said.place));
                }
                return few(name, self.all(name).len(), MOST_OTHERS);
            }
            Kind::SendEnv => return self.hear_send_env(name, &arguments, said),
            Kind::SetEnv => set_env(name, &arguments)?,
            Kind::Unused(right) => {
                if !right(&arguments) {
                    return Err(bad(name, &arguments.join(" "), "see ssh_config(5)"));
                }
                said.arguments.to_vec()
            }
        };
        if said.active && !values.is_empty() {
            self.set(name, values, Some(said.place));
        }
        Ok(())
    }

    fn hear_file(&mut self, name: &'static str, file: &str, said: &Said) -> Result<(), Error> {
        if !said.active {
            return Ok(());
        }
        self.add(name, file.to_owned(), Some(said.place));
        few(name, self.all(name).len(), MOST_FILES)
    }

    fn hear_rekey_limit(&mut self, name: &'static str, arguments: &[&str], said: &Said) -> Result<(), Error> {
        let (text, time) = match arguments {
            [text, time] => (*text, Some(*time)),
            other => (one(name, other)?, None),
        };
        let bytes = match text {
            "default" => 0,
            text => value::scaled(text)
                .filter(|&bytes| bytes == 0 || bytes >= 16)
                .ok_or_else(|| bad(name, text, "write a size such as 512M or 1G, or default"))?,
        };
        let time = match time {
            None | Some("none") => None,
            Some(time) => Some(seconds(name, time)?),
        };
        if said.active {
            self.set(name, vec![bytes.to_string()], Some(said.place));
            if let Some(time) = time {
                self.set(REKEY_SECONDS, vec![time.to_string()], Some(said.place));
            }
        }
        Ok(())
    }

    fn hear_forward_agent(
        &mut self,
        name: &'static str,
        agent: &str,
        said: &Said,
        environment: &Environment,
    ) -> Result<(), Error> {
        let known = choice(name, agent, YES_OR_NO).ok();
        if known.is_none() {
            check_environment(name, agent, environment)?;
        }
        if said.active {
            if known.is_none() {
                self.set(FORWARD_AGENT_PATH, vec![agent.to_owned()], Some(said.place));
            }
            let yes = known != Some("false");
            self.set(name, vec![if yes { "yes" } else { "no" }.to_owned()], Some(said.place));
        }
        Ok(())
    }

    fn hear_send_env(&mut self, name: &'static str, arguments: &[&str], said: &Said) -> Result<(), Error> {
        if let Some(wrong) = arguments.iter().find(|pattern| pattern.is_empty() || pattern.contains('=')) {
            return Err(bad(name, wrong, "write names of variables"));
        }
        if !said.active {
            return Ok(());
        }
        let mut patterns = self.all(name).to_vec();
        for pattern in arguments {
            match pattern.strip_prefix('-') {
                Some(gone) => patterns.retain(|pattern| !pattern::wildcard(gone, pattern)),
                None => patterns.push((*pattern).to_owned()),
            }
            few(name, patterns.len(), MOST_OTHERS)?;
        }
        self.replace(name, patterns);
        Ok(())
    }
}

fn few(name: &str, count: usize, most: usize) -> Result<(), Error> {
    let error = || Error::new(format!("{name} has more than {most} values")).hint("leave some out");
    if count > most { Err(error()) } else { Ok(()) }
}

fn bad(name: &str, text: &str, hint: &str) -> Error {
    Error::new(format!("{name} can not be {}", quoted(text))).hint(hint)
}

/// The one argument that there must be.
fn one<'a>(name: &str, arguments: &[&'a str]) -> Result<&'a str, Error> {
    match arguments {
        [] | [""] | ["", ..] => Err(Error::new(format!("{name} has no value")).hint("write one, or delete the line")),
        [one] => Ok(one),
        [_, more, ..] => Err(Error::new(format!("{name} has one value, and {} is more", quoted(more)))
            .hint("put quotes round a value with blanks")),
    }
}

fn choice(name: &str, text: &str, choices: &[(&str, &'static str)]) -> Result<&'static str, Error> {
    let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, shown)| *shown).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        bad(name, text, &format!("known are: {}", words.join(" ")))
    })
}

fn seconds(name: &str, text: &str) -> Result<u32, Error> {
    value::seconds(text).ok_or_else(|| bad(name, text, "write seconds, or a time such as 1m30s"))
}

fn none_or(text: &str) -> String {
    if text.eq_ignore_ascii_case("none") { "none".to_owned() } else { text.to_owned() }
}

/// The hops as ssh shows them: the last one put together again, the others as they were written.
fn proxy_jump(text: &str) -> Result<String, Error> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(NO_JUMP.to_owned());
    }
    let text = text.split([' ', '\t', '\r', '\n', '#']).next().unwrap_or_default();
    let wrong = || bad("proxyjump", text, "write [USER@]HOST[:PORT], more of them after commas, or none");
    let hops = value::hops(text).ok_or_else(wrong)?;
    let last = shown(hops.last().ok_or_else(wrong)?);
    Ok(match text.rsplit_once(',') {
        Some((before, _)) => format!("{before},{last}"),
        None => last,
    })
}

fn shown(hop: &Hop) -> String {
    let user = hop.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let address = hop.host.contains(':') || hop.host.chars().all(|c| c.is_ascii_digit() || c == '.');
    let host = if address { format!("[{}]", hop.host) } else { hop.host.clone() };
    let port = hop.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{host}{port}")
}

fn files(name: &str, arguments: &[&str]) -> Result<Vec<String>, Error> {
    if arguments.contains(&"") {
        return Err(Error::new(format!("{name} has an empty name")).hint("leave it out"));
    }
    if arguments.len() > 1 && arguments.iter().any(|file| file.eq_ignore_ascii_case("none")) {
        return Err(Error::new(format!("none is not alone in {name}")).hint("write none, or names of files"));
    }
    few(name, arguments.len(), MOST_KNOWN_HOSTS)?;
    Ok(match arguments {
        [one] => vec![none_or(one)],
        many => many.iter().map(|&file| file.to_owned()).collect(),
    })
}

fn add_keys(name: &str, arguments: &[&str]) -> Result<String, Error> {
    let hint = "write yes, no, ask, confirm, a time such as 1h, or confirm and a time";
    match arguments {
        [confirm, time] if confirm.eq_ignore_ascii_case("confirm") => Ok(match seconds(name, time)? {
            0 => "confirm".to_owned(),
            seconds => format!("confirm {seconds}"),
        }),
        [] | ["", ..] => one(name, arguments).map(str::to_owned),
        [word] => match (choice(name, word, ADD_KEYS), value::seconds(word)) {
            (Ok(shown), _) => Ok(shown.to_owned()),
            (_, Some(0)) => Ok("true".to_owned()),
            (_, Some(seconds)) => Ok(seconds.to_string()),
            _ => Err(bad(name, word, hint)),
        },
        more => Err(bad(name, &more.join(" "), hint)),
    }
}

/// A variable that is named must have a name, and one in braces a value.
fn check_environment(name: &str, text: &str, environment: &Environment) -> Result<(), Error> {
    tokens::variables(text, environment).map_err(|error| error.hint(format!("in {name}; set it, or write a path")))?;
    match text.strip_prefix('$') {
        Some(variable) if !variable.starts_with('{') => {
            let right = !variable.is_empty() && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if right { Ok(()) } else { Err(bad(name, text, "a variable's name has letters, digits and _ only")) }
        }
        _ => Ok(()),
    }
}

fn forward_ends<'a>(
    name: &str,
    kind: value::Forward,
    arguments: &[&'a str],
) -> Result<(&'a str, Option<&'a str>), Error> {
    match (kind, arguments) {
        (value::Forward::Local | value::Forward::Remote, &[listen, connect])
            if !listen.is_empty() && !connect.is_empty() =>
        {
            Ok((listen, Some(connect)))
        }
        (value::Forward::Local, [_, ""] | [_]) => {
            Err(Error::new(format!("{name} does not say whereto")).hint("write [ADDRESS:]PORT HOST:PORT"))
        }
        (value::Forward::Local | value::Forward::Remote, [_, _, more, ..]) => {
            Err(Error::new(format!("{name} has two values, and {} is more", quoted(more))).hint("leave it out"))
        }
        _ => Ok((one(name, arguments)?, None)),
    }
}

fn set_env(name: &str, arguments: &[&str]) -> Result<Vec<String>, Error> {
    let mut variables: Vec<String> = Vec::new();
    for argument in arguments {
        let (variable, _) = argument.split_once('=').ok_or_else(|| bad(name, argument, "write NAME=VALUE"))?;
        if !variables.iter().any(|known| known.split_once('=').is_some_and(|(name, _)| name == variable)) {
            variables.push((*argument).to_owned());
            few(name, variables.len(), MOST_OTHERS)?;
        }
    }
    Ok(variables)
}
