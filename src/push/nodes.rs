//! The files that nodes need to find at one registry what their images come from elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::report::Pushed;
use super::{Error, Target};
use crate::config::DOCKER_HUB_API;
use crate::oci::Reference;

/// Docker Hub as references name it.
const DOCKER_HUB: &str = "docker.io";

/// Writes the files below `directory`: `certs.d/REGISTRY/hosts.toml` for containerd, `registries.yaml` for k3s, and
/// `values.yaml` for Helm, where one value can say where all images are.
pub fn write(directory: &Path, target: &Target, pushed: &Pushed) -> Result<Vec<PathBuf>, Error> {
    let registries: BTreeSet<String> = pushed
        .images
        .iter()
        .filter_map(|image| image.name.parse::<Reference>().ok())
        .map(|reference| reference.registry().to_owned())
        .collect();
    let mut files: Vec<_> = registries
        .iter()
        .map(|registry| (directory.join("certs.d").join(registry).join("hosts.toml"), hosts(target, registry)))
        .collect();
    files.push((directory.join("registries.yaml"), k3s(target, &registries)));
    if !target.keeps_registry() {
        files.push((directory.join("values.yaml"), values(target, pushed)));
    }
    for (path, text) in &files {
        let error = |source| Error::Write { path: path.clone(), source };
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).map_err(error)?;
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(parent)
            .map_err(error)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(error)?;
        file.persist(path).map_err(|failure| error(failure.error))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// containerd's `hosts.toml` of one registry.
fn hosts(target: &Target, registry: &str) -> String {
    let server = if registry == DOCKER_HUB { DOCKER_HUB_API.to_owned() } else { format!("https://{registry}") };
    let path = target.path(registry);
    // With a path the URL is the whole beginning, to which containerd adds no `/v2` of its own.
    let (url, whole) = match path.as_str() {
        "" => (target.url().to_owned(), ""),
        path => (format!("{}/v2/{path}", target.url()), "  override_path = true\n"),
    };
    format!(
        "# /etc/containerd/certs.d/{registry}/hosts.toml, with `config_path = \"/etc/containerd/certs.d\"`\n\
         server = \"{server}\"\n\n[host.\"{url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n{whole}"
    )
}

/// The `registries.yaml` of k3s and RKE2.
fn k3s(target: &Target, registries: &BTreeSet<String>) -> String {
    let mut text =
        String::from("# /etc/rancher/k3s/registries.yaml; `configs` takes user names and CA files\nmirrors:\n");
    for registry in registries {
        text.push_str(&format!("  \"{registry}\":\n    endpoint: [\"{}\"]\n", target.url()));
        let path = target.path(registry);
        if !path.is_empty() {
            text.push_str(&format!("    rewrite: {{\"^(.*)$\": \"{path}/$1\"}}\n"));
        }
    }
    text
}

/// Values for the charts that know `global.imageRegistry`.
fn values(target: &Target, pushed: &Pushed) -> String {
    let mut text = format!(
        "# For charts that know `global.imageRegistry`: helm install … -f values.yaml\nglobal:\n  imageRegistry: \"{}\"\n",
        target.name()
    );
    let changed: Vec<_> =
        pushed.images.iter().filter_map(|image| Some((&image.name, image.instead_of?, image.digest))).collect();
    if !changed.is_empty() {
        text.push_str("\n# Images that have another digest here; a value that pins the first one wants the second.\n");
        for (name, original, digest) in changed {
            text.push_str(&format!("#   {name}\n#     {original}\n#     {digest}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;
    use crate::push::report::{Blobs, Form, Mapped, State};

    fn pushed(names: &[&str]) -> Pushed {
        let image = |name: &&str| Mapped {
            name: (*name).to_owned(),
            at: String::new(),
            digest: Digest::of(b"a"),
            instead_of: name.starts_with("quay.io").then(|| Digest::of(b"b")),
            form: Form::AsIs,
            architectures: Vec::new(),
            attached: 0,
            state: State::Pushed,
        };
        Pushed {
            registry: String::new(),
            dry_run: false,
            images: names.iter().map(image).collect(),
            charts: Vec::new(),
            blobs: Blobs::default(),
            written: Vec::new(),
        }
    }

    #[test]
    fn a_node_finds_each_registry_below_the_prefix() {
        let directory = tempfile::tempdir().unwrap();
        let target: Target = "harbor.example/site".parse().unwrap();
        let pushed = pushed(&["docker.io/library/web:1", "quay.io/x/y:2", "127.0.0.1:5000/z:1"]);
        let written = write(directory.path(), &target, &pushed).unwrap();
        let read = |path: &str| fs::read_to_string(directory.path().join(path)).unwrap();
        assert_eq!(written.len(), 5);
        insta::assert_snapshot!(read("certs.d/docker.io/hosts.toml"), @r#"
        # /etc/containerd/certs.d/docker.io/hosts.toml, with `config_path = "/etc/containerd/certs.d"`
        server = "https://registry-1.docker.io"

        [host."https://harbor.example/v2/site"]
          capabilities = ["pull", "resolve"]
          override_path = true
        "#);
        insta::assert_snapshot!(read("registries.yaml"), @r#"
        # /etc/rancher/k3s/registries.yaml; `configs` takes user names and CA files
        mirrors:
          "127.0.0.1:5000":
            endpoint: ["https://harbor.example"]
            rewrite: {"^(.*)$": "site/$1"}
          "docker.io":
            endpoint: ["https://harbor.example"]
            rewrite: {"^(.*)$": "site/$1"}
          "quay.io":
            endpoint: ["https://harbor.example"]
            rewrite: {"^(.*)$": "site/$1"}
        "#);
        let values = read("values.yaml");
        assert!(values.contains("global:\n  imageRegistry: \"harbor.example/site\"\n"), "{values}");
        let lines = format!("#   quay.io/x/y:2\n#     {}\n#     {}\n", Digest::of(b"b"), Digest::of(b"a"));
        assert!(values.ends_with(&lines), "{values}");
    }

    #[test]
    fn a_registry_that_is_kept_has_a_path_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let target = "http://127.0.0.1:5000".parse::<Target>().unwrap().keeping_registry(true);
        let written = write(directory.path(), &target, &pushed(&["docker.io/library/web:1"])).unwrap();
        assert_eq!(written.len(), 2);
        let text = fs::read_to_string(&written[0]).unwrap();
        assert!(text.contains("[host.\"http://127.0.0.1:5000/v2/docker.io\"]"), "{text}");
        let text = fs::read_to_string(&written[1]).unwrap();
        assert!(text.contains("rewrite: {\"^(.*)$\": \"docker.io/$1\"}"), "{text}");
    }
}
