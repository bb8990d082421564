//! A proxy that stands in front of a real server and makes things go wrong, at a given byte where bytes are meant.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one answer. Places are those of the whole content, of which a range may be asked.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The server is not asked; this is the answer: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The same with a body that never ends.
    Endless(u16, Vec<(&'static str, String)>),
    /// The server is asked with this header instead of its own.
    Asking(&'static str, String),
    /// The server hears of no range.
    IgnoreRange,
    /// The answer has this header instead of its own.
    Header(&'static str, String),
    /// Not even a head comes.
    Silence,
    /// After so many bytes nothing more comes.
    Stall(usize),
    /// After so many bytes the connection ends.
    Cut(usize),
    /// After so many bytes the connection is reset.
    Reset(usize),
    /// The byte at this place is another one.
    Corrupt(usize),
    /// The two halves of what follows this place come in the wrong order.
    Reorder(usize),
    /// The body is only so long, and says so.
    Short(usize),
    /// The body has these bytes more, and says so.
    Long(&'static [u8]),
}

/// A request as the proxy saw it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    /// As text, with what is none of it replaced.
    pub(crate) body: String,
    raw: Vec<u8>,
    /// How often the same was asked before: method, target and range.
    pub(crate) nth: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Where the range that is asked for begins.
    pub(crate) fn start(&self) -> usize {
        let range = self.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        range.map_or(0, |(start, _)| start.parse().unwrap())
    }
}

type Rule = Arc<dyn Fn(&Asked) -> Fault + Send + Sync>;
/// After how many bytes of a request's body the connection ends, before the server hears of it.
type HangUp = Arc<dyn Fn(&Asked) -> Option<usize> + Send + Sync>;

/// A proxy; it ends with this value.
pub(crate) struct Proxy {
    address: String,
    state: Arc<State>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// Method, target and range.
type Key = (String, String, Option<String>);

struct State {
    /// `HOST:PORT` of the server.
    server: Option<String>,
    rule: Mutex<Rule>,
    hang_up: Mutex<HangUp>,
    /// The server gets what came before the end of such a connection.
    passes_on: AtomicBool,
    asked: Mutex<Vec<Asked>>,
    /// How many bytes an endless body has given.
    given: Mutex<u64>,
    times: Mutex<HashMap<Key, usize>>,
}

impl Proxy {
    /// A proxy in front of `server` (`http://HOST:PORT`), with what happens to each answer.
    pub(crate) fn before(server: &str, rule: impl Fn(&Asked) -> Fault + Send + Sync + 'static) -> Self {
        let server = server.strip_prefix("http://").expect("a server without TLS").trim_end_matches('/');
        Self::start("127.0.0.1", Some(server.to_owned()), Arc::new(rule))
    }

    /// A server of its own on another host, whose rule gives every answer.
    pub(crate) fn elsewhere(rule: impl Fn(&Asked) -> Fault + Send + Sync + 'static) -> Self {
        Self::start("127.0.0.2", None, Arc::new(rule))
    }

    /// A server of its own on this host, whose rule gives every answer.
    pub(crate) fn alone(rule: impl Fn(&Asked) -> Fault + Send + Sync + 'static) -> Self {
        Self::start("127.0.0.1", None, Arc::new(rule))
    }

    fn start(host: &str, server: Option<String>, rule: Rule) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((host, 0))).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State {
            server,
            rule: Mutex::new(rule),
            hang_up: Mutex::new(Arc::new(|_| None)),
            passes_on: AtomicBool::new(false),
            asked: Mutex::default(),
            given: Mutex::default(),
            times: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // Whoever hangs up early is no failure of the proxy.
                tokio::spawn(async move { drop(serve(&state, stream).await) });
            }
        });
        Self { address, state, runtime: Some(runtime) }
    }

    /// From now on the server gets the beginning of a request that is ended in the middle.
    pub(crate) fn passes_on(&self) {
        self.state.passes_on.store(true, Ordering::Relaxed);
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `http://HOST:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has another rule from now on, and forgets what was asked.
    pub(crate) fn rule(&self, rule: impl Fn(&Asked) -> Fault + Send + Sync + 'static) {
        *locked(&self.state.rule) = Arc::new(rule);
        locked(&self.state.asked).clear();
        locked(&self.state.times).clear();
    }

    /// Ends requests in the middle of their bodies from now on; their bodies are not seen.
    pub(crate) fn hang_up(&self, when: impl Fn(&Asked) -> Option<usize> + Send + Sync + 'static) {
        *locked(&self.state.hang_up) = Arc::new(when);
    }

    /// Lets nothing go wrong from now on.
    pub(crate) fn heal(&self) {
        self.hang_up(|_| None);
        self.rule(|_| Fault::None);
    }

    /// All requests since the rule was made.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        locked(&self.state.asked).clone()
    }

    /// How often something was asked whose target contains `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.asked().iter().filter(|asked| asked.target.contains(part)).count()
    }

    /// How many bytes of endless bodies went out.
    pub(crate) fn given(&self) -> u64 {
        *locked(&self.state.given)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Stalled answers would keep it for ever.
            runtime.shutdown_background();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(state: &State, mut client: TcpStream) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let Some(asked) = read_request(state, &mut client).await? else { return Ok(()) };
    locked(&state.asked).push(asked.clone());
    let rule = Arc::clone(&locked(&state.rule));
    let fault = rule(&asked);
    match &fault {
        Fault::Silence => std::future::pending().await,
        Fault::Answer(status, headers, body) => return client.write_all(&answer(*status, headers, body)).await,
        Fault::Endless(status, headers) => {
            let mut head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
            headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
            client.write_all(format!("{head}\r\n").as_bytes()).await?;
            loop {
                client.write_all(&[b' '; 16384]).await?;
                *locked(&state.given) += 16384;
            }
        }
        _ => {}
    }
    let (mut head, mut body) = ask(state, &asked, &fault).await?;
    if asked.method == "HEAD" {
        return client.write_all(&whole(&head, &[])).await;
    }
    let start = if head.status == 206 { asked.start() } else { 0 };
    let here = |place: usize| place.checked_sub(start).filter(|place| *place < body.len());
    match fault {
        Fault::Header(name, value) => drop(head.headers.insert(name.to_owned(), value)),
        Fault::Corrupt(place) => {
            if let Some(place) = here(place) {
                body[place] ^= 0x20;
            }
        }
        Fault::Reorder(place) => {
            if let Some(place) = here(place) {
                let middle = (body.len() - place) / 2;
                body[place..].rotate_left(middle);
            }
        }
        Fault::Short(length) => {
            body.truncate(length);
            head.length(body.len());
        }
        Fault::Long(more) => {
            body.extend_from_slice(more);
            head.length(body.len());
        }
        Fault::Stall(bytes) | Fault::Cut(bytes) | Fault::Reset(bytes) => {
            let sent = &body[..bytes.min(body.len())];
            client.write_all(&whole(&head, sent)).await?;
            match fault {
                Fault::Stall(_) => std::future::pending().await,
                Fault::Reset(_) => client.set_zero_linger()?,
                _ => client.shutdown().await?,
            }
            return Ok(());
        }
        _ => {}
    }
    client.write_all(&whole(&head, &body)).await?;
    client.shutdown().await
}

/// The head of the server's answer.
struct Head {
    status: u16,
    headers: BTreeMap<String, String>,
}

impl Head {
    fn length(&mut self, length: usize) {
        self.headers.insert("content-length".to_owned(), length.to_string());
    }
}

fn whole(head: &Head, body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} x\r\n", head.status);
    head.headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
    [text.as_bytes(), b"connection: close\r\n\r\n", body].concat()
}

fn answer(status: u16, headers: &[(&'static str, String)], body: &[u8]) -> Vec<u8> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut head = Head { status, headers };
    head.length(body.len());
    whole(&head, body)
}

async fn ask(state: &State, asked: &Asked, fault: &Fault) -> std::io::Result<(Head, Vec<u8>)> {
    let mut headers = asked.headers.clone();
    match fault {
        Fault::IgnoreRange => drop(headers.remove("range")),
        Fault::Asking(name, value) => drop(headers.insert((*name).to_owned(), value.clone())),
        _ => {}
    }
    headers.remove("connection");
    let server = state.server.as_deref().expect("a rule that answers everything");
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&request(asked, &headers)).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let (first, headers) = lines(&bytes[..end]);
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let mut head = Head { status, headers };
    head.headers.remove("connection");
    let body = bytes.split_off(end + 4);
    if asked.method != "HEAD" {
        head.length(body.len());
    }
    Ok((head, body))
}

/// What the server gets.
fn request(asked: &Asked, headers: &BTreeMap<String, String>) -> Vec<u8> {
    // With HTTP/1.0 the server ends the body by ending the connection.
    let mut text = format!("{} {} HTTP/1.0\r\n", asked.method, asked.target);
    headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
    text.push_str("\r\n");
    [text.as_bytes(), &asked.raw].concat()
}

/// `None` for a request that is ended in the middle.
async fn read_request(state: &State, client: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(client.read_u8().await?);
    }
    let (first, headers) = lines(&bytes[..bytes.len() - 4]);
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut asked = Asked { method, target, headers, ..Asked::default() };
    let hang_up = Arc::clone(&locked(&state.hang_up));
    let end = hang_up(&asked).filter(|end| *end < length);
    asked.raw = vec![0; end.unwrap_or(length)];
    client.read_exact(&mut asked.raw).await?;
    if end.is_some() {
        if state.passes_on.load(Ordering::Relaxed) {
            let server = state.server.as_deref().expect("a server that gets the beginning");
            let mut stream = TcpStream::connect(server).await?;
            stream.write_all(&request(&asked, &asked.headers)).await?;
            stream.shutdown().await?;
            // Until it has seen the end.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        client.set_zero_linger()?;
        return Ok(None);
    }
    asked.body = String::from_utf8_lossy(&asked.raw).into_owned();
    let mut times = locked(&state.times);
    let key = (asked.method.clone(), asked.target.clone(), asked.headers.get("range").cloned());
    let nth = times.entry(key).or_default();
    *nth += 1;
    asked.nth = *nth - 1;
    Ok(Some(asked))
}

/// The first line, and the headers with names in lower case.
fn lines(head: &[u8]) -> (String, BTreeMap<String, String>) {
    let text = String::from_utf8_lossy(head).into_owned();
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let pairs = lines.filter_map(|line| line.split_once(": "));
    (first, pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect())
}
