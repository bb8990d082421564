//! Every lock that was ever written stays readable; what a hand breaks is told with its place.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::attached::Attached;
use super::model::{Bundle, Chart, Component, File, From, Image, Member, Platform, Unresolved};
use super::{Error, Lock, parse, read, to_text, write};
use crate::catalog;
use crate::error::Diagnostic as _;
use crate::exit::Exit;
use crate::oci::{Arch, Digest, Reference};
use crate::yaml;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn golden(name: &str) -> String {
    fs::read_to_string(here("tests/lock_compat/v1").join(name)).unwrap()
}

/// A file's text without the comment at its top.
fn body(text: &str) -> String {
    text.lines().skip_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn reads_every_lock_that_was_ever_written() {
    let mut read_locks = 0;
    for version in fs::read_dir(here("tests/lock_compat")).unwrap() {
        for file in fs::read_dir(version.unwrap().path()).unwrap() {
            let lock = read(&file.unwrap().path()).unwrap();
            assert_eq!(parse("again", &to_text(&lock)).unwrap(), lock);
            read_locks += 1;
        }
    }
    assert!(read_locks >= 3);
}

#[test]
fn writes_the_golden_bytes() {
    let text = golden("written.yaml");
    let lock = parse("written.yaml", &text).unwrap();
    assert_eq!(lock.bundle.version, "1.20");
    let tool = &lock.components["tool"];
    assert_eq!(
        (tool.version.as_str(), tool.tag.as_deref(), tool.app_version.as_deref()),
        ("1e3", Some("true"), Some("0x1"))
    );
    assert_eq!(to_text(&lock), text);
}

#[test]
fn reads_versions_as_text_without_quotes() {
    let lock = parse("flow.yaml", &golden("flow.yaml")).unwrap();
    assert_eq!((lock.bundle.kubernetes.as_str(), lock.bundle.kubeedge.as_deref()), ("1.30", Some("1.20")));
    assert_eq!(lock.bundle.architectures, [Arch::Arm64, Arch::Amd64]);
}

#[test]
fn the_lock_of_this_repository_fits_its_catalog() {
    let path = here("bundle.lock.yaml");
    let lock = read(&path).unwrap();
    let catalog = catalog::read(&here("manifests")).unwrap();
    assert_eq!(
        body(&fs::read_to_string(path).unwrap()),
        body(&to_text(&lock)),
        "the lock is not as it would be written"
    );
    for (name, files) in &catalog.inputs {
        let inputs = catalog::inputs_digest(files);
        assert_eq!(lock.components[name].inputs, inputs, "write `inputs: {inputs}` for `{name}` in bundle.lock.yaml");
    }
    assert_eq!(lock.components.len(), catalog.components.len());
    for (name, profile) in &catalog.file.profiles {
        let mut components: Vec<_> = profile.value.components().iter().map(|name| name.value.clone()).collect();
        components.sort();
        assert_eq!(lock.profiles[name], components);
    }
    assert_eq!(lock.bundle.version, catalog.file.version.value);
}

/// Finding the place of each mistake by parsing the text again would take hours here.
#[test]
fn a_file_of_mistakes_is_refused_at_once() {
    let mut text = golden("minimal.yaml").replace("unresolved: []\n", "");
    assert!(!text.contains("unresolved"));
    text.push_str("unresolved:\n");
    for number in 0..30_000 {
        text.push_str(&format!("- {{component: nobody, artifact: a{number}, reason: x}}\n"));
    }
    let Err(Error::Wrong(problems)) = parse("lock", &text) else { panic!("it is accepted") };
    assert_eq!(problems.0.len(), 1000);
    assert!(problems.0.iter().all(|problem| problem.place.line > 0));
}

#[test]
fn refuses_a_newer_lock_as_newer() {
    let text = golden("minimal.yaml").replace("schema: 1", "schema: 2\nnew_field: {}");
    let error = parse("bundle.lock.yaml", &text).unwrap_err();
    assert!(matches!(error, Error::Newer { found: 2, known: 1, .. }));
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(
        error.to_string(),
        "`bundle.lock.yaml` has schema 2, which a newer bundler wrote; this one reads up to 1"
    );
}

#[test]
fn catches_hand_edits() {
    let text = golden("written.yaml");
    let mut others = Vec::new();
    for (from, to, expected) in [
        ("schema: 1\n", "", "lock:64:1: missing field `schema`"),
        ("schema: 1\n", "schema: 0\n", "lock:2:1: schema 0 is not known"),
        ("schema: 1\n", "schema: one\n", "lock:2:9: "),
        ("name: observability", "name: ../x", "lock:4:3: `../x` cannot name a bundle"),
        ("version: \"1.20\"", "version: ../x", "lock:5:3: `../x` cannot be a bundle's version"),
        ("  - arm64\n", "  - amd64\n", "lock:8:3: architecture `amd64` a second time"),
        (
            "  - tool\n",
            "  - tol\n",
            "lock:14:5: profile `cloud` names component `tol`, which is not in the lock (did you mean `tool`?)",
        ),
        ("  - tool\n", "  - istio\n", "lock:14:5: component `istio` a second time in this profile"),
        ("  edge: []", "  cloud: []", "lock:15:3: `cloud` is here a second time"),
        ("    inputs: sha256:9f86", "    inputs: sha256:9F86", "lock:19:13: "),
        (
            "    inputs: sha256:9f86",
            "    inptus: sha256:9f86",
            "lock:19:5: unknown field `inptus` (did you mean `inputs`?)",
        ),
        ("sha256: d353", "sha256: d35", "lock:23:17: "),
        ("from: download", "from: downloads", "lock:24:15: unknown value `downloads` (did you mean `download`?)"),
        ("url: https://istio", "url: file://istio", "lock:22:9: `file://` is not how files are fetched"),
        ("url: https://istio", "url: https://me:secret@istio", "lock:22:9: the URL holds credentials"),
        ("charts/istiod:1.30.4", "charts/istiod", "lock:28:9: a chart in a registry has a tag"),
        ("size: 50000", "size: 0", "lock:30:9: a size of 0 bytes"),
        ("size: 50000", "size: -1", "lock:30:15: "),
        ("size: 500\n", "size: 0\n", "lock:63:9: a size of 0 bytes"),
        (
            "    - docker.io/library/busybox@",
            "    - docker.io/library/other@",
            "lock:33:7: image `docker.io/library/other@sha256:",
        ),
        (
            "    - docker.io/library/busybox@",
            "    - docker.io/library/other@",
            "lock:57:3: no component uses image `docker.io/library/busybox@sha256:",
        ),
        ("      tool:\n", "      ../tool:\n", "lock:41:7: `../tool` cannot name a file"),
        ("        arm64:\n", "        s390x:\n", "lock:41:7: nothing for architecture arm64"),
        ("        arm64:\n", "        s390x:\n", "lock:47:9: architecture s390x is not one of the bundle's"),
        ("path: bin/tool", "path: ../tool", "lock:53:13: `../tool` is not a plain path in an archive"),
        (
            "    digest: sha256:ede4",
            "    digest: sha256:ede5",
            "lock:58:5: image `docker.io/library/busybox@sha256:ede4",
        ),
        ("        digest: sha256:ede4", "        digest: sha256:ede5", "is one manifest, and this is another"),
        ("manifest.v2+json", "manifest.v1+json", "lock:59:5: not a media type of an index or a manifest"),
        (
            "  \"docker.io/library/busybox@",
            "  \"busybox@",
            "is not written in full (write `docker.io/library/busybox@sha256:",
        ),
        (
            "component: istio",
            "component: other",
            "lock:34:7: image `registry.istio.io:5000/release/pilot:1.30.4` has no entry",
        ),
        ("component: istio", "component: other", "lock:66:3: component `other` is not in the lock"),
        (
            "reason: \"not for arm64: only amd64\"",
            "reason: \"\"",
            "lock:66:3: what is unresolved has a name and a reason",
        ),
        ("version: \"1e3\"", "version: \"1 3\"", "lock:36:5: a version is one word"),
        (
            "version: \"1.30.4\"",
            "version: x/../../../y",
            "lock:18:5: a chart's version is part of a file name, so it has no `/`",
        ),
        (
            "version: \"1.30.4\"\n        url",
            "version: x/../y\n        url",
            "lock:27:9: a chart's version is part of a file name, so it has no `/`",
        ),
        ("tag: \"true\"", "tag: \"\\e[31m\"", "lock:37:5: a version is one word"),
        ("components:\n", "components: &a\n", ""),
        (
            "    version: \"1.30.4\"",
            "    version: 1.30.4\n    version: 1.30.5",
            "lock:19:5: `version` is here a second time",
        ),
    ] {
        assert!(text.contains(from), "`{from}` is not in the golden file");
        let changed = text.replacen(from, to, 1);
        let failure = match parse("lock", &changed) {
            Ok(_) => String::new(),
            Err(error) => format!("{error} ({})", error.hint().unwrap_or_default()),
        };
        if !failure.contains(expected) || failure.is_empty() != expected.is_empty() {
            others.push(format!("for {to:?}\n  {failure}\nis not\n  {expected}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn writes_the_whole_file_or_leaves_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bundle.lock.yaml");
    let lock = parse("minimal.yaml", &golden("minimal.yaml")).unwrap();
    write(&path, &lock).unwrap();
    assert_eq!(read(&path).unwrap(), lock);

    let link = directory.path().join("link.yaml");
    std::os::unix::fs::symlink("bundle.lock.yaml", &link).unwrap();
    let mut changed = lock.clone();
    changed.bundle.version = "2".to_owned();
    write(&link, &changed).unwrap();
    assert!(link.is_symlink());
    assert_eq!(read(&path).unwrap(), changed);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2, "nothing else is left behind");

    let error = write(&directory.path().join("none/lock.yaml"), &lock).unwrap_err();
    assert_eq!(error.exit(), Exit::Disk);
    assert!(to_text(&lock).ends_with("components: {}\n"), "one line break at the end");
}

#[test]
fn says_how_to_get_a_lock() {
    let error = read(Path::new("/nowhere/bundle.lock.yaml")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `/nowhere/bundle.lock.yaml`");
    assert!(error.hint().unwrap().starts_with("`bundler resolve` writes a lock"));
}

fn text() -> impl Strategy<Value = String> {
    let traps = [
        "1.20",
        "1e3",
        "1e999",
        "true",
        "0x1",
        "0o7",
        "null",
        "~",
        "",
        " ",
        "=",
        "<<",
        "- a",
        "a: b",
        "#x",
        "x #y",
        "'",
        "\"",
        "\\",
        "é",
        "\u{1b}[31m",
        "a\nb",
        "a\n",
        "\ta",
        "2026-01-01",
        "12:30",
        "1_000",
        ".inf",
        "-.INF",
        ".nan",
        "yes",
        "No",
        "&a",
        "*a",
        "!x",
        "%x",
        "@x",
        "`x`",
        "{x",
        "[x",
        "|",
        ">",
        "?",
        "---",
        "...",
        "\u{feff}x",
        "\u{85}",
        "\u{2028}",
    ];
    prop_oneof![
        proptest::sample::select(traps.map(str::to_owned).to_vec()),
        "[0-9]{1,3}\\.[0-9]{1,3}(\\.[0-9]+)?([-+][a-z0-9.]+)?",
        any::<String>(),
        "[a-z ]{90,120}",
    ]
}

fn digest() -> impl Strategy<Value = Digest> {
    let numbers = prop_oneof!["[0-9]{64}", "[0-9]{30}e[0-9]{33}", "[0-9a-f]{64}"];
    numbers.prop_map(|hex| Digest::from_hex(&hex).unwrap())
}

fn chart() -> impl Strategy<Value = Chart> {
    (proptest::option::of(text()), text(), digest(), proptest::option::of(any::<u64>())).prop_map(
        |(version, url, sha256, size)| Chart { name: None, version, url, sha256, size, from: From::HelmIndex },
    )
}

fn lock() -> impl Strategy<Value = Lock> {
    let member =
        (text(), proptest::option::of(digest())).prop_map(|(path, sha256)| Member { path, sha256, size: None });
    let file = (text(), digest(), proptest::option::of(member)).prop_map(|(url, sha256, member)| {
        BTreeMap::from([(Arch::Arm64, File { url, sha256, size: Some(u64::MAX), from: From::GithubAsset, member })])
    });
    let component = (
        (text(), proptest::option::of(text()), digest()),
        proptest::option::of(chart()),
        proptest::collection::btree_map(text(), chart(), 0..3),
        proptest::collection::btree_map(text(), file, 0..3),
    )
        .prop_map(|((version, tag, inputs), chart, charts, files)| Component {
            version,
            tag,
            source: None,
            app_version: None,
            signatures: Vec::new(),
            inputs,
            chart,
            charts,
            files,
            images: vec!["busybox:1.20".parse().unwrap()],
        });
    let image = ("[a-z]{1,5}:[0-9]{1,3}", digest()).prop_map(|(reference, digest)| {
        let platform = Platform { digest, size: None, layers_size: Some(7) };
        let (artifact_type, media_type) = (Some("x/y".to_owned()), "m".to_owned());
        let attached =
            vec![Attached { to: digest, tag: None, artifact_type, digest, media_type, size: 1, content_size: 0 }];
        let image = Image { digest, media_type: None, platforms: BTreeMap::from([(Arch::Amd64, platform)]), attached };
        (reference.parse::<Reference>().unwrap(), image)
    });
    let unresolved =
        (text(), text(), text()).prop_map(|(component, artifact, reason)| Unresolved { component, artifact, reason });
    (
        (text(), text(), proptest::option::of(text())),
        proptest::collection::btree_map(text(), proptest::collection::vec(text(), 0..3), 0..3),
        proptest::collection::btree_map(text(), component, 0..3),
        proptest::collection::vec(image, 0..3),
        proptest::collection::vec(unresolved, 0..3),
    )
        .prop_map(|((version, kubernetes, kubeedge), profiles, components, images, unresolved)| Lock {
            schema: 1,
            bundle: Bundle {
                name: "x".to_owned(),
                version,
                kubernetes,
                kubeedge,
                architectures: vec![Arch::Amd64],
                installers: None,
            },
            profiles,
            components,
            images: images.into_iter().collect(),
            unresolved,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_what_it_writes(lock in lock()) {
        let text = to_text(&lock);
        prop_assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
        prop_assert_eq!(yaml::parse::<Lock>("lock", &text).unwrap(), lock, "{}", text);
    }

    #[test]
    fn never_panics_on_any_text(text in any::<String>(), at in 0usize..2000) {
        let _ = parse("lock", &text);
        let mut golden = golden("written.yaml");
        let at = golden.char_indices().map(|(i, _)| i).nth(at).unwrap_or(golden.len());
        golden.insert_str(at, &text);
        let _ = parse("lock", &golden);
    }
}
