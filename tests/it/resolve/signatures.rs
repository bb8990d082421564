//! Signatures of upstream's images and charts, checked by the real cosign and the real Helm.

use std::os::unix::fs::PermissionsExt as _;

use super::charts::{Chart, Repository, component};
use super::{Bench, DAY, EDGEMESH};
use crate::support::{self, Registry};
use crate::upstream::image::{Compression, Image, Kind, Layer, tar};

/// Has the bench take Docker Hub's images from a registry.
pub(super) fn docker_hub_is_at(bench: &Bench, urls: &[&str]) {
    let upstream = bench.upstream.config();
    let config: String = upstream
        .lines()
        .map(|line| match line.trim_start().starts_with("docker.io:") {
            true => format!("  docker.io: {urls:?}\n"),
            false => format!("{line}\n"),
        })
        .collect();
    bench.sandbox.config(&config);
}

fn signed(verify: &str) -> String {
    format!("{}verify: {{cosign: {verify}}}\n", EDGEMESH.trim_start())
}

fn without_program(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = bench.sandbox.bundler();
    let output =
        command.env("PATH", bench.sandbox.path("empty")).args(["resolve", "--as-of", DAY]).args(arguments).output();
    let output = output.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn without_the_program_it_says_so_and_goes_on_unless_signatures_are_required() {
    let bench = Bench::new(&[&signed("{identity: a@example.org, issuer: \"https://example.org\"}")]);
    let (code, text) = without_program(&bench, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("edgemesh: its signatures are not checked: there is no `cosign` program"), "{text}");
    let [signature] = &bench.lock().components["edgemesh"].signatures[..] else { panic!("one signer") };
    assert!(!signature.checked && signature.identity.as_deref() == Some("a@example.org"), "{signature:?}");
    assert_eq!(signature.images.len(), 1);
    let asked = bench.upstream.requests().len();
    let (code, text) = without_program(&bench, &["--require-signatures"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("error: signatures are required, and there is no `cosign` program"), "{text}");
    assert_eq!(bench.upstream.requests().len(), asked, "before any network");
}

#[test]
fn a_signature_is_checked_and_the_lock_says_so() {
    let (Some(cosign), Some(registry)) = (support::tool("cosign"), Registry::plain()) else { return };
    let bench = Bench::new(&[EDGEMESH]);
    let layer = Layer::new(&tar(&[("bin/agent", 0o755, b"agent")]), Compression::Gzip);
    let image = Image::build(Kind::Oci, &[(("amd64", None), vec![layer.clone()]), (("arm64", None), vec![layer])]);
    registry.push("docker.io/kubeedge/edgemesh-agent:v1.17.0", &image);
    docker_hub_is_at(&bench, &[&registry.url()]);
    let own = |arguments: &[&str]| {
        let mut command = bench.sandbox.command(&cosign);
        crate::support::output_of(command.env("COSIGN_PASSWORD", "").args(arguments));
    };
    own(&["generate-key-pair", "--output-key-prefix", "good"]);
    own(&["generate-key-pair", "--output-key-prefix", "other"]);
    let directory = cosign.parent().unwrap().to_owned();
    let resolve = |arguments: &[&str]| {
        let path = std::env::join_paths([directory.clone()]).unwrap();
        let mut command = bench.sandbox.bundler();
        let output = command.env("PATH", path).args(["resolve", "--as-of", DAY]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let trust = |key: &str| {
        bench.catalog("[amd64, arm64]", &[&signed("{key: cosign.pub, transparency_log: false}")]);
        let key = std::fs::read(bench.sandbox.path(format!("{key}.pub"))).unwrap();
        bench.sandbox.write("manifests/components/edgemesh/cosign.pub", key);
    };
    trust("good");
    let (code, text) = resolve(&["--require-signatures"]);
    assert_eq!(code, Some(1), "nobody signed it yet: {text}");
    assert!(text.contains("no good signature of `docker.io/kubeedge/edgemesh-agent@sha256:"), "{text}");

    let reference = format!("{}/kubeedge/edgemesh-agent@{}", registry.address(), image.root().digest);
    own(&[
        "sign",
        "--yes",
        "--key",
        "good.key",
        "--tlog-upload=false",
        "--use-signing-config=false",
        "--new-bundle-format=false",
        "--allow-http-registry=true",
        &reference,
    ]);
    let (code, text) = resolve(&["--require-signatures"]);
    assert_eq!(code, Some(0), "{text}");
    let [signature] = &bench.lock().components["edgemesh"].signatures[..] else { panic!("one signer") };
    assert!(signature.checked && signature.images.len() == 1, "{signature:?}");
    let key = std::fs::read(bench.sandbox.path("good.pub")).unwrap();
    assert_eq!(signature.key, Some(bundler::oci::Digest::of(&key)));
    // A machine without the program leaves the lock as it is, and says nothing.
    let (code, text) = without_program(&bench, &["--check"]);
    assert_eq!((code, text.as_str()), (Some(0), "resolving 1 component\n  edgemesh\n"));

    trust("other");
    let (code, text) = resolve(&[]);
    assert_eq!(code, Some(1), "another key: {text}");
    assert!(text.contains("no good signature of"), "{text}");
}

/// A `cosign` that takes everything and writes its arguments down, a line each call.
fn recorder(bench: &Bench) -> std::path::PathBuf {
    let directory = bench.sandbox.path("programs");
    bench.sandbox.write("programs/cosign", format!("#!/bin/sh\necho \"$@\" >> {:?}\n", bench.sandbox.path("asked")));
    std::fs::set_permissions(directory.join("cosign"), std::fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

#[test]
fn each_signer_is_asked_about_its_own_images() {
    let signers = "[{identity: \"https://github.com/x/y@refs/tags/{tag}\", issuer: \"https://token.example.org\", \
                   images: [docker.io/kubeedge/]}, {key: key.pub, images: [quay.io/prometheus/alertmanager]}]";
    let images =
        "images: [\"docker.io/kubeedge/edgemesh-agent:v{version}\", quay.io/prometheus/alertmanager:v0.33.1]\n";
    let two = signed(signers)
        .lines()
        .filter(|line| !line.starts_with("images:"))
        .fold(images.to_owned(), |text, line| format!("{text}{line}\n"));
    let bench = Bench::new(&[EDGEMESH]);
    bench.catalog("[amd64, arm64]", &[&two]);
    bench.sandbox.write("manifests/components/edgemesh/key.pub", "a key");
    let path = std::env::join_paths([recorder(&bench)]).unwrap();
    let resolve = |arguments: &[&str]| {
        let mut command = bench.sandbox.bundler();
        let output = command.env("PATH", &path).args(["resolve", "--as-of", DAY]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    // Skipped, nobody is asked, and the lock says that nothing was checked.
    let text = resolve(&["--skip-signatures"]);
    assert!(!text.contains("signature") && !bench.sandbox.path("asked").exists(), "{text}");
    let checked = || bench.lock().components["edgemesh"].signatures.iter().map(|s| s.checked).collect::<Vec<_>>();
    assert_eq!(checked(), [false, false]);
    resolve(&["--require-signatures"]);
    assert_eq!(checked(), [true, true]);
    let mut asked = std::fs::read_to_string(bench.sandbox.path("asked")).unwrap();
    let images = bench.lock().images;
    for (image, digest) in images.iter().map(|(image, locked)| (image.name(), locked.digest.to_string())) {
        let (_, repository) = image.split_once('/').unwrap();
        let host = bench.upstream.url().trim_start_matches("http://");
        assert!(
            asked.contains(&format!("{host}/{repository}@{digest}"))
                || asked.contains(&format!("{repository}@{digest}")),
            "{asked}"
        );
        asked = asked.replace(&digest, "DIGEST");
    }
    let calls: Vec<&str> = asked.lines().collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
    let keyless = "verify --certificate-identity https://github.com/x/y@refs/tags/v1.17.0 \
                   --certificate-oidc-issuer https://token.example.org --output=json --allow-http-registry=true ";
    assert!(calls[0].starts_with(keyless) && calls[0].ends_with("kubeedge/edgemesh-agent@DIGEST"), "{calls:?}");
    assert!(calls[1].starts_with("verify --key ") && calls[1].ends_with("prometheus/alertmanager@DIGEST"), "{calls:?}");
    // What is good stays good: the lock keeps it when nobody is asked, and no second question is sent.
    resolve(&["--skip-signatures"]);
    resolve(&[]);
    assert_eq!(checked(), [true, true]);
    assert_eq!(std::fs::read_to_string(bench.sandbox.path("asked")).unwrap().lines().count(), 2);
}

#[test]
fn a_chart_with_provenance_is_checked_by_helm() {
    let (Some(helm), Some(gpg)) = (support::helm(), support::program("gpg")) else { return };
    let app = component("app", "min_age: 0d\nverify: {provenance: {keyring: keyring.asc}}\n");
    let bench = Bench::new(&[EDGEMESH]);
    bench.catalog("[amd64, arm64]", &[&app]);
    let keyring = |who: &str| {
        let home = bench.sandbox.path(format!("gpg-{who}"));
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
        let run = |arguments: &[&str]| {
            let mut command = bench.sandbox.command(&gpg);
            command.env("GNUPGHOME", &home).args(["--batch", "--yes", "--pinentry-mode=loopback", "--passphrase="]);
            support::output_of(command.args(arguments)).into_bytes()
        };
        run(&["--quick-generate-key", &format!("{who} <{who}@example.org>"), "rsa2048", "sign", "never"]);
        let secret = bench.sandbox.path(format!("{who}.gpg"));
        run(&["--output", secret.to_str().unwrap(), "--export-secret-keys"]);
        run(&["--armor", "--export"])
    };
    let (publisher, stranger) = (keyring("publisher"), keyring("stranger"));
    let repository = Repository::new(&[Chart::default()]);
    let other = repository.files["/archives/app-1.0.0.tgz"].clone();
    // Helm signs what it packages itself, so the archive that is served is Helm's.
    bench.sandbox.write("source/app-1.0.0.tgz", &other);
    let source = bench.sandbox.path("source");
    support::output_of(
        bench.sandbox.command("tar").arg("-xzf").arg(source.join("app-1.0.0.tgz")).arg("-C").arg(&source),
    );
    let sign = |key: &str| {
        let mut command = bench.sandbox.command(&helm);
        command.args(["package", "--sign", "--key", key, "--keyring"]).arg(bench.sandbox.path(format!("{key}.gpg")));
        support::output_of(command.arg("--destination").arg(&source).arg(source.join("app")));
        (
            std::fs::read(source.join("app-1.0.0.tgz")).unwrap(),
            std::fs::read(source.join("app-1.0.0.tgz.prov")).unwrap(),
        )
    };
    let serve = |archive: &[u8], provenance: Option<&[u8]>| {
        let mut repository = Repository::new(&[Chart::default()]);
        let old = bundler::oci::Digest::of(&repository.files["/archives/app-1.0.0.tgz"]).hex();
        repository.index = repository.index.replace(&old, &bundler::oci::Digest::of(archive).hex());
        repository.files.insert("/archives/app-1.0.0.tgz".to_owned(), archive.to_owned());
        if let Some(provenance) = provenance {
            repository.files.insert("/archives/app-1.0.0.tgz.prov".to_owned(), provenance.to_owned());
        }
        repository.serve(&bench)
    };
    let resolve = |expected: &str| {
        let run = bench.resolve(&["--as-of", DAY]);
        let good = expected.is_empty();
        assert_eq!(run.code, Some(i32::from(!good)), "{run:?}");
        assert!(run.stderr.contains(expected), "{expected}: {run:?}");
    };
    let trust = |keyring: &[u8]| bench.sandbox.write("manifests/components/app/keyring.asc", keyring);
    let (archive, provenance) = sign("publisher");
    trust(&stranger);
    let server = serve(&archive, Some(&provenance));
    resolve(
        "no good signature of `https://charts.test/archives/app-1.0.0.tgz`: openpgp: signature made by unknown entity",
    );
    drop(server);
    trust(&publisher);
    let server = serve(&archive, None);
    resolve("no good signature of `https://charts.test/archives/app-1.0.0.tgz`: it has no provenance file");
    drop(server);
    // A provenance file of other bytes.
    assert_ne!(other, archive);
    let server = serve(&other, Some(&provenance));
    resolve("no good signature of");
    drop(server);
    let _server = serve(&archive, Some(&provenance));
    resolve("");
    let [signature] = &bench.lock().components["app"].signatures[..] else { panic!("one signer") };
    assert!(signature.checked && signature.charts == ["app"], "{signature:?}");
    assert_eq!(signature.key, Some(bundler::oci::Digest::of(&publisher)));
}
