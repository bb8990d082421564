//! The boards of Grafana: their layout, their queries in the languages' own parsers, and the series that they read.

pub(super) mod live;
mod picture;
pub(super) mod promql;
pub(super) mod series;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{self, Sandbox};

/// The data sources that every board may name.
const SOURCES: [&str; 4] = ["prometheus", "loki", "jaeger", "alertmanager"];
/// Grafana's grid is so many columns wide.
const COLUMNS: u64 = 24;
/// What stands for Grafana's variables in a query: the series of the tests are of edge-1.
const VARIABLES: [(&str, &str); 12] = [
    ("$__rate_interval", "5m"),
    ("$__range", "1h"),
    ("$__auto", "5m"),
    ("$namespace", ".*"),
    ("$location", ".+"),
    ("$instance", ".+"),
    ("$service", ".+"),
    ("$search", "refused"),
    ("$traced", "shop"),
    ("$node", "edge-1"),
    ("$job", ".+"),
    ("$__interval", "1m"),
];

/// One board.
struct Board {
    file: PathBuf,
    uid: String,
    json: Value,
}

/// A query of a panel.
struct Query<'a> {
    board: &'a str,
    panel: &'a Value,
    source: &'a str,
    target: &'a Value,
}

impl Query<'_> {
    fn place(&self) -> String {
        format!("{}: {}", self.board, self.panel["title"])
    }

    /// The expression with values in the place of variables.
    fn expression(&self) -> Option<String> {
        self.target["expr"].as_str().map(filled)
    }
}

fn filled(expression: &str) -> String {
    VARIABLES.iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The boards, read from the ConfigMaps as the installer applies them.
fn boards() -> Vec<Board> {
    let directory = root().join("manifests/components/kube-prometheus-stack/resources");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.file_name().unwrap().to_str().unwrap().starts_with("dashboard-"));
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(board).collect()
}

fn board(file: PathBuf) -> Board {
    let text = std::fs::read_to_string(&file).unwrap();
    let map: Value = bundler::yaml::parse_foreign(file.to_str().unwrap(), &text).unwrap();
    assert_eq!(map["kind"], "ConfigMap");
    assert_eq!(map["metadata"]["namespace"], "monitoring");
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1", "else the sidecar does not see it");
    let data = map["data"].as_object().unwrap();
    let (key, json) = data.iter().next().unwrap();
    assert_eq!(data.len(), 1, "{}", file.display());
    let json: Value =
        serde_json::from_str(json.as_str().unwrap()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let uid = json["uid"].as_str().unwrap().to_owned();
    assert_eq!(
        (key.as_str(), file.file_stem().unwrap().to_str().unwrap()),
        (&*format!("{uid}.json"), &*format!("dashboard-{uid}"))
    );
    Board { file, uid, json }
}

impl Board {
    fn panels(&self) -> &[Value] {
        self.json["panels"].as_array().unwrap()
    }

    fn variables(&self) -> &[Value] {
        self.json["templating"]["list"].as_array().unwrap()
    }

    fn queries(&self) -> impl Iterator<Item = Query<'_>> {
        self.panels().iter().flat_map(move |panel| {
            panel["targets"].as_array().into_iter().flatten().map(move |target| {
                let source = target["datasource"]["uid"].as_str().unwrap_or_default();
                Query { board: &self.uid, panel, source, target }
            })
        })
    }
}

/// The column, row, width and height of a panel.
fn grid(panel: &Value) -> [u64; 4] {
    ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap_or_else(|| panic!("{}", panel["title"])))
}

#[test]
fn panels_have_a_place_of_their_own_a_source_and_a_word_for_no_data() {
    let mut uids = BTreeSet::new();
    for board in boards() {
        assert!(uids.insert(board.uid.clone()) && !board.json["description"].as_str().unwrap().is_empty());
        let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for panel in board.panels() {
            let title = panel["title"].as_str().unwrap();
            assert!(!title.is_empty() && ids.insert(panel["id"].as_u64().unwrap()), "{}: {title}", board.uid);
            let [x, y, w, h] = grid(panel);
            assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{}: {title}", board.uid);
            for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |row| (column, row))) {
                assert!(taken.insert(cell), "{}: {title} lies upon another panel", board.uid);
            }
            if panel["type"] == "row" {
                continue;
            }
            assert!(panel["fieldConfig"]["defaults"]["noValue"].is_string(), "{}: {title}", board.uid);
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{}: {title}", board.uid);
        }
        for query in board.queries() {
            assert!(SOURCES.contains(&query.source), "{}: source {}", query.place(), query.source);
            assert_eq!(query.panel["datasource"], query.target["datasource"], "{}", query.place());
        }
    }
}

#[test]
fn variables_are_declared_and_used() {
    for board in boards() {
        let text = board.json.to_string();
        let declared: BTreeSet<&str> = board.variables().iter().map(|v| v["name"].as_str().unwrap()).collect();
        for name in &declared {
            assert!(text.contains(&format!("${name}")), "{}: ${name} is not used", board.uid);
        }
        for query in board.queries() {
            let text = query.target.to_string();
            for used in text.split('$').skip(1) {
                let name: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let known = declared.contains(name.as_str()) || VARIABLES.iter().any(|(known, _)| known[1..] == name);
                assert!(
                    known && (name.starts_with("__") || declared.contains(name.as_str())),
                    "{}: ${name}",
                    query.place()
                );
            }
        }
    }
}

#[test]
fn boards_lead_to_boards_that_are_there() {
    let boards = boards();
    let uids: BTreeSet<&str> = boards.iter().map(|board| board.uid.as_str()).collect();
    for board in &boards {
        for link in board.json.to_string().split("\"/d/").skip(1) {
            let uid = link.split(['?', '"']).next().unwrap();
            assert!(uids.contains(uid), "{}: no board {uid}", board.uid);
        }
    }
}

#[test]
fn every_query_of_logs_is_logql() {
    let boards = boards();
    let queries: Vec<Query<'_>> = boards.iter().flat_map(Board::queries).filter(|q| q.source == "loki").collect();
    assert!(!queries.is_empty());
    let expressions: Vec<String> = queries.iter().map(|query| query.expression().unwrap()).collect();
    let Some(failures) = support::logql_failures(&expressions) else { return };
    for (query, failure) in queries.iter().zip(failures) {
        assert_eq!(failure, None, "{}", query.place());
    }
}

/// Labels of Loki are few, so that each stream is one; what else a line says is found in the line.
#[test]
fn queries_of_logs_select_by_the_labels_that_the_agents_set() {
    const LABELS: [&str; 8] = ["node", "location", "namespace", "pod", "container", "app", "job", "reason"];
    for board in boards() {
        for query in board.queries().filter(|query| query.source == "loki") {
            for label in promql::names(&query.expression().unwrap()).labels {
                assert!(LABELS.contains(&label.as_str()), "{}: {label}", query.place());
            }
        }
    }
}

#[test]
fn every_query_of_metrics_reads_series_that_exist() {
    let known = series::read();
    let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for series in known.iter().flat_map(|source| &source.series) {
        labels.entry(&series.name).or_default().extend(series.labels.keys().map(String::as_str));
    }
    let mut read = BTreeSet::new();
    let mut check = |place: &str, expression: &str| {
        let names = promql::names(expression);
        assert!(!names.metrics.is_empty(), "{place}: {expression}");
        let mut there: BTreeSet<&str> = BTreeSet::new();
        for metric in &names.metrics {
            let Some(labels) = labels.get(metric.as_str()) else {
                panic!("{place}: tests/data/series.yaml has no {metric}")
            };
            there.extend(labels);
            read.insert(metric.clone());
        }
        for label in names.labels.iter().filter(|label| *label != "le") {
            assert!(there.contains(label.as_str()), "{place}: no label {label} in {expression}");
        }
    };
    for board in boards() {
        for query in board.queries().filter(|query| query.source == "prometheus") {
            check(&query.place(), &query.expression().unwrap());
        }
        for variable in board.variables().iter().filter(|variable| variable["datasource"]["uid"] == "prometheus") {
            let definition = variable["definition"].as_str().unwrap();
            let inner = definition.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
            let (selector, label) = inner.rsplit_once(", ").unwrap();
            check(
                &format!("{}: ${}", board.uid, variable["name"]),
                &format!("count by ({label}) ({})", filled(selector)),
            );
        }
    }
    let unread: Vec<_> = labels.keys().filter(|metric| !read.contains(**metric)).collect();
    assert!(unread.is_empty(), "no board reads these series of the tests: {unread:?}");
}

/// A join that never matches, a label that is not there or a range without data shows as an empty panel on the site.
#[test]
fn every_query_of_metrics_finds_something_on_a_site() {
    let Some(promtool) = support::monitoring("promtool") else { return };
    let mut checks = Vec::new();
    for board in boards() {
        for query in board.queries().filter(|query| query.source == "prometheus") {
            let expression = query.expression().unwrap();
            checks.push((format!("count({expression}) > bool 0"), 1));
            if query.panel["fieldConfig"]["defaults"]["unit"] == "percentunit" {
                checks.push((format!("count((({expression}) >= 0) <= 1) == bool count({expression})"), 1));
            }
        }
    }
    let test = serde_json::json!({
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": series::read().iter().flat_map(|source| &source.series)
                .map(|series| serde_json::json!({"series": series.text, "values": series.values})).collect::<Vec<_>>(),
            "promql_expr_test": checks.iter().map(|(expression, value)| serde_json::json!({
                "expr": expression, "eval_time": "2h", "exp_samples": [{"labels": "{}", "value": value}],
            })).collect::<Vec<_>>(),
        }],
    });
    let sandbox = Sandbox::new();
    // JSON is YAML.
    let file = sandbox.write("boards.yaml", test.to_string());
    support::output_of(sandbox.command(&promtool).args(["test", "rules"]).arg(file));
}

#[test]
fn a_legend_names_labels_that_the_query_keeps() {
    for board in boards() {
        for query in board.queries() {
            let legend = query.target["legendFormat"].as_str().unwrap_or_default();
            let kept = promql::names(query.target["expr"].as_str().unwrap_or_default()).labels;
            for label in legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap()) {
                assert!(kept.contains(label), "{}: {{{{{label}}}}}", query.place());
            }
        }
    }
}

/// The pictures in docs/boards are drawn of the boards; `UPDATE_PICTURES=1` draws them anew.
#[test]
fn the_pictures_of_the_boards_are_up_to_date() {
    let directory = root().join("docs/boards");
    let update = std::env::var_os("UPDATE_PICTURES").is_some();
    let mut expected = BTreeSet::new();
    for board in boards() {
        let file = directory.join(format!("{}.svg", board.uid));
        let drawn = picture::draw(&board);
        if update {
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(&file, &drawn).unwrap();
        }
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(there == drawn, "{} is not that of {}: UPDATE_PICTURES=1", file.display(), board.file.display());
        expected.insert(file);
    }
    let there: BTreeSet<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(there, expected);
}
