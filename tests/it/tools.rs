//! The tests' own tools, tried with the real programs that they stand on.

use crate::support::{self, Registry, Sandbox};

#[test]
fn a_registry_with_real_images_is_read_by_skopeo() {
    let Some(skopeo) = support::program("skopeo") else { return };
    let Some(registry) = Registry::debian() else { return };
    let sandbox = Sandbox::new();
    for image in support::debian_images().expect("the registry has them") {
        let (_, name) = image.reference.split_once('/').expect("it has a host");
        let raw = support::output_of(
            sandbox
                .command(&skopeo)
                .args(["inspect", "--raw", "--tls-verify=false"])
                .arg(format!("docker://{}/{name}", registry.address())),
        );
        assert_eq!(bundler::oci::Digest::of(raw.as_bytes()), image.digest, "{name}");
    }
}

#[test]
fn a_secured_registry_wants_its_password() {
    let Some(curl) = support::program("curl") else { return };
    let Some(registry) = Registry::debian_secured() else { return };
    let sandbox = Sandbox::new();
    let status = |user: &str| {
        let mut command = sandbox.command(&curl);
        command.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-u", user, "--cacert"]);
        command.arg(registry.ca().expect("it is secured")).arg(format!("{}/v2/", registry.url()));
        support::output_of(&mut command)
    };
    assert_eq!(status("carrier:wrong"), "401");
    assert_eq!(status(&format!("{}:{}", support::USER, support::PASSWORD)), "200");
}

#[test]
fn the_grammar_of_logql_tells_a_query_from_what_is_none() {
    let expressions =
        [r#"{app="edgecore"} |= "error""#, r#"sum by (node) (rate({location="edge"}[5m]))"#, "{app=}", ""];
    let Some(failures) = support::logql_failures(&expressions.map(String::from)) else { return };
    assert_eq!(failures.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true, true], "{failures:?}");
}

#[test]
fn promtool_tells_a_query_from_what_is_none() {
    let Some(promtool) = support::monitoring("promtool") else { return };
    let sandbox = Sandbox::new();
    let check = |expression: &str| {
        let rules = format!("groups: [{{name: g, rules: [{{record: 'a:b', expr: '{expression}'}}]}}]\n");
        sandbox.write("rules.yaml", &rules);
        let mut command = sandbox.command(&promtool);
        command.args(["check", "rules"]).arg(sandbox.path("rules.yaml")).output().unwrap().status.success()
    };
    assert!(check("rate(node_cpu_seconds_total[5m])"));
    assert!(!check("rate(node_cpu_seconds_total)"));
}
