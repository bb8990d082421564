//! The upstream as servers on loopback: one for all hosts that the client knows, one for what they redirect to.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};

use axum::body::Body;
use axum::response::Response;
use futures_util::StreamExt as _;

use super::answer::{Answer, Request};
use super::faults::{self, Effect, Fault, Sending};
use super::github::RateLimit;
use super::registry::Passes;
use super::world::World;
use super::{git, github, registry};

/// No client sends more than a few lines.
const MAX_BODY: usize = 1 << 20;

/// A running upstream; it ends with this value.
pub(crate) struct Upstream {
    site: Arc<Site>,
    runtime: Option<tokio::runtime::Runtime>,
}

struct Site {
    world: World,
    here: String,
    storage: String,
    limit: RateLimit,
    passes: Passes,
    faults: Mutex<Vec<Fault>>,
    log: Mutex<Vec<String>>,
    logged: Condvar,
}

impl Upstream {
    /// Starts on two addresses of loopback, so that what is redirected goes to another host.
    pub(crate) fn start() -> Self {
        let listen = |host: &str| {
            let listener = TcpListener::bind((host, 0)).expect("loopback has free ports");
            listener.set_nonblocking(true).expect("a listener can be non-blocking");
            let address = listener.local_addr().expect("it listens");
            (listener, format!("http://{address}"))
        };
        let ((front, here), (back, storage)) = (listen("127.0.0.1"), listen("127.0.0.2"));
        let site = Arc::new(Site {
            world: World::read(),
            here,
            storage,
            limit: RateLimit::default(),
            passes: Passes::default(),
            faults: Mutex::default(),
            log: Mutex::default(),
            logged: Condvar::new(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads can be started");
        for (listener, is_storage) in [(front, false), (back, true)] {
            let site = site.clone();
            runtime.spawn(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("it is non-blocking");
                let app = axum::Router::new().fallback(move |request| respond(site.clone(), request, is_storage));
                axum::serve(listener, app).await
            });
        }
        Self { site, runtime: Some(runtime) }
    }

    /// The content, to change it.
    pub(crate) fn world(&self) -> &World {
        &self.site.world
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.site.here
    }

    /// Every registry and URL prefix that it plays, with the mirror that leads here.
    pub(crate) fn mirrors(&self) -> Vec<(String, String)> {
        let table = &self.site.world.table;
        let host = |url: &str| url.split('/').nth(2).map(str::to_owned);
        let mut hosts: BTreeSet<_> = table.files.iter().filter_map(|file| host(&file.url)).collect();
        hosts.extend(table.helm.iter().filter_map(|repository| host(&repository.url)));
        hosts.extend(["api.github.com".to_owned(), "github.com".to_owned()]);
        let registries = table.registries.keys().map(|name| (name.clone(), format!("{}/{name}", self.url())));
        let urls = hosts.iter().map(|host| (format!("https://{host}"), format!("{}/{host}", self.url())));
        registries.chain(urls).collect()
    }

    /// A client's configuration in which everything is here and nothing is anywhere else.
    pub(crate) fn config(&self) -> String {
        let mirrors = self.mirrors().into_iter().map(|(from, to)| format!("  {from}: [\"{to}\"]\n"));
        format!("mirror_only: true\nmirrors:\n{}", mirrors.collect::<String>())
    }

    /// Makes something go wrong, for so many requests or (`None`) for all.
    pub(crate) fn fault(&self, target: &str, times: Option<u32>, effect: Effect) {
        let fault = Fault { target: target.to_owned(), times, effect };
        self.site.faults.lock().expect("nobody panics with it").push(fault);
    }

    /// Ends all faults.
    pub(crate) fn heal(&self) {
        self.site.faults.lock().expect("nobody panics with it").clear();
    }

    /// Every answered request as `METHOD target STATUS`; the targets are those of [`Request::target`].
    pub(crate) fn requests(&self) -> Vec<String> {
        self.site.log.lock().expect("nobody panics with it").clone()
    }

    /// How many answered requests contain `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.requests().iter().filter(|request| request.contains(part)).count()
    }

    /// Forgets the requests.
    pub(crate) fn forget(&self) {
        self.site.log.lock().expect("nobody panics with it").clear();
    }

    /// Waits until a request that contains `part` was answered.
    pub(crate) fn wait_for(&self, part: &str) {
        let log = self.site.log.lock().expect("nobody panics with it");
        let seen = |log: &mut Vec<String>| !log.iter().any(|request| request.contains(part));
        drop(self.site.logged.wait_while(log, seen).expect("nobody panics with it"));
    }

    /// How many requests GitHub counted.
    pub(crate) fn counted(&self) -> u64 {
        self.site.limit.used()
    }

    /// Sets what GitHub counted, to use it up or to give it back.
    pub(crate) fn set_counted(&self, used: u64) {
        self.site.limit.set(used);
    }

    /// Makes every token and every address of a blob that was handed out worthless.
    pub(crate) fn expire(&self) {
        self.site.passes.expire_tokens();
        self.site.passes.expire_redirects();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A hanging answer would keep it for ever.
            runtime.shutdown_background();
        }
    }
}

impl Site {
    /// The answer when nothing goes wrong.
    fn answer(&self, request: &Request, is_storage: bool) -> Answer {
        if is_storage {
            return registry::serve_storage(&self.world, &self.passes, request);
        }
        if request.registry {
            return registry::serve(&self.world, &self.passes, request, &self.here, &self.storage);
        }
        if request.target == "token" {
            return registry::token(&self.passes, request);
        }
        let (host, path) = request.target.split_once('/').unwrap_or((&request.target, ""));
        if host == "api.github.com" {
            return github::api(&self.world, &self.limit, request, path);
        }
        if host == "github.com" {
            if let Some(answer) = git::serve(&self.world, request, path) {
                return answer;
            }
            // A release's assets are on another host.
            let url = format!("https://{}", request.target);
            return match self.world.file(&url) {
                Some(_) => Answer::redirect(302, format!("{}/{}", self.storage, escaped(&request.target))),
                None => Answer::not_found(),
            };
        }
        let url = format!("https://{}", request.target);
        if let Some(index) = url.strip_suffix("/index.yaml").and_then(|repository| self.world.helm_index(repository)) {
            return Answer::content("text/yaml", index);
        }
        self.world.file(&url).map_or_else(Answer::not_found, |b| Answer::content("application/octet-stream", b))
    }

    /// The effect of the first fault for the request, which it uses up.
    fn effect(&self, request: &Request) -> Option<Effect> {
        let mut faults = self.faults.lock().expect("nobody panics with it");
        let fault = faults.iter_mut().find(|f| f.times != Some(0) && request.target.contains(&f.target))?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.effect.clone())
    }
}

/// A path as it stands in a URL: only what would mean something else there is escaped.
fn escaped(path: &str) -> String {
    const SPECIAL: &percent_encoding::AsciiSet =
        &percent_encoding::CONTROLS.add(b' ').add(b'%').add(b'+').add(b'?').add(b'#');
    percent_encoding::utf8_percent_encode(path, SPECIAL).to_string()
}

async fn respond(site: Arc<Site>, request: axum::extract::Request, is_storage: bool) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let request = Request::new(parts.method, &parts.uri, parts.headers, body, is_storage);
    let making = tokio::task::spawn_blocking(move || {
        let answer = site.answer(&request, is_storage);
        let effect = site.effect(&request);
        let (answer, sending) = faults::finish(answer, &request, effect.as_ref());
        let line = format!("{} {} {}", request.method, request.target, answer.status);
        site.log.lock().expect("nobody panics with it").push(line);
        site.logged.notify_all();
        send(answer, sending, request.method == axum::http::Method::HEAD)
    });
    Ok(making.await.expect("world.yaml and charts/ are good"))
}

fn send(answer: Answer, sending: Sending, head: bool) -> Response {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    if answer.status != 304 {
        response = response.header("content-length", answer.body.len());
    }
    let whole = answer.body;
    let sent = |bytes: usize| whole.slice(..bytes.min(whole.len()));
    let body = match sending {
        _ if head => Body::empty(),
        Sending::Whole => Body::from(whole),
        Sending::Cut(bytes) => {
            // What came before leaves first: an error at once would take it along.
            let end = futures_util::stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(futures_util::stream::iter([Ok(sent(bytes))]).chain(end))
        }
        Sending::Hang(bytes) => {
            let start = futures_util::stream::iter([Ok::<_, Infallible>(sent(bytes))]);
            Body::from_stream(start.chain(futures_util::stream::pending()))
        }
    };
    response.body(body).expect("the headers are good")
}
