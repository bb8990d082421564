//! Signatures, made and checked with the real `ssh-keygen` beside our own check.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bundler::bundle::read::{Bundle, Entry};
use bundler::bundle::write::Writer;
use bundler::bundle::{Layout, Member};
use serde_json::Value;

use super::site::Site;
use crate::support::{self, Registry, Sandbox};
use crate::upstream::Upstream;

const WHO: &str = "release@example.com";

struct Signing {
    site: Site,
    keygen: PathBuf,
    /// The images are there as long as it runs.
    _registry: Registry,
    _upstream: Upstream,
}

impl Signing {
    fn new() -> Option<Self> {
        let keygen = support::program("ssh-keygen")?;
        let registry = Registry::plain()?;
        let upstream = Upstream::start();
        let site = Site::new(&upstream);
        site.push(&registry);
        Some(Self { site, keygen, _registry: registry, _upstream: upstream })
    }

    fn sandbox(&self) -> &Sandbox {
        &self.site.sandbox
    }

    /// Makes a key and gives the line of its public half.
    fn key(&self, name: &str, arguments: &[&str]) -> String {
        let path = self.sandbox().path(name);
        let mut command = self.sandbox().command(&self.keygen);
        support::output_of(command.args(["-q", "-N", "", "-C", "test", "-f"]).arg(&path).args(arguments));
        std::fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned()
    }

    fn pack(&self, name: &str, arguments: &[&str]) -> Value {
        let mut all = vec!["--arch", "arm64", "--component", "agent", "--output", name];
        all.extend(arguments);
        self.site.pack(&all)
    }

    /// The answer of `bundler verify`: whether it is good, and the messages about signatures.
    fn verify(&self, bundle: &str, arguments: &[&str]) -> (bool, Value, Vec<String>) {
        let mut command = self.sandbox().bundler();
        let output = command.args(["verify", bundle, "--format", "json"]).args(arguments).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(output.status.code(), Some(i32::from(report["good"] == false)));
        let findings = report["findings"].as_array().unwrap().iter();
        let findings = findings.filter(|finding| finding["kind"] == "signature");
        let messages = findings.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect();
        (report["good"] == true, report["signature"].clone(), messages)
    }

    fn trusted(&self, bundle: &str) -> (bool, Value, Vec<String>) {
        self.verify(bundle, &["--signers", "signers", "--identity", WHO])
    }

    /// Whether `ssh-keygen -Y verify` accepts a signature.
    fn openssh_accepts(&self, file: &Path, signature: &Path, arguments: &[&str]) -> bool {
        let mut command = self.sandbox().command(&self.keygen);
        command.args(["-Y", "verify", "-n", "bundler", "-I", WHO, "-f", "signers", "-s"]).arg(signature);
        let file = File::open(file).unwrap();
        command.args(arguments).stdin(file).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    fn unpack(&self, bundle: &str) -> PathBuf {
        let directory = self.sandbox().path(format!("{bundle}.unpacked"));
        std::fs::create_dir(&directory).unwrap();
        support::output_of(self.sandbox().command("tar").args(["xzf", bundle, "-C"]).arg(&directory));
        directory
    }
}

#[test]
fn every_kind_of_key_signs_and_openssh_agrees() {
    let Some(signing) = Signing::new() else { return };
    let unsigned = signing.pack("unsigned.tar.gz", &[]);
    for (name, arguments) in [
        ("ed25519", &["-t", "ed25519"][..]),
        ("ecdsa256", &["-t", "ecdsa", "-b", "256"]),
        ("ecdsa384", &["-t", "ecdsa", "-b", "384"]),
        ("rsa", &["-t", "rsa", "-b", "3072"]),
    ] {
        let public = signing.key(name, arguments);
        signing.sandbox().write("signers", format!("{WHO} namespaces=\"bundler\" {public}\n"));
        let bundle = format!("{name}.tar.gz");
        let packed = signing.pack(&bundle, &["--sign-key", name]);
        assert_eq!(packed["sums_sha256"], unsigned["sums_sha256"], "{name}");
        assert_ne!(packed["sha256"], unsigned["sha256"], "{name}");

        let (good, signature, messages) = signing.trusted(&bundle);
        assert!(good, "{name}: {messages:?}");
        assert_eq!(signature["identity"], WHO, "{name}");
        let path = |suffix: &str| signing.sandbox().path(format!("{bundle}.{suffix}"));
        assert!(signing.openssh_accepts(&path("sha256"), &path("sha256.sig"), &[]), "{name}");
        let unpacked = signing.unpack(&bundle);
        assert!(signing.openssh_accepts(&unpacked.join("SHA256SUMS"), &unpacked.join("SHA256SUMS.sig"), &[]), "{name}");
        assert!(signing.trusted(unpacked.to_str().unwrap()).0, "{name}");
        // Without a list the key is told, and nothing is claimed.
        let (good, signature, _) = signing.verify(&bundle, &[]);
        assert!(good && signature["identity"].is_null() && signature["key"].as_str().unwrap().starts_with("SHA256:"));
    }
}

#[test]
fn a_bundle_is_signed_afterwards_to_the_same_bytes() {
    let Some(signing) = Signing::new() else { return };
    signing.key("key", &["-t", "ed25519"]);
    let packed = signing.pack("packed.tar.gz", &["--sign-key", "key"]);
    signing.pack("later.tar.gz", &[]);
    for _ in 0..2 {
        signing.sandbox().bundler().args(["sign", "later.tar.gz", "--key", "key"]).assert().success();
        let archive = std::fs::read(signing.sandbox().path("later.tar.gz")).unwrap();
        assert_eq!(
            packed["sha256"],
            bundler::oci::Digest::of(&archive).to_string(),
            "ed25519 signs the same each time"
        );
    }
    support::output_of(signing.sandbox().command("sha256sum").args(["-c", "later.tar.gz.sha256"]));
    // Packed again without a key, nothing of the old signature stays.
    signing.pack("later.tar.gz", &[]);
    assert!(!signing.sandbox().path("later.tar.gz.sha256.sig").exists());
}

#[test]
fn parts_and_deltas_are_signed_as_archives_are() {
    let Some(signing) = Signing::new() else { return };
    let public = signing.key("key", &["-t", "ed25519"]);
    signing.sandbox().write("signers", format!("{WHO} {public}\n"));
    signing.pack("base.tar.gz", &["--sign-key", "key"]);
    let path = |name: String| signing.sandbox().path(name);
    let next = ["--bundle-version", "1.1.0"];
    let full =
        signing.site.pack(&[&["--arch", "arm64", "--sign-key", "key", "--output", "full.tar.gz"], &next[..]].concat());
    for (form, arguments) in [
        ("parts", &["--split-size", "5MB"][..]),
        ("delta", &["--base", "base.tar.gz"]),
        ("cut", &["--base", "base.tar.gz", "--split-size", "5MB"]),
    ] {
        let pack = |name: &str, more: &[&str]| {
            let output = format!("{name}.tar.gz");
            signing.site.pack(&[&["--arch", "arm64", "--output", &output], &next[..], arguments, more].concat())
        };
        let packed = pack(form, &["--sign-key", "key"]);
        let later = format!("{form}-later");
        pack(&later, &[]);
        let first = if packed.get("parts").is_some() { ".part-001" } else { "" };
        let name = format!("{later}.tar.gz{first}");
        assert!(!signing.trusted(&name).0, "{form}: it is not signed yet");
        let mut command = signing.sandbox().bundler();
        let output = command.args(["sign", &name, "--key", "key", "--format", "json"]).assert().success();
        let signed: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
        assert_eq!((&signed["sha256"], &signed["sums_sha256"]), (&packed["sha256"], &packed["sums_sha256"]), "{form}");
        assert_eq!(signed["sums_sha256"], full["sums_sha256"], "{form}");
        for name in [form, &later] {
            let sums = path(format!("{name}.tar.gz.sha256"));
            let signature = path(format!("{name}.tar.gz.sha256.sig"));
            assert!(signing.openssh_accepts(&sums, &signature, &[]), "{name}");
            support::output_of(signing.sandbox().command("sha256sum").arg("-c").arg(&sums));
            let bundle = format!("{name}.tar.gz{first}");
            let (good, signature, messages) = signing.trusted(&bundle);
            assert!(good && signature["identity"] == WHO, "{name}: {messages:?}");
            // The signature beside it is held to the same rules.
            let beside = std::fs::read(path(format!("{name}.tar.gz.sha256"))).unwrap();
            std::fs::write(path(format!("{name}.tar.gz.sha256")), [&beside[..], b"\n"].concat()).unwrap();
            let (good, _, messages) = signing.trusted(&bundle);
            assert!(!good && messages[0].starts_with("it is not a signature of these bytes"), "{name}: {messages:?}");
            std::fs::write(path(format!("{name}.tar.gz.sha256")), beside).unwrap();
            // The full bundle that comes of a delta has the publisher's signature in it.
            if form != "parts" {
                let arguments = ["apply", "base.tar.gz", &bundle, "-o", "again.tar.gz"];
                signing.sandbox().bundler().args(arguments).assert().success();
                let read = |name: &str| std::fs::read(signing.sandbox().path(name)).unwrap();
                assert!(read("again.tar.gz") == read("full.tar.gz"), "{name}");
                assert!(signing.trusted("again.tar.gz").0);
                let trust = ["--base", "base.tar.gz", "--signers", "signers", "--identity", WHO];
                assert!(signing.verify(&bundle, &trust).0);
            }
        }
    }
}

#[test]
fn an_agent_signs_for_a_public_key() {
    let Some(signing) = Signing::new() else { return };
    let (Some(agent), Some(add)) = (support::program("ssh-agent"), support::program("ssh-add")) else { return };
    let public = signing.key("key", &["-t", "ed25519"]);
    signing.sandbox().write("signers", format!("{WHO} {public}\n"));
    let socket = signing.sandbox().path("agent");
    let mut command = signing.sandbox().command(agent);
    command.args(["-D", "-a"]).arg(&socket).stdout(Stdio::piped()).stdin(Stdio::null());
    let mut agent = command.spawn().unwrap();
    // It says where its socket is when it listens.
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(agent.stdout.as_mut().unwrap()), &mut line).unwrap();
    support::output_of(signing.sandbox().command(add).arg("-q").arg("key").env("SSH_AUTH_SOCK", &socket));
    std::fs::remove_file(signing.sandbox().path("key")).unwrap();

    signing.pack("b.tar.gz", &[]);
    let mut command = signing.sandbox().bundler();
    command.args(["sign", "b.tar.gz", "--key", "key.pub"]).env("SSH_AUTH_SOCK", &socket).assert().success();
    assert!(signing.trusted("b.tar.gz").0);
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[test]
fn a_list_of_signers_means_what_it_means_to_openssh() {
    let Some(signing) = Signing::new() else { return };
    let key = signing.key("key", &["-t", "ed25519"]);
    let other = signing.key("other", &["-t", "ed25519"]);
    signing.pack("b.tar.gz", &["--sign-key", "key"]);
    let unpacked = signing.unpack("b.tar.gz");
    for (list, good, said) in [
        (format!("{WHO} {key}"), true, ""),
        (format!("*@example.com {key}"), true, ""),
        (format!("a@b,r?lease@example.com {key}"), true, ""),
        (format!("# no\n\n{WHO} {other}\n{WHO} {key}"), true, ""),
        (format!("{WHO} namespaces=\"git,bundler\" {key}"), true, ""),
        (format!("{WHO} valid-after=\"20200101Z\",valid-before=\"20990101Z\" {key}"), true, ""),
        (format!("{WHO} valid-before=\"20200101\" {key}\n{WHO} {key}"), true, ""),
        (format!("{WHO} {other}"), false, "is not allowed to sign as"),
        (format!("somebody@example.com {key}"), false, "is not allowed to sign as"),
        (format!("*,!{WHO} {key}"), false, "is not allowed to sign as"),
        (format!("{WHO} namespaces=\"git\" {key}"), false, "is not allowed to sign bundles"),
        (format!("{WHO} namespaces=\"*,!bundler\" {key}"), false, "is not allowed to sign bundles"),
        (format!("{WHO} valid-before=\"20200101Z\" {key}"), false, "is not valid after 2020-01-01"),
        (format!("{WHO} valid-after=\"20990101Z\" {key}"), false, "is not valid before 2099-01-01"),
        (String::new(), false, "is not allowed to sign as"),
    ] {
        signing.sandbox().write("signers", format!("{list}\n"));
        let (found, _, messages) = signing.trusted("b.tar.gz");
        assert_eq!(found, good, "{list}: {messages:?}");
        assert!(messages.iter().all(|message| message.contains(said)), "{list}: {messages:?}");
        let openssh = signing.openssh_accepts(&unpacked.join("SHA256SUMS"), &unpacked.join("SHA256SUMS.sig"), &[]);
        assert_eq!(openssh, good, "OpenSSH about {list}");
    }
}

#[test]
fn a_revoked_key_is_refused() {
    let Some(signing) = Signing::new() else { return };
    let key = signing.key("key", &["-t", "ed25519"]);
    let other = signing.key("other", &["-t", "ed25519"]);
    signing.sandbox().write("signers", format!("{WHO} {key}\n"));
    signing.pack("b.tar.gz", &["--sign-key", "key"]);
    let sums = signing.sandbox().path("b.tar.gz.sha256");
    let signature = signing.sandbox().path("b.tar.gz.sha256.sig");
    for (list, good) in [(&other, true), (&key, false)] {
        signing.sandbox().write("revoked", format!("{list}\n"));
        let trust = ["--signers", "signers", "--identity", WHO, "--revoked", "revoked"];
        let (found, _, messages) = signing.verify("b.tar.gz", &trust);
        assert_eq!(found, good, "{messages:?}");
        assert!(messages.iter().all(|message| message.ends_with("is revoked")), "{messages:?}");
        assert_eq!(signing.openssh_accepts(&sums, &signature, &["-r", "revoked"]), good);
    }
}

#[test]
fn a_signature_that_is_missing_or_of_something_else_is_named() {
    let Some(signing) = Signing::new() else { return };
    let key = signing.key("key", &["-t", "ed25519"]);
    signing.sandbox().write("signers", format!("{WHO} {key}\n"));
    signing.pack("unsigned.tar.gz", &[]);
    let (good, _, messages) = signing.trusted("unsigned.tar.gz");
    assert!(!good && messages == ["a signature is required, but the bundle has none"], "{messages:?}");

    // The signature of another bundle, beside this one or in it.
    signing.pack("one.tar.gz", &["--sign-key", "key"]);
    signing.pack("two.tar.gz", &["--sign-key", "key", "--bundle-version", "2"]);
    let path = |name: &str| signing.sandbox().path(name);
    std::fs::copy(path("two.tar.gz.sha256.sig"), path("one.tar.gz.sha256.sig")).unwrap();
    let (good, _, messages) = signing.trusted("one.tar.gz");
    assert!(
        !good && messages.len() == 1 && messages[0].starts_with("it is not a signature of these bytes"),
        "{messages:?}"
    );
    // A pipe is not waited for.
    std::fs::remove_file(path("one.tar.gz.sha256.sig")).unwrap();
    support::output_of(signing.sandbox().command("mkfifo").arg(path("one.tar.gz.sha256.sig")));
    let (good, _, messages) = signing.trusted("one.tar.gz");
    assert!(!good && messages.len() == 1 && messages[0].starts_with("it is no SSH signature"), "{messages:?}");
    let (one, two) = (signing.unpack("one.tar.gz"), signing.unpack("two.tar.gz"));
    std::fs::copy(two.join("SHA256SUMS.sig"), one.join("SHA256SUMS.sig")).unwrap();
    let (good, _, messages) = signing.trusted(one.to_str().unwrap());
    assert!(!good && messages[0].starts_with("it is not a signature of these bytes"), "{messages:?}");

    // One made for another purpose, and what is none at all.
    let sums = two.join("SHA256SUMS");
    std::fs::remove_file(two.join("SHA256SUMS.sig")).unwrap();
    let mut command = signing.sandbox().command(&signing.keygen);
    support::output_of(command.args(["-q", "-Y", "sign", "-n", "git", "-f", "key"]).arg(&sums));
    let (good, _, messages) = signing.trusted(two.to_str().unwrap());
    assert!(!good && messages == ["it was made in the namespace `git`, not in `bundler`"], "{messages:?}");
    for garbage in ["", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", "\u{0}\u{1b}[31m"] {
        std::fs::write(two.join("SHA256SUMS.sig"), garbage).unwrap();
        let (good, _, messages) = signing.trusted(two.to_str().unwrap());
        assert!(!good && messages[0].starts_with("it is no SSH signature"), "{messages:?}");
    }
}

#[test]
fn what_cannot_sign_publishes_nothing() {
    let Some(signing) = Signing::new() else { return };
    signing.sandbox().write("none", "this is no key\n");
    let mut command = signing.sandbox().bundler();
    command.args(["pack", "--arch", "arm64", "--component", "agent", "--output", "b.tar.gz", "--sign-key", "none"]);
    let output = command.assert().code(2).get_output().stderr.clone();
    let stderr = String::from_utf8(output).unwrap();
    assert!(stderr.contains("ssh-keygen cannot sign with `none`"), "{stderr}");
    assert!(signing.site.files(".").iter().all(|name| !name.contains("b.tar.gz")));

    // A damaged bundle is not signed, and stays as it is.
    signing.key("key", &["-t", "ed25519"]);
    signing.pack("b.tar.gz", &[]);
    let path = signing.sandbox().path("b.tar.gz");
    let sign = |bundle: &str, code: i32| {
        let mut command = signing.sandbox().bundler();
        let output = command.args(["sign", bundle, "--key", "key"]).assert().code(code).get_output().stderr.clone();
        String::from_utf8(output).unwrap()
    };
    let bundle = Bundle::open(&path).unwrap();
    let read = |member: &Entry| {
        let inline = Member::inline(member.path.as_str(), bundle.read(&member.path, 1 << 30).unwrap());
        Member { mode: member.mode, ..inline }
    };
    let more = bundle.members().iter().map(read).chain([Member::inline("zzz", "")]).collect();
    let writer = Writer::create(&signing.sandbox().path("more.tar.gz"), Layout::new(more).unwrap()).unwrap();
    writer.seal().unwrap().publish().unwrap();
    let stderr = sign("more.tar.gz", 2);
    assert!(stderr.contains("it has a member that SHA256SUMS does not list"), "{stderr}");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len() - 3000;
    bytes[end] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let stderr = sign("b.tar.gz", 4);
    assert!(stderr.contains("is not what SHA256SUMS lists"), "{stderr}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
