//! Files that are too large, too deep or no text: a clear error, and little memory.

use std::io::{Read as _, Write as _};
use std::process::Output;

use crate::support::{Sandbox, output_of};

/// The most memory that the program may take, in KiB: of `ulimit -d`, which counts all that it could write to.
///
/// Without a bound, each of the files here would take gigabytes.
const MEMORY: u32 = 200 << 10;

const CATALOG: &str = "\
schema: 1
name: tools
version: 0.1.0
platform: {kubernetes: \"1.36\", architectures: [arm64]}
profiles:
  site: [tool]
";
const COMPONENT: &str = "\
name: tool
source: {github: example/tool, tag: \"v{version}\"}
images: [\"ghcr.io/example/tool:{version}\"]
";
const LOCK: &str = "\
schema: 1
bundle: {name: tools, version: 0.1.0, kubernetes: \"1.36\", architectures: [arm64]}
profiles: {site: [tool]}
components: {}
unresolved:
- {component: tool, artifact: \"ghcr.io/example/tool:1\", reason: no digest known}
";
const FILES: [(&str, &str); 4] = [
    ("manifests/catalog.yaml", CATALOG),
    ("manifests/components/tool/component.yaml", COMPONENT),
    ("bundle.lock.yaml", LOCK),
    ("config.yaml", "mirror_only: true\n"),
];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, text) in FILES {
        sandbox.write(path, text);
    }
    sandbox
}

/// Runs the program with little memory.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut command = sandbox.command("sh");
    command.args(["-c", "ulimit -d \"$0\" && exec \"$@\"", &MEMORY.to_string(), env!("CARGO_BIN_EXE_bundler")]);
    command.args(arguments).output().unwrap()
}

/// Packs, and gives the exit code and what is said.
fn pack(sandbox: &Sandbox) -> (Option<i32>, String) {
    let output = run(sandbox, &["pack", "--arch", "arm64", "--config", "config.yaml"]);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Ten lists, each with ten of the one before: 10^10 words in a kilobyte.
fn aliases(before: &str) -> String {
    let mut text = format!("{before}a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..10 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    text
}

#[test]
fn the_files_are_good_before_they_are_spoiled() {
    let (code, text) = pack(&sandbox());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("no digest known"), "{text}");
}

#[test]
fn a_file_that_is_a_bomb_is_refused_by_name() {
    for (path, good) in FILES {
        let line = good.lines().count() + 1;
        let deep =
            |open: &str, close: &str| format!("{good}deep: {}1{}\n", open.repeat(100_000), close.repeat(100_000));
        let spoiled: [(&str, Vec<u8>, Option<usize>); 8] = [
            ("aliases", aliases(good).into(), None),
            ("aliases of a field", aliases("").replace("a9: ", "name: ").into(), None),
            ("lists", deep("[", "]").into(), None),
            ("maps", deep("{a: ", "}").into(), None),
            ("blocks", format!("{good}deep:\n  {}1\n", "- ".repeat(100_000)).into(), None),
            ("NUL", format!("{good}x: \0\n").into(), Some(line)),
            ("no text", [good.as_bytes(), b"x: \xff\xfe\n"].concat(), Some(line)),
            ("a long key", format!("{good}{}: 1\n", "k".repeat(1 << 20)).into(), Some(line)),
        ];
        for (what, bytes, line) in spoiled {
            let sandbox = sandbox();
            sandbox.write(path, bytes);
            let (code, text) = pack(&sandbox);
            assert_eq!(code, Some(2), "{path} {what}: {text}");
            // A bomb is refused at the node that is one too many.
            let place = line.map_or(format!("{path}:"), |line| format!("{path}:{line}:"));
            let column = text.split(&place).nth(1).unwrap_or_else(|| panic!("{path} {what}: {place} {text}"));
            assert!(column.starts_with(|c: char| c.is_ascii_digit()), "{path} {what}: {text}");
            assert!(text.len() < 2_000, "{path} {what}: {} bytes are said", text.len());
            assert!(!text.contains("breached"), "{path} {what}: {text}");
        }
    }
}

#[test]
fn a_file_of_100_mb_is_refused_by_name() {
    for (path, good) in FILES {
        let sandbox = sandbox();
        let mut text = good.to_owned();
        text.reserve(100 << 20);
        while text.len() < 100 << 20 {
            text.push_str("# a comment that is longer than the whole file should be, again and again and again\n");
        }
        sandbox.write(path, text);
        let (code, text) = pack(&sandbox);
        assert_eq!(code, Some(2), "{path}: {text}");
        assert!(text.contains(path) && text.contains("larger than 8 MiB"), "{path}: {text}");
    }
}

/// Makes a file so long, without taking the disk's space for it.
fn extend(path: &std::path::Path, size: u64) {
    std::fs::File::options().write(true).create(true).truncate(false).open(path).unwrap().set_len(size).unwrap();
}

/// What lies beside a bundle is not in it, and read to a bound all the same.
#[test]
fn files_beside_a_bundle_are_read_to_a_bound() {
    let sample = crate::bundle_programs::Sample::new(&[bundler::oci::Arch::Arm64]);
    sample.sandbox.write("signers", "");
    for (beside, arguments, said) in [
        ("b.tar.gz.sha256", &["verify", "b.tar.gz"][..], "is no list of sha256 and name"),
        (
            "b.tar.gz.sha256.sig",
            &["verify", "b.tar.gz", "--signers", "signers", "--identity", "a"],
            "it is no SSH signature",
        ),
    ] {
        extend(&sample.sandbox.path(beside), 1 << 30);
        let output = run(&sample.sandbox, arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{beside}: {text}");
        assert!(text.contains(beside) && text.contains(said), "{beside}: {text}");
    }
}

/// What the command line names beside these files: read to a bound too, also where it has no length.
#[test]
fn other_files_are_read_to_a_bound() {
    let sandbox = sandbox();
    let large = sandbox.write("large", "");
    extend(&large, 100 << 20);
    for endless in [large.to_str().unwrap(), "/dev/zero"] {
        for (arguments, most) in [
            (&["resolve", "--ca-file", endless][..], "larger than 4 MiB"),
            (&["images", "--chart", "chart.tgz", "--values", endless], "larger than 8 MiB"),
            (&["pack", "--arch", "arm64", "--config", endless], "larger than 8 MiB"),
            (&["verify", "x.tar.gz", "--signers", endless, "--identity", "a"], "more than 4 MiB"),
        ] {
            let output = run(&sandbox, arguments);
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
            assert!(text.contains(endless) && text.contains(most), "{arguments:?}: {text}");
        }
        let output = run(&sandbox, &["resolve", "--lock", endless]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        let said = if endless == "/dev/zero" { "not a regular file" } else { "larger than 8 MiB" };
        assert!(text.contains(endless) && text.contains(said), "{text}");
    }
}

#[test]
fn a_pipe_or_a_device_is_no_file() {
    // A configuration may come through a pipe: who names one means it.
    for (path, _) in &FILES[..3] {
        for make in ["mkfifo \"$0\"", "ln -s /dev/zero \"$0\""] {
            let sandbox = sandbox();
            std::fs::remove_file(sandbox.path(path)).unwrap();
            output_of(sandbox.command("sh").args(["-c", make, path]));
            let (code, text) = pack(&sandbox);
            assert_eq!(code, Some(2), "{path} {make}: {text}");
            assert!(text.contains(path) && text.contains("not a regular file"), "{path}: {text}");
        }
    }
}

/// Answers every request with a manifest of so many bytes, with its length or without; `None` never ends.
fn registry(size: Option<usize>, told: bool) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            // A client that has gone away asks for nothing.
            let asked = stream.read(&mut request).unwrap_or_default();
            let is_head = request[..asked].starts_with(b"HEAD");
            let length = match size {
                Some(size) if told => format!("content-length: {size}\r\n"),
                _ => String::new(),
            };
            let kind = "application/vnd.oci.image.index.v1+json";
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n{length}\r\n");
            let _ = stream.write_all(head.as_bytes());
            let mut left = size.unwrap_or(usize::MAX);
            while !is_head && left > 0 {
                let now = left.min(64 << 10);
                if stream.write_all(&vec![b' '; now]).is_err() {
                    break;
                }
                left -= now;
            }
        }
    });
    url
}

/// A lock with an image that is at this registry.
fn locked(registry: &str) -> Sandbox {
    let sandbox = sandbox();
    let inputs = bundler::oci::Digest::of(COMPONENT.as_bytes()).hex();
    let inputs = bundler::oci::Digest::of(format!("{inputs}  component.yaml\n").as_bytes());
    let digest = bundler::oci::Digest::of(b"a manifest");
    let lock = LOCK.split("components:").next().unwrap();
    sandbox.write(
        "bundle.lock.yaml",
        format!(
            "{lock}components:\n  tool: {{version: '1', inputs: {inputs}, images: ['ghcr.io/example/tool:1']}}\n\
             images:\n  ghcr.io/example/tool:1: {{digest: {digest}}}\n"
        ),
    );
    sandbox.write("config.yaml", format!("mirror_only: true\nmirrors: {{ghcr.io: [\"{registry}\"]}}\n"));
    sandbox
}

#[test]
fn credentials_are_read_to_a_bound() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let sandbox = locked(&format!("http://{}", listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 401 x\r\nwww-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n";
            let _ = stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes());
        }
    });
    let docker = sandbox.home().join(".docker");
    std::fs::create_dir(&docker).unwrap();
    std::os::unix::fs::symlink("/dev/zero", docker.join("config.json")).unwrap();
    let (code, text) = pack(&sandbox);
    assert_eq!(code, Some(5), "{text}");
    assert!(text.contains("config.json") && text.contains("more than 1048576 bytes"), "{text}");
}

#[test]
fn a_manifest_of_10_mb_and_one_without_end_are_refused() {
    for (size, told) in [(Some(10 << 20), true), (Some(10 << 20), false), (None, false)] {
        let sandbox = locked(&registry(size, told));
        let (code, text) = pack(&sandbox);
        assert!(matches!(code, Some(3 | 4)), "{size:?} {told}: {code:?} {text}");
        assert!(
            text.contains("ghcr.io/example/tool:1") && text.contains("more than 4194304 bytes"),
            "{size:?} {told}: {text}"
        );
    }
}

#[test]
fn a_bundle_whose_own_description_is_a_bomb_is_not_good() {
    for spoiled in [aliases(""), format!("schema: 1\ndeep: {}\n", "[".repeat(100_000)), "schema: 1\nx: \0\n".to_owned()]
    {
        let sandbox = sandbox();
        sandbox.write("bundle/bundle.yaml", spoiled);
        sandbox.write("bundle/SHA256SUMS", "");
        for (command, expected) in [("verify", 1), ("inspect", 4)] {
            let output = run(&sandbox, &[command, "bundle"]);
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            assert_eq!(output.status.code(), Some(expected), "{command}: {text}");
            assert!(text.contains("bundle.yaml"), "{command}: {text}");
        }
    }
}
