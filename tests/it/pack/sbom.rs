//! The bill of materials of packed bundles, against CycloneDX's own schema.

use std::process::Command;

use super::site::Site;
use crate::support::{self, Registry};
use crate::upstream::Upstream;

/// Takes the bill of materials out of a bundle and validates it.
fn validated(site: &Site, bundle: &str, validator: &mut Command) -> serde_json::Value {
    let text = support::output_of(site.sandbox.command("tar").args(["xzOf", bundle, "sbom.cdx.json"]));
    let path = site.sandbox.write(format!("{bundle}.json"), &text);
    support::output_of(validator.arg(&path));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_schema_takes_what_bundles_say() {
    let (Some(registry), Some(_)) = (Registry::plain(), support::bill_validator()) else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let tool = site.sandbox.write("tool", "#!/bin/sh\n");
    let add = format!("files/a tool={}", tool.display());
    for (arguments, containers) in [
        (&["--arch", "arm64"][..], 3),
        (&["--arch", "amd64", "--arch", "arm64", "--add-file", &add], 6),
        (&["--arch", "arm64", "--component", "helm"], 0),
    ] {
        let mut all = arguments.to_vec();
        all.extend(["--output", "b.tar.gz"]);
        site.pack(&all);
        let bill = validated(&site, "b.tar.gz", &mut support::bill_validator().unwrap());
        let components = bill["components"].as_array().unwrap();
        let of_kind = |kind: &str| components.iter().filter(|component| component["type"] == kind).count();
        assert_eq!(of_kind("container"), containers, "{bill:#}");
        let purls: Vec<_> = components.iter().filter_map(|component| component["purl"].as_str()).collect();
        assert_eq!(purls.len() + of_kind("application"), components.len(), "all but components have a package URL");
        assert!(purls.iter().any(|purl| purl.starts_with("pkg:generic/")), "{purls:#?}");
    }
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let Some(mut validator) = support::bill_validator() else { return };
    let sandbox = support::Sandbox::new();
    let bill = r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": COMPONENT},
        "components": [], "dependencies": [{"ref": "a", "dependsOn": ["REF"]}]}"#;
    let component = r#"{"type": "KIND", "name": "a", "bom-ref": "a", "purl": "PURL"}"#;
    let case = |name: &str, kind: &str, purl: &str, used: &str| {
        let component = component.replace("KIND", kind).replace("PURL", purl);
        sandbox.write(name, bill.replace("COMPONENT", &component).replace("REF", used))
    };
    let good = case("good.json", "file", "pkg:generic/a@1%2B2", "a");
    let wrong = [
        case("kind.json", "image", "pkg:generic/a", "a"),
        case("purl.json", "file", "pkg:generic/a@1+2", "a"),
        case("ref.json", "file", "pkg:generic/a", "b"),
    ];
    assert!(support::bill_validator().unwrap().arg(good).status().unwrap().success());
    let output = validator.args(&wrong).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(wrong.iter().all(|path| said.contains(path.to_str().unwrap())), "{said}");
}
