//! What the pages show and their test does not run, by how a command line begins, and why.

/// How command lines begin, and why they are not run.
pub(super) const NOT_RUN: [(&str, &str); 17] = [
    (".github/actions/bundle/pin.sh", "changes this repository; `actions::` runs it on a copy"),
    ("./install.sh", "changes the machine; `tests/install` runs it, and `make test-cluster` with a real API server"),
    ("cargo install", "builds the program that is tested here"),
    ("cosign", "wants a signature of upstream's; `resolve::signatures` and `push` check real ones"),
    ("curl --cacert ca.crt", "asks a site that is installed; `stack::ways_in` asks its routes"),
    ("git", "needs the repository of whoever makes the release; `actions::` runs the workflow"),
    ("helm install", "needs a cluster; `push` pulls the same chart with Helm"),
    ("helm upgrade", "needs a cluster; `stack::` renders the same values"),
    ("kubectl", "needs a cluster, but for what `init` reads; `make test-cluster` has one"),
    ("make", "builds and tests this repository; CI runs each target"),
    ("oras discover harbor.example", "has no TLS here; `push` asks a registry with referrers"),
    (
        "sudo ./install.sh",
        "changes the machine; `tests/install` runs it, and `make test-cluster` with a real API server",
    ),
    ("sudo install", "writes below /etc; `tests/install` does it in a directory"),
    ("sudo keadm", "needs KubeEdge; `tests/install` has a stand-in"),
    ("trivy", "downloads its list of vulnerabilities"),
    ("… ", "stands for the line above with another end"),
    (
        "mkdir bundle && tar xzf observability-1.4.0-cloud",
        "begins what `sudo` goes on with; `tests/install` unpacks a bundle",
    ),
];

/// Why a command line is not run; `None` when it is.
pub(super) fn reason(line: &str) -> Option<&'static str> {
    let begins = |start: &str| match line.strip_prefix(start) {
        Some(rest) => rest.is_empty() || start.ends_with(' ') || rest.starts_with([' ', '/', '-']),
        None => false,
    };
    // A stand-in answers this one.
    if line.starts_with("kubectl get pods -A -o json |") {
        return None;
    }
    NOT_RUN.iter().find(|(start, _)| begins(start)).map(|(_, reason)| *reason)
}
