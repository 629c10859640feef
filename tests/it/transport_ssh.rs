//! An SSH connection through a stream in memory: who gets in, what arrives, and how an end is told from a loss.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use russh::keys::PrivateKey;
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use sshvnc::demo::ssh_server::{AuthPolicy, DestinationRequested, generate_key, serve};
use sshvnc::transport::{
    Answer, Asker, Connection, Destination, Error, Identity, KnownHosts, Login, Method, Purpose, Question,
    QuestionKind, Route, SshOptions, SshRoute, Step, connect,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc::{self, UnboundedReceiver};

const HOST: &str = "alpha";
const USER: &str = "someone";

/// A server in this process, and everything needed to log in to it.
struct Server {
    host_key: PrivateKey,
    user_key: Arc<PrivateKey>,
    policy: AuthPolicy,
}

/// A route to the server, and the far ends of the channels that are opened there.
struct Way {
    route: SshRoute,
    targets: UnboundedReceiver<(DestinationRequested, DuplexStream)>,
}

impl Server {
    fn new() -> Server {
        let user_key = generate_key().unwrap();
        let policy =
            AuthPolicy { user: USER.into(), public_key: Some(user_key.public_key().clone()), ..AuthPolicy::default() };
        Server { host_key: generate_key().unwrap(), user_key: Arc::new(user_key), policy }
    }

    fn with_policy(edit: impl FnOnce(&mut AuthPolicy)) -> Server {
        let mut server = Server::new();
        edit(&mut server.policy);
        server
    }

    /// Serves one connection over `stream`, which is the other end of what the route is given.
    fn run(&self, stream: DuplexStream) -> UnboundedReceiver<(DestinationRequested, DuplexStream)> {
        let (opened, targets) = mpsc::unbounded_channel();
        let (key, policy) = (self.host_key.clone(), self.policy.clone());
        tokio::spawn(serve(stream, key, policy, move |to| {
            if to == (DestinationRequested::Tcp { host: "localhost".into(), port: 5999 }) {
                return None;
            }
            let (near, far) = duplex(64 * 1024);
            opened.send((to, far)).ok()?;
            Some(near)
        }));
        targets
    }

    fn way_through(&self, ours: Route, theirs: DuplexStream) -> Way {
        let targets = self.run(theirs);
        let mut login = Login::new(USER);
        login.identities = vec![Identity::Key(self.user_key.clone())];
        let route = SshRoute {
            via: ours,
            host: HOST.into(),
            port: 22,
            login,
            known_hosts: KnownHosts::memory(self.known_hosts_line(HOST)),
            to: Destination::Tcp { host: "localhost".into(), port: 5901 },
            options: SshOptions::default(),
        };
        Way { route, targets }
    }

    fn way(&self) -> Way {
        let (ours, theirs) = duplex(256 * 1024);
        self.way_through(Route::Given(Box::new(ours)), theirs)
    }

    fn known_hosts_line(&self, host: &str) -> String {
        format!("{host} {}\n", self.host_key.public_key().to_openssh().unwrap())
    }
}

impl Way {
    fn edit(mut self, edit: impl FnOnce(&mut SshRoute)) -> Way {
        edit(&mut self.route);
        self
    }

    async fn go(self, asker: &Asker) -> Result<(Connection, DuplexStream), Error> {
        let Way { route, mut targets } = self;
        let connection = connect(Route::Ssh(Box::new(route)), asker).await?;
        Ok((connection, targets.recv().await.unwrap().1))
    }

    async fn fails(self, asker: &Asker) -> Error {
        match self.go(asker).await {
            Ok(_) => panic!("it should not have connected"),
            Err(error) => error,
        }
    }
}

/// An asker whose questions are answered in turn; the questions come out at the end.
fn person(answers: Vec<Answer>) -> (Asker, tokio::task::JoinHandle<Vec<QuestionKind>>) {
    let (asker, mut questions) = Asker::new();
    let thinking = tokio::spawn(async move {
        let mut asked = Vec::new();
        let mut answers = answers.into_iter();
        while let Some(Question { kind, reply }) = questions.recv().await {
            asked.push(kind);
            if let Some(answer) = answers.next() {
                reply.send(answer).unwrap();
            }
        }
        asked
    });
    (asker, thinking)
}

async fn all(connection: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = connection.inbound.chunk().await.unwrap() {
        assert!(!chunk.is_empty());
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

#[tokio::test]
async fn a_key_opens_a_channel_that_carries_bytes() {
    let server = Server::with_policy(|policy| policy.banner = Some("hello\x1b[2J\nthere\n".into()));
    let Way { route, mut targets } = server.way();
    let mut connection = connect(Route::Ssh(Box::new(route)), &Asker::nobody()).await.unwrap();
    let (to, mut target) = targets.recv().await.unwrap();
    assert_eq!(to, DestinationRequested::Tcp { host: "localhost".into(), port: 5901 });
    target.write_all(b"RFB 003.008\n").await.unwrap();
    assert_eq!(connection.inbound.chunk().await.unwrap().unwrap(), "RFB 003.008\n");
    connection.outbound.send(Bytes::from_static(b"RFB 003.008\n")).await.unwrap();
    let mut got = [0; 12];
    target.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"RFB 003.008\n");

    let facts = &connection.facts.ssh[0];
    assert_eq!((facts.server.as_str(), facts.user.as_str()), ("alpha:22", USER));
    assert_eq!((facts.cipher.as_str(), &facts.mac), ("aes128-gcm@openssh.com", &None));
    assert_eq!((facts.kex.as_str(), facts.strict_kex), ("curve25519-sha256", true));
    assert_eq!(facts.host_key_algorithm, "ssh-ed25519");
    assert!(facts.host_key_fingerprint.starts_with("SHA256:"));
    assert!(facts.server_version.starts_with("SSH-2.0-"), "{facts:?}");
    assert_eq!(facts.authenticated_by, "publickey, ssh-ed25519");
    assert_eq!(facts.banner, ["hello\\u{1b}[2J", "there"]);
    assert_eq!(connection.facts.peer, "localhost:5901 of alpha:22");
}

#[tokio::test]
async fn a_socket_of_the_server_can_be_the_destination() {
    let server = Server::new();
    let mut way = server.way().edit(|route| route.to = Destination::Unix { path: "/run/vnc.sock".into() });
    connect(Route::Ssh(Box::new(way.route)), &Asker::nobody()).await.unwrap();
    assert_eq!(way.targets.recv().await.unwrap().0, DestinationRequested::Unix { path: "/run/vnc.sock".into() });
}

#[tokio::test]
async fn ssh_travels_in_ssh() {
    let (outer, inner) = (Server::new(), Server::new());
    let (ours, theirs) = duplex(256 * 1024);
    let mut jump = outer.way_through(Route::Given(Box::new(ours)), theirs);
    jump.route.to = Destination::Tcp { host: HOST.into(), port: 22 };
    // Whoever the outer server connects to is the inner server.
    let (_, unused) = duplex(1);
    let Way { mut route, .. } = inner.way_through(Route::Ssh(Box::new(jump.route)), unused);
    route.host = "beta".into();
    route.known_hosts = KnownHosts::memory(inner.known_hosts_line("beta"));
    let (connection, mut targets) =
        tokio::join!(async { connect(Route::Ssh(Box::new(route)), &Asker::nobody()).await.unwrap() }, async {
            inner.run(jump.targets.recv().await.unwrap().1)
        });
    let mut connection = connection;
    let (_, mut target) = targets.recv().await.unwrap();
    target.write_all(b"deep").await.unwrap();
    assert_eq!(connection.inbound.chunk().await.unwrap().unwrap(), "deep");
    let servers: Vec<_> = connection.facts.ssh.iter().map(|facts| facts.server.as_str()).collect();
    assert_eq!(servers, ["alpha:22", "beta:22"]);
}

/// A desktop that was lost comes back without a touch only if nobody is asked more than is remembered.
#[tokio::test]
async fn a_passphrase_is_asked_for_once_on_the_whole_way() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("id");
    let (outer, mut inner) = (Server::new(), Server::new());
    let key = outer.user_key.encrypt(&mut safe_rng(), "right").unwrap();
    key.write_openssh_file(&file, LineEnding::LF).unwrap();
    inner.policy.public_key = outer.policy.public_key.clone();
    let (ours, theirs) = duplex(256 * 1024);
    let identities = vec![Identity::File(file)];
    let mut jump = outer.way_through(Route::Given(Box::new(ours)), theirs);
    jump.route.to = Destination::Tcp { host: HOST.into(), port: 22 };
    jump.route.login.identities = identities.clone();
    let (_, unused) = duplex(1);
    let Way { mut route, .. } = inner.way_through(Route::Ssh(Box::new(jump.route)), unused);
    route.login.identities = identities;
    route.host = "beta".into();
    route.known_hosts = KnownHosts::memory(inner.known_hosts_line("beta"));
    let (asker, asked) = person(vec![Answer::Secret("right".into())]);
    let (connection, _targets) =
        tokio::join!(async { connect(Route::Ssh(Box::new(route)), &asker).await.unwrap() }, async {
            inner.run(jump.targets.recv().await.unwrap().1)
        });
    assert_eq!(connection.facts.ssh.len(), 2);
    drop(asker);
    assert_eq!(asked.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_password_opens_the_door_at_the_second_try() {
    let server = Server::with_policy(|policy| {
        policy.public_key = None;
        policy.password = Some("right".into());
    });
    let (asker, asked) = person(vec![Answer::Secret("wrong".into()), Answer::Secret("right".into())]);
    server.way().go(&asker).await.unwrap();
    drop(asker);
    let asked = asked.await.unwrap();
    let purpose = Purpose::Password { user: USER.into(), host: "alpha:22".into() };
    for (kind, again) in asked.iter().zip([false, true]) {
        let prompt = "password of someone on alpha:22".into();
        assert_eq!(kind, &QuestionKind::Secret { prompt, purpose: purpose.clone(), echo: false, again });
    }
    assert_eq!(purpose.line("password:", true), "wrong password; password");
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn three_wrong_passwords_are_a_refusal_that_lists_what_was_tried() {
    let server = Server::with_policy(|policy| {
        policy.public_key = None;
        policy.password = Some("right".into());
    });
    let (asker, asked) = person(vec![Answer::Secret("wrong".into()); 4]);
    let (asker, steps) = asker.watched();
    let error = server.way().fails(&asker).await;
    drop(asker);
    assert_eq!(wrong(steps).await, asked.await.unwrap());
    assert!(matches!(error, Error::Refused(_)));
    assert_eq!(
        error.message(),
        "alpha:22 did not let someone in: tried publickey, ssh-ed25519, password, password, password; it accepts password"
    );
}

/// The questions whose answers were refused.
async fn wrong(mut steps: UnboundedReceiver<Step>) -> Vec<QuestionKind> {
    let mut wrong = Vec::new();
    while let Some(step) = steps.recv().await {
        wrong.extend(if let Step::Wrong(question) = step { Some(question) } else { None });
    }
    wrong
}

#[tokio::test]
async fn an_unanswered_password_question_is_a_refusal() {
    let server = Server::with_policy(|policy| {
        policy.public_key = None;
        policy.password = Some("right".into());
    });
    let (asker, _asked) = person(vec![Answer::No]);
    let error = server.way().fails(&asker).await;
    assert!(matches!(error, Error::Refused(_)));
    assert_eq!(error.message(), "the question of alpha:22 was not answered");

    let error = server.way().fails(&Asker::nobody()).await;
    assert!(matches!(error, Error::Refused(_)));
    assert_eq!(error.what_to_try(), Some("a password needs a terminal or SSH_ASKPASS to ask on"));
}

#[tokio::test]
async fn keyboard_interactive_asks_the_servers_question() {
    let server = Server::with_policy(|policy| {
        policy.public_key = None;
        policy.question = Some(("One-time\x07 code: ".into(), "123456".into()));
    });
    let (asker, asked) = person(vec![Answer::Secret("123456".into())]);
    let (connection, _target) = server.way().go(&asker).await.unwrap();
    assert_eq!(connection.facts.ssh[0].authenticated_by, "keyboard-interactive");
    drop(asker);
    let asked = asked.await.unwrap();
    let [QuestionKind::Secret { prompt, echo: false, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(prompt, "One-time\\u{7} code:");
}

#[tokio::test]
async fn a_question_that_the_server_repeats_is_marked() {
    let server = Server::with_policy(|policy| {
        policy.public_key = None;
        policy.question = Some(("Code: ".into(), "123456".into()));
    });
    let (asker, asked) = person(vec![Answer::Secret("wrong".into()), Answer::Secret("123456".into())]);
    let (asker, steps) = asker.watched();
    server.way().go(&asker).await.unwrap();
    drop(asker);
    let asked = asked.await.unwrap();
    assert_eq!(wrong(steps).await, asked[..1]);
    let marks: Vec<bool> = asked.iter().map(|kind| matches!(kind, QuestionKind::Secret { again: true, .. })).collect();
    assert_eq!(marks, [false, true]);
}

#[tokio::test]
async fn methods_are_tried_in_the_order_that_was_asked_for() {
    let server = Server::with_policy(|policy| {
        policy.password = Some("right".into());
        policy.question = Some(("Code".into(), "123456".into()));
    });
    let (asker, asked) = person(vec![Answer::Secret("right".into())]);
    let methods = vec![Method::Password, Method::KeyboardInteractive, Method::PublicKey];
    let (connection, _target) = server.way().edit(|route| route.login.methods = methods).go(&asker).await.unwrap();
    assert_eq!(connection.facts.ssh[0].authenticated_by, "password");
    drop(asker);
    assert_eq!(asked.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_may_ask_for_several_methods() {
    let server = Server::with_policy(|policy| {
        policy.password = Some("right".into());
        policy.question = Some(("Code".into(), "123456".into()));
        policy.all = true;
    });
    let (asker, asked) = person(vec![Answer::Secret("123456".into()), Answer::Secret("right".into())]);
    server.way().go(&asker).await.unwrap();
    drop(asker);
    assert_eq!(asked.await.unwrap().len(), 2);

    let error = server.way().edit(|route| route.login.methods = vec![Method::PublicKey]).fails(&Asker::nobody()).await;
    assert!(error.message().contains("tried publickey, ssh-ed25519 (accepted)"), "{error}");
}

#[tokio::test]
async fn a_key_that_the_server_does_not_know_is_a_refusal() {
    let server = Server::new();
    let stranger = Identity::Key(Arc::new(generate_key().unwrap()));
    let error = server.way().edit(|route| route.login.identities = vec![stranger]).fails(&Asker::nobody()).await;
    assert!(matches!(error, Error::Refused(_)));
    assert_eq!(error.message(), "alpha:22 did not let someone in: tried publickey, ssh-ed25519; it accepts publickey");
    // Nor is it anything else if the server hangs up then, since nothing is left to be tried.
    let nobody = Server::with_policy(|policy| policy.public_key = None);
    let error = nobody.way().fails(&Asker::nobody()).await;
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert!(error.message().ends_with("tried publickey, ssh-ed25519; it accepts nothing more"), "{error}");
}

#[tokio::test]
async fn a_question_may_take_longer_than_any_deadline() {
    tokio::time::pause();
    let server = Server::with_policy(|policy| {
        policy.public_key = None;
        policy.password = Some("right".into());
    });
    let (asker, mut questions) = Asker::new();
    tokio::spawn(async move {
        while let Some(Question { kind, reply }) = questions.recv().await {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            let answer = match kind {
                QuestionKind::UnknownHostKey { .. } => Answer::Yes { remember: false },
                QuestionKind::Secret { .. } => Answer::Secret("right".into()),
                QuestionKind::Choice { .. } => Answer::Choice(0),
            };
            reply.send(answer).unwrap();
        }
    });
    server.way().edit(|route| route.known_hosts = KnownHosts::memory("")).go(&asker).await.unwrap();
}

#[tokio::test]
async fn a_missing_key_file_is_reported_before_anything_is_sent() {
    let (ours, mut theirs) = duplex(1000);
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new();
    let way = server.way().edit(|route| {
        route.via = Route::Given(Box::new(ours));
        route.login.identities = vec![Identity::File(dir.path().join("id_none"))];
    });
    assert!(matches!(way.fails(&Asker::nobody()).await, Error::Usage(_)));
    assert_eq!(theirs.read(&mut [0; 10]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_changed_host_key_is_refused_with_its_place() {
    let server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("known_hosts");
    std::fs::write(&file, format!("# one\n{}", Server::new().known_hosts_line(HOST))).unwrap();
    let known = KnownHosts::Files { user: vec![file.clone()], global: vec![] };
    let error = server.way().edit(|route| route.known_hosts = known).fails(&Asker::nobody()).await;
    assert!(matches!(error, Error::Distrusted(_)));
    assert!(error.message().contains(&format!("has changed: {}:2 ", file.display())), "{error}");
    assert!(error.what_to_try().unwrap().ends_with(&format!("ssh-keygen -R alpha -f {}", file.display())));
}

#[tokio::test]
async fn an_unknown_host_key_needs_a_person() {
    let server = Server::new();
    let unknown = || server.way().edit(|route| route.known_hosts = KnownHosts::memory(""));
    let error = unknown().fails(&Asker::nobody()).await;
    assert!(matches!(error, Error::Distrusted(_)));
    assert!(error.message().ends_with("and there is no terminal to ask on"), "{error}");

    let (asker, _asked) = person(vec![Answer::No]);
    assert!(matches!(unknown().fails(&asker).await, Error::Distrusted(_)));

    // Once remembered, it is not asked again.
    let known = KnownHosts::memory("");
    let (asker, asked) = person(vec![Answer::Yes { remember: true }]);
    server.way().edit(|route| route.known_hosts = known.clone()).go(&asker).await.unwrap();
    server.way().edit(|route| route.known_hosts = known).go(&Asker::nobody()).await.unwrap();
    drop(asker);
    let fingerprint = server.host_key.public_key().fingerprint(Default::default()).to_string();
    let question = QuestionKind::UnknownHostKey { host: HOST.into(), key_type: "ssh-ed25519".into(), fingerprint };
    assert_eq!(asked.await.unwrap(), [question]);
}

#[tokio::test]
async fn a_refused_destination_says_what_to_look_at() {
    let server = Server::new();
    let way = server.way().edit(|route| route.to = Destination::Tcp { host: "localhost".into(), port: 5999 });
    let error = way.fails(&Asker::nobody()).await;
    assert!(matches!(error, Error::Unreachable(_)));
    assert!(error.message().starts_with("nothing listens on localhost:5999 of alpha:22"), "{error}");
    assert!(error.what_to_try().unwrap().contains("is the VNC server running"));
}

#[tokio::test]
async fn the_orderly_end_comes_after_all_data() {
    let server = Server::new();
    let (mut connection, mut target) = server.way().go(&Asker::nobody()).await.unwrap();
    let sent: Vec<u8> = (0..1_000_003u32).map(|i| (i % 251) as u8).collect();
    let copy = sent.clone();
    tokio::spawn(async move {
        target.write_all(&copy).await.unwrap();
        // Dropped at once, with most of it still on the way.
    });
    assert!(all(&mut connection).await == sent);
    // The end stays the end.
    assert_eq!(connection.inbound.chunk().await.unwrap(), None);
}

/// Logs in while somebody cuts the line, at the first question, and answers it then.
async fn cut_at_the_question(server: &Server, edit: impl FnOnce(&mut SshRoute)) -> Error {
    let (ours, ours_far) = duplex(64 * 1024);
    let (theirs_far, theirs) = duplex(64 * 1024);
    let wire = tokio::spawn(async move {
        let (mut a, mut b) = (ours_far, theirs_far);
        let _ = tokio::io::copy_bidirectional(&mut a, &mut b).await;
    });
    let (asker, mut questions) = Asker::new();
    let person = tokio::spawn(async move {
        let Question { reply, .. } = questions.recv().await.unwrap();
        wire.abort();
        tokio::time::sleep(Duration::from_millis(200)).await;
        reply.send(Answer::Secret("right".into())).unwrap();
        questions.recv().await.map(|question| question.kind)
    });
    let error = server.way_through(Route::Given(Box::new(ours)), theirs).edit(edit).fails(&asker).await;
    drop(asker);
    assert_eq!(person.await.unwrap(), None);
    error
}

#[tokio::test]
async fn a_line_that_breaks_while_somebody_logs_in_is_no_refusal() {
    // A key has failed already, and then the password comes too late.
    let server = Server::with_policy(|policy| {
        policy.public_key = None;
        policy.password = Some("right".into());
    });
    let error = cut_at_the_question(&server, |_| ()).await;
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert_eq!(error.message(), "the SSH connection to alpha:22 was lost: closed by the other side");
    // A key was offered and wanted, and the signature is never answered.
    let server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("id");
    let locked = server.user_key.encrypt(&mut safe_rng(), "right").unwrap();
    locked.write_openssh_file(&file, LineEnding::LF).unwrap();
    let stranger = Identity::Key(Arc::new(generate_key().unwrap()));
    let error =
        cut_at_the_question(&server, |route| route.login.identities = vec![stranger, Identity::File(file)]).await;
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_cut_line_is_a_loss_and_not_an_end() {
    let server = Server::new();
    let (ours, ours_far) = duplex(64 * 1024);
    let (theirs_far, theirs) = duplex(64 * 1024);
    let wire = tokio::spawn(async move {
        let (mut a, mut b) = (ours_far, theirs_far);
        let _ = tokio::io::copy_bidirectional(&mut a, &mut b).await;
    });
    let (mut connection, mut target) =
        server.way_through(Route::Given(Box::new(ours)), theirs).go(&Asker::nobody()).await.unwrap();
    target.write_all(b"half of a mess").await.unwrap();
    assert_eq!(connection.inbound.chunk().await.unwrap().unwrap(), "half of a mess");
    wire.abort();
    let error = connection.inbound.chunk().await.unwrap_err();
    assert!(matches!(error, Error::Lost(_)), "{error:?}");
    assert_eq!(error.message(), "the SSH connection to alpha:22 was lost: closed by the other side");
    let error = connection.outbound.send(Bytes::from_static(b"x")).await.unwrap_err();
    assert!(matches!(error, Error::Lost(_)), "{error:?}");
}

#[tokio::test]
async fn a_send_that_waits_for_the_window_ends_with_the_connection() {
    let server = Server::new();
    let (ours, ours_far) = duplex(64 * 1024);
    let (theirs_far, theirs) = duplex(64 * 1024);
    let wire = tokio::spawn(async move {
        let (mut a, mut b) = (ours_far, theirs_far);
        let _ = tokio::io::copy_bidirectional(&mut a, &mut b).await;
    });
    let way = server.way_through(Route::Given(Box::new(ours)), theirs);
    // Nobody reads the target, so the window fills up.
    let (mut connection, _target) = way.go(&Asker::nobody()).await.unwrap();
    let sending = tokio::spawn(async move { connection.outbound.send(vec![0; 16 << 20].into()).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!sending.is_finished());
    wire.abort();
    let error = tokio::time::timeout(Duration::from_secs(5), sending).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, Error::Lost(_)), "{error:?}");
}

#[tokio::test]
async fn closing_sends_what_was_given_and_then_the_end() {
    let server = Server::new();
    let (mut connection, mut target) = server.way().go(&Asker::nobody()).await.unwrap();
    connection.outbound.send(vec![7; 100_000].into()).await.unwrap();
    let reading = tokio::spawn(async move {
        let mut got = Vec::new();
        target.read_to_end(&mut got).await.unwrap();
        got
    });
    connection.outbound.close().await;
    assert_eq!(reading.await.unwrap(), vec![7; 100_000]);
}

#[tokio::test]
async fn dropping_both_halves_ends_the_connection() {
    let server = Server::new();
    let (connection, mut target) = server.way().go(&Asker::nobody()).await.unwrap();
    drop(connection);
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), target.read_to_end(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_given_up() {
    let (ours, mut theirs) = duplex(64 * 1024);
    let server = Server::new();
    let way = server.way().edit(|route| route.via = Route::Given(Box::new(ours)));
    let started = tokio::time::Instant::now();
    let error = way.fails(&Asker::nobody()).await;
    assert!(matches!(error, Error::Unreachable(_)));
    assert_eq!(error.message(), "alpha:22 did not finish the SSH greeting and key exchange within 20 s");
    assert_eq!(started.elapsed().as_secs(), 20);
    // And nothing of it stays behind.
    let mut greeting = Vec::new();
    theirs.read_to_end(&mut greeting).await.unwrap();
    assert!(greeting.starts_with(b"SSH-2.0-sshvnc_"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_in_the_key_exchange_leaves_nothing_behind() {
    let (ours, mut theirs) = duplex(64 * 1024);
    let server = Server::new();
    let way = server.way().edit(|route| route.via = Route::Given(Box::new(ours)));
    theirs.write_all(b"SSH-2.0-mute\r\n").await.unwrap();
    assert!(matches!(way.fails(&Asker::nobody()).await, Error::Unreachable(_)));
    theirs.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test]
async fn something_that_is_no_ssh_server_is_named() {
    let (ours, mut theirs) = duplex(64 * 1024);
    let server = Server::new();
    let way = server.way().edit(|route| route.via = Route::Given(Box::new(ours)));
    theirs.write_all(b"RFB 003.008\n").await.unwrap();
    drop(theirs);
    let error = way.fails(&Asker::nobody()).await;
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(error.what_to_try().unwrap().contains("port"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_megabytes_pass_both_ways_unharmed() {
    const TOTAL: usize = 50_000_000;
    // A prime, so that no packet size divides it: bytes that are lost, doubled or swapped show.
    const PERIOD: usize = 1_000_003;
    let pattern: Vec<u8> =
        (0..PERIOD + 300_000).map(|i| ((i % PERIOD).wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let pattern: &'static [u8] = Vec::leak(pattern);
    let part = move |at: usize, len: usize| &pattern[at % PERIOD..][..len];
    let server = Server::new();
    let (connection, target) = server.way().go(&Asker::nobody()).await.unwrap();
    let Connection { mut inbound, mut outbound, .. } = connection;
    let (mut target_in, mut target_out) = tokio::io::split(target);
    let down = tokio::spawn(async move {
        let mut at = 0;
        while at < TOTAL {
            let len = (TOTAL - at).min(77_777);
            target_out.write_all(part(at, len)).await.unwrap();
            at += len;
        }
    });
    let up = tokio::spawn(async move {
        let mut at = 0;
        while at < TOTAL {
            let len = (TOTAL - at).min(33_333);
            outbound.send(Bytes::copy_from_slice(part(at, len))).await.unwrap();
            at += len;
        }
        outbound
    });
    let arrived = tokio::spawn(async move {
        let (mut at, mut buffer) = (0, vec![0; 65536]);
        while at < TOTAL {
            let n = target_in.read(&mut buffer).await.unwrap();
            assert!(n > 0 && buffer[..n] == *part(at, n), "at {at}");
            at += n;
        }
    });
    let mut at = 0;
    while at < TOTAL {
        // Giving up a read half-way must lose nothing.
        let Ok(chunk) = tokio::time::timeout(Duration::from_micros(200), inbound.chunk()).await else { continue };
        let chunk = chunk.unwrap().unwrap();
        assert!(chunk == part(at, chunk.len()), "at {at}");
        at += chunk.len();
    }
    assert_eq!(at, TOTAL);
    down.await.unwrap();
    up.await.unwrap();
    arrived.await.unwrap();
}
