//! BYTES TO AND FROM: TCP, local sockets and SSH channels; it does not know what RFB is.

mod command;
mod connection;
pub mod deadline;
mod error;
mod pins;
mod prompt;
mod question;
pub mod ssh;
mod system_ssh;
mod tcp;

use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};

pub use command::end_children;
pub use connection::{Connection, Facts, Inbound, Outbound, Pulse};
pub use error::{Error, Trouble};
pub use pins::Pins;
pub use question::{Answer, Asker, Purpose, Question, QuestionKind, Step};
pub use ssh::Options as SshOptions;
pub use ssh::{Algorithms, Destination, HostKeyChecking, HostKeyPolicy, Identity, KnownHosts, Login, Method};
pub use ssh::{Choose, Chooser, Choosing, Printed, Remote, Reverse, Running, SshFacts, SshRoute, algorithms};
pub(crate) use tcp::place;
pub use tcp::{Family, TcpOptions};

/// A two-way byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How to reach the server.
pub enum Route {
    /// A TCP connection.
    Tcp {
        /// Name or address.
        host: String,
        /// Port number.
        port: u16,
        /// How it is made.
        options: TcpOptions,
    },
    /// A local socket.
    Unix {
        /// Its path.
        path: PathBuf,
    },
    /// The input and output of a command for the user's shell (ProxyCommand of ssh_config).
    Command(String),
    /// What the system's own ssh reaches (`ssh -W`), with everything that only it can do.
    SystemSsh(SystemSsh),
    /// A stream that exists already.
    Given(Box<dyn Stream>),
    /// A channel of an SSH connection of this process.
    Ssh(Box<SshRoute>),
}

/// A call of the system's ssh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemSsh {
    /// The program, such as `ssh`.
    pub program: String,
    /// Its options, as they are typed.
    pub options: Vec<String>,
    /// The SSH server, as ssh takes it.
    pub host: String,
    /// Where the server connects to.
    pub to: Destination,
}

/// Connects along `route`, asking `asker` what only a person can know.
///
/// What was asked for is checked before anything is sent. Dropping the future gives up and closes what was opened.
pub async fn connect(route: Route, asker: &Asker) -> Result<Connection, Error> {
    ssh::check(&route).await?;
    connection::open(route, &asker.for_one_connection()).await.map(connection::Ends::into_connection)
}

/// Logs in at the SSH server that `route` ends at and runs an errand there; nothing else is connected.
pub async fn visit<T>(
    route: Route,
    asker: &Asker,
    errand: impl AsyncFnOnce(Remote<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    ssh::check(&route).await?;
    match route {
        Route::Ssh(route) => ssh::visit(*route, &asker.for_one_connection(), errand).await,
        _ => Err(Error::usage("there is no SSH connection to look around through")),
    }
}
