use super::*;
use crate::bundle::contents::tests::Sample;
use crate::oci::Arch;

#[test]
fn a_bundle_is_weighed_by_its_blobs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let sample = Sample::new(&[Arch::Amd64, Arch::Arm64]);
    sample.write(&path);
    let inspection = inspect(&path).unwrap();
    assert_eq!(inspection.kind, Kind::Bundle);
    assert_eq!(inspection.size, Some(std::fs::metadata(&path).unwrap().len()));
    let archive = Digest::of(&std::fs::read(&path).unwrap());
    assert_eq!(inspection.archive_sha256, Some(archive));
    let web = &inspection.images[0];
    assert_eq!(web.components, ["tool"]);
    assert_eq!(web.platforms.len(), 2);
    let layers: usize = ["shared layer".len(), "layer of web for arm64 ".len() * 4000].iter().sum();
    assert!(web.platforms[&Arch::Arm64].size.is_some_and(|size| size > layers as u64));

    // The profile counts the layer that all images share once, and each blob of the layout.
    let one = Sample::new(&[Arch::Arm64]);
    let single = directory.path().join("arm64.tar.gz");
    one.write(&single);
    let blobs = |path: &Path| {
        let bundle = Bundle::open(path).unwrap();
        let carried = |path: &str| path.starts_with("blobs/") || path.starts_with("charts/") || path.contains("tool");
        let members: Vec<_> =
            bundle.members().iter().filter(|m| carried(&m.path) && !m.path.contains("components/")).cloned().collect();
        members.iter().map(|member| member.size).sum::<u64>()
    };
    assert_eq!(inspect(&single).unwrap().profiles[0].sizes[&Arch::Arm64], Some(blobs(&single)));
    assert!(inspection.profiles[0].sizes[&Arch::Arm64].is_some_and(|size| size < blobs(&path)));
    assert_eq!(inspection.components[0].files.len(), 2);
    assert_eq!(inspection.added[0].name, "files/notes.txt");

    let json = serde_json::to_value(&inspection).unwrap();
    assert_eq!(json["kind"], "bundle");
    assert_eq!(json["components"][0]["files"][0]["arch"], "amd64");
}

#[test]
fn text_shows_the_lock_as_tables() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bundle.lock.yaml");
    let digest = Digest::of(b"");
    let hex = digest.hex();
    std::fs::write(
        &path,
        format!(
            "schema: 1\nbundle: {{name: demo, version: 1.0.0, kubernetes: '1.36', kubeedge: '1.23', architectures: [amd64, arm64]}}\n\
             profiles: {{cloud: [loki, yq], edge: [yq]}}\ncomponents:\n  loki:\n    version: 18.11.0\n    app_version: 3.7.6\n    \
             inputs: {digest}\n    chart: {{url: 'https://x.y/loki.tgz', sha256: {hex}, size: 100, from: helm-index}}\n    \
             images: ['docker.io/grafana/loki:3.7.6']\n  yq:\n    version: 4.47.1\n    inputs: {digest}\n    files:\n      yq:\n        \
             amd64: {{url: 'https://x.y/yq', sha256: {hex}, size: 2000, from: checksum-file}}\n        \
             arm64: {{url: 'https://x.y/yq', sha256: {hex}, from: checksum-file}}\n\
             images:\n  docker.io/grafana/loki:3.7.6:\n    digest: {digest}\n    platforms:\n      \
             amd64: {{digest: '{digest}', size: 1000, layers_size: 40000000}}\n\
             unresolved:\n- {{component: loki, artifact: 'docker.io/grafana/helper:1', reason: no digest known}}\n"
        ),
    )
    .unwrap();
    let inspection = inspect(&path).unwrap();
    insta::assert_snapshot!(crate::ui::inspected::markdown(&inspection), @"
    ## demo 1.0.0, lock for linux/amd64 and linux/arm64

    Kubernetes 1.36, KubeEdge 1.23

    | Profile | Components | amd64 | arm64 |
    | --- | --- | ---: | ---: |
    | `cloud` | `2` | `40 MB` | `?` |
    | `edge` | `1` | `2.0 kB` | `?` |

    | Component | Version | App | Charts | Images | Files | amd64 | arm64 |
    | --- | --- | --- | --- | --- | --- | ---: | ---: |
    | `loki` | `18.11.0` | `3.7.6` | `1` | `1` | `-` | `40 MB` | `?` |
    | `yq` | `4.47.1` | `-` | `-` | `-` | `1` | `2.0 kB` | `?` |

    Unresolved: `docker.io/grafana/helper:1` of `loki`: `no digest known`
    ");
    let report = crate::ui::inspected::text(&inspection);
    insta::assert_snapshot!(report, @"
    demo 1.0.0, lock for linux/amd64 and linux/arm64
    Kubernetes 1.36, KubeEdge 1.23

    PROFILE  COMPONENTS   AMD64  ARM64
    cloud             2   40 MB      ?
    edge              1  2.0 kB      ?

    COMPONENT  VERSION  APP    CHARTS  IMAGES  FILES   AMD64  ARM64
    loki       18.11.0  3.7.6       1       1      -   40 MB      ?
    yq         4.47.1   -           -       -      1  2.0 kB      ?

    IMAGE                         DIGEST                                                                   AMD64  ARM64
    docker.io/grafana/loki:3.7.6  sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  40 MB      ?

    CHART   SIZE  DIGEST                                                                   FROM
    loki   100 B  sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  helm-index

    FILE  ARCH     SIZE  DIGEST                                                                   FROM
    yq    amd64  2.0 kB  sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  checksum-file
    yq    arm64       ?  sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  checksum-file

    UNRESOLVED                  COMPONENT  REASON
    docker.io/grafana/helper:1  loki       no digest known
    ");
}

#[test]
fn what_is_neither_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    std::fs::write(&path, b"\x1f\x8b garbage").unwrap();
    assert!(matches!(inspect(&path), Err(Error::Bundle(_))));
    std::fs::write(&path, b"schema: 1\n").unwrap();
    assert!(matches!(inspect(&path), Err(Error::Lock(_))));
    assert!(matches!(inspect(&directory.path().join("nothing")), Err(Error::Bundle(_))));
}

#[test]
fn two_bundles_differ_by_the_bytes_that_the_older_one_lacks() {
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("old.tar.gz");
    Sample::new(&[Arch::Arm64]).write(&old);
    let mut sample = Sample::new(&[Arch::Arm64]);
    let fresh = b"a file that the older bundle lacks";
    let digest = sample.blob(fresh.to_vec());
    let size = fresh.len() as u64;
    let added = crate::bundle::model::Added { path: "files/zz.txt".to_owned(), digest, size };
    sample.parts.bundle.added.push(added);
    let new = directory.path().join("new.tar.gz");
    sample.write(&new);

    let same = compare(&old, &old, &Silent).unwrap();
    assert!(same.diff.is_empty());
    assert_eq!(same.new_bytes, Some(0));
    // `bundle.yaml` names the file, so it is new too.
    let about = Bundle::open(&new).unwrap().read(bundle_model::BUNDLE_YAML, 1 << 20).unwrap();
    assert_eq!(compare(&old, &new, &Silent).unwrap().new_bytes, Some(size + about.len() as u64));
}
