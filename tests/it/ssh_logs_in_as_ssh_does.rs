//! Keys, certificates and known hosts, with OpenSSH on the other side: what `ssh` would believe and offer.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sshvnc::transport::{
    Answer, Asker, Connection, Destination, Error, HostKeyChecking, Identity, KnownHosts, Login, Pins, Route, SshFacts,
    SshOptions, SshRoute, TcpOptions, connect,
};

use crate::real::sshd::{Sshd, certify, make_key, me};
use crate::real::{Running, output, within};

/// Logs in with the key that the server knows, and opens a channel back to the server itself.
fn route(sshd: &Sshd) -> SshRoute {
    let mut login = Login::new(me());
    login.identities = vec![Identity::File(sshd.path("user"))];
    SshRoute {
        via: Route::Tcp { host: "127.0.0.1".into(), port: sshd.port, options: TcpOptions::default() },
        host: "127.0.0.1".into(),
        port: sshd.port,
        login,
        known_hosts: KnownHosts::Files { user: vec![sshd.known_hosts()], global: vec![] },
        to: Destination::Tcp { host: "127.0.0.1".into(), port: sshd.port },
        options: SshOptions::default(),
    }
}

async fn go(route: SshRoute) -> Result<Connection, Error> {
    connect(Route::Ssh(Box::new(route)), &Asker::nobody()).await
}

async fn facts(sshd: &Sshd, edit: impl FnOnce(&mut SshRoute)) -> Result<SshFacts, Error> {
    let mut route = route(sshd);
    edit(&mut route);
    go(route).await.map(|connection| connection.facts.ssh[0].clone())
}

async fn refusal(sshd: &Sshd, edit: impl FnOnce(&mut SshRoute)) -> (String, String) {
    let error = facts(sshd, edit).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_) | Error::Distrusted(_)), "{error:?}");
    (error.message().to_owned(), error.what_to_try().unwrap_or_default().to_owned())
}

/// The keys that `ssh-keygen` finds for the server.
fn found(sshd: &Sshd) -> Vec<String> {
    let name = format!("[127.0.0.1]:{}", sshd.port);
    let found = Command::new("ssh-keygen").args(["-F", &name, "-f"]).arg(sshd.known_hosts()).output().unwrap();
    let lines = String::from_utf8(found.stdout).unwrap();
    let keys = lines.lines().filter(|line| !line.starts_with('#'));
    keys.map(|line| line.split(' ').skip(1).take(2).collect::<Vec<_>>().join(" ")).collect()
}

const KINDS: [(&str, &[&str]); 5] = [
    ("ed25519", &["ed25519"]),
    ("rsa", &["rsa", "-b", "2048"]),
    ("p256", &["ecdsa", "-b", "256"]),
    ("p384", &["ecdsa", "-b", "384"]),
    ("p521", &["ecdsa", "-b", "521"]),
];

#[tokio::test]
async fn a_key_of_each_type_opens_the_door() {
    let sshd = Sshd::start();
    for (name, kind) in KINDS {
        make_key(sshd.folder.path(), name, kind);
        fs::write(sshd.path("authorized_keys"), sshd.public(name) + "\n").unwrap();
        let key = sshd.path(name);
        let facts = facts(&sshd, |route| route.login.identities = vec![Identity::File(key.clone())]).await.unwrap();
        assert_eq!(facts.authenticated_by, format!("publickey, {}", key.display()));
    }
}

#[tokio::test]
async fn a_key_whose_public_half_is_nowhere_is_unlocked_once() {
    let sshd = Sshd::start();
    let key = sshd.path("pem");
    let mut keygen = Command::new("ssh-keygen");
    output(keygen.args(["-q", "-m", "PEM", "-t", "rsa", "-b", "2048", "-N", "right", "-f"]).arg(&key));
    fs::rename(sshd.path("pem.pub"), sshd.path("authorized_keys")).unwrap();
    let (asker, mut questions) = Asker::new();
    let person = tokio::spawn(async move {
        questions.recv().await.unwrap().reply.send(Answer::Secret("right".into())).unwrap();
        questions.recv().await.map(|question| question.kind)
    });
    let mut route = route(&sshd);
    route.login.identities = vec![Identity::File(key)];
    connect(Route::Ssh(Box::new(route)), &asker).await.unwrap();
    drop(asker);
    assert_eq!(person.await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_says_goodbye_after_failed_attempts_has_refused() {
    for (tries, words) in [("1", "(after 1 failed attempt)"), ("2", "(after 2 failed attempts)")] {
        let sshd = Sshd::with_config(|folder| {
            make_key(folder, "another", &["ed25519"]);
            format!("MaxAuthTries {tries}")
        });
        let keys = ["stranger", "another", "user"].map(|name| Identity::File(sshd.path(name)));
        let (message, hint) = refusal(&sshd, |route| route.login.identities = keys.to_vec()).await;
        assert!(message.contains("Too many authentication failures") && message.ends_with(words), "{message}");
        assert!(hint.contains("name the right key"), "{hint}");
    }
}

/// A server that lets in whoever has a certificate of the key `authority`, and a certified key of each type.
fn with_authority(options: &[&str]) -> Sshd {
    let me = me();
    let sshd = Sshd::with_config(|folder| {
        make_key(folder, "authority", &["ed25519"]);
        for (name, kind) in KINDS {
            make_key(folder, name, kind);
            certify(folder, "authority", name, &[&["-n", &me], options].concat());
        }
        format!("TrustedUserCAKeys {}", folder.join("authority.pub").display())
    });
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    sshd
}

#[tokio::test]
async fn the_certificate_beside_a_key_opens_the_door() {
    let sshd = with_authority(&[]);
    for (name, _) in KINDS {
        let key = sshd.path(name);
        let facts = facts(&sshd, |route| route.login.identities = vec![Identity::File(key.clone())]).await.unwrap();
        assert_eq!(facts.authenticated_by, format!("publickey, {}-cert.pub", key.display()));
    }
}

#[tokio::test]
async fn a_certificate_may_be_named_and_lie_elsewhere() {
    let sshd = with_authority(&[]);
    let moved = sshd.path("moved.pub");
    fs::rename(sshd.path("rsa-cert.pub"), &moved).unwrap();
    let key = Identity::File(sshd.path("rsa"));
    refusal(&sshd, |route| route.login.identities = vec![key.clone()]).await;
    let expected = format!("publickey, {}", moved.display());
    let by_option = facts(&sshd, |route| {
        route.login.identities = vec![key.clone()];
        route.login.certificates = vec![moved.clone()];
    });
    assert_eq!(by_option.await.unwrap().authenticated_by, expected);
    let like_a_key =
        facts(&sshd, |route| route.login.identities = vec![Identity::File(moved.clone()), key.clone()]).await;
    assert_eq!(like_a_key.unwrap().authenticated_by, expected);
    // Without its key it is of no use.
    let (_, hint) = refusal(&sshd, |route| route.login.identities = vec![Identity::File(moved.clone())]).await;
    assert!(hint.contains("is a certificate whose private key is neither given nor in the agent"), "{hint}");
}

fn agent(folder: &Path) -> (Running, std::path::PathBuf) {
    let socket = folder.join("agent");
    let mut command = Command::new("ssh-agent");
    let agent = Running::start(command.args(["-D", "-a"]).arg(&socket), &folder.join("agent.log"));
    assert!(within(Duration::from_secs(5), || socket.exists()));
    (agent, socket)
}

fn add(socket: &Path, key: &Path) {
    output(Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", socket));
}

#[tokio::test]
async fn the_agent_signs_for_certificates() {
    let sshd = with_authority(&[]);
    for name in ["ed25519", "rsa"] {
        let (_agent, socket) = agent(sshd.folder.path());
        // It takes the certificate along.
        add(&socket, &sshd.path(name));
        let by_agent = |route: &mut SshRoute| {
            route.login.identities.clear();
            route.login.agent = Some(socket.clone());
        };
        let facts_of_all = facts(&sshd, by_agent).await.unwrap();
        assert!(facts_of_all.authenticated_by.ends_with("(agent)"), "{facts_of_all:?}");

        // It has the key only, and the certificate is in a file; also if nothing else may be used.
        output(Command::new("ssh-add").arg("-qD").env("SSH_AUTH_SOCK", &socket));
        let moved = sshd.path(&format!("{name}.certificate"));
        fs::rename(sshd.path(&format!("{name}-cert.pub")), &moved).unwrap();
        add(&socket, &sshd.path(name));
        refusal(&sshd, by_agent).await;
        let facts_of_file = facts(&sshd, |route| {
            by_agent(route);
            route.login.certificates = vec![moved.clone()];
            route.login.identities_only = true;
        });
        assert_eq!(facts_of_file.await.unwrap().authenticated_by, format!("publickey, {}", moved.display()));
        fs::remove_file(&socket).unwrap();
    }
}

#[tokio::test]
async fn an_expired_certificate_is_named_in_the_refusal() {
    let sshd = with_authority(&["-V", "20200101:20200201"]);
    let key = sshd.path("ed25519");
    let (message, hint) = refusal(&sshd, |route| route.login.identities = vec![Identity::File(key.clone())]).await;
    assert!(message.contains("tried publickey, ") && message.contains("ed25519-cert.pub"), "{message}");
    assert!(hint.contains("ed25519-cert.pub is not good: it expired"), "{hint}");
}

#[tokio::test]
async fn keys_of_types_that_are_not_accepted_are_not_tried() {
    let sshd = Sshd::start();
    make_key(sshd.folder.path(), "rsa", &["rsa", "-b", "2048"]);
    fs::write(sshd.path("authorized_keys"), [sshd.public("rsa"), sshd.public("user")].join("\n")).unwrap();
    let (message, hint) =
        refusal(&sshd, |route| route.options.algorithms.user_keys = vec!["rsa-sha2-256".into()]).await;
    assert!(message.contains("nothing could be tried"), "{message}");
    assert!(hint.contains("was not tried: PubkeyAcceptedAlgorithms leaves out ssh-ed25519"), "{hint}");
    for (name, good) in [("rsa-sha2-256", true), ("rsa-sha2-512", true), ("ssh-rsa", false)] {
        let rsa = Identity::File(sshd.path("rsa"));
        let facts = facts(&sshd, |route| {
            route.login.identities = vec![rsa];
            route.options.algorithms.user_keys = vec![name.into()];
        });
        assert_eq!(facts.await.is_ok(), good, "{name}");
    }
}

/// A server with a host certificate, whose user knows nothing but the key that signed it.
fn certified(kind: &[&str], options: &[&str]) -> Sshd {
    let sshd = Sshd::with_config(|folder| {
        make_key(folder, "authority", &["ed25519"]);
        make_key(folder, "certified", kind);
        certify(folder, "authority", "certified", &[&["-h"], options].concat());
        let key = folder.join("certified").display().to_string();
        format!("HostKey {key}\nHostCertificate {key}-cert.pub")
    });
    fs::write(sshd.known_hosts(), format!("@cert-authority *,!no.example.org {}\n", sshd.public("authority"))).unwrap();
    sshd
}

fn alias(name: &str) -> impl Fn(&mut SshRoute) + '_ {
    move |route| {
        route.options.host_keys.alias = Some(name.into());
        route.options.host_keys.checking = HostKeyChecking::Yes;
    }
}

#[tokio::test]
async fn a_host_certificate_of_a_known_authority_is_believed() {
    let principals = ["-n", "127.0.0.1,desk.example.org,*.wild.example.org"];
    for (_, kind) in KINDS {
        let sshd = certified(kind, &principals);
        let before = fs::read(sshd.known_hosts()).unwrap();
        let facts = facts(&sshd, |_| ()).await.unwrap();
        assert!(facts.host_key_algorithm.ends_with("-cert-v01@openssh.com"), "{facts:?}");
        assert!(!facts.host_key_unproven);
        assert!(facts.host_key_by.starts_with("certified by the authority at "), "{}", facts.host_key_by);
        assert_eq!(fs::read(sshd.known_hosts()).unwrap(), before);
    }
    let sshd = certified(&["ed25519"], &principals);
    facts(&sshd, alias("desk.example.org")).await.unwrap();
    facts(&sshd, alias("a.wild.example.org")).await.unwrap();

    // No line names an authority for this one, so the plain key is what counts.
    let (message, _) = refusal(&sshd, alias("no.example.org")).await;
    assert!(message.contains("is not known") && !message.contains("certificate"), "{message}");
    // HostKeyAlgorithms may leave certificates out.
    let (message, _) = refusal(&sshd, |route| {
        alias("desk.example.org")(route);
        route.options.algorithms.host_keys = Some(vec!["ssh-ed25519".into()]);
    })
    .await;
    assert!(message.contains("is not known") && !message.contains("certificate"), "{message}");
}

#[tokio::test]
async fn a_host_certificate_for_others_or_of_other_times_proves_nothing() {
    let sshd = certified(&["ed25519"], &["-n", "other.example.org"]);
    let (message, _) = refusal(&sshd, alias("desk.example.org")).await;
    assert!(
        message.contains("its certificate is not accepted: it is for other.example.org, not for desk"),
        "{message}"
    );
    // Nobody is there to be asked about the plain key.
    let (message, _) = refusal(&sshd, |_| ()).await;
    assert!(message.ends_with("and there is no terminal to ask on"), "{message}");
    // As in ssh, the plain key is enough if it is known.
    let line = format!("desk.example.org {}\n", sshd.public("certified"));
    fs::write(sshd.known_hosts(), fs::read_to_string(sshd.known_hosts()).unwrap() + &line).unwrap();
    let plain = facts(&sshd, alias("desk.example.org")).await.unwrap();
    assert_eq!(plain.host_key_algorithm, "ssh-ed25519");
    // But not if HostKeyAlgorithms wants a certificate.
    let (message, hint) = refusal(&sshd, |route| {
        alias("desk.example.org")(route);
        route.options.algorithms.host_keys = Some(vec!["ssh-ed25519-cert-v01@openssh.com".into()]);
    })
    .await;
    assert!(message.contains("is not proven: its certificate is not accepted"), "{message}");
    assert!(hint.contains("HostKeyAlgorithms"), "{hint}");

    let sshd = certified(&["rsa", "-b", "2048"], &["-n", "desk.example.org", "-V", "20200101:20200201"]);
    let (message, _) = refusal(&sshd, alias("desk.example.org")).await;
    assert!(message.contains("its certificate is not accepted: it expired"), "{message}");

    let sshd = certified(&["ed25519"], &[]);
    let (message, _) = refusal(&sshd, alias("desk.example.org")).await;
    assert!(message.contains("it names no host"), "{message}");
}

#[tokio::test]
async fn revoked_keys_and_authorities_are_refused() {
    let sshd = certified(&["ed25519"], &["-n", "desk.example.org"]);
    facts(&sshd, alias("desk.example.org")).await.unwrap();
    let known = fs::read_to_string(sshd.known_hosts()).unwrap();
    // Knowing the plain key does not help.
    for (revoked, words) in [("authority", "the key that signed the host certificate"), ("certified", "the host key")] {
        let plain = format!("desk.example.org {}\n", sshd.public("certified"));
        let line = format!("@revoked * {}\n", sshd.public(revoked));
        fs::write(sshd.known_hosts(), format!("{known}{plain}{line}")).unwrap();
        for checking in [HostKeyChecking::Yes, HostKeyChecking::AcceptNew, HostKeyChecking::No] {
            let (message, hint) = refusal(&sshd, |route| {
                alias("desk.example.org")(route);
                route.options.host_keys.checking = checking;
            })
            .await;
            assert!(message.starts_with(words) && message.contains("is revoked at"), "{message}");
            assert!(message.ends_with(&format!("{}:3", sshd.known_hosts().display())), "{message}");
            assert!(hint.starts_with("do not connect"), "{hint}");
        }
    }
    // Without any certificate.
    let sshd = Sshd::start();
    let line = format!("@revoked * {}\n", sshd.public("host"));
    fs::write(sshd.known_hosts(), fs::read_to_string(sshd.known_hosts()).unwrap() + &line).unwrap();
    let (message, _) = refusal(&sshd, |_| ()).await;
    assert!(message.contains("is revoked at"), "{message}");
}

#[tokio::test]
async fn strict_host_key_checking_has_four_values() {
    use HostKeyChecking::{AcceptNew, Ask, No, Yes};
    let sshd = Sshd::start();
    let ours = sshd.public("host");
    let connects = async |checking| facts(&sshd, |route| route.options.host_keys.checking = checking).await;
    for checking in [Yes, AcceptNew, Ask, No] {
        assert!(!connects(checking).await.unwrap().host_key_unproven);
    }

    for (checking, good) in [(Yes, false), (Ask, false), (AcceptNew, true), (No, true)] {
        fs::write(sshd.known_hosts(), "").unwrap();
        assert_eq!(connects(checking).await.is_ok(), good, "{checking:?}");
        assert_eq!(found(&sshd), if good { vec![ours.clone()] } else { vec![] }, "{checking:?}");
    }

    let other = format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.public("stranger"));
    for (checking, good) in [(Yes, false), (Ask, false), (AcceptNew, false), (No, true)] {
        fs::write(sshd.known_hosts(), &other).unwrap();
        match connects(checking).await {
            Ok(facts) => assert!(good && facts.host_key_unproven, "{checking:?}"),
            Err(error) => assert!(!good && error.message().contains("has changed"), "{checking:?}: {error}"),
        }
        assert_eq!(fs::read_to_string(sshd.known_hosts()).unwrap(), other, "{checking:?}");
    }
}

#[tokio::test]
async fn hashed_names_are_found_by_ssh() {
    let sshd = Sshd::start();
    fs::write(sshd.known_hosts(), "").unwrap();
    let hashing = |checking| {
        move |route: &mut SshRoute| {
            route.options.host_keys.checking = checking;
            route.options.host_keys.hash = true;
        }
    };
    facts(&sshd, hashing(HostKeyChecking::AcceptNew)).await.unwrap();
    let text = fs::read_to_string(sshd.known_hosts()).unwrap();
    assert!(text.starts_with("|1|") && !text.contains("127.0.0.1") && text.lines().count() == 1, "{text}");
    assert_eq!(found(&sshd), [sshd.public("host")]);
    facts(&sshd, hashing(HostKeyChecking::Yes)).await.unwrap();
    assert_eq!(fs::read_to_string(sshd.known_hosts()).unwrap(), text);
}

/// A server with two host keys more than the user knows.
fn with_three_keys() -> Sshd {
    Sshd::with_config(|folder| {
        make_key(folder, "host_rsa", &["rsa", "-b", "2048"]);
        make_key(folder, "host_p256", &["ecdsa", "-b", "256"]);
        let lines = ["host_rsa", "host_p256"].map(|name| format!("HostKey {}", folder.join(name).display()));
        lines.join("\n")
    })
}

fn updating(sshd: &Sshd) -> SshRoute {
    let mut route = route(sshd);
    route.options.host_keys.update = true;
    route.options.host_keys.hash = true;
    route.options.host_keys.checking = HostKeyChecking::AcceptNew;
    route
}

/// Stays connected until the server's other keys are known, or for a while.
async fn stays(sshd: &Sshd, route: SshRoute) -> Vec<String> {
    learns(sshd, go(route).await.unwrap()).await
}

async fn learns(sshd: &Sshd, _connection: Connection) -> Vec<String> {
    for _ in 0..30 {
        if found(sshd).len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    found(sshd)
}

#[tokio::test]
async fn further_host_keys_of_a_known_host_are_learned() {
    let sshd = with_three_keys();
    let before = fs::read_to_string(sshd.known_hosts()).unwrap();
    let mut all = ["host", "host_rsa", "host_p256"].map(|name| sshd.public(name));
    let mut learned = stays(&sshd, updating(&sshd)).await;
    all.sort();
    learned.sort();
    assert_eq!(learned, all);
    let text = fs::read_to_string(sshd.known_hosts()).unwrap();
    assert!(text.starts_with(&before) && text.lines().skip(1).all(|line| line.starts_with("|1|")), "{text}");
    // Any of them is enough from now on, and nothing is added twice.
    let mut route = updating(&sshd);
    route.options.algorithms.host_keys = Some(vec!["rsa-sha2-512".into()]);
    route.options.host_keys.checking = HostKeyChecking::Yes;
    stays(&sshd, route).await;
    assert_eq!(fs::read_to_string(sshd.known_hosts()).unwrap(), text);
}

async fn again(route: SshRoute, pins: &Pins) -> Result<Connection, Error> {
    connect(Route::Ssh(Box::new(route)), &Asker::nobody().knowing(pins.clone())).await
}

fn line(sshd: &Sshd, key: &str) -> String {
    format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.public(key))
}

fn restart(sshd: &mut Sshd, config: &str) {
    sshd.kill();
    fs::write(sshd.path("sshd_config"), config).unwrap();
    sshd.start_again();
}

#[tokio::test]
async fn a_key_that_became_known_meanwhile_is_not_taken_for_another_one() {
    let sshd = with_three_keys();
    for first in ["host_p256", "host_rsa"] {
        let pins = Pins::default();
        fs::write(sshd.known_hosts(), line(&sshd, first)).unwrap();
        let before = again(route(&sshd), &pins).await.unwrap();
        // As ssh does.
        fs::write(sshd.known_hosts(), line(&sshd, first) + &line(&sshd, "host")).unwrap();
        let after = again(route(&sshd), &pins).await.unwrap();
        let fingerprint = |connection: &Connection| connection.facts.ssh[0].host_key_fingerprint.clone();
        assert_eq!(fingerprint(&before), fingerprint(&after));
    }
}

#[tokio::test]
async fn a_key_that_was_proven_meanwhile_may_take_the_place_of_the_first() {
    let mut sshd = with_three_keys();
    let pins = Pins::default();
    let connection = again(updating(&sshd), &pins).await.unwrap();
    assert_eq!(learns(&sshd, connection).await.len(), 3);
    let config = fs::read_to_string(sshd.path("sshd_config")).unwrap();
    let first = format!("HostKey {}\n", sshd.path("host").display());
    assert!(config.contains(&first));
    let config = config.replace(&first, "");
    restart(&mut sshd, &config);
    again(route(&sshd), &pins).await.unwrap();
    // A key that nobody has proven is refused, even if it is known.
    make_key(sshd.folder.path(), "new", &["ed25519"]);
    fs::write(sshd.known_hosts(), line(&sshd, "new")).unwrap();
    let others: String = config.split_inclusive('\n').filter(|line| !line.contains("host_")).collect();
    let config = format!("HostKey {}\n{others}", sshd.path("new").display());
    restart(&mut sshd, &config);
    let error = again(route(&sshd), &pins).await.err().unwrap();
    assert!(error.message().contains("another one than when the connection was first made"), "{error}");
}

#[tokio::test]
async fn hosts_with_names_of_their_own_may_share_a_port() {
    let hosts = [Sshd::start(), Sshd::start()];
    let pins = Pins::default();
    for (sshd, name) in hosts.iter().zip(["one", "other"]) {
        let mut route = route(sshd);
        let known = KnownHosts::memory(format!("{name} {}\n", sshd.public("host")));
        (route.host, route.port, route.known_hosts) = ("localhost".into(), 2222, known);
        alias(name)(&mut route);
        again(route, &pins).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_learned_of_hosts_that_are_not_known_by_a_line_of_their_own() {
    let sshd = with_three_keys();
    let host = sshd.public("host");
    let own = fs::read_to_string(sshd.known_hosts()).unwrap();
    let mut off = route(&sshd);
    off.options.host_keys.update = false;
    let unchanged = async |route: SshRoute, text: &str| {
        let before = found(&sshd);
        assert_eq!(stays(&sshd, route).await, before, "{text}");
        assert_eq!(fs::read_to_string(sshd.known_hosts()).unwrap(), text);
    };
    unchanged(off, &own).await;
    for text in [
        format!("* {host}\n"),
        format!("127.0.0.1 {host}\n"),
        format!("{own}@cert-authority * {}\n", sshd.public("stranger")),
        format!("{own}elsewhere {}\n", sshd.public("host_rsa")),
    ] {
        fs::write(sshd.known_hosts(), &text).unwrap();
        unchanged(updating(&sshd), &text).await;
    }
    // In the machine's file.
    let global = sshd.path("global");
    fs::write(&global, &own).unwrap();
    fs::write(sshd.known_hosts(), "").unwrap();
    let mut machine = updating(&sshd);
    machine.known_hosts = KnownHosts::Files { user: vec![sshd.known_hosts()], global: vec![global] };
    unchanged(machine, "").await;
    // Seen for the first time: only the key that it showed is written down.
    assert_eq!(stays(&sshd, updating(&sshd)).await, [host]);
}
