//! The ways into the stack: which request reaches what, with whose password, and who may pass in the cluster.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::boards::live::{Daemon, alertmanager, prometheus};
use super::render::{find, real};
use crate::support::Sandbox;

/// Traefik's own kinds, as far as they are used; a field that is not here is a mistake of ours.
/// <https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/ingressroute>
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct IngressRoute {
    entry_points: Vec<String>,
    routes: Vec<Route>,
    tls: Option<SecretName>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    kind: String,
    r#match: String,
    #[serde(default)]
    middlewares: Vec<Named>,
    services: Vec<Service>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    kind: Option<String>,
    name: String,
    port: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SecretName {
    secret_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Middleware {
    basic_auth: Option<BasicAuth>,
    strip_prefix: Option<StripPrefix>,
    redirect_scheme: Option<RedirectScheme>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BasicAuth {
    secret: String,
    realm: String,
    remove_header: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StripPrefix {
    prefixes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedirectScheme {
    scheme: String,
    permanent: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Store {
    default_certificate: SecretName,
}

fn objects(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/components/ways-in/resources").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.split("\n---\n").map(|document| bundler::yaml::parse_foreign(file, document).unwrap()).collect()
}

fn spec<T: serde::de::DeserializeOwned>(kind: &str, name: &str) -> T {
    let objects = objects("routes.yaml");
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no {kind} {name}"));
    assert_eq!(found["apiVersion"], "traefik.io/v1alpha1");
    assert_eq!(found["metadata"]["namespace"], "monitoring");
    serde_json::from_value(found["spec"].clone()).unwrap_or_else(|error| panic!("{kind} {name}: {error}"))
}

/// What a rule says of a request: Traefik's `Method`, `Path` and `PathPrefix` with `!`, `&&`, `||` and parentheses.
struct Rule<'a> {
    rest: &'a str,
    method: &'a str,
    path: &'a str,
}

impl Rule<'_> {
    fn matches(rule: &str, method: &str, path: &str) -> bool {
        let mut rule = Rule { rest: rule, method, path };
        let is = rule.any();
        assert_eq!(rule.rest.trim(), "");
        is
    }

    fn takes(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.strip_prefix(sign).map(|rest| self.rest = rest).is_some()
    }

    fn any(&mut self) -> bool {
        let mut is = self.all();
        while self.takes("||") {
            is |= self.all();
        }
        is
    }

    fn all(&mut self) -> bool {
        let mut is = self.one();
        while self.takes("&&") {
            is &= self.one();
        }
        is
    }

    fn one(&mut self) -> bool {
        if self.takes("!") {
            return !self.one();
        }
        if self.takes("(") {
            let is = self.any();
            assert!(self.takes(")"));
            return is;
        }
        let (name, rest) = self.rest.trim_start().split_once("(`").unwrap();
        let (argument, rest) = rest.split_once("`)").unwrap();
        self.rest = rest;
        match name {
            "Method" => argument == self.method,
            "Path" => argument == self.path,
            "PathPrefix" => self.path.starts_with(argument),
            other => panic!("{other}"),
        }
    }
}

/// Where a request over TLS ends: the service, its port, and the Secret that it needs a password of.
fn reached(method: &str, path: &str) -> Option<(String, u64, Option<String>)> {
    let route: IngressRoute = spec("IngressRoute", "observability");
    let mut matching = route.routes.into_iter().filter(|route| Rule::matches(&route.r#match, method, path));
    let route = matching.next()?;
    assert!(matching.next().is_none(), "{method} {path}: two rules, and their length would decide");
    let mut password = None;
    for Named { name } in &route.middlewares {
        password = password.or(spec::<Middleware>("Middleware", name).basic_auth.map(|basic| basic.secret));
    }
    let [service] = &route.services[..] else { panic!("{route:?}") };
    Some((service.name.clone(), service.port.unwrap(), password))
}

const PUSH: Option<&str> = Some("basic-auth-push");
const USERS: Option<&str> = Some("observability-users");

#[test]
fn each_request_reaches_what_it_may_and_with_the_right_password() {
    for (method, path, service, port, password) in [
        ("POST", "/api/v1/write", "kps-prometheus", 9090, PUSH),
        ("POST", "/loki/api/v1/push", "loki", 3100, PUSH),
        ("POST", "/v1/traces", "opentelemetry-collector", 4319, PUSH),
        ("GET", "/grafana", "kube-prometheus-stack-grafana", 80, None),
        ("POST", "/grafana/api/ds/query", "kube-prometheus-stack-grafana", 80, None),
        ("GET", "/prometheus", "kps-prometheus", 9090, USERS),
        ("GET", "/prometheus/api/v1/query_range", "kps-prometheus", 9090, USERS),
        ("POST", "/prometheus/api/v1/query", "kps-prometheus", 9090, USERS),
        ("GET", "/alertmanager/", "kps-alertmanager", 9093, USERS),
        ("POST", "/alertmanager/api/v2/silences", "kps-alertmanager", 9093, USERS),
        ("DELETE", "/alertmanager/api/v2/silence/1", "kps-alertmanager", 9093, USERS),
        ("GET", "/jaeger/api/traces", "jaeger", 16686, USERS),
        ("GET", "/loki/api/v1/query_range", "loki", 3100, USERS),
        ("GET", "/loki/api/v1/label/node/values", "loki", 3100, USERS),
    ] {
        let expected = (service.to_owned(), port, password.map(str::to_owned));
        assert_eq!(reached(method, path), Some(expected), "{method} {path}");
    }
}

#[test]
fn what_changes_or_ends_the_stack_is_not_found() {
    for (method, path) in [
        ("POST", "/prometheus/-/quit"),
        ("POST", "/prometheus/-/reload"),
        ("PUT", "/prometheus/-/reload"),
        ("POST", "/prometheus/api/v1/write"),
        ("POST", "/prometheus/api/v1/admin/tsdb/delete_series"),
        ("GET", "/prometheus/debug/pprof/heap"),
        ("POST", "/alertmanager/-/reload"),
        ("GET", "/api/v1/write"),
        ("GET", "/api/v1/query"),
        ("GET", "/loki/api/v1/push"),
        ("POST", "/loki/api/v1/delete"),
        ("GET", "/loki/api/v1/delete"),
        ("GET", "/loki/config"),
        ("GET", "/config"),
        ("POST", "/jaeger/api/anything"),
        ("GET", "/prometheusx"),
        ("GET", "/"),
    ] {
        assert_eq!(reached(method, path), None, "{method} {path}");
    }
}

#[test]
fn prefixes_are_taken_away_from_those_who_do_not_know_them() {
    let route: IngressRoute = spec("IngressRoute", "observability");
    let StripPrefix { prefixes } = spec::<Middleware>("Middleware", "strip-prefix").strip_prefix.unwrap();
    assert_eq!(prefixes, ["/grafana", "/prometheus", "/alertmanager"]);
    for route in &route.routes {
        let strips = route.middlewares.iter().any(|middleware| middleware.name == "strip-prefix");
        let prefixed = prefixes.iter().any(|prefix| route.r#match.contains(&format!("`{prefix}/")));
        assert_eq!(strips, prefixed, "{}", route.r#match);
        assert_eq!(route.kind, "Rule");
        assert!(!route.r#match.contains("Host("), "it would be the site's: {}", route.r#match);
    }
}

#[test]
fn tls_is_the_site_s_and_http_only_leads_to_it() {
    let route: IngressRoute = spec("IngressRoute", "observability");
    assert_eq!(
        (route.entry_points, route.tls.unwrap().secret_name),
        (vec!["websecure".to_owned()], "observability-tls".to_owned())
    );
    let store: Store = spec("TLSStore", "default");
    assert_eq!(store.default_certificate.secret_name, "observability-tls", "clients that come by an address get it");
    let plain: IngressRoute = spec("IngressRoute", "observability-http");
    assert_eq!(plain.entry_points, ["web"]);
    for route in plain.routes {
        assert!(
            route
                .services
                .iter()
                .all(|service| service.kind.as_deref() == Some("TraefikService") && service.name == "noop@internal")
        );
        for Named { name } in route.middlewares {
            let RedirectScheme { scheme, permanent } = spec::<Middleware>("Middleware", &name).redirect_scheme.unwrap();
            assert_eq!((scheme.as_str(), permanent), ("https", true));
        }
        assert!(!Rule::matches(&route.r#match, "POST", "/api/v1/write"));
        assert!(Rule::matches(&route.r#match, "GET", "/grafana/d/edge-fleet"));
    }
    for name in ["push-password", "password"] {
        let BasicAuth { realm, remove_header, .. } = spec::<Middleware>("Middleware", name).basic_auth.unwrap();
        assert!(!realm.is_empty() && remove_header, "{name}: a password goes no further than Traefik");
    }
}

#[test]
fn every_way_in_ends_at_a_port_of_a_service_and_its_policy_lets_traefik_through() {
    let Some(stack) = real() else { return };
    let route: IngressRoute = spec("IngressRoute", "observability");
    let policies = objects("network-policies.yaml");
    let policy = policies.iter().find(|policy| policy["metadata"]["name"] == "from-traefik").unwrap();
    let allowed: BTreeSet<u64> = policy["spec"]["ingress"][0]["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| port["port"].as_u64().unwrap())
        .collect();
    let names = policy["spec"]["podSelector"]["matchExpressions"][0]["values"].as_array().unwrap();
    let mut used = BTreeSet::new();
    for service in route.routes.iter().flat_map(|route| &route.services) {
        let object = find(&stack.objects, "Service", &service.name);
        let ports = object.at("/spec/ports").as_array().unwrap();
        let port = ports.iter().find(|port| port["port"].as_u64() == service.port);
        let port = port.unwrap_or_else(|| panic!("{} has no port {:?}", service.name, service.port));
        // A name stands for a port of the container; Grafana's is the only one here.
        let target = port["targetPort"].as_u64().unwrap_or(if port["targetPort"] == "grafana" {
            3000
        } else {
            service.port.unwrap()
        });
        assert!(allowed.contains(&target), "{}: {target}", service.name);
        let name = object.at("/spec/selector/app.kubernetes.io~1name");
        assert!(names.contains(name), "{}: {name}", service.name);
        used.extend([target.to_string(), name.as_str().unwrap().to_owned()]);
    }
    let known = allowed.iter().map(u64::to_string).chain(names.iter().map(|name| name.as_str().unwrap().to_owned()));
    assert_eq!(known.collect::<BTreeSet<_>>(), used, "the policy says no more than the routes need");
}

#[test]
fn policies_name_pods_that_are_there_and_leave_nothing_else_open() {
    let Some(stack) = real() else { return };
    let mut labels: BTreeSet<String> = BTreeSet::new();
    for object in &stack.objects {
        let name = object.at("/spec/template/metadata/labels/app.kubernetes.io~1name").as_str();
        labels.extend(name.map(str::to_owned));
    }
    // Their operator makes these pods.
    labels.extend(["prometheus", "alertmanager"].map(str::to_owned));
    let policies = objects("network-policies.yaml");
    for policy in &policies {
        assert_eq!(
            (&policy["kind"], &policy["metadata"]["namespace"]),
            (&"NetworkPolicy".into(), &"monitoring".into())
        );
        let selector = &policy["spec"]["podSelector"];
        let listed = selector["matchExpressions"][0]["values"].as_array().into_iter().flatten();
        for name in listed.chain(selector["matchLabels"].get("app.kubernetes.io/name")) {
            assert!(labels.contains(name.as_str().unwrap()), "{}: no pod {name}", policy["metadata"]["name"]);
        }
    }
    let open: Vec<_> = policies.iter().filter(|policy| policy["spec"]["ingress"][0].get("from").is_none()).collect();
    assert_eq!(open.len(), 1, "only webhooks are open to everybody, because the API server has no pod");
    assert_eq!(open[0]["metadata"]["name"], "webhooks");
    let all = policies.iter().find(|policy| policy["metadata"]["name"] == "only-from-here").unwrap();
    assert_eq!(all["spec"]["podSelector"], serde_json::json!({}));
}

/// The requests of the guide: method, path, parameters and the Secret that has the user.
fn requests(file: &str) -> Vec<(String, String, String, Option<String>)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file)).unwrap();
    let rows = text.lines().filter_map(|line| {
        let [_, request, user] = line.trim_matches('|').split(" | ").collect::<Vec<_>>()[..] else { return None };
        let (method, rest) = request.strip_prefix('`')?.strip_suffix('`')?.split_once(' ')?;
        let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let user = user.trim().strip_prefix('`').and_then(|user| user.strip_suffix('`'));
        Some((method.to_owned(), path.to_owned(), parameters.to_owned(), user.map(str::to_owned)))
    });
    rows.collect()
}

#[test]
fn the_requests_of_the_guide_reach_what_they_ask_and_are_right() {
    let requests = {
        let english = requests("ways-in.md");
        assert_eq!(english, self::requests("ways-in.zh-CN.md"), "both languages ask the same");
        english
    };
    assert!(requests.len() > 15);
    let mut reached_services = BTreeSet::new();
    for (method, path, _, user) in &requests {
        let (service, _, password) = reached(method, path).unwrap_or_else(|| panic!("{method} {path} is not found"));
        assert_eq!(password, *user, "{method} {path}");
        reached_services.insert(service);
    }
    assert_eq!(reached_services.len(), 6, "an example of each: {reached_services:?}");

    let sandbox = Sandbox::new();
    let (Some(prometheus), Some(alertmanager)) = (prometheus(&sandbox, &[]), alertmanager(&sandbox, &[])) else {
        return;
    };
    let ask = |daemon: &Daemon, prefix: &str| {
        let asked = requests.iter().filter(|(method, path, ..)| method == "GET" && path.starts_with(prefix));
        let answers = asked.map(|(_, path, parameters, _)| {
            let mut url = url::Url::parse("http://x").unwrap();
            url.set_path(path.strip_prefix(prefix).unwrap());
            url.set_query(Some(parameters));
            // Fails on any answer but 200.
            daemon.get(&format!("{}?{}", url.path(), url.query().unwrap().replace('{', "%7B").replace('}', "%7D")));
        });
        assert!(answers.count() >= 2, "{prefix}");
    };
    ask(&prometheus, "/prometheus");
    ask(&alertmanager, "/alertmanager");
}

/// Traefik takes the prefix away, and the pages put it before their own links again.
#[test]
fn pages_behind_a_prefix_know_it() {
    let Some(stack) = real() else { return };
    let flags = |kind: &str, name: &str| {
        let object = stack.find(kind, name);
        let text = |field: &str| object.at(&format!("/spec/{field}")).as_str().unwrap().to_owned();
        let (external, prefix) = (text("externalUrl"), text("routePrefix"));
        [format!("--web.external-url={external}"), format!("--web.route-prefix={prefix}")]
    };
    let sandbox = Sandbox::new();
    let [external, prefix] = flags("Prometheus", "kps-prometheus");
    let Some(prometheus) = prometheus(&sandbox, &[&external, &prefix]) else { return };
    let (head, _) = prometheus.ask("/");
    assert!(head.contains("302 Found") && head.contains("Location: /prometheus/"), "{head}");
    let [external, prefix] = flags("Alertmanager", "kps-alertmanager");
    let Some(alertmanager) = alertmanager(&sandbox, &[&external, &prefix]) else { return };
    alertmanager.get("/");
    alertmanager.get("/api/v2/status");
}
