//! Base and delta together, without putting them together first.

use std::collections::BTreeMap;

use bundler::bundle::model::{self, BundleFile};
use bundler::bundle::read::Bundle;
use bundler::bundle::write::Writer;
use bundler::bundle::{Content, Layout, Member, delta, sums};
use bundler::oci::Digest;

use super::{Sample, assert_loaded, assert_pushed, assert_served, done, host, run};
use crate::support::output_of;

/// `b.tar.gz` is the base, `full.tar.gz` the next version with the same images, `delta.tar.gz` what takes one to the
/// other; `other.tar.gz` is a full bundle too, but not the base.
fn delta() -> Sample {
    let mut sample = Sample::new(&[host()]);
    let about = |version: &str| {
        let mut about: BundleFile =
            bundler::yaml::parse("b", std::str::from_utf8(&sample.members[model::BUNDLE_YAML]).unwrap()).unwrap();
        about.version = version.to_owned();
        about
    };
    let (next, other) = (about("1.1.0"), about("0.9.0"));
    let members = |about: &BundleFile, contents: &mut BTreeMap<String, Vec<u8>>| -> Vec<Member> {
        contents.insert(model::BUNDLE_YAML.to_owned(), bundler::yaml::to_string(about).into_bytes());
        let mut paths: Vec<_> = contents.keys().cloned().collect();
        paths.sort_by(|a, b| model::order(a).cmp(&model::order(b)));
        let listed = paths.iter().filter(|path| *path != model::SUMS);
        let list: String = listed.map(|path| sums::line(Digest::of(&contents[path]), path)).collect();
        contents.insert(model::SUMS.to_owned(), list.into_bytes());
        let member = |path: &String| {
            let bytes = &contents[path];
            match ["blobs/", "charts/", "files/"].iter().any(|start| path.starts_with(start)) {
                true => Member {
                    mode: if path.starts_with("files/") { 0o755 } else { 0o644 },
                    ..Member::blob(path, Digest::of(bytes), bytes.len() as u64)
                },
                false => Member::inline(path, bytes.clone()),
            }
        };
        paths.iter().map(member).collect()
    };
    let write = |name: &str, members: Vec<Member>, contents: &BTreeMap<String, Vec<u8>>| {
        let writer = Writer::create(&sample.sandbox.path(name), Layout::new(members).unwrap()).unwrap();
        for index in 0..writer.layout().members().len() {
            let slot = writer.slot(index);
            if let Content::Blob(_) = slot.member().content {
                slot.write_at(0, &contents[slot.member().path.trim_start_matches("delta/")]).unwrap();
            }
        }
        writer.seal().unwrap().publish().unwrap();
    };
    let base = delta::base_of(&Bundle::open(&sample.path()).unwrap()).unwrap();
    let mut contents = sample.members.clone();
    let full = members(&other, &mut contents);
    write("other.tar.gz", full, &contents);
    let full = members(&next, &mut contents);
    write("full.tar.gz", full.clone(), &contents);
    // Large layers are left out, and some of the small blobs.
    let left_out = |digest: Digest, size: u64| size > 100_000 || digest.as_bytes()[0] > 100;
    write("delta.tar.gz", delta::members(&next, full, Some(base), left_out), &contents);
    sample.members = contents;
    sample
}

#[test]
fn base_and_delta_are_served_loaded_and_pushed_as_the_full_bundle() {
    let sample = delta();
    let size = |name: &str| sample.sandbox.path(name).metadata().unwrap().len();
    assert!(size("delta.tar.gz") * 4 < size("full.tar.gz"));
    for bundles in [["b.tar.gz", "delta.tar.gz"], ["delta.tar.gz", "b.tar.gz"]] {
        let served = assert_served(&sample, &bundles);
        assert!(served.get("/?lang=en").text().contains("1.1.0"));
    }
    assert_loaded(&sample, &["b.tar.gz", "delta.tar.gz"], "layout");
    assert_pushed(&sample, &["b.tar.gz", "delta.tar.gz"], "full.tar.gz");
    let (report, _) = done(&sample, &["apply", "b.tar.gz", "delta.tar.gz", "-o", "again.tar.gz"]);
    assert_eq!(report["size"], size("full.tar.gz"));
    let read = |name: &str| std::fs::read(sample.sandbox.path(name)).unwrap();
    assert!(read("again.tar.gz") == read("full.tar.gz"));
}

#[test]
fn an_unpacked_or_recompressed_base_and_delta_do_too() {
    let sample = delta();
    let script = "mkdir base && tar xzf b.tar.gz -C base && gunzip -c delta.tar.gz | gzip > again.tar.gz && \
                  gunzip -c b.tar.gz | gzip > base.tar.gz";
    output_of(sample.sandbox.command("sh").args(["-c", script]));
    assert_served(&sample, &["base", "again.tar.gz"]);
    let said = assert_loaded(&sample, &["base.tar.gz", "again.tar.gz"], "layout");
    for name in ["base.tar.gz", "again.tar.gz"] {
        assert!(said.contains(&format!("`{name}` was compressed again")), "{said}");
    }
    done(&sample, &["apply", "base.tar.gz", "again.tar.gz", "-o", "out.tar.gz"]);
    let read = |name: &str| std::fs::read(sample.sandbox.path(name)).unwrap();
    assert!(read("out.tar.gz") == read("full.tar.gz"));
}

#[test]
fn a_file_that_may_not_be_so_large_is_told_and_leaves_nothing() {
    let sample = delta();
    // In blocks of 512 bytes.
    let script = "ulimit -f 100; exec \"$0\" apply b.tar.gz delta.tar.gz -o out/full.tar.gz";
    std::fs::create_dir(sample.sandbox.path("out")).unwrap();
    let mut apply = sample.sandbox.command("sh");
    let output = apply.args(["-c", script, env!("CARGO_BIN_EXE_bundler")]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("--split-size"), "{said}");
    assert_eq!(std::fs::read_dir(sample.sandbox.path("out")).unwrap().count(), 0);
}

#[test]
fn a_missing_or_wrong_base_is_named_by_all() {
    let sample = delta();
    for (base, said, code) in [
        (None, "is in its base, demo 1.0.0 with SHA256SUMS", 2),
        (Some("other.tar.gz"), "`other.tar.gz` is not the base of `delta.tar.gz`: that is demo 1.0.0 with", 2),
        (Some("full.tar.gz"), "`full.tar.gz` is not the base of `delta.tar.gz`: that is demo 1.0.0 with", 2),
    ] {
        let bundles: Vec<_> = base.into_iter().chain(["delta.tar.gz"]).collect();
        for arguments in [
            [&["serve"], &bundles[..], &["--listen", "127.0.0.1:0"]].concat(),
            [&["load"], &bundles[..], &["--into", "oci-layout:layout"]].concat(),
            [&["push"], &bundles[..], &["http://127.0.0.1:1/site"]].concat(),
        ] {
            let (exit, _, text) = run(&sample, &arguments);
            assert!(exit == code && text.contains(said), "{arguments:?}: {exit} {text}");
        }
        assert!(!sample.sandbox.path("layout").exists());
    }
}
