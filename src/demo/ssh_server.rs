//! A small SSH server that talks over any stream: it knows one user and opens channels to streams of this process.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::key::safe_rng;
use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::{self, Auth, ChannelOpenHandle, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelOpenFailure, MethodKind, MethodSet, Preferred, cipher, kex};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

/// Who may log in, and with what. A way that is `None` is not offered.
#[derive(Debug, Clone, Default)]
pub struct AuthPolicy {
    /// The only user.
    pub user: String,
    /// The key that is let in.
    pub public_key: Option<PublicKey>,
    /// The password that is let in.
    pub password: Option<SecretString>,
    /// One question of keyboard-interactive authentication and its answer.
    pub question: Option<(String, SecretString)>,
    /// Ask for all of them, one after the other, instead of any.
    pub all: bool,
    /// Shown before anybody logs in.
    pub banner: Option<String>,
}

/// Where a client wants a channel to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationRequested {
    /// `direct-tcpip`.
    Tcp {
        /// Name or address.
        host: String,
        /// Port number.
        port: u16,
    },
    /// `direct-streamlocal@openssh.com`.
    Unix {
        /// Path of the socket.
        path: String,
    },
}

/// A new Ed25519 key, for a host or for a user.
pub fn generate_key() -> Result<PrivateKey, russh::keys::ssh_key::Error> {
    PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519)
}

/// Serves one client until it leaves.
///
/// `open` gives the stream behind a destination, or refuses it with `None`. Sessions, forwarding and everything else
/// are refused.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host_key: PrivateKey,
    accept: AuthPolicy,
    open: impl Fn(DestinationRequested) -> Option<DuplexStream> + Send + 'static,
) -> Result<(), russh::Error> {
    let config = server::Config {
        methods: accept.methods_left(&[]),
        // The client is this same program: a delay against guessing protects nobody.
        auth_rejection_time: Duration::ZERO,
        keys: vec![host_key],
        preferred: Preferred {
            kex: Cow::Borrowed(&[
                kex::CURVE25519,
                kex::EXTENSION_SUPPORT_AS_SERVER,
                kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
            ]),
            cipher: Cow::Borrowed(&[cipher::AES_128_GCM]),
            ..Preferred::DEFAULT
        },
        inactivity_timeout: None,
        ..server::Config::default()
    };
    server::run_stream(Arc::new(config), stream, Door { accept, done: Vec::new(), open }).await?.await
}

struct Door<F> {
    accept: AuthPolicy,
    /// The methods that this client has passed.
    done: Vec<MethodKind>,
    open: F,
}

impl AuthPolicy {
    /// What is still asked of a client that has passed `done`.
    fn methods_left(&self, done: &[MethodKind]) -> MethodSet {
        let mut methods = MethodSet::empty();
        for (method, offered) in [
            (MethodKind::PublicKey, self.public_key.is_some()),
            (MethodKind::KeyboardInteractive, self.question.is_some()),
            (MethodKind::Password, self.password.is_some()),
        ] {
            if offered && !done.contains(&method) {
                methods.push(method);
            }
        }
        methods
    }

    fn knows(&self, user: &str, key: &PublicKey) -> bool {
        user == self.user && self.public_key.as_ref().is_some_and(|known| known.key_data() == key.key_data())
    }
}

impl<F> Door<F> {
    fn judge(&mut self, method: MethodKind, good: bool) -> Auth {
        if good && !self.accept.all {
            return Auth::Accept;
        }
        if good {
            self.done.push(method);
        }
        let left = self.accept.methods_left(&self.done);
        if good && left.is_empty() {
            return Auth::Accept;
        }
        Auth::Reject { proceed_with_methods: Some(left), partial_success: good }
    }

    async fn connect(&mut self, channel: Channel<Msg>, to: DestinationRequested, reply: ChannelOpenHandle)
    where
        F: Fn(DestinationRequested) -> Option<DuplexStream>,
    {
        let Some(mut target) = (self.open)(to) else {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return;
        };
        reply.accept().await;
        let mut stream = channel.into_stream();
        tokio::spawn(async move {
            if let Err(error) = tokio::io::copy_bidirectional(&mut stream, &mut target).await {
                tracing::debug!("a channel of the demo server ended: {error}");
            }
        });
    }
}

impl<F: Fn(DestinationRequested) -> Option<DuplexStream> + Send> server::Handler for Door<F> {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        Ok(self.accept.banner.clone())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        let right = self.accept.password.as_ref().is_some_and(|right| right.expose_secret() == password);
        let good = user == self.accept.user && right;
        Ok(self.judge(MethodKind::Password, good))
    }

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        if self.accept.knows(user, offer.public_key) {
            return Ok(Auth::Accept);
        }
        Ok(self.judge(MethodKind::PublicKey, false))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let good = self.accept.knows(user, key.public_key);
        Ok(self.judge(MethodKind::PublicKey, good))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some((question, answer)) = &self.accept.question else {
            return Ok(self.judge(MethodKind::KeyboardInteractive, false));
        };
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed(""),
                prompts: Cow::Owned(vec![(Cow::Owned(question.clone()), false)]),
            });
        };
        let right = response.next().is_some_and(|given| given == answer.expose_secret().as_bytes());
        let good = user == self.accept.user && right;
        Ok(self.judge(MethodKind::KeyboardInteractive, good))
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        match u16::try_from(port_to_connect) {
            Ok(port) => {
                let to = DestinationRequested::Tcp { host: host_to_connect.to_owned(), port };
                self.connect(channel, to, reply).await;
            }
            Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        let to = DestinationRequested::Unix { path: socket_path.to_owned() };
        self.connect(channel, to, reply).await;
        Ok(())
    }
}
