//! Writing a component: its directory by a rename, then `catalog.yaml`, in which every other byte stays.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Added, Error};
use crate::catalog::{self, edit};
use crate::yaml;

/// The text of `catalog.yaml` as it is now, with the component in the profiles.
pub(super) fn catalog_text(directory: &Path, profiles: &[String], component: &str) -> Result<String, Error> {
    let path = directory.join("catalog.yaml");
    let file = path.display().to_string();
    let mut text = read(&path)?;
    for profile in profiles {
        text = edit::put_into_profile(&file, &text, profile, component).map_err(Error::Profile)?;
    }
    Ok(text)
}

fn read(path: &Path) -> Result<String, Error> {
    let file = path.display().to_string();
    let bytes = yaml::read(path).map_err(|source| catalog::Error::Read { path: file.clone(), source })?;
    Ok(yaml::text(&file, &bytes).map_err(catalog::Error::from)?.to_owned())
}

impl Added {
    /// What would change, as a diff.
    ///
    /// # Errors
    /// The catalog cannot be read any more.
    pub fn diff(&self) -> Result<String, Error> {
        let diff = |from: &str, file: &Path, before: &str, after: &str| {
            let diff = similar::TextDiff::from_lines(before, after);
            diff.unified_diff().header(from, &file.display().to_string()).to_string()
        };
        let mut text = String::new();
        let own = self.own();
        for (name, bytes) in &self.texts {
            text += &diff("/dev/null", &own.join(name), "", &String::from_utf8_lossy(bytes));
        }
        let path = self.directory.join("catalog.yaml");
        let after = catalog_text(&self.directory, &self.profiles, &self.component)?;
        let before = read(&path)?;
        if before != after {
            text += &diff(&path.display().to_string(), &path, &before, &after);
        }
        Ok(text)
    }

    /// Puts the component into the catalog.
    ///
    /// # Errors
    /// Something has come to be in its place, or the disk fails. Then the catalog is as it was.
    pub fn write(&self) -> Result<(), Error> {
        // Again: while it was resolved, somebody may have had the file in an editor.
        let text = catalog_text(&self.directory, &self.profiles, &self.component)?;
        let (own, components) = (self.own(), self.directory.join("components"));
        let failed = |source| Error::Write { path: own.clone(), source };
        fs::create_dir_all(&components).map_err(failed)?;
        // The temporary directory is its owner's alone; what is in it is as readable as any other file.
        let temporary = tempfile::Builder::new().prefix(".add-").tempdir_in(&components).map_err(failed)?;
        let new = temporary.path().join(&self.component);
        fs::create_dir(&new).map_err(failed)?;
        for (name, bytes) in &self.texts {
            fs::write(new.join(name), bytes).map_err(failed)?;
        }
        if fs::symlink_metadata(&own).is_ok() {
            let (name, place) = (self.component.clone(), yaml::Place::default());
            return Err(Error::Exists { name, file: own, place });
        }
        fs::rename(&new, &own).map_err(failed)?;
        if !self.profiles.is_empty()
            && let Err(error) = replace(&self.directory.join("catalog.yaml"), &text)
        {
            let _ = fs::remove_dir_all(&own);
            return Err(error);
        }
        Ok(())
    }

    fn own(&self) -> PathBuf {
        self.directory.join("components").join(&self.component)
    }
}

/// Replaces a file by a rename, with its permissions; where it is a link, what that leads to.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let path = path.canonicalize().map_err(failed)?;
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".catalog-").tempfile_in(parent).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let permissions = fs::metadata(&path).map_err(failed)?.permissions();
    fs::set_permissions(file.path(), permissions).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}
