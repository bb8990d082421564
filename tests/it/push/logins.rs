//! Registries behind TLS and a password.

use bundler::oci::Arch;

use super::sample::Sample;
use super::{WEB, entry};
use crate::support::{self, Registry, output_of};

#[test]
fn a_registry_with_tls_and_a_password_takes_a_push() {
    let Some(registry) = Registry::secured() else { return };
    let sample = Sample::new();
    sample.is_patient();
    let bundle = sample.bundle("arm64", &[Arch::Arm64]);
    let ca = registry.ca().unwrap().to_str().unwrap();
    let target = format!("{}/site", registry.address());
    let arguments = [bundle.to_str().unwrap(), &target, "--ca-file", ca];

    let text = sample.refused(&arguments, 5);
    assert!(text.contains("docker login") && text.contains("may push there"), "{text}");
    let text = sample.refused(&arguments[..2], 3);
    assert!(text.contains("cannot reach"), "{text}");

    let file = sample.sandbox.home().join(".docker/config.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, registry.docker_config().replace("Y2Fycmllcjpjb3JyZWN0IGhvcnNl", "Y2Fycmllcjp3cm9uZw=="))
        .unwrap();
    let text = sample.refused(&arguments, 5);
    assert!(!text.contains("wrong") && !text.contains("Y2Fy"), "{text}");

    std::fs::write(&file, registry.docker_config()).unwrap();
    let pushed = sample.push(&[&arguments[..], &["--write", "nodes"]].concat());
    assert_eq!(entry(&pushed, WEB)["state"], "pushed");
    for path in pushed["written"].as_array().unwrap() {
        let text = std::fs::read_to_string(sample.sandbox.path(path.as_str().unwrap())).unwrap();
        assert!(!text.contains("carrier") && !text.contains("Y2Fy"), "{text}");
    }

    if let Some(crane) = support::tool("crane") {
        let mut digest = sample.sandbox.command(crane);
        let told = output_of(digest.env("SSL_CERT_FILE", ca).args(["digest", &format!("{target}/library/web:1")]));
        assert_eq!(told.trim_end(), sample.child(WEB, "arm64").to_string());
    }
    let Some(skopeo) = support::program("skopeo") else { return };
    let certificates = sample.sandbox.path("certificates");
    std::fs::create_dir(&certificates).unwrap();
    std::fs::copy(ca, certificates.join("ca.crt")).unwrap();
    let mut copy = sample.sandbox.command(skopeo);
    copy.args(["--override-arch", "arm64", "copy", "--src-cert-dir"]).arg(certificates);
    copy.args(["--src-creds", &format!("{}:{}", support::USER, support::PASSWORD)]);
    output_of(copy.args([&format!("docker://{target}/library/web:1"), "dir:taken"]));
}

#[test]
fn a_password_in_the_name_of_a_registry_is_not_shown() {
    let sample = Sample::new();
    let bundle = sample.bundle("arm64", &[Arch::Arm64]);
    let text = sample.refused(&[bundle.to_str().unwrap(), "https://me:secret@harbor.example/x"], 2);
    assert!(text.contains("harbor.example") && !text.contains("secret"), "{text}");
    let text = sample.refused(&["--offline", bundle.to_str().unwrap(), "harbor.example/x"], 6);
    assert!(text.contains("harbor.example"), "{text}");
}
