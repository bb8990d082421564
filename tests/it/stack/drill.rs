//! An edge that was away loses no sample: two real Prometheus servers, and a link between them that is cut and restored.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::render::stack;
use super::servers::{Listening, get, post, wait_for};
use crate::support::{self, Sandbox};

/// A link to a server on loopback that can be cut.
struct Link {
    address: String,
    up: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Link {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let link = Self { address, up: Arc::new(AtomicBool::new(true)), open: Arc::default() };
        let (up, open) = (Arc::clone(&link.up), Arc::clone(&link.open));
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                let mut open = open.lock().unwrap();
                // Under the lock, so that a cut leaves no connection behind.
                if !up.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect(&server).unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                open.extend([near, far]);
            }
        });
        link
    }

    fn cut(&self) {
        let mut open = self.open.lock().unwrap();
        self.up.store(false, Ordering::SeqCst);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn restore(&self) {
        self.up.store(true, Ordering::SeqCst);
    }
}

/// A Prometheus that takes remote writes.
fn prometheus(sandbox: &Sandbox, name: &str, config: &str) -> Option<Listening> {
    let program = support::monitoring("prometheus")?;
    let file = sandbox.write(format!("{name}.yaml"), config);
    let option = |name: &str, value: String| OsString::from(format!("--{name}={value}"));
    let options = [
        option("config.file", file.display().to_string()),
        option("storage.tsdb.path", sandbox.path(format!("{name}-data")).display().to_string()),
        option("web.listen-address", "127.0.0.1:0".into()),
        OsString::from("--web.enable-remote-write-receiver"),
    ];
    let options: Vec<&OsStr> = options.iter().map(AsRef::as_ref).collect();
    let server = Listening::start(&program, &options);
    wait_for("Prometheus", || query(sandbox, &server, "vector(1)"));
    Some(server)
}

fn query(sandbox: &Sandbox, server: &Listening, expression: &str) -> Option<Vec<Value>> {
    let answer = get(sandbox, &format!("{}/api/v1/query", server.url()), &[("query", expression)])?;
    answer["data"]["result"].as_array().cloned()
}

/// The raw samples of a metric: time and value as they are stored.
fn samples(sandbox: &Sandbox, server: &Listening, metric: &str) -> Vec<(String, u64)> {
    let series = query(sandbox, server, &format!("{metric}[25h]")).unwrap_or_default();
    let values = series.iter().flat_map(|series| series["values"].as_array().unwrap());
    values.map(|pair| (pair[0].to_string(), pair[1].as_str().unwrap().parse().unwrap())).collect()
}

/// What the operator makes of our values in Prometheus' own settings.
fn cloud_settings() -> Option<String> {
    let prometheus = stack()?.find("Prometheus", "kps-prometheus");
    let window = prometheus.at("/spec/tsdb/outOfOrderTimeWindow").as_str().unwrap();
    Some(format!("storage: {{tsdb: {{out_of_order_time_window: {window}}}}}\n"))
}

#[test]
fn a_link_that_was_cut_and_restored_loses_no_sample() {
    let Some(settings) = cloud_settings() else { return };
    let sandbox = Sandbox::new();
    let Some(cloud) = prometheus(&sandbox, "cloud", &settings) else { return };
    let link = Link::to(cloud.address.clone());

    // What is scraped says how often it was.
    let scrapes = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let exporter = listener.local_addr().unwrap();
    let counter = Arc::clone(&scrapes);
    let app = axum::Router::new().fallback(async move || format!("drill {}\n", counter.fetch_add(1, Ordering::SeqCst)));
    runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });

    let config = format!(
        "global: {{scrape_interval: 100ms, scrape_timeout: 100ms, external_labels: {{node: edge-1, location: edge}}}}\n\
         scrape_configs: [{{job_name: drill, static_configs: [{{targets: ['{exporter}']}}]}}]\n\
         remote_write: [{{url: 'http://{}/api/v1/write', queue_config: {{batch_send_deadline: 100ms, min_backoff: 30ms, max_backoff: 200ms}}}}]\n",
        link.address
    );
    let Some(edge) = prometheus(&sandbox, "edge", &config) else { return };
    let newest = |server: &Listening| samples(&sandbox, server, "drill").last().map(|(_, value)| *value);
    wait_for("the first samples", || newest(&cloud).filter(|value| *value > 5));

    link.cut();
    let before = newest(&cloud).unwrap();
    let away = wait_for("samples of the outage", || newest(&edge).filter(|value| *value > before + 40));
    assert!(newest(&cloud).unwrap() < before + 20, "the link was cut");
    link.restore();
    wait_for("the end of the backlog", || newest(&cloud).filter(|value| *value >= away));

    let (at_edge, at_cloud) = (samples(&sandbox, &edge, "drill"), samples(&sandbox, &cloud, "drill"));
    let of_outage: Vec<_> = at_edge.iter().filter(|(_, value)| *value <= away).collect();
    let arrived: Vec<_> = at_cloud.iter().filter(|(_, value)| *value <= away).collect();
    assert!(of_outage.len() > 40, "{}", of_outage.len());
    assert_eq!(arrived, of_outage, "every sample, with its own time");
}

/// A remote-write request of protocol 1.0 with one series, in snappy's block format without any compression.
fn write_request(metric: &str, samples: &[(i64, f64)]) -> Vec<u8> {
    fn varint(mut value: u64, out: &mut Vec<u8>) {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
    fn field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
        out.push(number << 3 | 2);
        varint(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }
    let mut series = Vec::new();
    for (name, value) in [("__name__", metric), ("node", "edge-1")] {
        let mut label = Vec::new();
        field(1, name.as_bytes(), &mut label);
        field(2, value.as_bytes(), &mut label);
        field(1, &label, &mut series);
    }
    for (time, value) in samples {
        let mut sample = vec![1 << 3 | 1];
        sample.extend_from_slice(&value.to_le_bytes());
        sample.push(2 << 3);
        varint(u64::try_from(*time).unwrap(), &mut sample);
        field(2, &sample, &mut series);
    }
    let mut request = Vec::new();
    field(1, &series, &mut request);
    let mut snappy = Vec::new();
    varint(request.len() as u64, &mut snappy);
    for chunk in request.chunks(60) {
        snappy.push(u8::try_from(chunk.len() - 1).unwrap() << 2);
        snappy.write_all(chunk).unwrap();
    }
    snappy
}

#[test]
fn what_arrives_twenty_hours_late_is_taken_and_would_be_refused_without_the_window() {
    let Some(settings) = cloud_settings() else { return };
    let now = jiff::Timestamp::now().as_millisecond();
    let hours = |count: i64| now - count * 3_600_000;
    let late: Vec<(i64, f64)> = (0..20).map(|n| (hours(20 - n), 100.0 + n as f64)).collect();
    for (settings, status, kept) in [(settings.as_str(), "204", 21), ("", "400", 1)] {
        let sandbox = Sandbox::new();
        let Some(cloud) = prometheus(&sandbox, "cloud", settings) else { return };
        let push = |name: &str, samples: &[(i64, f64)]| {
            let body = sandbox.write(name, write_request("drill", samples));
            let headers = ["Content-Encoding: snappy", "Content-Type: application/x-protobuf"];
            post(&sandbox, &format!("{}/api/v1/write", cloud.url()), &headers, &body)
        };
        assert_eq!(push("now", &[(now, 1.0)]), "204");
        assert_eq!(push("late", &late), status, "{settings}");
        assert_eq!(samples(&sandbox, &cloud, "drill").len(), kept, "{settings}");
    }
}
