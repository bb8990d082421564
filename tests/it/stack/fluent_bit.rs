//! A configuration of Fluent Bit: what can be said about it without the program. Its keys were taken from the reference of
//! 5.1, and each configuration was run with it.

use std::collections::BTreeSet;
use std::path::Path;

use bundler::yaml;
use serde_json::Value;

/// The keys that every plugin of a kind takes, and those of each plugin that ours use.
const KEYS: [(&str, &[&str]); 15] = [
    ("inputs", &["name", "tag", "processors", "storage.type", "mem_buf_limit"]),
    (
        "outputs",
        &[
            "name",
            "match",
            "host",
            "port",
            "retry_limit",
            "storage.total_limit_size",
            "tls",
            "tls.verify",
            "tls.ca_file",
        ],
    ),
    ("filters", &["name", "match"]),
    (
        "tail",
        &[
            "path",
            "exclude_path",
            "path_key",
            "multiline.parser",
            "db",
            "read_from_head",
            "skip_long_lines",
            "refresh_interval",
        ],
    ),
    ("systemd", &["systemd_filter", "systemd_filter_type", "db", "read_from_tail", "strip_underscores", "lowercase"]),
    (
        "node_exporter_metrics",
        &["scrape_interval", "metrics", "path.procfs", "path.sysfs", "filesystem.ignore_mount_point_regex"],
    ),
    ("prometheus_scrape", &["host", "port", "metrics_path", "scrape_interval", "buffer_max_size"]),
    ("fluentbit_metrics", &["scrape_interval"]),
    ("kubernetes_events", &["kube_url", "kube_retention_time"]),
    (
        "opentelemetry",
        &[
            "listen",
            "port",
            "buffer_max_size",
            "http_server.max_connections",
            "traces_uri",
            "http_user",
            "http_passwd",
            "compress",
            "log_response_payload",
        ],
    ),
    (
        "loki",
        &[
            "uri",
            "http_user",
            "http_passwd",
            "compress",
            "labels",
            "structured_metadata",
            "remove_keys",
            "drop_single_key",
        ],
    ),
    ("prometheus_remote_write", &["uri", "http_user", "http_passwd", "add_label", "log_response_payload"]),
    ("http", &["uri", "format", "json_date_key"]),
    ("parser", &["key_name", "parser", "reserve_data", "preserve_key"]),
    ("record_modifier", &["allowlist_key"]),
];

fn keys(of: &str) -> Option<&'static [&'static str]> {
    KEYS.iter().find(|(name, _)| *name == of).map(|(_, keys)| *keys)
}

/// A configuration, read.
pub(crate) struct Config(Value);

impl Config {
    pub(crate) fn read(text: &str) -> Self {
        Self(yaml::parse_foreign("fluent-bit.yaml", text).unwrap_or_else(|error| panic!("{error}\n{text}")))
    }

    pub(crate) fn service(&self) -> &Value {
        &self.0["service"]
    }

    /// The plugins of one kind: `inputs`, `filters` or `outputs`.
    pub(crate) fn all(&self, kind: &str) -> Vec<&Value> {
        self.0["pipeline"][kind].as_array().unwrap_or_else(|| panic!("no {kind}")).iter().collect()
    }

    /// The plugins of one kind and name.
    pub(crate) fn named(&self, kind: &str, name: &str) -> Vec<&Value> {
        self.all(kind).into_iter().filter(|plugin| plugin["name"] == name).collect()
    }

    /// The environment that it reads.
    pub(crate) fn variables(&self) -> BTreeSet<String> {
        let text = self.0.to_string();
        text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect()
    }

    /// What is wrong with it, all at once.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for kind in ["inputs", "filters", "outputs"] {
            for plugin in self.all(kind) {
                let name = plugin["name"].as_str().unwrap();
                if name == "lua" {
                    continue; // tried with Lua itself
                }
                let Some(own) = keys(name) else {
                    problems.push(format!("{name} is no plugin that is known here"));
                    continue;
                };
                for key in plugin.as_object().unwrap().keys().map(String::as_str) {
                    if !own.contains(&key) && !keys(kind).unwrap().contains(&key) {
                        problems.push(format!("{name} has no {key}"));
                    }
                }
            }
        }
        self.check_routes(&mut problems);
        self.check_parsers(&mut problems);
        self.check_processors(&mut problems);
        problems
    }

    /// Every record goes somewhere, and everything that waits for records gets some.
    fn check_routes(&self, problems: &mut Vec<String>) {
        let tags: Vec<&str> = self.all("inputs").iter().map(|input| input["tag"].as_str().unwrap()).collect();
        let fits = |pattern: &str, tag: &str| match pattern.strip_suffix('*') {
            Some(start) => tag.starts_with(start),
            None => pattern == tag,
        };
        let outputs = self.all("outputs");
        for tag in &tags {
            let taken = outputs.iter().filter(|output| fits(output["match"].as_str().unwrap(), tag)).count();
            if taken != 1 {
                problems.push(format!("{tag} goes to {taken} outputs"));
            }
        }
        for plugin in outputs.iter().chain(&self.all("filters")) {
            let pattern = plugin["match"].as_str().unwrap();
            if !tags.iter().any(|tag| fits(pattern, tag)) {
                problems.push(format!("{} waits for {pattern}, which nothing has", plugin["name"]));
            }
        }
        for output in outputs {
            if output["retry_limit"] != "no_limits" {
                problems.push(format!("{} gives up", output["name"]));
            }
        }
    }

    fn check_parsers(&self, problems: &mut Vec<String>) {
        let parsers: Vec<&Value> = self.0["parsers"].as_array().into_iter().flatten().map(|p| &p["name"]).collect();
        for filter in self.named("filters", "parser") {
            if !parsers.contains(&&filter["parser"]) {
                problems.push(format!("no parser {}", filter["parser"]));
            }
        }
    }

    /// A processor of labels takes one label, as a text (a list makes 5.1.1 fail to start), and a second one loses what the
    /// first has set.
    fn check_processors(&self, problems: &mut Vec<String>) {
        for input in self.all("inputs") {
            let processors = input.pointer("/processors/metrics").and_then(Value::as_array).into_iter().flatten();
            let labels: Vec<&Value> = processors.filter(|processor| processor["name"] == "labels").collect();
            if labels.len() > 1 || labels.iter().any(|labels| !labels["upsert"].is_string()) {
                problems.push(format!("{} sets more than one label", input["tag"]));
            }
        }
    }

    /// Has the program itself read it, where `BUNDLER_FLUENT_BIT` names one.
    pub(crate) fn try_with_the_program(path: &Path) {
        let Some(program) = std::env::var_os("BUNDLER_FLUENT_BIT") else {
            return crate::support::unasked("the real Fluent Bit, BUNDLER_FLUENT_BIT=PROGRAM");
        };
        let output = std::process::Command::new(program).arg("--dry-run").arg("-c").arg(path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_is_wrong_with_an_agent_is_found() {
    let config = Config::read(
        "pipeline:\n  inputs:\n  - {name: tail, tag: pods.x, storage.typ: filesystem}\n  - {name: forward, tag: b}\n  \
         - name: prometheus_scrape\n    tag: m\n    processors: {metrics: [{name: labels, upsert: [a b, c d]}]}\n  \
         filters:\n  - {name: parser, match: c, key_name: k, parser: none}\n  \
         outputs:\n  - {name: loki, match: pods.*}\n",
    );
    let problems = config.problems();
    for part in [
        "tail has no storage.typ",
        "forward is no plugin",
        "b goes to 0 outputs",
        "\"parser\" waits for c",
        "\"loki\" gives up",
        "no parser \"none\"",
        "\"m\" sets more than one label",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:?}");
    }
}
