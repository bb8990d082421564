use super::super::contents::tests::Sample;
use super::*;
use crate::bundle::write::Writer;
use crate::bundle::{Layout, Member, model};

fn written(directory: &Path, name: &str, sample: &Sample) -> PathBuf {
    let path = directory.join(name);
    sample.write(&path);
    path
}

#[test]
fn one_bundle_shows_what_it_carries() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), "b.tar.gz", &Sample::new(&[Arch::Arm64]));
    let set = Set::open(&[path]).unwrap();
    let names: Vec<_> = set.images().keys().map(ToString::to_string).collect();
    assert_eq!(names.len(), 3);
    assert!(names[0].starts_with("docker.io/library/web:1"), "{names:?}");
    let paths: Vec<_> = set.shipped().keys().map(String::as_str).collect();
    assert_eq!(paths, ["charts/tool-4.2.4.tgz", "files/notes.txt", "files/tool"]);
    let web = &set.images()[&"docker.io/library/web:1".parse().unwrap()];
    assert_eq!(web.components, BTreeSet::from(["tool".to_owned()]));
    let index = set.manifest(web.digest).unwrap().unwrap();
    let child = index.child(Arch::Arm64).unwrap().digest;
    assert!(set.manifest(child).unwrap().is_some());
    let absent = index.child(Arch::Amd64).unwrap().digest;
    assert!(set.manifest(absent).unwrap().is_none());
}

#[test]
fn two_architectures_are_one() {
    let directory = tempfile::tempdir().unwrap();
    let arm = written(directory.path(), "arm.tar.gz", &Sample::new(&[Arch::Arm64]));
    let amd = written(directory.path(), "amd.tar.gz", &Sample::new(&[Arch::Amd64]));
    let set = Set::open(&[arm, amd]).unwrap();
    let paths: Vec<_> = set.shipped().keys().map(String::as_str).collect();
    let expected = [
        "charts/tool-4.2.4.tgz",
        "files/amd64/notes.txt",
        "files/amd64/tool",
        "files/arm64/notes.txt",
        "files/arm64/tool",
    ];
    assert_eq!(paths, expected);
    let web = &set.images()[&"docker.io/library/web:1".parse().unwrap()];
    assert_eq!(web.architectures, BTreeSet::from([Arch::Amd64, Arch::Arm64]));
    let index = set.manifest(web.digest).unwrap().unwrap();
    for arch in [Arch::Amd64, Arch::Arm64] {
        let child = index.child(arch).unwrap();
        let blob = set.blob(child.digest).unwrap();
        let mut bytes = vec![0; usize::try_from(blob.size).unwrap()];
        set.read_at(blob, 0, &mut bytes).unwrap();
        assert_eq!(Digest::of(&bytes), child.digest);
    }
}

#[test]
fn two_versions_contradict_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let one = written(directory.path(), "one.tar.gz", &Sample::new(&[Arch::Arm64]));
    let mut sample = Sample::new(&[Arch::Arm64]);
    let images = &mut sample.parts.bundle.lock.images;
    let pinned = images.iter().find(|(name, _)| name.registry() == "registry.k8s.io:443").unwrap().1.digest;
    images.get_mut(&"docker.io/library/web:1".parse().unwrap()).unwrap().digest = pinned;
    let two = written(directory.path(), "two.tar.gz", &sample);
    let error = Set::open(&[&one, &two]).unwrap_err();
    assert!(
        matches!(&error, Error::Contradiction { what, paths } if what == "docker.io/library/web:1" && *paths == [one, two])
    );
    assert_eq!(error.exit(), Exit::Usage);
}

#[test]
fn a_document_that_was_changed_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), "b.tar.gz", &Sample::new(&[Arch::Arm64]));
    let digest = Set::open(&[&path]).unwrap().images().values().next().unwrap().digest;
    let good = Bundle::open(&path).unwrap();
    let members = good.members().iter().map(|member| {
        let mut bytes = good.read(&member.path, 1 << 30).unwrap();
        if member.path == model::blob_path(digest) {
            bytes.push(b' ');
        }
        Member::inline(member.path.clone(), bytes)
    });
    let changed = directory.path().join("changed.tar.gz");
    Writer::create(&changed, Layout::new(members.collect()).unwrap()).unwrap().seal().unwrap().publish().unwrap();
    let error = Set::open(&[changed]).unwrap().manifest(digest).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert_eq!(error.exit(), Exit::Mismatch);
}
