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
