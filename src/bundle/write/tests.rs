use std::io::Read as _;
use std::path::Path;

use proptest::prelude::*;

use super::super::{Layout, Member};
use super::*;

fn bytes(seed: u8, size: usize) -> Vec<u8> {
    (0..size).map(|i| (i.wrapping_mul(31) ^ (i >> 8)).to_le_bytes()[0] ^ seed).collect()
}

/// Members of every kind, with the bytes of those that come later.
fn sample() -> (Layout, Vec<(usize, Vec<u8>)>) {
    let blobs = [(2, 0), (3, 300_000), (5, 65_535), (6, 1), (7, 2_500_000)];
    let mut members = vec![Member::inline("bundle.yaml", bytes(1, 700)), Member::inline("run.sh", "#!/bin/sh\n")];
    let mut contents = Vec::new();
    for (index, size) in blobs {
        if index == 5 {
            members.push(Member::inline("oci-layout", bytes(9, 70_000)));
        }
        let content = bytes(u8::try_from(index).unwrap(), size);
        members.push(Member::blob(format!("blobs/{index}"), Digest::of(&content), size as u64));
        contents.push((index, content));
    }
    (Layout::new(members).unwrap(), contents)
}

/// What the archive has to be, from the layout's words alone.
fn expected(layout: &Layout, contents: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (index, member) in layout.members().iter().enumerate() {
        tar.extend(layout.header(index));
        match &member.content {
            Content::Inline(bytes) => tar.extend(bytes),
            Content::Blob(_) => tar.extend(&contents.iter().find(|(i, _)| *i == index).unwrap().1),
        }
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    gzip::store(&tar)
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn any_order_gives_the_same_archive() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let (layout, contents) = sample();
    let expected = expected(&layout, &contents);
    for round in 0..4 {
        let writer = Writer::create(&path, layout.clone()).unwrap();
        std::thread::scope(|scope| {
            for (index, content) in contents.iter().rev() {
                let slot = writer.slot(*index);
                let size = [1_000, 65_536, 1 << 20, 7_777][round];
                if round < 2 {
                    for (at, chunk) in content.chunks(size * 10).enumerate().collect::<Vec<_>>().into_iter().rev() {
                        slot.write_at((at * size * 10) as u64, chunk).unwrap();
                    }
                } else {
                    scope.spawn(move || {
                        for (at, chunk) in content.chunks(size).enumerate() {
                            slot.write_at((at * size) as u64, chunk).unwrap();
                        }
                    });
                }
            }
        });
        let finished = writer.seal().unwrap().publish().unwrap();
        let archive = std::fs::read(&path).unwrap();
        assert!(archive == expected, "round {round}");
        assert_eq!(finished, Finished { sha256: Digest::of(&archive), size: archive.len() as u64 });
        let sums = std::fs::read_to_string(directory.path().join("b.tar.gz.sha256")).unwrap();
        assert_eq!(sums, format!("{}  b.tar.gz\n", finished.sha256.hex()));
        assert_eq!(names(directory.path()), ["b.tar.gz", "b.tar.gz.sha256"]);
    }
}

#[test]
fn the_tar_crate_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let (layout, contents) = sample();
    let writer = Writer::create(&path, layout.clone()).unwrap();
    for (index, content) in &contents {
        writer.slot(*index).write_at(0, content).unwrap();
    }
    writer.seal().unwrap().publish().unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let mut archive = ::tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut seen = 0;
    for (index, entry) in archive.entries().unwrap().enumerate() {
        let mut entry = entry.unwrap();
        let member = &layout.members()[index];
        assert_eq!(entry.path().unwrap().to_str(), Some(member.path.as_str()));
        assert_eq!(entry.header().mode().unwrap(), member.mode);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        match &member.content {
            Content::Inline(bytes) => assert_eq!(content, *bytes),
            Content::Blob(digest) => assert_eq!(Digest::of(&content), *digest),
        }
        seen += 1;
    }
    assert_eq!(seen, layout.members().len());
}

#[test]
fn what_is_written_again_counts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let (layout, contents) = sample();
    let writer = Writer::create(&path, layout.clone()).unwrap();
    for (index, content) in &contents {
        let wrong = vec![0xee; content.len()];
        writer.slot(*index).write_at(0, &wrong).unwrap();
    }
    for (index, content) in contents.iter().rev() {
        let (first, second) = content.split_at(content.len() / 3);
        let slot = writer.slot(*index);
        slot.write_at(first.len() as u64, second).unwrap();
        slot.write_at(0, first).unwrap();
        let mut back = vec![0; content.len()];
        slot.read_at(0, &mut back).unwrap();
        assert!(back == *content);
    }
    let finished = writer.seal().unwrap().publish().unwrap();
    let archive = std::fs::read(&path).unwrap();
    assert!(archive == expected(&layout, &contents));
    assert_eq!(finished.sha256, Digest::of(&archive));
}

#[test]
fn nothing_half_is_published() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    std::fs::write(&path, "earlier").unwrap();
    let (layout, contents) = sample();
    let writer = Writer::create(&path, layout.clone()).unwrap();
    writer.slot(3).write_at(0, &contents[1].1[1..]).unwrap();
    let beyond = writer.slot(3).write_at(1, &contents[1].1);
    assert!(matches!(beyond, Err(Error::Beyond { .. })), "{beyond:?}");
    assert!(matches!(writer.slot(0).write_at(0, b"x"), Err(Error::Beyond { .. })));
    assert!(matches!(writer.seal(), Err(Error::Incomplete { path }) if path == "blobs/3"));
    assert_eq!(names(directory.path()), ["b.tar.gz"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"earlier");
    drop(Writer::create(&path, layout).unwrap());
    assert_eq!(names(directory.path()), ["b.tar.gz"]);
}

#[test]
fn what_is_sealed_is_not_published_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    std::fs::write(&path, "earlier").unwrap();
    let (layout, contents) = sample();
    let writer = Writer::create(&path, layout).unwrap();
    for (index, content) in &contents {
        writer.slot(*index).write_at(0, content).unwrap();
    }
    drop(writer.seal().unwrap());
    assert_eq!(names(directory.path()), ["b.tar.gz"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"earlier");
}

#[test]
fn an_archive_is_replaced_only_when_its_old_checksum_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    std::fs::write(&path, "earlier").unwrap();
    // What cannot be removed: the new archive would stand beside it.
    std::fs::create_dir(directory.path().join("b.tar.gz.sha256")).unwrap();
    let (layout, contents) = sample();
    let writer = Writer::create(&path, layout).unwrap();
    for (index, content) in &contents {
        writer.slot(*index).write_at(0, content).unwrap();
    }
    writer.seal().unwrap().publish().unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), b"earlier");
    assert_eq!(names(directory.path()), ["b.tar.gz", "b.tar.gz.sha256"]);
}

#[test]
fn of_what_was_left_of_parts_only_what_is_ours_and_idle_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let hidden = |part: &str| directory.path().join(format!(".b.tar.gz.part-{part}.partial"));
    let [idle, busy, link, pipe] = ["001", "002", "003", "004"].map(hidden);
    std::fs::write(&idle, "x").unwrap();
    let writing = File::create(&busy).unwrap();
    rustix::fs::flock(&writing, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    std::os::unix::fs::symlink("elsewhere", &link).unwrap();
    std::fs::write(directory.path().join("elsewhere"), "somebody's").unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    let writer = Writer::create(&directory.path().join("b.tar.gz"), sample().0).unwrap();
    assert!(!idle.exists());
    for left in [&busy, &link, &pipe] {
        assert!(left.symlink_metadata().is_ok(), "{left:?}");
    }
    drop(writer);
}

#[test]
fn takes_over_what_was_left_but_not_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let (layout, contents) = sample();
    std::fs::write(directory.path().join(".b.tar.gz.partial"), vec![7; 5_000_000]).unwrap();
    std::fs::write(directory.path().join(".b.tar.gz.sha256.partial"), "half a li").unwrap();
    let writer = Writer::create(&path, layout.clone()).unwrap();
    let second = Writer::create(&path, layout.clone());
    assert!(matches!(second, Err(Error::Busy(_))), "{second:?}");
    for (index, content) in &contents {
        writer.slot(*index).write_at(0, content).unwrap();
    }
    writer.seal().unwrap().publish().unwrap();
    assert!(std::fs::read(&path).unwrap() == expected(&layout, &contents));
    assert_eq!(names(directory.path()), ["b.tar.gz", "b.tar.gz.sha256"]);
}

#[test]
fn a_member_with_a_damaged_block_header_is_not_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let (layout, contents) = sample();
    let mut writer = Writer::create(&path, layout.clone()).unwrap();
    for (index, content) in &contents {
        writer.slot(*index).write_at(0, content).unwrap();
    }
    writer.leave();
    drop(writer);
    let (index, _) = contents.iter().max_by_key(|(_, content)| content.len()).unwrap();
    let taken = || {
        let mut writer = Writer::begin(&path, layout.clone(), None, true).unwrap();
        writer.leave();
        assert!(writer.goes_on());
        writer.slot(*index).take_over().unwrap()
    };
    assert!(taken());
    let partial = directory.path().join(".b.tar.gz.partial");
    let mut bytes = std::fs::read(&partial).unwrap();
    let block = layout.data(*index).start.next_multiple_of(gzip::BLOCK);
    bytes[usize::try_from(gzip::file_offset(block) - gzip::BLOCK_HEADER).unwrap()] ^= 1;
    std::fs::write(&partial, bytes).unwrap();
    assert!(!taken());
}

#[test]
fn a_disk_that_is_too_small_is_found_first() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(vec![Member::blob("x", Digest::of(b""), 1 << 61)]).unwrap();
    let error = Writer::create(&directory.path().join("b.tar.gz"), layout).unwrap_err();
    assert_eq!(error.exit(), Exit::Disk);
    assert!(matches!(error, Error::Disk { .. }), "{error:?}");
    assert!(error.hint().is_some(), "{error:?}");
    assert!(names(directory.path()).is_empty());
    let nowhere = Writer::create(Path::new("/nonexistent/b.tar.gz"), sample().0).unwrap_err();
    assert_eq!(nowhere.exit(), Exit::Disk);
    assert!(Writer::create(directory.path(), sample().0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_segments_in_any_order(cuts in prop::collection::vec(0_usize..2_500_000, 0..30), seed in any::<u64>()) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("b.tar.gz");
        let (layout, contents) = sample();
        let writer = Writer::create(&path, layout.clone()).unwrap();
        let mut writes = Vec::new();
        for (index, content) in &contents {
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (content.len() + 1)).collect();
            cuts.extend([0, content.len()]);
            cuts.sort_unstable();
            writes.extend(cuts.windows(2).map(|cut| (*index, cut[0], &content[cut[0]..cut[1]])));
        }
        writes.sort_by_key(|(index, at, _)| (*at as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ *index as u64);
        for (index, at, bytes) in writes {
            writer.slot(index).write_at(at as u64, bytes).unwrap();
        }
        writer.seal().unwrap().publish().unwrap();
        prop_assert!(std::fs::read(&path).unwrap() == expected(&layout, &contents));
    }
}
