//! Reading a catalog's directory: the only part of this module that touches files.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Catalog, Component, Error, inputs, installers, parse_component, parse_file, rules};
use crate::yaml::{self, Place, Problems, YamlError};

/// Reads `catalog.yaml` and every `components/<name>/component.yaml` of `directory`, with the files they name.
///
/// # Errors
/// A file or directory that cannot be read, or all that is wrong in them: first the files' shapes, then the rules.
pub fn read(directory: &Path) -> Result<Catalog, Error> {
    let mut problems = Vec::new();
    let (name, bytes) = load(&directory.join("catalog.yaml"))?;
    let text = yaml::text(&name, &bytes)?;
    let file = parse_file(&name, text).map_err(|problem| problems.push(problem)).ok();
    let (mut components, mut inputs) = (BTreeMap::new(), BTreeMap::new());
    for own in directories(&directory.join("components"))? {
        match component(&own) {
            Ok((component, files)) => {
                inputs.insert(component.name.value.clone(), files);
                components.insert(component.name.value.clone(), component);
            }
            Err(Error::Wrong(wrong)) => problems.extend(wrong.0),
            Err(error) => return Err(error),
        }
    }
    let installers = installers::read(&directory.join("install"))?;
    match file {
        Some(file) if problems.is_empty() => {
            let catalog = Catalog { directory: directory.to_owned(), file, components, inputs, installers };
            Problems::none_of(rules::check(&catalog, &name, text))?;
            Ok(catalog)
        }
        _ => Err(Problems(problems).into()),
    }
}

/// The catalog as it would be with one component more: `text` is that of `catalog.yaml`, `files` are the component's by
/// their path in its directory.
///
/// # Errors
/// All that is wrong with it.
pub fn with_component(
    before: &Catalog,
    text: &str,
    name: &str,
    files: BTreeMap<String, Vec<u8>>,
) -> Result<Catalog, Error> {
    let path = |relative: &str| before.directory.join(relative).display().to_string();
    let own = path(&format!("components/{name}/component.yaml"));
    let bytes = files.get("component.yaml").map(Vec::as_slice).unwrap_or_default();
    let component = parse_component(&own, yaml::text(&own, bytes)?)?;
    let name = path("catalog.yaml");
    let mut catalog = Catalog { file: parse_file(&name, text)?, ..before.clone() };
    catalog.inputs.insert(component.name.value.clone(), files);
    catalog.components.insert(component.name.value.clone(), component);
    Problems::none_of(rules::check(&catalog, &name, text))?;
    Ok(catalog)
}

/// Reads one component from its directory.
fn component(own: &Path) -> Result<(Component, BTreeMap<String, Vec<u8>>), Error> {
    let (name, bytes) = load(&own.join("component.yaml"))?;
    let component = parse_component(&name, yaml::text(&name, &bytes)?)?;
    if own.file_name() != Some(component.name.value.as_ref()) {
        let message = format!("component `{}` is in a directory of another name", component.name.value);
        let hint = "a component has the name of its directory, so that no two have one name";
        return Err(YamlError::new(&name, Place::from(&component.name), message).with_hint(hint).into());
    }
    let mut files = BTreeMap::from([("component.yaml".to_owned(), bytes)]);
    inputs::read(&name, own, &component, &mut files)?;
    Ok((component, files))
}

fn load(path: &Path) -> Result<(String, Vec<u8>), Error> {
    let bytes = yaml::read(path).map_err(|source| Error::read(path, source))?;
    Ok((path.display().to_string(), bytes))
}

/// The directories below `path`, sorted; hidden ones and plain files are left out. A catalog that was just begun has none,
/// and git keeps no empty directory.
fn directories(path: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let failed = |source| Error::read(path, source);
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
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
        assert_eq!(files, ["component.yaml", "resources/rules.yaml", "values.yaml"]);
    }
}
