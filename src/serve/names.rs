//! Under which names the images answer.
//!
//! An image is at `<repository>?ns=<registry>`, as containerd asks a mirror, at `<registry>/<repository>`,
//! and at `<repository>` alone where only one registry has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::set::Set;
use crate::oci::Digest;

/// Docker Hub as references name it, and the hosts that it also has.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HOSTS: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];

/// The images of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Repository {
    /// The tags and what they name.
    pub(super) tags: BTreeMap<String, Digest>,
    /// What tags and pinned references name.
    pub(super) roots: BTreeSet<Digest>,
    /// The manifests of signatures and the like, each with what it is listed as a referrer of.
    pub(super) attached: BTreeMap<Digest, Option<Digest>>,
}

impl Repository {
    /// Whether this is the manifest of an image or of what is attached to one.
    pub(super) fn has(&self, manifest: Digest) -> bool {
        self.roots.contains(&manifest) || self.attached.contains_key(&manifest)
    }

    /// The manifests that are attached to this one.
    pub(super) fn referrers(&self, subject: Option<Digest>) -> impl Iterator<Item = Digest> {
        let attached = self.attached.iter().filter(move |(_, to)| to.is_some() && **to == subject);
        attached.map(|(digest, _)| *digest)
    }
}

/// All repositories.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// By registry, then by repository.
    registries: BTreeMap<String, BTreeMap<String, Repository>>,
}

/// Why a name is no repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// Nobody has it.
    Unknown,
    /// These registries have it, and the client says not which.
    Ambiguous(Vec<String>),
}

impl Names {
    pub(super) fn of(set: &Set) -> Self {
        let mut names = Self::default();
        for (reference, image) in set.images() {
            let registry = names.registries.entry(reference.registry().to_owned()).or_default();
            let repository = registry.entry(reference.repository().to_owned()).or_default();
            repository.roots.insert(image.digest);
            if let Some(tag) = reference.tag() {
                repository.tags.insert(tag.to_owned(), image.digest);
            }
            for attached in &image.attached {
                match &attached.tag {
                    Some(tag) => {
                        repository.tags.insert(tag.clone(), attached.digest);
                        repository.attached.entry(attached.digest).or_default();
                    }
                    None => drop(repository.attached.insert(attached.digest, Some(attached.to))),
                }
            }
        }
        names
    }

    /// The repository that a client means by `name` and the parameter `ns`.
    pub(super) fn find(&self, name: &str, ns: Option<&str>) -> Result<&Repository, Unnamed> {
        if let Some(ns) = ns {
            // Never another registry's repository of that name: it is another image.
            let ns = if DOCKER_HOSTS.contains(&ns) { DOCKER_HUB } else { ns };
            let registry = self.registries.get(ns).ok_or(Unnamed::Unknown)?;
            let within = || name.strip_prefix(ns)?.strip_prefix('/');
            let found = registry.get(name).or_else(|| registry.get(within()?));
            return found.ok_or(Unnamed::Unknown);
        }
        if let Some((registry, repository)) = name.split_once('/')
            && let Some(found) = self.registries.get(registry).and_then(|registry| registry.get(repository))
        {
            return Ok(found);
        }
        let having: Vec<_> =
            self.registries.iter().filter_map(|(host, registry)| Some((host, registry.get(name)?))).collect();
        match having.as_slice() {
            [] => Err(Unnamed::Unknown),
            [(_, repository)] => Ok(repository),
            _ => Err(Unnamed::Ambiguous(having.into_iter().map(|(host, _)| host.clone()).collect())),
        }
    }

    /// The names to list, each of which a client can ask for: with the registry, but for a registry whose port no
    /// name may have; of one registry without it.
    pub(super) fn list(&self, ns: Option<&str>) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (registry, repositories) in &self.registries {
            let wanted = ns.map(|ns| if DOCKER_HOSTS.contains(&ns) { DOCKER_HUB } else { ns });
            if wanted.is_some_and(|wanted| wanted != registry) {
                continue;
            }
            let plain = wanted.is_some() || registry.contains([':', '[']);
            names.extend(repositories.keys().map(|name| match plain {
                true => name.clone(),
                false => format!("{registry}/{name}"),
            }));
        }
        names
    }

    /// The registries that the images come from.
    pub(super) fn registries(&self) -> impl Iterator<Item = &str> {
        self.registries.keys().map(String::as_str)
    }
}

/// One page of a sorted list, and whether more follow.
pub(super) fn page<'a>(
    names: impl Iterator<Item = &'a str>,
    n: Option<usize>,
    last: Option<&str>,
) -> (Vec<&'a str>, bool) {
    let mut rest = names.skip_while(|name| last.is_some_and(|last| *name <= last));
    let page: Vec<_> = rest.by_ref().take(n.unwrap_or(usize::MAX)).collect();
    // The specification wants no link from a page of nothing.
    let more = n != Some(0) && rest.next().is_some();
    (page, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(references: &[&str]) -> Names {
        let mut names = Names::default();
        for text in references {
            let reference: crate::oci::Reference = text.parse().unwrap();
            let registry = names.registries.entry(reference.registry().to_owned()).or_default();
            let repository = registry.entry(reference.repository().to_owned()).or_default();
            let digest = Digest::of(text.as_bytes());
            repository.roots.insert(digest);
            repository.tags.extend(reference.tag().map(|tag| (tag.to_owned(), digest)));
        }
        names
    }

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[test]
    fn a_mirror_answers_for_the_registry_that_is_asked_for() {
        let names = names(&["web:1", "quay.io/library/web:1", "quay.io/x/only:2"]);
        let found = |name, ns| names.find(name, Some(ns)).map(|repository| *repository.roots.first().unwrap());
        for ns in ["docker.io", "registry-1.docker.io", "index.docker.io"] {
            assert_eq!(found("library/web", ns), Ok(digest("web:1")), "{ns}");
        }
        assert_eq!(found("docker.io/library/web", "docker.io"), Ok(digest("web:1")));
        assert_eq!(found("library/web", "quay.io"), Ok(digest("quay.io/library/web:1")));
        // What quay.io has is not what docker.io would have under that name.
        assert_eq!(found("x/only", "docker.io"), Err(Unnamed::Unknown));
        assert_eq!(found("quay.io/x/only", "docker.io"), Err(Unnamed::Unknown));
        assert_eq!(found("x/only", "ghcr.io"), Err(Unnamed::Unknown));
        assert_eq!(found("x/only", ""), Err(Unnamed::Unknown));
    }

    #[test]
    fn without_a_registry_a_name_has_to_be_clear() {
        let names = names(&["web:1", "quay.io/library/web:1", "quay.io/x/only:2", "harbor.example/quay.io/x/only:3"]);
        let found = |name| names.find(name, None).map(|repository| *repository.roots.first().unwrap());
        assert_eq!(found("docker.io/library/web"), Ok(digest("web:1")));
        assert_eq!(found("x/only"), Ok(digest("quay.io/x/only:2")));
        assert_eq!(found("quay.io/x/only"), Ok(digest("quay.io/x/only:2")));
        let both = vec!["docker.io".to_owned(), "quay.io".to_owned()];
        assert_eq!(found("library/web"), Err(Unnamed::Ambiguous(both)));
        for name in ["web", "library", "", "/", "docker.io", "docker.io/", "../library/web", "x/only/"] {
            assert_eq!(found(name), Err(Unnamed::Unknown), "{name}");
        }
    }

    #[test]
    fn what_is_listed_can_be_asked_for() {
        let names = names(&["web:1", "quay.io/x/y:2", "127.0.0.1:5000/z:1"]);
        let all = names.list(None);
        assert_eq!(all.iter().collect::<Vec<_>>(), ["docker.io/library/web", "quay.io/x/y", "z"]);
        assert!(all.iter().all(|name| names.find(name, None).is_ok()));
        assert_eq!(names.list(Some("quay.io")), BTreeSet::from(["x/y".to_owned()]));
        assert_eq!(names.list(Some("registry-1.docker.io")), BTreeSet::from(["library/web".to_owned()]));
        assert!(names.list(Some("ghcr.io")).is_empty());
    }

    #[test]
    fn pages_follow_each_other() {
        let all = ["a", "b", "c"];
        let page = |n, last| super::page(all.into_iter(), n, last);
        assert_eq!(page(None, None), (vec!["a", "b", "c"], false));
        assert_eq!(page(Some(2), None), (vec!["a", "b"], true));
        assert_eq!(page(Some(2), Some("b")), (vec!["c"], false));
        assert_eq!(page(Some(3), None), (vec!["a", "b", "c"], false));
        assert_eq!(page(Some(0), None), (vec![], false));
        assert_eq!(page(None, Some("aa")), (vec!["b", "c"], false));
        assert_eq!(page(Some(1), Some("z")), (vec![], false));
    }
}
