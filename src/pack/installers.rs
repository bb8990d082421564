//! The installers with what they have to know of the catalog: `lib/plan.tsv`.
//!
//! An installer runs where nothing reads YAML or fills in templates before the bundle's own programs are trusted, so
//! each thing is one line of fields between tabs. A release's arguments are those that Helm got when its images were
//! found: the values file and [`set_arguments`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;

use super::Error;
use crate::bundle::model;
use crate::catalog::Catalog;
use crate::catalog::model::{Chart, Component};
use crate::catalog::names::Names;
use crate::chart::helm::set_arguments;
use crate::lock::model::Component as Locked;
use crate::plan::Plan;

/// Where the plan is in a bundle.
pub(super) const PLAN: &str = "lib/plan.tsv";

/// The installers by path in the bundle of this version, none where the catalog has none.
pub(super) fn of(plan: &Plan, catalog: &Catalog, version: &str) -> Result<BTreeMap<String, Bytes>, Error> {
    let mut files: BTreeMap<_, _> =
        catalog.installers.iter().map(|(path, bytes)| (path.clone(), Bytes::from(bytes.clone()))).collect();
    if !files.is_empty() && files.insert(PLAN.to_owned(), text(plan, catalog, version)?.into()).is_some() {
        return Err(Error::Installer { path: PLAN, problem: "is written by pack, and the catalog has one too".into() });
    }
    Ok(files)
}

fn text(plan: &Plan, catalog: &Catalog, version: &str) -> Result<String, Error> {
    let lock = &plan.lock;
    let mut lines = Lines::default();
    lines.add(&["bundle", &lock.bundle.name, version])?;
    for arch in plan.archs() {
        lines.add(&["arch", arch.as_str()])?;
    }
    for (profile, members) in &lock.profiles {
        for member in members {
            lines.add(&["profile", profile, member])?;
        }
    }
    for (name, locked) in &lock.components {
        lines.add(&["component", name, &locked.version])?;
        for image in &locked.images {
            lines.add(&["image", name, &image.to_string()])?;
        }
        if let Some(component) = catalog.components.get(name) {
            for chart in component.all_charts() {
                release(&mut lines, plan, component, locked, &chart.value)?;
            }
        }
    }
    Ok(lines.0)
}

fn release(lines: &mut Lines, plan: &Plan, component: &Component, locked: &Locked, chart: &Chart) -> Result<(), Error> {
    let name = &component.name.value;
    let shipped = locked.charts.get_key_value(&chart.name).or(locked.chart.as_ref().map(|own| (name, own)));
    // What failed to resolve has no chart, and then nothing is packed.
    let Some((key, shipped)) = shipped else { return Ok(()) };
    let names = Names {
        version: Some(&locked.version),
        tag: locked.tag.as_deref(),
        app_version: locked.app_version.as_deref(),
        arch: None,
        kubernetes: Some(&plan.lock.bundle.kubernetes),
        kubeedge: plan.lock.bundle.kubeedge.as_deref(),
    };
    let set = (chart.set.iter())
        .map(|(key, value)| Ok((key.clone(), names.fill(value)?)))
        .collect::<Result<_, crate::catalog::names::TemplateError>>()
        .map_err(|error| Error::Installer { path: PLAN, problem: error.to_string() })?;
    let values = chart.values.as_ref().map(|values| format!("components/{name}/{}", values.value));
    let path = model::chart_path(key, locked, shipped);
    let mut fields =
        vec!["release", name, &chart.release.name, &chart.release.namespace, &path, values.as_deref().unwrap_or("-")];
    let arguments = set_arguments(&set);
    fields.extend(arguments.iter().map(String::as_str));
    lines.add(&fields)
}

/// The lines of the plan.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, fields: &[&str]) -> Result<(), Error> {
        if let Some(field) = fields.iter().find(|field| field.is_empty() || field.contains(|c: char| c.is_control())) {
            let problem = format!("cannot say {field:?}: a field is neither empty nor has it control characters");
            return Err(Error::Installer { path: PLAN, problem });
        }
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{}", fields.join("\t"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_plan_has_what_the_render_had() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let catalog = crate::catalog::read(&root.join("manifests")).unwrap();
        let lock = crate::lock::read(&root.join("bundle.lock.yaml")).unwrap();
        let mesh = &lock.components["edgemesh"];
        let (version, chart) = (&mesh.version, mesh.chart.as_ref().unwrap());
        let expected = format!(
            "release\tedgemesh\tedgemesh\tkubeedge\tcharts/edgemesh-{}.tgz\tcomponents/edgemesh/values.yaml\t\
             --set-string\tagent.image=docker.io/kubeedge/edgemesh-agent:v{version}\n",
            chart.version.as_ref().unwrap_or(version),
        );
        // A release gives its own version with `--bundle-version`.
        let start = "bundle\tobservability\t2.0.0\narch\tamd64\narch\tarm64\n";
        let releases: usize = lock.components.values().map(|c| c.charts.len() + usize::from(c.chart.is_some())).sum();
        let text = text(&Plan { lock, partial: false }, &catalog, "2.0.0").unwrap();
        assert!(text.contains(&expected), "{expected}\n{text}");
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("profile\tedge\tedgemesh\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("release\t")).count(), releases);
    }

    #[test]
    fn a_field_that_would_be_two_is_refused() {
        for field in ["", "a\tb", "a\nb"] {
            assert!(Lines::default().add(&["x", field]).is_err(), "{field:?}");
        }
    }
}
