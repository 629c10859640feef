//! Tests of the whole room: what needs no ssh to compare with.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use super::*;

/// A home with a configuration, and a machine's file in `etc`.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new(config: &str) -> Home {
        let home = Home { folder: tempfile::tempdir().unwrap() };
        home.write(".ssh/config", config);
        home
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn request(&self, host: &str) -> Request {
        let home = self.folder.path();
        let mut request = Request::new(host);
        request.uid = fs::metadata(home).unwrap().uid();
        request.home = Some(home.to_owned());
        request.system_file = home.join("etc/ssh_config");
        request.local_user = "me".to_owned();
        request.local_host = "here.example.org".to_owned();
        request
    }

    fn resolve(&self, host: &str) -> Resolved {
        resolve(&self.request(host)).unwrap()
    }

    /// The error, with the home's path as `~`.
    fn error(&self, host: &str) -> String {
        let error = resolve(&self.request(host)).unwrap_err().to_string();
        error.replace(&*self.folder.path().to_string_lossy(), "~")
    }
}

#[test]
fn without_files_there_are_defaults() {
    let resolved = resolve(&Request { local_user: "me".into(), ..Request::new("Host.Example") }).unwrap();
    assert_eq!((resolved.host.as_str(), resolved.user.as_str(), resolved.port), ("host.example", "me", 22));
    assert_eq!(resolved.proxy, Proxy::None);
    assert_eq!(resolved.identity_agent, Agent::Variable("SSH_AUTH_SOCK".into()));
    assert_eq!(resolved.strict_host_key_checking, StrictHostKeyChecking::Ask);
    assert_eq!((resolved.connect_timeout, resolved.server_alive_interval), (None, None));
    assert_eq!(resolved.rekey_limit, RekeyLimit { bytes: None, time: None });
    assert!(resolved.identities_are_defaults && resolved.identity_files.len() == 7);
    assert!(resolved.tcp_keep_alive && resolved.password_authentication && !resolved.batch_mode);
    assert_eq!(resolved.global_known_hosts.len(), 2);
}

#[test]
fn every_value_has_its_type() {
    let home = Home::new(
        "HostName real-%h\nUser u\nPort 7\nProxyJump a@b:5,[::1],%r\nIdentityFile ~/k-%r\nIdentityFile none\n\
         IdentityFile %z\nCertificateFile c\nIdentityAgent none\nUserKnownHostsFile ~/a %d/b\nGlobalKnownHostsFile none\n\
         StrictHostKeyChecking accept-new\nHostKeyAlias Alias\nServerAliveInterval 1m\nConnectTimeout 5\nRekeyLimit 1G 1h\n\
         AddKeysToAgent confirm 1m\nPreferredAuthentications publickey,password\nPubkeyAuthentication unbound\n\
         UpdateHostKeys ask\nCiphers +aes128-cbc\nAddressFamily inet6\n",
    );
    let resolved = home.resolve("x");
    let at = |name: &str| home.folder.path().join(name);
    assert_eq!((resolved.host.as_str(), resolved.user.as_str(), resolved.port), ("real-x", "u", 7));
    let hop = |user: Option<&str>, host: &str, port| Hop { user: user.map(Into::into), host: host.into(), port };
    assert_eq!(
        resolved.proxy,
        Proxy::Jump(vec![hop(Some("a"), "b", Some(5)), hop(None, "::1", None), hop(None, "u", None)])
    );
    assert_eq!(resolved.identity_files.len(), 2);
    assert_eq!(resolved.identity_files[0].value, Ok(at("k-u")));
    assert!(resolved.identity_files[1].value.is_err() && !resolved.identities_are_defaults);
    assert_eq!(resolved.certificate_files[0].value, Ok("c".into()));
    assert_eq!(resolved.identity_agent, Agent::None);
    assert_eq!(resolved.user_known_hosts, [at("a"), at("b")]);
    assert!(resolved.global_known_hosts.is_empty());
    assert_eq!(resolved.strict_host_key_checking, StrictHostKeyChecking::AcceptNew);
    assert_eq!(resolved.host_key_alias.as_deref(), Some("alias"));
    assert_eq!(resolved.server_alive_interval, Some(Duration::from_secs(60)));
    assert_eq!(resolved.connect_timeout, Some(Duration::from_secs(5)));
    assert_eq!(resolved.rekey_limit, RekeyLimit { bytes: Some(1 << 30), time: Some(Duration::from_secs(3600)) });
    let lifetime = Some(Duration::from_secs(60));
    assert_eq!(resolved.add_keys_to_agent, AddKeys::Yes { confirm: true, lifetime });
    assert_eq!(resolved.preferred_authentications, Some(vec!["publickey".into(), "password".into()]));
    assert_eq!(resolved.pubkey_authentication, PublicKeys::Unbound);
    assert_eq!((resolved.update_host_keys, resolved.family), (Ask::Ask, Family::Inet6));
    let ciphers = resolved.ciphers.map(|list| list.apply(&["aes256-ctr"], &["aes256-ctr", "aes128-cbc"]));
    assert_eq!(ciphers, Some(vec!["aes256-ctr".into(), "aes128-cbc".into()]));
}

#[test]
fn proxy_commands_know_their_tokens_only() {
    let of = |command: &str| match Home::new(&format!("HostName r\nProxyCommand {command}\n")).resolve("x").proxy {
        Proxy::Command(command) => command.value.map_err(|error| error.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(of("nc %h %p %r %n '%%'"), Ok("nc r 22 me x '%'".into()));
    assert!(of("nc %u").unwrap_err().contains("no token \"%u\""));
}

#[test]
fn the_users_file_comes_first_then_the_machines() {
    let home = Home::new("Host x\nPort 1\nInclude more\n");
    home.write(".ssh/more", "User inner\n");
    home.write("etc/ssh_config", "Include conf.d/*.conf\nPort 9\nUser late\nCompression yes\n");
    home.write("etc/conf.d/a.conf", "ConnectTimeout 3\n");
    let resolved = home.resolve("x");
    assert_eq!((resolved.user.as_str(), resolved.port, resolved.compression), ("inner", 1, true));
    assert_eq!(resolved.connect_timeout, Some(Duration::from_secs(3)));
    let read = resolved.files_read.iter().map(|path| path.strip_prefix(home.folder.path()).unwrap());
    let expected = [".ssh/config", ".ssh/more", "etc/ssh_config", "etc/conf.d/a.conf"];
    assert!(read.eq(expected.map(Path::new)), "{:?}", resolved.files_read);
    let mut request = home.request("x");
    request.config_file = Some(home.folder.path().join(".ssh/more"));
    let resolved = resolve(&request).unwrap();
    assert_eq!((resolved.user.as_str(), resolved.port, resolved.files_read.len()), ("inner", 22, 1));
    request.config_file = Some("none".into());
    assert!(resolve(&request).unwrap().files_read.is_empty());
}

#[test]
fn files_that_others_can_write_are_refused() {
    let home = Home::new("Port 5\n");
    let config = home.folder.path().join(".ssh/config");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o602)).unwrap();
    assert_eq!(home.error("x"), "~/.ssh/config: others can write to it; run: chmod go-w on it");
    // As in ssh, a file that was named is the business of who named it; what it includes is not.
    let mut request = home.request("x");
    request.config_file = Some(config);
    assert_eq!(resolve(&request).unwrap().port, 5);
    let home = Home::new("Include open\n");
    home.write(".ssh/open", "Port 5\n");
    fs::set_permissions(home.folder.path().join(".ssh/open"), fs::Permissions::from_mode(0o646)).unwrap();
    assert!(home.error("x").starts_with("~/.ssh/open: others can write"));
    let mut request = Home::new("").request("x");
    request.home = None;
    assert!(resolve(&request).is_ok());
}

#[test]
fn errors_say_where_and_what_to_try_in_one_line() {
    for (config, error) in [
        (
            "Host y\n\nPrt 5",
            "~/.ssh/config:3: the keyword \"prt\" is not known; correct it, or write IgnoreUnknown and its name above it",
        ),
        ("Port 99999", "~/.ssh/config:1: port can not be \"99999\"; write a number from 1 to 65535"),
        ("Port", "~/.ssh/config:1: nothing follows \"port\"; write a value, or delete the line"),
        ("User \"a", "~/.ssh/config:1: a quote has no twin; close it, or write \\ before it"),
        ("User a b", "~/.ssh/config:1: user has one value, and \"b\" is more; put quotes round a value with blanks"),
        ("BatchMode \u{1b}[1m", "~/.ssh/config:1: batchmode can not be \"\\u{1b}[1m\"; known are: yes no true false"),
        (
            "HostName %x",
            "~/.ssh/config:1: \"%x\" has no token \"%x\"; see TOKENS in ssh_config(5); %% is a percent sign",
        ),
        ("Match exec \"rm x\"\nPort 5", "~/.ssh/config:1: match exec would run \"rm x\"; --allow-match-exec lets it"),
        ("Ciphers rot13", "~/.ssh/config:1: ciphers can not be \"rot13\"; ssh -Q help tells which names there are"),
        (
            "IdentityAgent ${A}",
            "~/.ssh/config:1: the environment has no variable \"A\"; in identityagent; set it, or write a path",
        ),
        ("ConnectionAttempts 0", "~/.ssh/config:1: connectionattempts can not be 0; write 1 or more"),
        ("Include self", "~/.ssh/self:1: files include files more than 16 times; does one include itself?"),
    ] {
        let home = Home::new(config);
        home.write(".ssh/self", "Include self\n");
        assert_eq!(home.error("x"), error, "{config}");
    }
    let mut request = Home::new("").request("x");
    request.options = vec!["Prot=5".into()];
    assert!(resolve(&request).unwrap_err().to_string().starts_with("-o Prot=5: the keyword \"prot\" is not known;"));
    request.options = Vec::new();
    request.config_file = Some("/no/such/file".into());
    assert_eq!(resolve(&request).unwrap_err().to_string(), "/no/such/file: there is no such file; -F none reads none");
    assert!(
        resolve(&Request::new("a;b")).unwrap_err().to_string().starts_with("\"a;b\" can not be the name of a host")
    );
}

#[test]
fn match_exec_runs_only_where_it_decides() {
    let home = Home::new("Match host y exec \"touch %d/run\"\nHost y\nInclude more\nHost *\nUser u\n");
    home.write(".ssh/more", "Match exec \"touch %d/run\"\n");
    let mut request = home.request("x");
    assert_eq!(resolve(&request).unwrap().user, "u");
    request.allow_match_exec = true;
    assert_eq!(resolve(&request).unwrap().user, "u");
    assert!(!home.folder.path().join("run").exists());
    request.host = "y".into();
    assert_eq!(resolve(&request).unwrap().user, "u");
    assert!(home.folder.path().join("run").exists());
}

#[test]
fn what_ssh_would_have_minded_is_told() {
    let home = Home::new(
        "VerifyHostKeyDNS yes\nHost x\nRevokedHostKeys ~/revoked\nPKCS11Provider none\nSecurityKeyProvider internal\n\
         KnownHostsCommand /bin/khc %H\nHost y\nHostbasedAuthentication yes\n",
    );
    let told = home.resolve("x").ignored_but_relevant;
    let told: Vec<_> = told.iter().map(|missed| (missed.keyword, missed.value.as_str())).collect();
    assert_eq!(
        told,
        [("verifyhostkeydns", "true"), ("knownhostscommand", "/bin/khc %H"), ("revokedhostkeys", "~/revoked")]
    );
    let place = home.resolve("y").ignored_but_relevant[1].place.clone();
    assert_eq!(place, Some(Place::Line { file: home.folder.path().join(".ssh/config"), line: 8 }));
}

#[test]
fn a_configuration_without_bound_is_refused() {
    let home = Home::new("Include a a\n");
    home.write(".ssh/a", "Include b b b b b b b b\n");
    home.write(".ssh/b", &"Include c c c c c c c c c c\n".repeat(1000));
    home.write(".ssh/c", "Port 5\n");
    assert!(home.error("x").ends_with("more than 100000 lines; include fewer files"), "{}", home.error("x"));
    let many = |line: fn(usize) -> String| Home::new(&(1..2000).map(line).collect::<String>()).error("x");
    let error = "~/.ssh/config:101: identityfile has more than 100 values; leave some out";
    assert_eq!(many(|number| format!("IdentityFile {number}\n")), error);
    assert!(many(|number| format!("LocalForward {number} a:1\n")).contains(":1001: localforward has more than 1000"));
    assert!(many(|number| format!("SendEnv A{number} B\n")).contains(":501: sendenv has more than 1000"));
    let home = Home::new(&"#".repeat((1 << 20) + 1));
    assert!(home.error("x").starts_with("~/.ssh/config: larger than any configuration"));
}

#[test]
fn no_line_makes_it_panic() {
    let words = [
        "Host", "Match", "exec", "Include", "Port", "=", "\"", "'", "\\", "#", "%", "${", "~", "!", "*", "[", "ü", ",",
    ];
    let keywords = ["RekeyLimit", "LocalForward", "ProxyJump", "SetEnv", "Ciphers", "AddKeysToAgent", "IdentityAgent"];
    let all: Vec<&str> = words.iter().chain(&keywords).copied().collect();
    let mut state: u64 = 1;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let home = Home::new("");
    for _ in 0..3000 {
        let line: String = (0..next(8)).map(|_| all[next(all.len())].to_owned() + ["", " ", "\t"][next(3)]).collect();
        let mut request = home.request("x");
        request.options = vec![line.clone()];
        request.config_file = Some("none".into());
        let _ = resolve(&request).map(|resolved| print(&resolved, &Algorithms::OPENSSH_9_2));
        home.write(".ssh/config", &line);
        request.config_file = None;
        let _ = resolve(&request).map(|resolved| print(&resolved, &Algorithms::OPENSSH_9_2));
    }
}
