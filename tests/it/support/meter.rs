//! A way to servers on loopback that counts what they answer, and holds it back from a given byte on.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};

use rustix::process::{Pid, WaitId, WaitIdOptions};

/// Counts what comes back through all of its fronts together.
pub(crate) struct Meter(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    count: u64,
    /// Nothing comes back beyond so many bytes.
    stop: Option<u64>,
    /// The process that has ended.
    ended: Option<Pid>,
}

impl State {
    /// How many of `wanted` bytes may pass now.
    fn free(&self, wanted: u64) -> u64 {
        self.stop.map_or(wanted, |stop| stop.saturating_sub(self.count).min(wanted))
    }
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// The address that leads to `url`, which is `http://127.0.0.1:PORT`.
    pub(crate) fn front(&self, url: &str) -> String {
        let server = url.strip_prefix("http://").expect("it is on loopback without TLS").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("it listens");
        let shared = Arc::clone(&self.0);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).expect("it is a TCP connection");
                }
                let clone = |stream: &TcpStream| stream.try_clone().expect("there are descriptors left");
                let (mut from, mut to) = (clone(&client), clone(&server));
                std::thread::spawn(move || {
                    // A connection that breaks has ended, as all others.
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.forward(server, client));
            }
        });
        format!("http://{address}")
    }

    /// Begins to count anew, and holds back what comes after so many bytes.
    pub(crate) fn stop_at(&self, bytes: u64) {
        *self.0.state.lock().expect("nobody panics with it") = State { stop: Some(bytes), ..State::default() };
        self.0.changed.notify_all();
    }

    /// Lets everything pass.
    pub(crate) fn go_on(&self) {
        self.0.state.lock().expect("nobody panics with it").stop = None;
        self.0.changed.notify_all();
    }

    /// How many bytes came back since it began to count.
    pub(crate) fn count(&self) -> u64 {
        self.0.state.lock().expect("nobody panics with it").count
    }

    /// Waits until bytes are held back, or the process has ended; `true` for the former.
    pub(crate) fn wait(&self, child: &Child) -> bool {
        let (shared, pid) = (Arc::clone(&self.0), Pid::from_child(child));
        std::thread::spawn(move || {
            // It stays a zombie, so that its number is nobody else's yet.
            let ended = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            shared.state.lock().expect("nobody panics with it").ended = ended.is_ok().then_some(pid);
            shared.changed.notify_all();
        });
        let state = self.0.state.lock().expect("nobody panics with it");
        let state = self.0.changed.wait_while(state, |state| state.ended != Some(pid) && state.free(1) > 0);
        state.expect("nobody panics with it").ended != Some(pid)
    }
}

impl Shared {
    fn forward(&self, mut server: TcpStream, mut client: TcpStream) {
        let mut buffer = [0; 16 << 10];
        while let Ok(length @ 1..) = server.read(&mut buffer) {
            let mut rest = &buffer[..length];
            while !rest.is_empty() {
                let state = self.state.lock().expect("nobody panics with it");
                let waited = self.changed.wait_while(state, |state| state.free(1) == 0);
                let mut state = waited.expect("nobody panics with it");
                let free = state.free(rest.len() as u64);
                state.count += free;
                drop(state);
                self.changed.notify_all();
                let (now, later) = rest.split_at(usize::try_from(free).expect("it is part of a buffer"));
                if client.write_all(now).is_err() {
                    return;
                }
                rest = later;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    }
}
