//! The installer's Helm is asked what the Helm of `resolve` was asked, so that a bundle has the images that its charts
//! want: `lib/plan.tsv` of a bundle of the project's own catalog against what `resolve` rendered.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use bundler::chart::images;
use serde_json::Value;

use crate::support::{self, Sandbox, output_of};
use crate::upstream::Upstream;

/// One run of Helm: its arguments and the objects that it rendered.
struct Render {
    arguments: Vec<String>,
    objects: Vec<Value>,
}

/// The objects of a text. What charts make up at each render is in Secrets, and left out.
fn objects(text: &str) -> Vec<Value> {
    let documents = images::documents(text).map(|document| {
        let mut value: Value = bundler::yaml::parse_foreign(document.template, document.text)
            .unwrap_or_else(|error| panic!("{}: {error}", document.template));
        if value["kind"] == "Secret" {
            value["data"].take();
        }
        value
    });
    documents.collect()
}

/// A Helm that keeps its arguments and its output: `N.arguments` and `N.rendered` in the directory.
fn recording(helm: &Path, directory: &Path) -> std::path::PathBuf {
    let program = directory.join("helm");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = template ] || exec '{helm}' \"$@\"\nkept=$(mktemp '{directory}/XXXXXXXX') &&\n\
         printf '%s\\n' \"$@\" >\"$kept.arguments\" &&\n'{helm}' \"$@\" >\"$kept.rendered\" && exec cat \"$kept.rendered\"\n",
        helm = helm.display(),
        directory = directory.display(),
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// What was rendered of each release, by its name.
fn renders(directory: &Path) -> BTreeMap<String, Vec<Render>> {
    let mut renders: BTreeMap<String, Vec<Render>> = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "arguments") {
            let text = std::fs::read_to_string(&path).unwrap();
            let arguments: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
            // bundler's own command ends with `-- NAME ARCHIVE`.
            let name = arguments[arguments.len() - 2].clone();
            let rendered = std::fs::read_to_string(path.with_extension("rendered")).unwrap();
            renders.entry(name).or_default().push(Render { arguments, objects: objects(&rendered) });
        }
    }
    renders
}

/// The platform for which a render was, as Helm's arguments.
fn platform(arguments: &[String]) -> Vec<&str> {
    let pairs = arguments.windows(2).filter(|pair| ["--kube-version", "--api-versions"].contains(&pair[0].as_str()));
    pairs.flatten().map(String::as_str).collect()
}

#[test]
fn the_plan_of_a_bundle_renders_what_resolve_rendered() {
    let Some(helm) = support::helm() else { return };
    let upstream = Upstream::start();
    let sandbox = Sandbox::new();
    sandbox.config(&upstream.config());
    std::fs::create_dir(sandbox.path("renders")).unwrap();
    let recording = recording(&helm, &sandbox.path("renders"));
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let mut resolve = sandbox.bundler();
    resolve.args(["resolve", "--skip-signatures", "--as-of", "2026-08-28", "--lock", "bundle.lock.yaml", "--catalog"]);
    resolve.arg(&catalog).arg("--helm").arg(&recording).assert().success();
    let mut pack = sandbox.bundler();
    pack.args(["pack", "--arch", "amd64", "--lock", "bundle.lock.yaml", "--output", "bundle.tar.gz", "--catalog"]);
    pack.arg(&catalog).assert().success();
    std::fs::create_dir(sandbox.path("bundle")).unwrap();
    output_of(sandbox.command("tar").args(["-xzf", "bundle.tar.gz", "-C", "bundle"]));

    let renders = renders(&sandbox.path("renders"));
    let plan = std::fs::read_to_string(sandbox.path("bundle/lib/plan.tsv")).unwrap();
    let (mut planned, mut told) = (0, 0);
    for line in plan.lines().filter(|line| line.starts_with("release\t")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [_, component, name, namespace, chart, values, arguments @ ..] = &fields[..] else { panic!("{line}") };
        // None where the chart refuses its values.
        let render = |values: &str, own: &[&str], platform: &[&str]| {
            let mut command = Command::new(&helm);
            command.current_dir(sandbox.path("bundle")).env("HOME", sandbox.path("renders"));
            command.args(["template", name, chart, "--include-crds", "--namespace", namespace]);
            if values != "-" {
                command.args(["--values", values]);
            }
            let output = command.args(own).args(platform).output().unwrap();
            output.status.success().then(|| objects(&String::from_utf8(output.stdout).unwrap()))
        };
        let recorded = renders.get(*name).unwrap_or_else(|| panic!("resolve rendered no {name}: {:?}", renders.keys()));
        let is = |values: &str, own: &[&str]| {
            recorded.iter().any(|run| render(values, own, &platform(&run.arguments)).as_ref() == Some(&run.objects))
        };
        assert!(is(values, arguments), "{component}: the installer's Helm renders {name} differently from resolve's");
        planned += 1;
        // Without what the plan says some charts are others, or this would show nothing.
        told += usize::from(!is("-", &[]));
    }
    assert_eq!(planned, renders.len(), "{:?}", renders.keys());
    assert!(told > planned / 2, "{told} of {planned} releases need what the plan says");
}
