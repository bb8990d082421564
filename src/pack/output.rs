//! Where the bundle goes, and whether it fits there.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Error;
use crate::bundle::name;
use crate::bundle::parts::{self, checksum_path};
use crate::bundle::read::is_other;
use crate::oci::Arch;

/// `NAME-VERSION[-PROFILE][-partial]-linux-ARCH[_ARCH].tar.gz`.
pub(super) fn default_name(
    bundle: &str,
    version: &str,
    profiles: &BTreeSet<&str>,
    partial: bool,
    archs: &[Arch],
) -> Result<String, Error> {
    let wrong = |reason| Error::Version { version: version.to_owned(), reason };
    if version.contains('/') {
        return Err(wrong("it has a `/`"));
    }
    let mut file = format!("{bundle}-{version}");
    if !profiles.is_empty() {
        file = format!("{file}-{}", Vec::from_iter(profiles.iter().copied()).join("_"));
    }
    if partial {
        file.push_str("-partial");
    }
    let archs: Vec<_> = archs.iter().map(|arch| arch.as_str()).collect();
    file = format!("{file}-linux-{}.tar.gz", archs.join("_"));
    name::check(&file).map_err(wrong)?;
    Ok(file)
}

/// The archive's path: `output` itself, or `name` in it when it is a directory or is written with a final `/`.
///
/// What could not be written is refused here, before anything is fetched; and so is what would take the place of a file
/// that is no bundle, or of the base.
pub(super) fn path(output: &Path, name: &str, base: Option<&Path>) -> Result<PathBuf, Error> {
    if output.as_os_str().as_bytes().ends_with(b"/") {
        fs::create_dir_all(output).map_err(|source| Error::Output { path: output.to_owned(), source })?;
    }
    let target = if output.is_dir() { output.join(name) } else { output.to_owned() };
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wrong = |source| Error::Output { path: directory.to_owned(), source };
    if !fs::metadata(directory).map_err(wrong)?.is_dir() {
        return Err(wrong(io::ErrorKind::NotADirectory.into()));
    }
    let file = target.file_name().unwrap_or_default().to_string_lossy();
    if file.contains(['\n', '\r']) {
        return Err(Error::LineBreak(file.into_owned()));
    }
    for path in [target.clone(), checksum_path(&target)] {
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::NotFile(path));
        }
    }
    if is_other(&target) {
        return Err(Error::NotBundle(target));
    }
    if base.is_some_and(|base| is_same(base, &target)) {
        return Err(Error::IsBase(target));
    }
    Ok(target)
}

/// Whether a bundle, named by its archive, one of its parts or their directory, is the one of `target`.
fn is_same(bundle: &Path, target: &Path) -> bool {
    let target = archive(target);
    let part = parts::path(&target, 1);
    archive(bundle) == target || (part.is_file() && fs::canonicalize(bundle).ok().as_deref() == part.parent())
}

/// The archive that a path means, which may be that of one of its parts, by the name that it has everywhere.
fn archive(path: &Path) -> PathBuf {
    let path = parts::parse(path).map_or_else(|| path.to_owned(), |(archive, _)| archive);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    directory.join(path.file_name().unwrap_or_default())
}

/// Bytes that are to be written below a directory.
pub(super) struct Need<'a> {
    pub(super) directory: &'a Path,
    pub(super) bytes: u64,
}

/// Checks that each file system has room for all that goes to it.
pub(super) fn check_space(needs: &[Need<'_>]) -> Result<(), Error> {
    for (index, need) in needs.iter().enumerate() {
        // A file system that tells nothing, or a directory that is not there yet, is left to the write itself.
        let (Ok(device), Ok(space)) = (fs::metadata(need.directory), rustix::fs::statvfs(need.directory)) else {
            continue;
        };
        let same = |other: &&Need<'_>| fs::metadata(other.directory).is_ok_and(|other| other.dev() == device.dev());
        if needs[..index].iter().any(|other| same(&other)) {
            continue;
        }
        let needed = needs.iter().filter(same).fold(0_u64, |sum, need| sum.saturating_add(need.bytes));
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if needed > free {
            return Err(Error::Space { path: need.directory.to_owned(), needed, free });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_inside() {
        let name = |profiles: &[&str], partial, archs: &[Arch]| {
            let profiles = profiles.iter().copied().collect();
            default_name("observability", "1.4.0", &profiles, partial, archs).unwrap()
        };
        assert_eq!(name(&[], false, &[Arch::Arm64]), "observability-1.4.0-linux-arm64.tar.gz");
        assert_eq!(name(&["cloud"], false, &[Arch::Arm64]), "observability-1.4.0-cloud-linux-arm64.tar.gz");
        assert_eq!(
            name(&["edge", "cloud", "edge"], true, &[Arch::Amd64, Arch::Arm64]),
            "observability-1.4.0-cloud_edge-partial-linux-amd64_arm64.tar.gz"
        );
        for version in ["1/2", "../1", "1\n", &"1".repeat(300)] {
            assert!(default_name("b", version, &BTreeSet::new(), false, &[Arch::Arm64]).is_err(), "{version:?}");
        }
    }

    #[test]
    fn a_directory_gets_the_default_name() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(path(directory.path(), "b.tar.gz", None).unwrap(), directory.path().join("b.tar.gz"));
        let file = directory.path().join("x.tar.gz");
        assert_eq!(path(&file, "b.tar.gz", None).unwrap(), file);
        let mut new = directory.path().join("new").into_os_string();
        new.push("/");
        assert_eq!(path(Path::new(&new), "b.tar.gz", None).unwrap(), directory.path().join("new/b.tar.gz"));
        let blocked = directory.path().join("file");
        fs::write(&blocked, "").unwrap();
        assert!(path(&blocked.join("sub/"), "b.tar.gz", None).is_err());
    }

    #[test]
    fn only_a_file_in_a_directory_that_exists_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let missing = path(&directory.path().join("missing/x.tar.gz"), "b.tar.gz", None).unwrap_err();
        assert!(matches!(&missing, Error::Output { path, .. } if path.ends_with("missing")), "{missing:?}");
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(path(&file, "b.tar.gz", None).unwrap(), file);
        assert!(matches!(path(&file.join("x.tar.gz"), "b.tar.gz", None), Err(Error::Output { .. })));
        assert_eq!(path(Path::new("x.tar.gz"), "b.tar.gz", None).unwrap(), Path::new("x.tar.gz"));
        // A rename would put the bundle where the device was.
        assert!(matches!(path(Path::new("/dev/null"), "b.tar.gz", None), Err(Error::NotFile(_))));
        fs::create_dir(directory.path().join("c.tar.gz.sha256")).unwrap();
        let taken = path(&directory.path().join("c.tar.gz"), "b.tar.gz", None).unwrap_err();
        assert!(matches!(&taken, Error::NotFile(path) if path.ends_with("c.tar.gz.sha256")), "{taken:?}");
        fs::create_dir(directory.path().join("b.tar.gz")).unwrap();
        assert!(matches!(path(directory.path(), "b.tar.gz", None), Err(Error::NotFile(_))));
    }

    #[test]
    fn nothing_but_a_bundle_is_replaced_and_no_base() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("bundle.lock.yaml"), "schema: 1\n").unwrap();
        assert!(matches!(path(&at("bundle.lock.yaml"), "b", None), Err(Error::NotBundle(_))));
        assert_eq!(fs::read_to_string(at("bundle.lock.yaml")).unwrap(), "schema: 1\n");
        // What `mktemp` makes is nobody's.
        fs::write(at("empty"), "").unwrap();
        path(&at("empty"), "b", None).unwrap();
        fs::write(at("old.tar.gz"), [0x1f, 0x8b, 8]).unwrap();
        path(&at("old.tar.gz"), "b", None).unwrap();
        let (plain, roundabout, part) = (at("old.tar.gz"), at("./old.tar.gz"), at("old.tar.gz.part-002"));
        for base in [&plain, &roundabout, &part] {
            assert!(matches!(path(&plain, "b", Some(base)), Err(Error::IsBase(_))), "{}", base.display());
        }
        path(&at("new.tar.gz"), "b", Some(&plain)).unwrap();
        let parts = |name: &str| path(&at(name), "b", Some(directory.path()));
        parts("cut.tar.gz").unwrap();
        fs::write(at("cut.tar.gz.part-001"), "").unwrap();
        assert!(matches!(parts("cut.tar.gz"), Err(Error::IsBase(_))));
        let broken = path(&at("a\nb.tar.gz"), "b", None).unwrap_err();
        assert_eq!(broken.to_string(), "`a\\nb.tar.gz` is no name for a bundle: it has a line break");
    }

    #[test]
    fn adds_up_what_goes_to_one_disk() {
        let directory = tempfile::tempdir().unwrap();
        let space = rustix::fs::statvfs(directory.path()).unwrap();
        let free = space.f_bavail * space.f_frsize;
        let need = |bytes| Need { directory: directory.path(), bytes };
        check_space(&[need(0), need(1)]).unwrap();
        let error = check_space(&[need(free / 2), need(free)]).unwrap_err();
        assert!(matches!(error, Error::Space { needed, .. } if needed == free / 2 + free), "{error:?}");
        check_space(&[Need { directory: Path::new("/nonexistent"), bytes: u64::MAX }]).unwrap();
    }
}
