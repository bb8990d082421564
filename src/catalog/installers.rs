//! The installers of a catalog: `install/` beside `components/`, which a bundle has at its root.

use std::collections::BTreeMap;
use std::path::Path;

use super::Error;
use crate::name::is_plain;
use crate::yaml;

/// The most files that installers may have: more is a directory that does not belong there.
const MAX_FILES: usize = 500;
/// How deep their directories may be; ours have two levels.
const MAX_DEPTH: usize = 8;

/// Reads every file below `directory` by its path relative to it; a catalog without the directory has no installers.
///
/// Hidden files are left out: editors and file managers leave them behind.
pub(super) fn read(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut files = BTreeMap::new();
    if directory.is_dir() {
        add(directory, "", 0, &mut files)?;
    }
    Ok(files)
}

fn add(directory: &Path, above: &str, depth: usize, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    let failed = |source| Error::read(directory, source);
    let refused = |path: &Path, what: &str| Error::read(path, std::io::Error::other(what.to_owned()));
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str().filter(|name| is_plain(name)) else {
            return Err(refused(&path, "no bundle can carry this name"));
        };
        if name.starts_with('.') {
            continue;
        }
        let relative = format!("{above}{name}");
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && depth < MAX_DEPTH {
            add(&path, &format!("{relative}/"), depth + 1, files)?;
        } else if kind.is_file() && files.len() < MAX_FILES {
            files.insert(relative, yaml::read(&path).map_err(|source| Error::read(&path, source))?);
        } else {
            return Err(refused(&path, "installers are plain files, 500 at most, in a few directories"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_files_and_no_links() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        assert!(read(&root.join("none")).unwrap().is_empty());
        std::fs::create_dir_all(root.join("lib/charts")).unwrap();
        for name in ["install.sh", "lib/log.sh", "lib/charts/x.yaml", ".install.sh.swp"] {
            std::fs::write(root.join(name), name).unwrap();
        }
        let files = read(root).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["install.sh", "lib/charts/x.yaml", "lib/log.sh"]);
        std::os::unix::fs::symlink("/etc/passwd", root.join("lib/link.sh")).unwrap();
        let error = read(root).unwrap_err();
        assert!(error.to_string().contains("lib/link.sh"), "{error}");
        std::fs::remove_file(root.join("lib/link.sh")).unwrap();

        let deep = root.join("lib/".repeat(MAX_DEPTH + 1));
        std::fs::create_dir_all(&deep).unwrap();
        assert!(read(root).is_err());
        std::fs::remove_dir(deep).unwrap();
        assert_eq!(read(root).unwrap().len(), 3);
        for n in 3..MAX_FILES {
            std::fs::write(root.join(format!("{n}.sh")), "").unwrap();
        }
        assert_eq!(read(root).unwrap().len(), MAX_FILES);
        std::fs::write(root.join("one.sh"), "").unwrap();
        assert!(read(root).is_err());
    }
}
