//! The real program on good and bad bundles, in both languages: the same facts and the same exit codes.

use std::collections::BTreeSet;

use crate::bundle_programs::Sample;
use crate::bundle_programs::containerd::host;
use crate::support::{self, output_of};

/// A locale's variables, the exit code, stdout and stderr.
fn run(sample: &Sample, locale: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let mut command = sample.sandbox.bundler();
    let output = command.env_remove("LC_ALL").envs(locale.iter().copied()).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const CHINESE: [(&str, &str); 1] = [("LANG", "zh_CN.UTF-8")];
const ENGLISH: [(&str, &str); 1] = [("LANG", "C")];

fn is_chinese(text: &str) -> bool {
    text.contains(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// What is no matter of language: numbers, digests, paths, options, names with a digit.
fn facts(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_graphic() || "`()[],;\"".contains(c));
    let words = words.map(|word| word.trim_end_matches([':', '.', '?']));
    words.filter(|word| word.contains(|c: char| c.is_ascii_digit()) || word.contains(['/', '@'])).collect()
}

/// A bundle, and what can be wrong with one.
fn sample() -> Sample {
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let bytes = std::fs::read(sandbox.path("b.tar.gz")).unwrap();
    let mut flipped = bytes.clone();
    let middle = bytes.len() / 2;
    flipped[middle] ^= 1;
    sandbox.write("flipped.tar.gz", flipped);
    let third = bytes.len() / 3;
    sandbox.write("parts/b.tar.gz.part-001", &bytes[..third]);
    sandbox.write("parts/b.tar.gz.part-003", &bytes[2 * third..]);
    sandbox.write("text.tar.gz", "not a bundle\n");
    sandbox.write("signers", "");
    sandbox.write("config.yaml", "attempts: 0\n");
    sandbox.write("users", "nobody\n");
    sample
}

#[test]
fn a_site_reads_the_same_in_chinese() {
    let sample = sample();
    let nobody: [&str; 4] = ["--signers", "signers", "--identity", "a@example.com"];
    let unsigned = [&["verify", "b.tar.gz"], nobody.as_slice()].concat();
    let cases: [(&[&str], i32, &str); 19] = [
        (&["verify", "b.tar.gz"], 0, "b.tar.gz：合格"),
        (&["verify", "flipped.tar.gz"], 1, "flipped.tar.gz：不合格"),
        (&["verify", "flipped.tar.gz"], 1, "应为 sha256:"),
        (&["verify", "parts/b.tar.gz.part-001"], 1, "缺少 `parts/b.tar.gz.part-002`"),
        (&["verify", "none.tar.gz"], 2, "无法读取 `none.tar.gz`"),
        (&["verify", "none.tar.gz"], 2, "原因：没有该文件或目录（os error 2）"),
        (&["verify", "text.tar.gz"], 1, "`text.tar.gz` 不是离线包：不是 gzip 格式"),
        (&unsigned, 1, "要求有签名，但离线包没有签名"),
        (&["inspect", "b.tar.gz"], 0, "demo 1.0.0，离线包，用于 linux/"),
        (&["load", "b.tar.gz", "--into", "oci-layout:out", "--dry-run"], 0, "将导入 "),
        (&["load", "b.tar.gz", "--into", "oci-layout:out", "--profile", "no"], 2, "离线包中没有profile `no`"),
        (&["load", "flipped.tar.gz", "--into", "oci-layout:bad"], 4, "提示：请重新拷贝离线包"),
        (&["unload", "demo@1.0.0", "--into", "docker"], 2, "提示：请用 `docker image rm` 移除镜像"),
        (&["push", "b.tar.gz", "http://127.0.0.1:1/x"], 3, "连接被拒绝（os error 111）"),
        (&["push", "b.tar.gz", "ftp://host/x"], 2, "既不是 http 也不是 https"),
        (&["push", "b.tar.gz", "http://127.0.0.1:1", "--config", "config.yaml"], 2, "`attempts` 不能为 0"),
        (&["serve", "b.tar.gz", "--htpasswd", "users"], 2, "应为 `user:hash`"),
        (&["serve", "b.tar.gz", "--listen", "192.0.2.1:5000"], 2, "无法监听 192.0.2.1:5000"),
        (&["apply", "b.tar.gz", "b.tar.gz", "-o", "full.tar.gz"], 2, "`b.tar.gz` 是离线包，但不是增量包"),
    ];
    for (arguments, code, said) in cases {
        let (english, chinese) = (run(&sample, &ENGLISH, arguments), run(&sample, &CHINESE, arguments));
        assert_eq!((english.0, chinese.0), (code, code), "{arguments:?}: {english:?} {chinese:?}");
        let english = english.1 + &english.2;
        let chinese = chinese.1 + &chinese.2;
        assert!(!is_chinese(&english), "{arguments:?}: {english}");
        assert!(chinese.contains(said), "{arguments:?}: {said} is not in\n{chinese}\n{english}");
        let (expected, found) = (facts(&english), facts(&chinese));
        // How long it took is another time.
        let lost: Vec<_> = expected.difference(&found).filter(|fact| !chinese.contains(**fact)).collect();
        let lost: Vec<_> = lost.into_iter().filter(|fact| !is_of_time(&english, fact)).collect();
        assert!(lost.is_empty(), "{arguments:?}: {lost:?} is not in\n{chinese}");
    }
}

/// Whether a fact is of the line that says how long something took.
fn is_of_time(english: &str, fact: &str) -> bool {
    english.lines().filter(|line| line.contains(fact)).all(|line| line.ends_with("/s") && line.contains(" in "))
}

#[test]
fn a_wrong_key_is_refused_in_chinese() {
    let Some(keygen) = support::program("ssh-keygen") else { return };
    let sample = sample();
    let sandbox = &sample.sandbox;
    for name in ["good", "other"] {
        let mut command = sandbox.command(&keygen);
        output_of(command.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(sandbox.path(name)));
    }
    let (code, _, said) = run(&sample, &ENGLISH, &["sign", "b.tar.gz", "--key", "good"]);
    assert_eq!(code, 0, "{said}");
    for (key, code, english, chinese) in [
        ("good", 0, "signed by a@example.com", "由 a@example.com 签名"),
        ("other", 1, "is not allowed to sign as `a@example.com`", "不能以 `a@example.com` 的名义签名"),
    ] {
        let key = std::fs::read_to_string(sandbox.path(key).with_extension("pub")).unwrap();
        sandbox.write("signers", format!("a@example.com {key}"));
        let arguments = ["verify", "b.tar.gz", "--signers", "signers", "--identity", "a@example.com"];
        for (locale, said) in [(&ENGLISH, english), (&CHINESE, chinese)] {
            let (found, out, _) = run(&sample, locale, &arguments);
            assert!(found == code && out.contains(said), "{found}: {out}");
        }
    }
}

#[test]
fn the_option_is_before_the_environment_and_programs_read_english() {
    let sample = sample();
    let verify = |locale: &[(&str, &str)], more: &[&str]| {
        let (code, out, said) = run(&sample, locale, &[&["verify", "flipped.tar.gz"], more].concat());
        assert_eq!(code, 1, "{said}");
        out + &said
    };
    assert!(is_chinese(&verify(&ENGLISH, &["--lang", "zh"])));
    assert!(is_chinese(&verify(&ENGLISH, &["--lang", "zh-CN"])));
    assert!(!is_chinese(&verify(&CHINESE, &["--lang", "en"])));
    assert!(!is_chinese(&verify(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C.UTF-8")], &[])));
    assert!(is_chinese(&verify(&[("LC_MESSAGES", "zh_CN.UTF-8"), ("LANG", "C")], &[])));
    let json: [&[&str]; 3] = [
        &["--format", "json", "verify", "flipped.tar.gz", "-q"],
        &["--format", "json", "verify", "none.tar.gz"],
        &["--format", "json", "load", "b.tar.gz", "--into", "oci-layout:out", "--dry-run"],
    ];
    for arguments in json {
        assert_eq!(run(&sample, &CHINESE, arguments), run(&sample, &ENGLISH, arguments), "{arguments:?}");
    }
    // What a maintainer runs speaks English.
    let (_, out, said) = run(&sample, &CHINESE, &["resolve", "--check"]);
    assert!(!is_chinese(&out) && !is_chinese(&said), "{out}{said}");
    for (wrong, tip) in [(["--lang", "zhh"], "'zh'"), (["--lagn", "zh"], "'--lang'")] {
        let (code, _, said) = run(&sample, &ENGLISH, &[&["verify", "b.tar.gz"], wrong.as_slice()].concat());
        assert!(code == 2 && said.contains("tip: ") && said.contains(tip), "{said}");
    }
}
