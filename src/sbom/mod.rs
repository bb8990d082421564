//! `sbom.cdx.json`: what a bundle holds, as a CycloneDX 1.6 bill of materials.
//!
//! It lists components, images, charts and files with digests and package URLs. The packages inside images are not
//! listed, and the document says so (`compositions`); a scanner finds them in the image layout.

mod model;
mod purl;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use self::model::{Bom, Component, Composition, Dependency, Hash, Kind, Licence, Metadata, Property, Reference};
use self::purl::Purl;
use crate::bundle::contents::{Error, Parts, images};
use crate::bundle::model::{BUNDLE_YAML, Shipped, blob_path};
use crate::catalog;
use crate::lock::attached::{self, Attached};
use crate::oci::{self, Arch, Digest, media_type};

/// Describes what `parts` carry; licences and descriptions are the catalog's.
///
/// Equal parts give equal bytes: there is no time in it, and the serial number comes from the content.
pub fn of(parts: &Parts, catalog: &BTreeMap<String, catalog::Component>) -> Result<Bytes, Error> {
    let mut bill = Bill { parts, components: BTreeMap::new(), dependencies: BTreeMap::new(), images: BTreeSet::new() };
    bill.add_components(catalog);
    bill.add_images()?;
    bill.add_shipped()?;
    bill.add_added();
    Ok(bill.into_bom().into_bytes().into())
}

/// What is gathered; the keys are the references of the document, which are paths in the bundle, and package URLs of
/// images.
struct Bill<'a> {
    parts: &'a Parts,
    components: BTreeMap<String, Component>,
    dependencies: BTreeMap<String, BTreeSet<String>>,
    images: BTreeSet<String>,
}

impl Bill<'_> {
    fn add(&mut self, user: &str, bom_ref: &str, component: Component) {
        self.dependencies.entry(user.to_owned()).or_default().insert(bom_ref.to_owned());
        self.components.entry(bom_ref.to_owned()).or_insert(component);
    }

    fn add_components(&mut self, catalog: &BTreeMap<String, catalog::Component>) {
        for (name, locked) in &self.parts.bundle.lock.components {
            let wanted = catalog.get(name);
            let component = Component {
                description: wanted.and_then(|wanted| wanted.description.clone()),
                licenses: wanted.and_then(|wanted| wanted.licence.clone()).map(Licence::declared).into_iter().collect(),
                external_references: locked.source.iter().map(|url| Reference::vcs(url)).collect(),
                ..Component::new(Kind::Application, name, Some(&locked.version))
            };
            self.add(BUNDLE_YAML, &component_ref(name), component);
        }
    }

    fn add_images(&mut self) -> Result<(), Error> {
        let parts = self.parts;
        for (name, locked) in &parts.bundle.lock.components {
            for reference in &locked.images {
                // One that the lock lacks is refused where the bundle is put together.
                let Some(image) = parts.bundle.lock.images.get(reference) else { continue };
                let top = images::top(reference, image, &parts.manifests)?;
                for arch in &parts.bundle.architectures {
                    let manifest = images::child(reference, image, top, *arch, &parts.manifests)?;
                    let mut component = image_component(reference, image.digest, manifest.digest, *arch);
                    let of_it = |to: Digest| to == image.digest || to == manifest.digest;
                    let attached = image.attached.iter().filter(|attached| of_it(attached.to));
                    component.external_references = attached.map(attached_reference).collect();
                    let bom_ref = component.purl.clone().unwrap_or_default();
                    self.images.insert(bom_ref.clone());
                    self.add(&component_ref(name), &bom_ref, component);
                }
            }
        }
        Ok(())
    }

    fn add_shipped(&mut self) -> Result<(), Error> {
        let parts = self.parts;
        for chart in parts.bundle.charts() {
            // The version of a chart says more than the tag of a repository of forty charts.
            let purl = Purl::generic(chart.name, Some(chart.version));
            let mut component = shipped_component(&chart, parts.carried(&chart)?.digest, purl);
            component.mime_type = Some(media_type::HELM_CHART_LAYER);
            self.add(&component_ref(chart.component), &chart.path, component);
        }
        for file in parts.bundle.files() {
            let purl = Purl::of_download(file.name, file.version, file.url);
            let component = shipped_component(&file, parts.carried(&file)?.digest, purl);
            self.add(&component_ref(file.component), &file.path, component);
        }
        Ok(())
    }

    fn add_added(&mut self) {
        for added in &self.parts.bundle.added {
            let name = added.path.rsplit('/').next().unwrap_or(&added.path);
            let purl = Purl::generic(name, None).with("checksum", &added.digest.to_string());
            let component = Component {
                purl: Some(purl.to_string()),
                hashes: vec![Hash::sha256(added.digest)],
                ..Component::new(Kind::File, name, None)
            };
            self.add(BUNDLE_YAML, &added.path, component);
        }
    }

    fn into_bom(self) -> Bom {
        let about = &self.parts.bundle;
        let one = |name: &'static str, value: &str| Property { name, value: value.to_owned() };
        let mut properties = vec![one("bundler:kubernetes", &about.lock.bundle.kubernetes)];
        properties.extend(about.lock.bundle.kubeedge.iter().map(|minor| one("bundler:kubeedge", minor)));
        let archs: BTreeSet<_> = about.architectures.iter().map(|arch| arch.as_str()).collect();
        properties.extend(archs.into_iter().map(|arch| one("bundler:architecture", arch)));
        let profiles: BTreeSet<_> = about.profiles.iter().collect();
        properties.extend(profiles.into_iter().map(|profile| one("bundler:profile", profile)));
        let bundle = Component {
            bom_ref: BUNDLE_YAML.to_owned(),
            properties,
            ..Component::new(Kind::Application, &about.name, Some(&about.version))
        };
        let named = |(bom_ref, component)| Component { bom_ref, ..component };
        let depends = |(user, used): (String, BTreeSet<String>)| Dependency {
            bom_ref: user,
            depends_on: used.into_iter().collect(),
        };
        Bom::new(
            Metadata { component: bundle },
            self.components.into_iter().map(named).collect(),
            self.dependencies.into_iter().map(depends).collect(),
            Composition::incomplete(self.images.into_iter().collect()),
        )
    }
}

/// The reference of a component: where its values and resources are in the bundle.
fn component_ref(name: &str) -> String {
    format!("components/{name}")
}

/// An image for one architecture; its digest is that of the manifest, as a package URL with `arch` wants it.
fn image_component(reference: &oci::Reference, index: Digest, manifest: Digest, arch: Arch) -> Component {
    let repository = reference.name();
    let last = repository.rsplit('/').next().unwrap_or(&repository);
    let mut purl = Purl::oci(last, manifest).with("arch", arch.as_str()).with("repository_url", &repository);
    if let Some(tag) = reference.tag() {
        purl = purl.with("tag", tag);
    }
    let digest = manifest.to_string();
    let mut component = Component {
        purl: Some(purl.to_string()),
        hashes: vec![Hash::sha256(manifest)],
        ..Component::new(Kind::Container, &repository, Some(reference.tag().unwrap_or(&digest)))
    };
    if index != manifest {
        component.properties = vec![Property { name: "bundler:index", value: index.to_string() }];
    }
    component
}

/// What is attached to an image, by the path of its manifest in the bundle.
fn attached_reference(attached: &Attached) -> Reference {
    let kind = match attached.kind() {
        attached::Kind::Signature => "digital-signature",
        attached::Kind::Attestation => "attestation",
        attached::Kind::Sbom => "bom",
        attached::Kind::Other => "other",
    };
    Reference::carried(kind, blob_path(attached.digest), attached.digest)
}

/// A chart or a file: the hash is that of what is carried, and the URL has the hash of what it gives.
fn shipped_component(shipped: &Shipped<'_>, carried: Digest, purl: Purl) -> Component {
    let purl = purl.with("checksum", &shipped.download.to_string()).with("download_url", shipped.url);
    let member = shipped.member.map(|path| Property { name: "bundler:member", value: path.to_owned() });
    Component {
        purl: Some(purl.to_string()),
        hashes: vec![Hash::sha256(carried)],
        external_references: vec![Reference::distribution(shipped.url, shipped.download)],
        properties: member.into_iter().collect(),
        ..Component::new(Kind::File, shipped.name, Some(shipped.version))
    }
}
