//! Serving: bundles as a read-only registry, a Helm repository and files, straight from the archive.
//!
//! Nothing is unpacked and nothing is hashed at the start; `trust` sees to it that nothing wrong is given out
//! as good. The registry follows the OCI distribution specification v1.1 as far as pulling and listing go.

mod answer;
mod auth;
mod body;
mod charts;
mod content;
mod documents;
mod names;
mod page;
mod range;
mod registry;
mod route;
mod server;
mod site;
mod stall;
mod tls;
mod trust;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::bundle::set::{self, Set};
use crate::error::Diagnostic;
use crate::event::{Event, Reporter};
use crate::exit::Exit;
use auth::Htpasswd;
use site::Site;

/// The largest htpasswd, certificate or key file that is read, 4 MiB.
const MAX_FILE: u64 = 4 << 20;

/// How many clients wait in the kernel's queue while all connections are taken; others have to knock again.
const BACKLOG: u32 = 4096;

/// What to serve and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The bundles.
    pub bundles: Vec<PathBuf>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate chain and key in PEM form, for https.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The users; without them everybody may read.
    pub htpasswd: Option<PathBuf>,
    /// Bounds on clients.
    pub limits: Limits,
}

/// Bounds on clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are served at once; the others wait.
    pub connections: usize,
    /// How long a client may take for the head of a request, and for the next request on a connection.
    pub head: Duration,
    /// How long a client may take nothing of an answer.
    pub stall: Duration,
    /// How long answers may go on after the stop.
    pub grace: Duration,
}

impl Default for Limits {
    /// 512 connections fit the 1024 open files that a process usually has.
    fn default() -> Self {
        Self {
            connections: 512,
            head: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            grace: Duration::from_secs(30),
        }
    }
}

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Access {
    /// The client.
    pub peer: SocketAddr,
    /// What it asked.
    pub method: Method,
    /// The path of the URL as it came.
    pub path: String,
    /// The query of the URL as it came.
    pub query: Option<String>,
    /// What the client calls itself.
    pub agent: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// How many bytes of the body were sent.
    pub bytes: u64,
    /// From the head of the request to the end of the answer.
    pub duration: Duration,
    /// Why the answer ended early.
    pub cut: Option<String>,
}

impl Access {
    const fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            method: Method::GET,
            path: String::new(),
            query: None,
            agent: None,
            status: 0,
            bytes: 0,
            duration: Duration::ZERO,
            cut: None,
        }
    }
}

/// Something that the operator should know.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A member is not what its digest says, and is not served any more.
    Damaged {
        /// The bundle.
        bundle: &'a Path,
        /// The member.
        member: &'a str,
    },
    /// Something about a bundle that stops nothing.
    Warning(&'a str),
    /// A chart is no chart, and stands in no list.
    Chart {
        /// Its path in the bundle.
        path: &'a str,
        /// Why.
        error: &'a dyn std::error::Error,
    },
}

/// Takes what happens, from any thread; must be quick.
pub trait Log: Send + Sync {
    /// Takes a request that was answered.
    fn access(&self, access: &Access);
    /// Takes a notice.
    fn notice(&self, notice: Notice<'_>);
}

/// Takes what reading bundles reports.
struct Notices<'a>(&'a dyn Log);

impl Reporter for Notices<'_> {
    fn report(&self, event: Event<'_>) {
        if let Event::Warning(text) = event {
            self.0.notice(Notice::Warning(text));
        }
    }
}

/// Why nothing is served, or why it was not all good.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundles.
    #[error(transparent)]
    Set(#[from] set::Error),
    /// The address.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A file of the options cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate or the key.
    #[error("`{}` is not usable for TLS: {reason}", .path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A line of the users' file.
    #[error("`{}:{line}`: {reason}", .path.display())]
    Htpasswd {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Something was damaged and not served.
    #[error("damaged and therefore not served: {0} of what was asked for")]
    Damaged(usize),
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Set(error) => error.exit(),
            Self::Damaged(_) => Exit::Mismatch,
            Self::Listen { .. } | Self::Read { .. } | Self::Tls { .. } | Self::Htpasswd { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Set(error) => error.hint(),
            Self::Listen { .. } => {
                Some("choose another address with `--listen ADDR:PORT`; port 0 takes a free one".to_owned())
            }
            Self::Damaged(_) => Some("`bundler verify` lists all that is wrong; copy the bundle again".to_owned()),
            Self::Read { .. } | Self::Tls { .. } | Self::Htpasswd { .. } => None,
        }
    }
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    site: Arc<Site>,
}

impl Server {
    /// Opens the bundles and listens. Clients that connect now wait for [`Server::run`].
    pub async fn bind(options: &Options, log: Arc<dyn Log>) -> Result<Self, Error> {
        let tls = match &options.tls {
            Some((certificate, key)) => Some(tls::acceptor(certificate, key)?),
            None => None,
        };
        let users = options.htpasswd.as_deref().map(users).transpose()?;
        let set = Set::open(&options.bundles)?;
        set.tell_form(&Notices(&*log));
        let listen = |source| Error::Listen { address: options.listen, source };
        let listener = listener(options.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let site = Arc::new(Site::new(set, users, scheme, log));
        Ok(Self { listener, address, tls, limits: options.limits, site })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients on this host.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.site.scheme, self.address)
    }

    /// What is served.
    #[must_use]
    pub fn set(&self) -> &Set {
        &self.site.set
    }

    /// Whether passwords are asked for where others can read them on their way.
    #[must_use]
    pub fn is_open_to_listeners(&self) -> bool {
        self.site.wants_password() && self.tls.is_none() && !self.address.ip().is_loopback()
    }

    /// Serves until the token is cancelled; an error when something damaged was asked for.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        server::run(self.listener, self.tls, self.site.clone(), self.limits, stop).await;
        match self.site.damaged() {
            0 => Ok(()),
            damaged => Err(Error::Damaged(damaged)),
        }
    }
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Or a server that was stopped could not be started again for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn users(path: &Path) -> Result<Htpasswd, Error> {
    let text = String::from_utf8(read(path)?).map_err(|_| Error::Htpasswd {
        path: path.to_owned(),
        line: 1,
        reason: "the file is not UTF-8 text",
    })?;
    Htpasswd::parse(&text).map_err(|(line, reason)| Error::Htpasswd { path: path.to_owned(), line, reason })
}

/// Reads a small regular file; a pipe might never end.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let error = |source| Error::Read { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(error)?;
    if !metadata.is_file() {
        return Err(error(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    if metadata.len() > MAX_FILE {
        return Err(error(io::Error::new(io::ErrorKind::InvalidInput, "larger than 4 MiB")));
    }
    std::fs::read(path).map_err(error)
}
