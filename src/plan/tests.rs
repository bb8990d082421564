use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::bundle::contents::{Carried, Learned};
use crate::error::Diagnostic as _;
use crate::lock::Lock;
use crate::oci::Reference;
use crate::oci::manifest::Manifest;

const LOCK: &str = "
schema: 1
bundle: {name: demo, version: 1.0.0, kubernetes: '1.36', architectures: [amd64, arm64]}
profiles: {cloud: [app, helm], edge: [app]}
components:
  app:
    version: '1'
    inputs: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    chart: {url: 'oci://ghcr.io/example/charts/app:1', sha256: AA, size: 10, from: oci}
    images: [docker.io/example/app:1, docker.io/example/other:1]
  helm:
    version: '4'
    inputs: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    files:
      helm:
        amd64: {url: 'https://get.helm.sh/a.tar.gz', sha256: BB, from: download, member: {path: helm, sha256: CC, size: 7}}
        arm64: {url: 'https://get.helm.sh/b.tar.gz', sha256: DD, from: download, member: {path: helm}}
images:
  docker.io/example/app:1: {digest: sha256:11}
  docker.io/example/other:1: {digest: sha256:22}
";

/// A lock in which each two letters of a digest stand for all of them.
fn lock(change: impl Fn(&str) -> String) -> Lock {
    let mut text = change(LOCK);
    for short in ["AA", "BB", "CC", "DD"] {
        text = text.replace(&format!("sha256: {short}"), &format!("sha256: {}", digest(short).hex()));
    }
    for short in ["11", "22"] {
        text = text.replace(&format!("sha256:{short}}}"), &format!("{}}}", digest(short)));
    }
    crate::yaml::parse("lock", &text).unwrap()
}

fn digest(short: &str) -> Digest {
    Digest::from_hex(&short.to_lowercase().repeat(32)).unwrap()
}

fn plan_of(lock: &Lock) -> Plan {
    Plan { lock: lock.clone(), partial: false }
}

fn manifest(layers: &[(&str, u64)]) -> Manifest {
    let descriptor = |(short, size): &(&str, u64)| format!(r#"{{"digest":"{}","size":{size}}}"#, digest(short));
    let layers: Vec<_> = layers.iter().map(descriptor).collect();
    let config = descriptor(&("c0", 3));
    Manifest::parse(format!(r#"{{"config":{config},"layers":[{}]}}"#, layers.join(",")).into(), None).unwrap()
}

fn reference(name: &str) -> Reference {
    format!("example/{name}:1").parse().unwrap()
}

#[test]
fn a_blob_of_several_images_is_one_with_all_its_sources() {
    let images = BTreeMap::from([
        (reference("app"), vec![manifest(&[("e1", 100), ("e2", 5), ("e1", 100)])]),
        (reference("other"), vec![manifest(&[("e1", 100)])]),
    ]);
    let carried =
        BTreeMap::from([((digest("dd"), Some("helm".to_owned())), Carried { digest: digest("d1"), size: 9 })]);
    let blobs = collect(&plan_of(&lock(str::to_owned)), &images, &carried).unwrap();
    let shared = &blobs[&digest("e1")];
    assert_eq!(shared.sources, [Source::Registry(reference("app")), Source::Registry(reference("other"))]);
    assert_eq!(shared.artifacts, [Artifact::Image(reference("app")), Artifact::Image(reference("other"))]);
    assert_eq!(blobs[&digest("aa")].sources[0].to_string(), "ghcr.io/example/charts/app");
    assert_eq!((blobs[&digest("cc")].size, blobs[&digest("d1")].size), (7, 9));
    assert_eq!(blobs[&digest("d1")].sources[0].to_string(), "helm in https://get.helm.sh/b.tar.gz");
    assert!(!blobs.contains_key(&digest("bb")), "an archive is not carried");
    assert_eq!(blobs.len(), 6, "{blobs:?}");
}

#[test]
fn two_sizes_of_one_blob_are_refused() {
    let images = BTreeMap::from([
        (reference("app"), vec![manifest(&[("e1", 100)])]),
        (reference("other"), vec![manifest(&[("e1", 101)])]),
    ]);
    let error = collect(&plan_of(&lock(str::to_owned)), &images, &BTreeMap::new()).unwrap_err();
    assert!(matches!(error, Error::TwoSizes { first: 100, second: 101, .. }), "{error}");
    assert_eq!(error.exit(), Exit::Mismatch);
}

#[test]
fn only_what_can_be_fetched_is_a_url() {
    for url in ["file:///etc/passwd", "ftp://x/y", "../x", "oci://", "oci://a/../b", "https://"] {
        let lock = lock(|text| text.replace("oci://ghcr.io/example/charts/app:1", url));
        let error = plan_of(&lock).downloads().unwrap_err();
        assert!(matches!(&error, Error::Url { url: named, .. } if named == url), "{url}: {error}");
        assert_eq!(error.exit(), Exit::Usage);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Every layer of every image is there once, with all images that have it; in whatever order they come.
    #[test]
    fn blobs_are_the_layers_of_all_images(images in prop::collection::vec(prop::collection::vec(0_u8..12, 0..8), 0..8)) {
        const SIZE: u64 = 100;
        let layer = |number: &u8| format!("e{number:x}");
        let named = |(index, layers): (usize, &Vec<u8>)| {
            let layers: Vec<_> = layers.iter().map(layer).collect();
            let layers: Vec<_> = layers.iter().map(|short| (short.as_str(), SIZE)).collect();
            (reference(&format!("image{index}")), vec![manifest(&layers)])
        };
        let documents: Images = images.iter().enumerate().map(named).collect();
        let plan = plan_of(&lock(str::to_owned));
        let own = collect(&plan, &Images::new(), &Learned::new()).unwrap();
        let blobs = collect(&plan, &documents, &Learned::new()).unwrap();
        for number in 0..12 {
            let having = images.iter().enumerate().filter(|(_, layers)| layers.contains(&number));
            let having: Vec<_> = having.map(|(index, _)| reference(&format!("image{index}"))).collect();
            let blob = blobs.get(&digest(&layer(&number)));
            prop_assert_eq!(blob.is_some(), !having.is_empty());
            let Some(blob) = blob else { continue };
            prop_assert_eq!(blob.size, SIZE);
            prop_assert_eq!(&blob.artifacts, &having.iter().cloned().map(Artifact::Image).collect::<Vec<_>>());
            prop_assert_eq!(&blob.sources, &having.into_iter().map(Source::Registry).collect::<Vec<_>>());
        }
        let layers: std::collections::BTreeSet<_> = images.iter().flatten().collect();
        let config = usize::from(!images.is_empty());
        prop_assert_eq!(blobs.len(), own.len() + layers.len() + config);
    }
}
