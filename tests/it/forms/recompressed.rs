//! Bundles that somebody compressed again: read by every command and told by every command.

use super::{Sample, assert_loaded, assert_pushed, assert_served, done, host, run};
use crate::support::{self, output_of};

const TOLD: &str = "was compressed again after it was packed";

fn recompressed() -> Sample {
    let sample = Sample::new(&[host()]);
    output_of(sample.sandbox.command("sh").args(["-c", "gunzip -c b.tar.gz | gzip -9 > again.tar.gz"]));
    sample
}

#[test]
fn it_is_served_loaded_and_pushed() {
    let sample = recompressed();
    let served = assert_served(&sample, &["again.tar.gz"]);
    served.logged(TOLD);
    assert!(assert_loaded(&sample, &["again.tar.gz"], "layout").contains(TOLD));
    if let Some(said) = assert_pushed(&sample, &["again.tar.gz"], "b.tar.gz") {
        assert!(said.contains(TOLD), "{said}");
    }
}

#[test]
fn verify_says_what_it_is_and_finds_what_is_wrong_in_it() {
    let sample = recompressed();
    let (code, report, _) = run(&sample, &["verify", "again.tar.gz"]);
    assert_eq!((code, &report["form"]), (1, &"recompressed".into()), "{report:#}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(report["findings"][0]["kind"], "form");

    // Another byte in it, with a gzip that is right.
    let script = "gunzip -c b.tar.gz | sed 's/echo program/echo PROGRAM/' | gzip -9 > changed.tar.gz";
    output_of(sample.sandbox.command("sh").args(["-c", script]));
    let (code, report, _) = run(&sample, &["verify", "changed.tar.gz"]);
    let members: Vec<_> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["member"]).collect();
    assert!(code == 1 && members.contains(&&"files/tool".into()), "{report:#}");
}

#[test]
fn the_other_commands_read_it_too() {
    let sample = recompressed();
    let (inspected, said) = done(&sample, &["inspect", "again.tar.gz"]);
    assert!(inspected["form"] == "recompressed" && said.contains(TOLD), "{said}{inspected:#}");
    let (published, _) = done(&sample, &["inspect", "b.tar.gz"]);
    assert_eq!((&inspected["images"], &inspected["sums_sha256"]), (&published["images"], &published["sums_sha256"]));
    let (compared, said) = done(&sample, &["diff", "b.tar.gz", "again.tar.gz"]);
    assert!(compared["new_bytes"] == 0 && said.contains(TOLD), "{said}{compared:#}");

    // Signed, it is in its own form again.
    let Some(keygen) = support::program("ssh-keygen") else { return };
    output_of(sample.sandbox.command(keygen).args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", "key"]));
    let copies = "cp b.tar.gz one.tar.gz && cp again.tar.gz two.tar.gz";
    output_of(sample.sandbox.command("sh").args(["-c", copies]));
    let (one, _) = done(&sample, &["sign", "one.tar.gz", "--key", "key"]);
    let (two, said) = done(&sample, &["sign", "two.tar.gz", "--key", "key"]);
    assert!(one["sha256"] == two["sha256"] && said.contains(TOLD), "{said}");
    done(&sample, &["verify", "two.tar.gz"]);
}

#[test]
fn what_follows_the_gzip_member_is_refused_by_all() {
    let sample = recompressed();
    let sandbox = &sample.sandbox;
    let script = "gzip -c b.tar.gz.sha256 > second.gz; for b in b again; do cat $b.tar.gz second.gz > $b-two.tar.gz; \
                  (cat $b.tar.gz; echo garbage) > $b-more.tar.gz; done";
    output_of(sandbox.command("sh").args(["-c", script]));
    for bundle in ["b-two.tar.gz", "b-more.tar.gz", "again-two.tar.gz", "again-more.tar.gz"] {
        for arguments in [
            &["verify", bundle][..],
            &["inspect", bundle],
            &["serve", bundle, "--listen", "127.0.0.1:0"],
            &["load", bundle, "--into", "oci-layout:layout"],
            &["push", bundle, "http://127.0.0.1:1/site"],
            &["apply", bundle, "b.tar.gz", "-o", "full.tar.gz"],
            &["apply", "b.tar.gz", bundle, "-o", "full.tar.gz"],
            &["sign", bundle, "--key", "key"],
        ] {
            let (code, report, said) = run(&sample, arguments);
            let text = format!("{said}{report:#}");
            assert_eq!(code, if arguments[0] == "verify" { 1 } else { 4 }, "{arguments:?}: {text}");
            assert!(text.contains("bytes follow the gzip member"), "{arguments:?}: {text}");
        }
        assert!(!sandbox.path("layout").exists() && !sandbox.path("full.tar.gz").exists());
    }
}
