//! Every component's charts as the installer renders them, and our own manifests beside them.
//!
//! `BUNDLER_CHARTS=DIR` names a directory with the real charts, `DIR/<repository's host>/<name>-<version>.tgz`. Without it
//! the charts are the small ones of the embedded upstream, which have the same shape.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bundler::catalog::{self, Catalog, model, template};
use bundler::chart::helm::Values;
use bundler::chart::images::{self, Discovery};
use bundler::chart::{Helm, Release, archive, crd};
use bundler::lock::{self, Lock};
use serde_json::Value;

use crate::support;
use crate::upstream::world::World;

/// Where our own manifests are: applied before the chart, after it, and by whoever wants them.
const OWN: [&str; 3] = ["before", "resources", "on-demand"];

/// One object of the stack.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// The component that brings it.
    pub(crate) component: String,
    /// The template of the chart, or our own file below the component.
    pub(crate) file: String,
    /// Whether the file is ours.
    pub(crate) own: bool,
    /// The namespace of the component's release.
    pub(crate) release: String,
    pub(crate) value: Value,
}

impl Object {
    pub(crate) fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// What stands in it; Helm gives the release's where that is empty.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.value["metadata"]["namespace"].as_str()
    }

    /// A place by JSON pointer, such as `/spec/replicas`; null where there is none.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Only `helm test` creates it.
    pub(crate) fn is_test(&self) -> bool {
        self.at("/metadata/annotations/helm.sh~1hook").as_str().is_some_and(|hook| hook.contains("test"))
    }

    /// Its pods' spec; that of an operator's custom resource is the resource's own.
    pub(crate) fn pod_spec(&self) -> Option<&Value> {
        let pointer = match self.kind() {
            "Pod" | "Prometheus" | "PrometheusAgent" | "Alertmanager" | "ThanosRuler" => "/spec",
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicaSet" => "/spec/template/spec",
            "CronJob" => "/spec/jobTemplate/spec/template/spec",
            _ => return None,
        };
        self.value.pointer(pointer)
    }

    /// `component/file: Kind name`, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}: {} {}", self.component, self.file, self.kind(), self.name())
    }
}

/// One chart of a component, found and ready.
struct Chart {
    component: String,
    archive: PathBuf,
    release: Release,
    /// Whether it is the version that the lock has, byte for byte what is carried.
    locked: bool,
}

/// All of it.
pub(crate) struct Stack {
    pub(crate) catalog: Catalog,
    pub(crate) lock: Lock,
    /// Whether the charts are the real ones.
    pub(crate) real: bool,
    /// Components all of whose charts are the lock's own versions.
    pub(crate) locked: BTreeSet<String>,
    /// Every object but definitions, in the order of components.
    pub(crate) objects: Vec<Object>,
    /// The custom resource definitions of all charts, by `group/kind`, as JSON.
    pub(crate) definitions: BTreeMap<String, Value>,
    /// What runs in each component.
    pub(crate) discovered: BTreeMap<String, Discovery>,
    helm: Helm,
    charts: Vec<Chart>,
    /// The small charts, as long as this lives.
    _directory: tempfile::TempDir,
}

impl Stack {
    /// The objects of one component.
    pub(crate) fn of(&self, component: &str) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.component == component)
    }

    /// The only object of this kind and name.
    pub(crate) fn find(&self, kind: &str, name: &str) -> &Object {
        find(&self.objects, kind, name)
    }

    /// The objects of a kind.
    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.kind() == kind)
    }

    /// The text of a file that a component lists, such as `options/edge.yaml`.
    pub(crate) fn text(&self, component: &str, file: &str) -> &str {
        let bytes = self.catalog.inputs.get(component).and_then(|files| files.get(file));
        std::str::from_utf8(bytes.unwrap_or_else(|| panic!("{component} has no {file}"))).unwrap()
    }

    /// Renders a component's charts anew with a further values file, as the installer adds that of the site.
    pub(crate) fn with(&self, component: &str, values: &str) -> Vec<Object> {
        let mut objects = Vec::new();
        for chart in self.charts.iter().filter(|chart| chart.component == component) {
            let mut release = chart.release.clone();
            release.values.push(Values { file: "site values".into(), text: values.into() });
            let text = run(self.helm.template(&chart.archive, &release)).unwrap_or_else(|e| panic!("{component}: {e}"));
            objects.extend(parse(component, &chart.release.namespace, false, "", &text));
        }
        objects
    }
}

/// The only object of this kind and name among some.
pub(crate) fn find<'a>(objects: &'a [Object], kind: &str, name: &str) -> &'a Object {
    let mut found = objects.iter().filter(|object| object.kind() == kind && object.name() == name);
    let Some(first) = found.next() else {
        let names: Vec<_> = objects.iter().filter(|o| o.kind() == kind).map(Object::name).collect();
        panic!("no {kind} {name}; there are {names:?}")
    };
    assert!(found.next().is_none(), "{kind} {name} is there twice");
    first
}

/// The stack, rendered once for all tests; none without Helm.
pub(crate) fn stack() -> Option<&'static Stack> {
    static STACK: OnceLock<Stack> = OnceLock::new();
    let helm = support::helm()?;
    Some(STACK.get_or_init(|| render(&helm)))
}

/// The stack with real charts; without `BUNDLER_CHARTS` the test says that it was not run.
pub(crate) fn real() -> Option<&'static Stack> {
    let stack = stack()?;
    if !stack.real {
        support::unasked("the real charts, BUNDLER_CHARTS=DIR");
        return None;
    }
    Some(stack)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn render(helm: &Path) -> Stack {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalog = catalog::read(&root.join("manifests")).unwrap_or_else(|error| panic!("{error}"));
    let lock = lock::read(&root.join("bundle.lock.yaml")).unwrap_or_else(|error| panic!("{error}"));
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let given = std::env::var_os("BUNDLER_CHARTS").map(PathBuf::from);
    if given.is_none() {
        support::unasked("the real charts, BUNDLER_CHARTS=DIR; those of tests/upstream/charts are rendered");
    }
    let helm = run(Helm::find(Some(helm), None)).unwrap();

    let mut charts = Vec::new();
    for (name, component) in &catalog.components {
        for chart in component.all_charts() {
            charts.push(chart_of(&catalog, &lock, name, &chart.value, given.as_deref(), directory.path()));
        }
    }
    let mut api_versions: BTreeSet<String> = catalog.file.platform.api_versions.iter().cloned().collect();
    for chart in &charts {
        let archive = archive::open(&chart.archive).unwrap_or_else(|e| panic!("{}: {e}", chart.archive.display()));
        api_versions.extend(crd::api_versions(&archive.crds));
    }
    let texts = loop {
        for chart in &mut charts {
            chart.release.api_versions.clone_from(&api_versions);
        }
        let texts: Vec<String> = charts
            .iter()
            .map(|chart| run(helm.template(&chart.archive, &chart.release)).unwrap_or_else(|error| panic!("{error}")))
            .collect();
        let defined = texts.iter().flat_map(|text| crd::api_versions(&crd::rendered("", text).unwrap()));
        let before = api_versions.len();
        api_versions.extend(defined);
        if api_versions.len() == before {
            break texts;
        }
    };

    let (mut objects, mut definitions, mut discovered) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for name in catalog.components.keys() {
        let mut found = Discovery::default();
        let mut namespace = None;
        for (chart, text) in charts.iter().zip(&texts).filter(|(chart, _)| chart.component == *name) {
            found.extend(images::discover(name, text).unwrap_or_else(|error| panic!("{name}: {error}")));
            objects.extend(parse(name, &chart.release.namespace, false, "", text));
            for document in images::documents(text).filter(|document| crd::is_definition(document.text)) {
                let value: Value = bundler::yaml::parse_foreign(document.template, document.text).unwrap();
                let [group, kind] =
                    ["/spec/group", "/spec/names/kind"].map(|p| value.pointer(p).unwrap().as_str().unwrap());
                definitions.entry(format!("{group}/{kind}")).or_insert(value);
            }
            namespace.get_or_insert_with(|| chart.release.namespace.clone());
        }
        // Our own manifests without a chart stand in the namespace of the stack.
        let namespace = namespace.unwrap_or_else(|| "monitoring".to_owned());
        for (file, bytes) in catalog.inputs.get(name).into_iter().flatten() {
            let own =
                OWN.iter().any(|directory| file.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')));
            if own && [".yaml", ".yml"].iter().any(|ending| file.ends_with(ending)) {
                let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{name}/{file}: {error}"));
                found.extend(images::discover(file, text).unwrap_or_else(|error| panic!("{name}/{file}: {error}")));
                objects.extend(parse(name, &namespace, true, file, text));
            }
        }
        discovered.insert(name.clone(), found);
    }
    let mut locked: BTreeSet<String> = catalog.components.keys().cloned().collect();
    for chart in charts.iter().filter(|chart| !chart.locked) {
        locked.remove(&chart.component);
    }
    let real = given.is_some();
    Stack { catalog, lock, real, locked, objects, definitions, discovered, helm, charts, _directory: directory }
}

/// Finds a chart's archive and says how it is released.
fn chart_of(
    catalog: &Catalog,
    lock: &Lock,
    component: &str,
    chart: &model::Chart,
    given: Option<&Path>,
    directory: &Path,
) -> Chart {
    let locked = lock.components.get(component);
    let version = locked.map_or("", |locked| locked.version.as_str());
    let own = locked.and_then(|locked| locked.chart.as_ref().or_else(|| locked.charts.get(&chart.name)));
    let wanted = own.and_then(|own| own.version.as_deref()).unwrap_or(version);
    let archive = if let Some(given) = given {
        let address = chart.repository.as_deref().or(chart.url.as_deref()).unwrap();
        let host = address.split("://").nth(1).unwrap().split('/').next().unwrap();
        archive_in(&given.join(host), &chart.name, wanted)
    } else {
        let wanted = if wanted.is_empty() { "1.0.0" } else { wanted };
        let bytes = World::chart_of_today(&chart.name, wanted);
        let path = directory.join(format!("{}-{wanted}.tgz", chart.name));
        std::fs::write(&path, bytes.unwrap_or_else(|| panic!("tests/upstream/charts has no {}", chart.name))).unwrap();
        path
    };
    let is_locked = given.is_some() && archive.ends_with(format!("{}-{wanted}.tgz", chart.name));
    let set = chart.set.iter().map(|(key, value)| {
        let fill = |name: &str| (name == "version").then(|| version.to_owned());
        (key.clone(), template::fill(value, fill).unwrap_or_else(|unknown| panic!("{component}: {unknown:?}")))
    });
    let values = chart.values.as_ref().map(|file| {
        let bytes = &catalog.inputs[component][&file.value];
        Values { file: format!("{component}/{}", file.value), text: String::from_utf8(bytes.clone()).unwrap() }
    });
    let release = Release {
        name: chart.release.name.clone(),
        namespace: chart.release.namespace.clone(),
        values: values.into_iter().collect(),
        set: set.collect(),
        kube_version: Some(kubernetes(lock)),
        ..Release::default()
    };
    Chart { component: component.to_owned(), archive, release, locked: is_locked }
}

/// The Kubernetes of the locked k3s, without its own suffix.
fn kubernetes(lock: &Lock) -> String {
    lock.components["k3s"].version.split('+').next().unwrap().to_owned()
}

/// The archive of a chart in a directory: the version that is locked, else the one that is there.
fn archive_in(directory: &Path, name: &str, version: &str) -> PathBuf {
    let exact = directory.join(format!("{name}-{version}.tgz"));
    if exact.is_file() {
        return exact;
    }
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let file = path.file_name().unwrap().to_string_lossy();
            let rest = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
            rest.is_some_and(|rest| rest.ends_with(".tgz") && rest.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| panic!("{} has no {name}", directory.display()))
}

/// The objects of a text, definitions left out and lists taken apart.
fn parse(component: &str, release: &str, own: bool, file: &str, text: &str) -> Vec<Object> {
    let mut objects = Vec::new();
    for document in images::documents(text).filter(|document| !crd::is_definition(document.text)) {
        let file = if document.template.is_empty() { file } else { document.template };
        let value: Value = bundler::yaml::parse_foreign(file, document.text)
            .unwrap_or_else(|error| panic!("{component}, line {} of the document: {error}", document.line));
        let items =
            if value["kind"] == "List" { value["items"].as_array().cloned().unwrap_or_default() } else { vec![value] };
        objects.extend(items.into_iter().map(|value| Object {
            component: component.to_owned(),
            file: file.to_owned(),
            own,
            release: release.to_owned(),
            value,
        }));
    }
    objects
}
