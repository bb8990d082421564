//! The files of a component besides upstream's: what a bundle carries under `components/<name>/`,
//! and what `inputs` in the lock is computed over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Component, Error};
use crate::name::{is_plain, is_plain_path};
use crate::oci::{Digest, Hasher};
use crate::yaml::{self, Place, Spanned, YamlError};

/// The most files that one component may have: more is a directory that was named by mistake.
const MAX_FILES: usize = 1000;
/// The most bytes that they may have together, 64 MiB: they are held in memory and carried to every site.
const MAX_BYTES: usize = 64 << 20;
/// How deep a directory of resources may be; ours have one level.
const MAX_DEPTH: usize = 16;

/// The digest over a component's files: the sha256 of one line `<hex>  <path>` for each, sorted by path.
///
/// The lines are those that `sha256sum` prints, so that anybody can compute it.
#[must_use]
pub fn inputs_digest(files: &BTreeMap<String, Vec<u8>>) -> Digest {
    let mut hasher = Hasher::new();
    for (path, bytes) in files {
        hasher.update(format!("{}  {path}\n", Digest::of(bytes).hex()).as_bytes());
    }
    hasher.finish()
}

/// Reads the values and resources that `component` names, by path relative to its `directory`.
///
/// Hidden files in a directory of resources are left out: editors and file managers leave them behind.
pub(super) fn read(
    file: &str,
    directory: &Path,
    component: &Component,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Error> {
    let root = directory.canonicalize().map_err(|source| Error::read(directory, source))?;
    let reader = Reader { file, root };
    for chart in component.all_charts() {
        if let Some(values) = &chart.value.values {
            let path = reader.resolve(values)?;
            if path.is_dir() {
                return Err(reader.wrong(values, "is a directory, and values are one file").into());
            }
            reader.file(values, values.value.clone(), &path, files)?;
        }
    }
    for key in component.keys() {
        let path = reader.resolve(key)?;
        if path.is_dir() {
            return Err(reader.wrong(key, "is a directory, and a key is one file").into());
        }
        reader.file(key, key.value.clone(), &path, files)?;
    }
    for resource in &component.resources {
        let path = reader.resolve(resource)?;
        let relative = resource.value.trim_end_matches('/').to_owned();
        reader.any(resource, relative, &path, 0, files)?;
    }
    Ok(())
}

/// Reads below one component's directory and never outside of it.
struct Reader<'a> {
    file: &'a str,
    root: PathBuf,
}

impl Reader<'_> {
    fn wrong(&self, named: &Spanned<String>, what: &str) -> YamlError {
        YamlError::new(self.file, Place::from(named), format!("`{}` {what}", named.value))
    }

    /// Checks the text of a path and that what it names lies in the component's directory.
    fn resolve(&self, named: &Spanned<String>) -> Result<PathBuf, Error> {
        let text = named.value.trim_end_matches('/');
        if !is_plain_path(text) {
            let what = "is not a plain path below the component's directory";
            return Err(self.wrong(named, what).with_hint("write it as `values.yaml` or `resources/`").into());
        }
        self.within(named, &self.root.join(text))
    }

    fn within(&self, named: &Spanned<String>, path: &Path) -> Result<PathBuf, Error> {
        let real = path.canonicalize().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => self.wrong(named, "does not exist beside `component.yaml`").into(),
            _ => Error::read(path, source),
        })?;
        if !real.starts_with(&self.root) {
            return Err(self.wrong(named, "leads outside the component's directory through a symbolic link").into());
        }
        Ok(real)
    }

    fn any(
        &self,
        named: &Spanned<String>,
        relative: String,
        path: &Path,
        depth: usize,
        files: &mut BTreeMap<String, Vec<u8>>,
    ) -> Result<(), Error> {
        if !path.is_dir() {
            return self.file(named, relative, path, files);
        }
        if depth == MAX_DEPTH {
            return Err(self.wrong(named, &format!("is more than {MAX_DEPTH} directories deep")).into());
        }
        let failed = |source| Error::read(path, source);
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(name) = name.to_str().filter(|name| is_plain(name)) else {
                return Err(self.wrong(named, &format!("holds {name:?}, a name that no bundle can carry")).into());
            };
            if !name.starts_with('.') {
                let child = self.within(named, &path.join(name))?;
                self.any(named, format!("{relative}/{name}"), &child, depth + 1, files)?;
            }
        }
        Ok(())
    }

    fn file(
        &self,
        named: &Spanned<String>,
        relative: String,
        path: &Path,
        files: &mut BTreeMap<String, Vec<u8>>,
    ) -> Result<(), Error> {
        let bytes = yaml::read(path).map_err(|source| Error::read(path, source))?;
        yaml::text(&path.to_string_lossy(), &bytes)?;
        files.insert(relative, bytes);
        if files.len() > MAX_FILES || files.values().map(Vec::len).sum::<usize>() > MAX_BYTES {
            let limits = format!("{MAX_FILES} files or {} MiB", MAX_BYTES >> 20);
            return Err(self.wrong(named, &format!("brings the component over {limits}")).into());
        }
        Ok(())
    }
}
