//! A directory of charts: archives as `helm package` and `helm pull` leave them, or unpacked ones.

use std::path::Path;

use super::{Chart, Error, Inventory, read_bounded};
use crate::chart::{Metadata, archive};
use crate::yaml;

/// The most charts of a directory: more is a directory that was named by mistake.
const MAX_CHARTS: usize = 1000;

/// Reads what each chart of `directory` says about itself; other files are passed over.
pub(super) fn read(directory: &Path, inventory: &mut Inventory) -> Result<(), Error> {
    let failed = |source| Error::Read { path: directory.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_archive = path.extension().is_some_and(|extension| extension == "tgz") && path.is_file();
        if is_archive || path.join("Chart.yaml").is_file() {
            paths.push(path);
        }
        if paths.len() > MAX_CHARTS {
            return Err(Error::TooMany { what: "charts", limit: MAX_CHARTS });
        }
    }
    paths.sort();
    for path in paths {
        let chart = if path.is_dir() {
            let file = path.join("Chart.yaml");
            let bytes = read_bounded(&file, archive::MAX_FILE)?;
            let name = file.display().to_string();
            Metadata::parse(&name, yaml::text(&name, &bytes)?)?
        } else {
            archive::open(&path).map_err(|source| Error::Chart { path: path.clone(), source })?.chart
        };
        inventory.charts.push(Chart { name: chart.name, version: Some(chart.version), ..Chart::default() });
    }
    Ok(())
}
