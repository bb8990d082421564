//! Servers that contenders talk to: `bundler serve`, docker-registry and containerd, each with a place of its own.

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::Result;
use crate::measure::{self, Cost};

/// How often it is asked whether a server answers; what `ready` is exact to.
const PAUSE: Duration = Duration::from_millis(1);
/// When a server is given up that does not answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that answers; it ends with this value.
#[derive(Debug)]
pub(crate) struct Service {
    child: Option<Child>,
    /// From its start to its first answer.
    pub(crate) ready: Duration,
}

impl Service {
    fn start(command: &[OsString], log: &Path, answers: impl Fn() -> bool) -> Result<Self> {
        let began = Instant::now();
        let child = measure::start(command, log)?;
        let mut service = Self { child: Some(child), ready: Duration::ZERO };
        while !answers() {
            let ended = service.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || began.elapsed() > PATIENCE {
                return Err(format!("{command:?} does not answer\n{}", fs::read_to_string(log)?).into());
            }
            std::thread::sleep(PAUSE);
        }
        service.ready = began.elapsed();
        Ok(service)
    }

    /// Starts what serves HTTP at `address`.
    pub(crate) fn http(command: &[OsString], address: SocketAddr, log: &Path) -> Result<Self> {
        Self::start(command, log, || answers(address))
    }

    /// A docker-registry with this storage.
    pub(crate) fn registry(directory: &Path, address: SocketAddr) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let config = directory.join("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  filesystem: \
             {{rootdirectory: {:?}}}\n  maintenance: {{uploadpurging: {{enabled: false}}}}\nhttp: {{addr: {address}}}\n",
            directory.join("storage"),
        );
        fs::write(&config, text)?;
        let command = ["docker-registry".into(), "serve".into(), config.into_os_string()];
        Self::http(&command, address, &directory.join("registry.log"))
    }

    /// A containerd with its files and its socket in `directory`.
    pub(crate) fn containerd(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let (config, socket) = (directory.join("config.toml"), socket(directory));
        let text = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = {socket:?}\n[ttrpc]\naddress = {:?}\n",
            directory.join("root"),
            directory.join("state"),
            directory.join("t"),
        );
        fs::write(&config, text)?;
        let command = ["containerd".into(), "-c".into(), config.into_os_string()];
        Self::start(&command, &directory.join("containerd.log"), || UnixStream::connect(&socket).is_ok())
    }

    /// Ends it and tells what it used from start to end.
    pub(crate) fn stop(mut self) -> Result<Cost> {
        let child = self.child.take().ok_or("it was stopped before")?;
        rustix::process::kill_process(Pid::from_child(&child), Signal::TERM)?;
        Ok(measure::wait(child, Instant::now())?.1)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Only after an error; its end is all that is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The socket of [`Service::containerd`].
pub(crate) fn socket(directory: &Path) -> PathBuf {
    directory.join("s")
}

/// A loopback address that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer == *b"HTTP/1.1 200")
    };
    ask().unwrap_or_default()
}
