//! The embedded upstream, read by the field's own clients: what they understand is what it has to speak.

use crate::support::{self, Sandbox};
use crate::upstream::Upstream;

/// `127.0.0.1:PORT` for clients that want a registry's host.
fn host(upstream: &Upstream) -> &str {
    upstream.url().strip_prefix("http://").expect("it is plain")
}

#[test]
fn git_lists_the_tags_of_a_repository() {
    let Some(git) = support::program("git") else { return };
    let (upstream, sandbox) = (Upstream::start(), Sandbox::new());
    let listed = |upstream: &Upstream| {
        let url = format!("{}/github.com/helm/helm", upstream.url());
        let mut command = sandbox.command(&git);
        support::output_of(command.args(["-c", "protocol.version=2", "ls-remote", &url, "refs/tags/v4.2.*"]))
    };
    let before = listed(&upstream);
    let names: Vec<_> = before.lines().filter_map(|line| line.split_once('\t')).map(|(_, name)| name).collect();
    assert_eq!(names[..2], ["refs/tags/v4.2.0", "refs/tags/v4.2.0^{}"], "annotated tags come with their commits");
    assert!(names.contains(&"refs/tags/v4.2.4"), "{names:?}");
    upstream.world().move_tag("helm/helm@v4.2.4");
    let moved: Vec<_> = listed(&upstream).lines().filter(|line| !before.contains(line)).map(str::to_owned).collect();
    assert_eq!(moved.len(), 2, "only the moved tag and its commit are new: {moved:?}");
    assert_eq!(upstream.counted(), 0);
}

#[test]
fn skopeo_copies_an_image_through_tokens_and_redirects() {
    let Some(skopeo) = support::program("skopeo") else { return };
    let (upstream, sandbox) = (Upstream::start(), Sandbox::new());
    for (position, image) in [
        "docker.io/kubeedge/cloudcore:v1.23.1",
        "ghcr.io/jkroepke/kube-webhook-certgen:1.8.7",
        "quay.io/prometheus/prometheus:v3.14.0-distroless",
        "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0",
    ]
    .into_iter()
    .enumerate()
    {
        let mut command = sandbox.command(&skopeo);
        command.args(["--override-arch", "arm64", "copy", "-q", "--src-tls-verify=false"]);
        command.arg(format!("docker://{}/{image}", host(&upstream))).arg(format!("dir:image-{position}"));
        support::output_of(&mut command);
    }
    assert!(upstream.count("storage/sha256:") >= 6, "{:?}", upstream.requests());
    assert_eq!(upstream.count(" 400"), 0, "no credentials went to the other host: {:?}", upstream.requests());
}

#[test]
fn helm_renders_a_chart_from_repository_and_registry() {
    let Some(helm) = support::helm() else { return };
    let (upstream, sandbox) = (Upstream::start(), Sandbox::new());
    let registry = format!("oci://{}/ghcr.io/prometheus-community/charts", host(&upstream));
    let repository = format!("{}/jaegertracing.github.io/helm-charts", upstream.url());
    let mut command = sandbox.command(&helm);
    command.args(["template", "x", &format!("{registry}/prometheus-blackbox-exporter")]);
    let rendered = support::output_of(command.args(["--version", "11.17.2", "--plain-http"]));
    assert!(rendered.contains("quay.io/prometheus/blackbox-exporter:v0.28.0"), "{rendered}");
    let index = support::output_of(sandbox.command(&helm).args(["repo", "add", "jaegertracing", &repository]));
    assert!(index.contains("has been added"), "{index}");
    let found = support::output_of(sandbox.command(&helm).args(["search", "repo", "jaegertracing/jaeger"]));
    assert!(found.contains("4.11.1"), "{found}");
}

#[test]
fn faults_meet_the_requests_that_they_name() {
    use crate::upstream::faults::Effect;
    let Some(curl) = support::program("curl") else { return };
    let (upstream, sandbox) = (Upstream::start(), Sandbox::new());
    let url = format!("{}/get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz.sha256sum", upstream.url());
    let get = |options: &[&str]| {
        let output = sandbox.command(&curl).arg("-sSi").args(options).arg(&url).output().expect("curl starts");
        (output.status.code(), String::from_utf8(output.stdout).expect("it is text"))
    };
    let (_, good) = get(&[]);
    let body = good.split_once("\r\n\r\n").expect("it has a body").1.to_owned();
    assert!(get(&["-r", "2-5"]).1.contains(&format!("content-range: bytes 2-5/{}", body.len())));

    upstream.fault("get.helm.sh", Some(1), Effect::RetryAfter(429, 7));
    let (_, limited) = get(&[]);
    assert!(limited.starts_with("HTTP/1.1 429") && limited.contains("retry-after: 7"), "{limited}");
    assert_eq!(get(&[]).1.split_once("\r\n\r\n").expect("it has a body").1, body, "only one request was to fail");

    upstream.fault("sha256sum", None, Effect::Cut(10));
    let (code, cut) = get(&[]);
    assert_eq!(code, Some(18), "curl calls it a partial file");
    assert!(cut.ends_with(&body[..10]), "{cut}");
    upstream.heal();
    upstream.fault("sha256sum", None, Effect::IgnoreRange);
    assert!(get(&["-r", "2-5"]).1.ends_with(&body));
    assert_eq!(upstream.count("GET get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz.sha256sum"), 6);
}
