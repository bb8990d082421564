//! Reading a catalog's directory: the only part of this module that touches files.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Catalog, Error, inputs, parse_component, parse_file};
use crate::yaml;

/// Reads `catalog.yaml` and every `components/<name>/component.yaml` of `directory`, with the files they name.
///
/// # Errors
/// A file that cannot be read or parsed, or rules that the catalog breaks.
pub fn read(directory: &Path) -> Result<Catalog, Error> {
    let path = directory.join("catalog.yaml");
    let (name, bytes) = load(&path)?;
    let file = parse_file(&name, yaml::text(&name, &bytes)?)?;
    let mut catalog =
        Catalog { directory: directory.to_owned(), file, components: BTreeMap::new(), inputs: BTreeMap::new() };
    for own in directories(&directory.join("components"))? {
        let (name, bytes) = load(&own.join("component.yaml"))?;
        let component = parse_component(&name, yaml::text(&name, &bytes)?)?;
        let mut files = BTreeMap::from([("component.yaml".to_owned(), bytes)]);
        inputs::read(&name, &own, &component, &mut files)?;
        catalog.inputs.insert(component.name.value.clone(), files);
        catalog.components.insert(component.name.value.clone(), component);
    }
    Ok(catalog)
}

fn load(path: &Path) -> Result<(String, Vec<u8>), Error> {
    let bytes = yaml::read(path).map_err(|source| Error::read(path, source))?;
    Ok((path.display().to_string(), bytes))
}

/// The directories below `path`, sorted; hidden ones and plain files are left out.
fn directories(path: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let failed = |source| Error::read(path, source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().is_dir() && !entry.file_name().as_encoded_bytes().starts_with(b".") {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_catalog_of_this_repository() {
        let catalog = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests")).unwrap();
        assert_eq!(catalog.file.name.value, "observability");
        let files: Vec<_> = catalog.inputs["loki"].keys().collect();
        assert_eq!(files, ["component.yaml", "values.yaml"]);
    }
}
