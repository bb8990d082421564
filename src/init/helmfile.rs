//! Releases of helmfile: `helmfile list --output json`.

use serde::Deserialize;

use super::{Chart, Inventory};

#[derive(Deserialize)]
struct Release {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default = "yes")]
    enabled: bool,
    chart: String,
    #[serde(default)]
    version: String,
}

const fn yes() -> bool {
    true
}

/// Reads the list. A chart is `ALIAS/NAME` there, or `oci://…/NAME`; what lies on the disk has no repository.
pub(super) fn read(bytes: &[u8], inventory: &mut Inventory) -> serde_json::Result<()> {
    let releases: Vec<Release> = serde_json::from_slice(bytes)?;
    for release in releases.into_iter().filter(|release| release.enabled) {
        let (place, name) = release.chart.rsplit_once('/').unwrap_or(("", &release.chart));
        let is_alias = !place.is_empty() && !place.contains('/') && !place.starts_with('.');
        if !is_alias && !place.starts_with("oci://") {
            inventory.notes.push(format!(
                "release `{}` installs `{}`, which is no chart of a repository: it is left out",
                release.name, release.chart
            ));
            continue;
        }
        inventory.charts.push(Chart {
            name: name.to_owned(),
            repository: (!is_alias).then(|| place.to_owned()),
            alias: is_alias.then(|| place.to_owned()),
            version: Some(release.version).filter(|version| !version.is_empty()),
            release: Some(release.name),
            namespace: Some(release.namespace).filter(|namespace| !namespace.is_empty()),
        });
    }
    Ok(())
}
