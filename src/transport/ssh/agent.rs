//! Signatures for publickey authentication: by the SSH agent, or by a key of our own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::Signer;
use russh::client::Handle;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::{Signature, encoding::Encode};
use russh::keys::{HashAlg, PrivateKey};
use tokio::net::UnixStream;

use super::client::Client;
use super::keys::Locked;
use crate::escape::escape;
use crate::transport::Asker;
use crate::transport::error::io_words;

/// An agent answers at once unless it hangs.
const AGENT_LIMIT: Duration = Duration::from_secs(5);
/// A signature may wait for a person to touch a token or to confirm.
const SIGN_LIMIT: Duration = Duration::from_secs(120);

/// A connection to the agent.
pub(super) struct Agent {
    client: AgentClient<UnixStream>,
    asker: Asker,
}

/// A key of the agent. What the server is shown may be another thing: a certificate in a file, of which the agent
/// knows nothing.
pub(super) struct AgentKey<'a> {
    pub agent: &'a mut Agent,
    pub identity: &'a AgentIdentity,
}

/// A key of our own that is unlocked when a signature is needed and not before.
pub(super) struct OwnKey<'a> {
    pub source: &'a OwnSource,
    pub asker: &'a Asker,
}

/// Where a key of our own is.
pub(super) enum OwnSource {
    Memory(Arc<PrivateKey>),
    File(Locked),
}

/// Why there is no signature.
#[derive(Debug)]
pub(super) enum SignFailure {
    /// The connection to the server is gone.
    Gone,
    /// In words.
    Because(String),
}

impl From<russh::SendError> for SignFailure {
    fn from(_: russh::SendError) -> SignFailure {
        SignFailure::Gone
    }
}

impl Agent {
    /// Connects to the agent and lists its keys.
    pub(super) async fn open(
        socket: &Path,
        handle: &Handle<Client>,
        asker: &Asker,
    ) -> Result<(Agent, Vec<AgentIdentity>), String> {
        let opening = async {
            let mut client = AgentClient::connect_uds(socket).await?;
            // Tells the agent which server it signs for; without it, keys restricted to certain servers stay hidden.
            if let Some(binding) = handle.agent_session_binding()
                && let Err(error) = client.bind_session(binding, false).await
            {
                tracing::debug!("the agent knows no session binding: {error}");
            }
            let identities = client.request_identities().await?;
            Ok::<_, russh::keys::Error>((client, identities))
        };
        match tokio::time::timeout(AGENT_LIMIT, opening).await {
            Ok(Ok((client, identities))) => Ok((Agent { client, asker: asker.clone() }, identities)),
            Ok(Err(russh::keys::Error::BadAuthSock)) => Err("its socket is not there".into()),
            Ok(Err(russh::keys::Error::IO(error))) => Err(io_words(&error)),
            Ok(Err(error)) => Err(escape(&error.to_string().to_lowercase())),
            Err(_) => Err(format!("no answer within {} s", AGENT_LIMIT.as_secs())),
        }
    }
}

impl Signer for AgentKey<'_> {
    type Error = SignFailure;

    async fn auth_sign(
        &mut self,
        _shown: &AgentIdentity,
        hash_alg: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignFailure> {
        let _thinking = self.agent.asker.clock().pause();
        let signing = self.agent.client.sign_request(self.identity, hash_alg, to_sign);
        match tokio::time::timeout(SIGN_LIMIT, signing).await {
            Ok(Ok(signed)) => Ok(signed),
            Ok(Err(russh::keys::Error::AgentFailure)) => {
                Err(SignFailure::Because("the agent did not sign: it was not confirmed, or the key is gone".into()))
            }
            Ok(Err(error)) => Err(SignFailure::Because(format!("the agent failed: {}", escape(&error.to_string())))),
            Err(_) => Err(SignFailure::Because(format!("the agent did not sign within {} s", SIGN_LIMIT.as_secs()))),
        }
    }
}

impl OwnSource {
    /// The key, unlocked.
    pub(super) async fn unlock(&self, asker: &Asker) -> Result<Arc<PrivateKey>, String> {
        match self {
            OwnSource::Memory(key) => Ok(key.clone()),
            OwnSource::File(locked) => locked.unlock(asker).await,
        }
    }
}

impl Signer for OwnKey<'_> {
    type Error = SignFailure;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash_alg: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignFailure> {
        let key = self.source.unlock(self.asker).await.map_err(SignFailure::Because)?;
        sign(&key, hash_alg, to_sign).map_err(|error| SignFailure::Because(escape(&error.to_lowercase())))
    }
}

/// Appends the signature as a string (RFC 4252, section 7).
fn sign(key: &PrivateKey, hash_alg: Option<HashAlg>, mut to_sign: Vec<u8>) -> Result<Vec<u8>, String> {
    let signature: Signature = match key.key_data() {
        KeypairData::Rsa(pair) => (pair, hash_alg).try_sign(&to_sign),
        _ => key.try_sign(&to_sign),
    }
    .map_err(|error| error.to_string())?;
    signature.encode_prefixed(&mut to_sign).map_err(|error| error.to_string())?;
    Ok(to_sign)
}
