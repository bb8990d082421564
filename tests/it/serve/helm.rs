//! Real Helm takes the charts from both forms.

use bundler::oci::{Arch, Digest};

use super::served::{Served, Site};
use crate::support::{self, output_of};

#[test]
fn helm_pulls_and_installs_from_both_forms() {
    let Some(helm) = support::helm() else { return };
    let site = Site::new(&[Arch::Arm64]);
    let run = |arguments: &[&str]| output_of(site.sample.sandbox.command(&helm).args(arguments));
    run(&["repo", "add", "site", &site.served.url]);
    let listed = run(&["search", "repo", "site/", "--versions", "--devel", "-o", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let versions: Vec<_> = listed.as_array().unwrap().iter().map(|chart| chart["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["1.2.3+site.1", "0.1.0"]);
    assert_eq!(listed[0]["app_version"], "1.20");
    assert_eq!(listed[0]["description"], "A page for a site");

    let oci = format!("oci://{}/charts/page", site.served.address);
    for version in versions {
        let path = format!("charts/page-{version}.tgz");
        let expected = Digest::of(&site.sample.members[&path]);
        for (directory, chart, plain) in [("repository", "site/page", None), ("registry", &oci, Some("--plain-http"))] {
            let directory = site.sample.sandbox.path(directory);
            std::fs::create_dir_all(&directory).unwrap();
            let mut pull = vec!["pull", chart, "--version", version, "-d", directory.to_str().unwrap()];
            pull.extend(plain);
            run(&pull);
            let pulled = std::fs::read(directory.join(format!("page-{version}.tgz"))).unwrap();
            assert_eq!(Digest::of(&pulled), expected, "{chart}");

            let mut template = vec!["template", "here", chart, "--version", version];
            template.extend(plain);
            let rendered = run(&template);
            assert!(rendered.contains("name: here-page") && rendered.contains(version), "{rendered}");
            template[0] = "install";
            template.push("--dry-run=client");
            assert!(run(&template).contains("name: here-page"), "{chart}");
        }
    }
}

#[test]
fn what_is_made_of_a_chart_is_always_the_same() {
    let site = Site::new(&[Arch::Arm64]);
    let again = Served::start(&[&site.sample.path()], &[]);
    for target in ["/index.yaml", "/v2/charts/page/manifests/0.1.0", "/v2/charts/page/manifests/1.2.3_site.1"] {
        let (one, two) = (site.served.get(target), again.get(target));
        assert_eq!((one.status, &one.body), (200, &two.body), "{target}");
    }
    let manifest = site.served.get("/v2/charts/page/manifests/0.1.0");
    let digest = manifest.header("docker-content-digest");
    assert_eq!(digest, Digest::of(&manifest.body).to_string());
    assert_eq!(site.served.get(&format!("/v2/charts/page/manifests/{digest}")).body, manifest.body);
    let json = manifest.json();
    for descriptor in [&json["config"], &json["layers"][0]] {
        let digest = descriptor["digest"].as_str().unwrap();
        let reply = site.served.get(&format!("/v2/charts/page/blobs/{digest}"));
        assert_eq!(
            (reply.status, reply.length()),
            (200, usize::try_from(descriptor["size"].as_u64().unwrap()).unwrap())
        );
        assert_eq!(Digest::of(&reply.body).to_string(), digest);
    }
}
