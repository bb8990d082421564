//! What is there against what the bundle says of itself: every difference is a finding of its own.

use super::*;

#[test]
fn what_is_missing_is_named() {
    for path in [
        "README.txt",
        "charts/tool-4.2.4.tgz",
        "files/notes.txt",
        "install.sh",
        "index.json",
        "manifest.json",
        "sbom.cdx.json",
        "oci-layout",
        "SHA256SUMS",
        "bundle.yaml",
    ] {
        let mut case = Case::new();
        case.remove(path);
        let report = case.write();
        assert_eq!(told(&report)[0], (Kind::Missing, path));
        assert!(path == "SHA256SUMS" || report.findings.len() == 1, "{:#?}", report.findings);
    }
    // The checksums may agree with what is left; then the lists of images do not.
    for text in
        ["layer of web for arm64", "\"architecture\":\"arm64\",\"name\":\"web\"", "layer of single", "shared layer"]
    {
        let mut case = Case::new();
        let blob = case.blob(text);
        case.remove(&blob);
        case.sum();
        let report = case.write();
        assert!(
            report.findings.iter().all(|f| f.kind == Kind::Missing && f.member.as_deref() == Some(&blob)),
            "{report:#?}"
        );
        assert!(!report.good);
    }
    let mut case = Case::new();
    let index = case.blob("s390x");
    case.remove(&index);
    case.sum();
    let report = case.write();
    assert!(report.findings.iter().any(|f| f.kind == Kind::Missing && f.message.contains("is missing")), "{report:#?}");
}

#[test]
fn what_is_extra_is_named() {
    let blob = model::blob_path(Digest::of(b"x"));
    for path in ["evil", "files/evil", "charts/evil.tgz", "components/other/values.yaml", blob.as_str(), "blobs/evil"] {
        let mut case = Case::new();
        case.add(path, b"x");
        assert_eq!(told(&case.write()), [(Kind::Extra, path)]);
        case.sum();
        assert_eq!(told(&case.write()), [(Kind::Extra, path)]);
    }
    let mut case = Case::new();
    case.add("blobs/sha256/evil", b"x");
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Extra, "blobs/sha256/evil")]);
}

#[test]
fn wrong_bytes_are_named_even_with_fitting_checksums() {
    let layer = Case::new().blob("layer of web for arm64");
    for path in ["files/tool", "charts/tool-4.2.4.tgz", "files/notes.txt", layer.as_str()] {
        let mut case = Case::new();
        case.get(path)[3] ^= 1;
        case.sum();
        let report = case.write();
        assert_eq!(told(&report), [(Kind::Digest, path)]);
        assert!(report.findings[0].expected != report.findings[0].found);
    }
    let mut case = Case::new();
    case.get("files/tool").push(b'x');
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Digest, "files/tool"); 2], "digest and size");
}

#[test]
fn checksums_speak_for_what_bundle_yaml_does_not() {
    for path in ["README.txt", "sbom.cdx.json", "components/tool/values.yaml", "install.sh"] {
        let mut case = Case::new();
        case.get(path).push(b'\n');
        assert_eq!(told(&case.write()), [(Kind::Digest, path)]);

        let mut case = Case::new();
        let line = sums::line(Digest::of(case.get(path)), path);
        case.edit(model::SUMS, &line, "");
        assert_eq!(told(&case.write()), [(Kind::Extra, path)]);
    }
}

#[test]
fn a_layer_has_the_size_that_its_manifest_names() {
    let mut case = Case::new();
    let old = case.blob("vnd.docker.distribution.manifest.v2");
    let mut manifest: serde_json::Value = serde_json::from_slice(&case.remove(&old)).unwrap();
    let layer = &mut manifest["layers"][1];
    let path = model::blob_path(layer["digest"].as_str().unwrap().parse().unwrap());
    layer["size"] = (layer["size"].as_u64().unwrap() + 1).into();
    let manifest = manifest.to_string();
    let new = model::blob_path(Digest::of(manifest.as_bytes()));
    case.add(&new, manifest.as_bytes());
    let digest = |path: &str| path.replace(model::BLOBS, "sha256:");
    for list in [model::INDEX, model::BUNDLE_YAML] {
        case.edit(list, &digest(&old), &digest(&new));
    }
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Content, path.as_str())]);
}

#[test]
fn lists_of_images_have_to_say_what_the_lock_says() {
    let web = "docker.io/library/web:1";
    let mut case = Case::new();
    case.edit("index.json", web, "docker.io/library/evil:1");
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Missing, web), (Kind::Extra, "docker.io/library/evil:1")]);

    let mut case = Case::new();
    let single = case.blob("vnd.docker.distribution.manifest.v2");
    let index = case.blob("s390x");
    let digest = |path: &str| path.replace("blobs/sha256/", "sha256:");
    case.edit("index.json", &digest(&single), &digest(&index));
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Content, "quay.io/x/single:2")]);

    let mut case = Case::new();
    case.edit("manifest.json", web, "docker.io/library/evil:1");
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Content, "manifest.json")]);

    for (path, text) in [("index.json", "{"), ("manifest.json", "\u{ff}"), ("oci-layout", "{}")] {
        let mut case = Case::new();
        *case.get(path) = text.as_bytes().to_vec();
        case.sum();
        assert_eq!(told(&case.write()), [(Kind::Content, path)]);
    }

    // Nothing but spaces more, and more than is read.
    let mut case = Case::new();
    case.get("index.json").resize(17 << 20, b' ');
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Content, "index.json")]);
}

#[test]
fn the_lock_has_to_fit_itself_and_the_blobs() {
    let said = |change: fn(&mut BundleFile)| {
        let mut case = Case::new();
        let text = String::from_utf8(case.get("bundle.yaml").clone()).unwrap();
        let mut about: BundleFile = crate::yaml::parse("bundle.yaml", &text).unwrap();
        change(&mut about);
        *case.get("bundle.yaml") = crate::yaml::to_string(&about).into_bytes();
        case.sum();
        let report = case.write();
        assert!(!report.good);
        let of_file = |finding: &&Finding| finding.member.as_deref() == Some("bundle.yaml");
        report.findings.iter().find(of_file).map(|finding| finding.message.clone()).unwrap_or_default()
    };
    fn images(about: &mut BundleFile) -> &mut Vec<Reference> {
        &mut about.lock.components.get_mut("tool").unwrap().images
    }
    assert_eq!(said(|about| drop(images(about).remove(0))), "the lock has an image that no component runs");
    let lacks = "a component runs an image that the lock does not have";
    assert_eq!(said(|about| images(about).push("docker.io/library/other:1".parse().unwrap())), lacks);
    let unresolved = |about: &mut BundleFile| {
        let text = |text: &str| text.to_owned();
        let (component, artifact, reason) = (text("tool"), text("x"), text("why"));
        about.lock.unresolved.push(Unresolved { component, artifact, reason });
    };
    assert_eq!(said(unresolved), "something is unresolved");
    assert_eq!(said(|about| about.architectures.clear()), "no architecture is named");
    let unsorted = "architectures or profiles are not sorted";
    assert_eq!(said(|about| about.profiles.push("a".to_owned())), unsorted);

    let mut case = Case::new();
    case.edit("bundle.yaml", "docker.io/library/web:1", "docker.io/library/other:1");
    case.sum();
    assert!(told(&case.write()).contains(&(Kind::Extra, "docker.io/library/web:1")));

    for (from, to) in [("schema: 1", "schema: 7"), ("name:", "nime:"), ("architectures:", "architectures: 1\nx:")] {
        let mut case = Case::new();
        case.edit("bundle.yaml", from, to);
        case.sum();
        assert_eq!(told(&case.write()), [(Kind::Content, "bundle.yaml")], "{from}");
    }
    let mut case = Case::new();
    *case.get("bundle.yaml") = vec![0xff, 0xfe];
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Content, "bundle.yaml")]);
}

#[test]
fn hostile_checksums_are_refused() {
    let named = |name: &[u8]| [Digest::of(b"").hex().as_bytes(), b"  ", name, b"\n"].concat();
    for line in [
        named(b"../../etc/passwd"),
        named(b"/etc/passwd"),
        named(b"files/\xff\xfe"),
        named(b"files/a\0b"),
        named(b"files/\x1b[2J"),
        b"\x7f".to_vec(),
    ] {
        let mut case = Case::new();
        case.get("SHA256SUMS").extend(&line);
        assert_eq!(told(&case.write()), [(Kind::Content, "SHA256SUMS")], "{}", line.escape_ascii());
    }
    let mut case = Case::new();
    *case.get("SHA256SUMS") = vec![0xff];
    assert_eq!(told(&case.write()), [(Kind::Content, "SHA256SUMS")]);
}

#[test]
fn order_and_permissions_count() {
    let mut case = Case::new();
    let last = case.members.len() - 1;
    case.members.swap(last, last - 1);
    case.sum();
    let report = case.write();
    assert!(
        report.findings.iter().any(|f| f.kind == Kind::Form && f.message.starts_with("not in its place")),
        "{report:#?}"
    );

    let case = Case::new();
    let mut tar = case.tar();
    let header = crate::bundle::tar::header("bundle.yaml", 0o4777, case.members[0].1.len() as u64).unwrap();
    tar[..512].copy_from_slice(&header);
    assert_eq!(told(&case.put(&gzip::store(&tar))), [(Kind::Form, "bundle.yaml")]);

    // A header that any tar reads, and that says more than ours.
    let mut tar = case.tar();
    let mut header = ::tar::Header::from_byte_slice(&tar[..512]).clone();
    header.set_mtime(1);
    header.set_cksum();
    tar[..512].copy_from_slice(header.as_bytes());
    assert_eq!(told(&case.put(&gzip::store(&tar))), [(Kind::Form, "bundle.yaml")]);
}
