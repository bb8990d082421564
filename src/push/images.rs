//! The images: as they are where the registry takes an index with absent children, else what of it is there.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::Value;

use super::blobs::{Content, Wanted};
use super::report::{Form, Mapped, State};
use super::target::Place;
use super::{Error, Leaf, Pusher, failed, once};
use crate::event::Event;
use crate::lock::attached::Attached;
use crate::oci::manifest::{Manifest, View};
use crate::oci::referrers::Referrer;
use crate::oci::{Arch, Digest, Reference};
use crate::source;

/// An image with its place at the registry.
pub(super) struct Image {
    pub(super) reference: Reference,
    pub(super) place: Place,
    /// Its index, or its only manifest.
    pub(super) root: Manifest,
    /// The manifests that the bundles hold.
    leaves: Vec<Leaf>,
    /// What is attached to it.
    companions: Vec<Companion>,
    architectures: Vec<Arch>,
}

/// Something that is attached to an image, such as a signature.
struct Companion {
    attached: Attached,
    leaf: Leaf,
    /// Whether the registry has it already.
    is_there: bool,
}

impl Companion {
    /// What it is asked for by.
    fn name(&self) -> String {
        self.attached.tag.clone().unwrap_or_else(|| self.attached.digest.to_string())
    }
}

/// What the registry has of an image.
pub(super) struct Found {
    image: Image,
    /// What its name is at the registry now.
    there: Option<Digest>,
    /// What has to be pushed.
    missing: Vec<Leaf>,
    /// The digests of the manifests that the bundles hold.
    held: BTreeSet<Digest>,
}

impl Found {
    /// All manifests that have to be pushed.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Leaf> {
        let companions = self.image.companions.iter().filter(|companion| !companion.is_there);
        self.missing.iter().chain(companions.map(|companion| &companion.leaf))
    }
}

impl Pusher {
    pub(super) fn read_image(&self, reference: &Reference) -> Result<Image, Error> {
        let what = || reference.to_string();
        let image = &self.set.images()[reference];
        let absent = |digest| Error::Absent { what: what(), digest };
        let root = self.set.manifest(image.digest)?.ok_or_else(|| absent(image.digest))?;
        let mut manifests = Vec::new();
        match &root.view {
            View::Manifest { .. } => manifests.push(root.clone()),
            View::Index(children) => {
                for child in children {
                    manifests.extend(self.set.manifest(child.digest)?);
                }
            }
        }
        let leaves: Vec<_> = manifests.into_iter().filter_map(|manifest| self.leaf(manifest)).collect();
        if leaves.is_empty() {
            return Err(absent(image.digest));
        }
        let mut companions = Vec::new();
        for attached in &image.attached {
            let manifest = self.set.manifest(attached.digest)?.ok_or_else(|| absent(attached.digest))?;
            let leaf = self.leaf(manifest).ok_or_else(|| absent(attached.digest))?;
            companions.push(Companion { attached: attached.clone(), leaf, is_there: false });
        }
        Ok(Image {
            companions,
            reference: reference.clone(),
            place: self.target.image(reference, root.digest)?,
            root,
            leaves,
            architectures: image.architectures.iter().copied().collect(),
        })
    }

    fn leaf(&self, manifest: Manifest) -> Option<Leaf> {
        let View::Manifest { config, layers } = &manifest.view else { return None };
        let blobs = std::iter::once(config).chain(layers).map(|descriptor| Wanted {
            digest: descriptor.digest,
            size: descriptor.size,
            content: self.set.blob(descriptor.digest).map(Content::Held),
        });
        Some(Leaf { blobs: once(blobs), manifest })
    }

    pub(super) async fn look_for(&self, mut image: Image) -> Result<Found, Error> {
        let what = image.reference.to_string();
        let there = self.present(&what, &image.place, &image.place.name).await?;
        let held = image.leaves.iter().map(|leaf| leaf.manifest.digest).collect();
        let mut missing = Vec::new();
        for leaf in std::mem::take(&mut image.leaves) {
            let digest = leaf.manifest.digest;
            let is_there =
                there == Some(digest) || self.present(&what, &image.place, &digest.to_string()).await?.is_some();
            if is_there {
                self.note(&image.place, &leaf).await;
            } else {
                missing.push(leaf);
            }
        }
        for companion in &mut image.companions {
            let there = self.present(&what, &image.place, &companion.name()).await?;
            companion.is_there = there == Some(companion.attached.digest);
            if companion.is_there {
                self.note(&image.place, &companion.leaf).await;
            }
        }
        Ok(Found { image, there, missing, held })
    }

    pub(super) async fn push_image(&self, found: Found) -> Result<Mapped, Error> {
        let Found { image, there, missing, held } = found;
        let Image { reference, place, root, architectures, companions, .. } = image;
        let what = reference.to_string();
        let substitute = substitute(&root, &held);
        for leaf in &missing {
            self.push_leaf(&what, &place, leaf, &leaf.manifest.digest.to_string()).await?;
        }
        let mut stands = there.filter(|_| missing.is_empty());
        let mut form = Form::AsIs;
        let mut digest = root.digest;
        if let Some(substitute) = &substitute
            && stands == Some(substitute.digest)
        {
            (form, digest) = (substitute.form(), substitute.digest);
        } else if stands != Some(root.digest) && !self.dry_run {
            stands = None;
            match self.registry.put_manifest(&place.repository, &place.name, &root).await {
                Ok(()) => {}
                Err(error) if substitute.is_some() && is_refusal(&error) => {
                    (form, digest) = self.push_substitute(&what, &place, &root, held, there, error).await?;
                    stands = there.filter(|there| *there == digest && missing.is_empty());
                    if reference.digest().is_some() {
                        self.warn_of_pin(&reference, digest);
                    }
                }
                Err(error) => return Err(failed(&what)(error)),
            }
        }
        let all_there = companions.iter().all(|companion| companion.is_there);
        self.push_companions(&what, &place, &companions).await?;
        self.reporter.report(Event::Item(&what));
        let is_present = stands == Some(digest) && all_there;
        let at = match (form, reference.tag()) {
            (Form::Manifest | Form::Reduced, None) => {
                place.reference.replace(&root.digest.to_string(), &digest.to_string())
            }
            _ => place.reference,
        };
        Ok(Mapped {
            name: what,
            at,
            digest,
            instead_of: (digest != root.digest).then_some(root.digest),
            form,
            architectures,
            attached: companions.len(),
            state: State::of(is_present, self.dry_run),
        })
    }

    /// Brings what is attached to an image, and has the registry list it.
    async fn push_companions(&self, what: &str, place: &Place, companions: &[Companion]) -> Result<(), Error> {
        let mut lists = BTreeMap::<Digest, Vec<Referrer>>::new();
        for companion in companions {
            if !companion.is_there {
                self.push_leaf(what, place, &companion.leaf, &companion.name()).await?;
            }
            if companion.attached.tag.is_none() {
                lists.entry(companion.attached.to).or_default().push(Referrer::of(&companion.leaf.manifest));
            }
        }
        if self.dry_run {
            return Ok(());
        }
        for (subject, referrers) in lists {
            let listed = self.registry.list_referrers(&place.repository, subject, referrers).await;
            listed.map_err(failed(what))?;
        }
        Ok(())
    }

    /// Gives the name to what is there of an index that the registry refuses: also to what an earlier push brought.
    async fn push_substitute(
        &self,
        what: &str,
        place: &Place,
        root: &Manifest,
        held: BTreeSet<Digest>,
        there: Option<Digest>,
        refusal: source::Error,
    ) -> Result<(Form, Digest), Error> {
        let mut present = held;
        if let View::Index(children) = &root.view {
            for child in children {
                if !present.contains(&child.digest)
                    && self.present(what, place, &child.digest.to_string()).await?.is_some()
                {
                    present.insert(child.digest);
                }
            }
        }
        // With all children there it was not for them that the index was refused.
        let Some(substitute) = substitute(root, &present) else { return Err(failed(what)(refusal)) };
        if there != Some(substitute.digest) {
            let manifest = match substitute.made.clone() {
                Some(made) => made,
                None => self
                    .set
                    .manifest(substitute.digest)?
                    .ok_or_else(|| Error::Absent { what: what.to_owned(), digest: substitute.digest })?,
            };
            let own = substitute.digest.to_string();
            // Without a tag it can only be asked for by the digest that it has now.
            let name = if place.name == root.digest.to_string() { &own } else { &place.name };
            self.registry.put_manifest(&place.repository, name, &manifest).await.map_err(failed(what))?;
        }
        Ok((substitute.form(), substitute.digest))
    }

    fn warn_of_pin(&self, reference: &Reference, digest: Digest) {
        let text = format!(
            "`{}` refuses the index of `{reference}`: who asks for it by its digest finds nothing there; it is {digest}",
            self.target.name()
        );
        self.reporter.report(Event::Warning(&text));
    }
}

/// What stands for an index of which only some children are there.
struct Substitute {
    digest: Digest,
    /// An index that was made; otherwise it is the only child.
    made: Option<Manifest>,
}

impl Substitute {
    const fn form(&self) -> Form {
        if self.made.is_some() { Form::Reduced } else { Form::Manifest }
    }
}

/// The only child, or the index less the children that are absent; none for what lacks nothing.
fn substitute(root: &Manifest, present: &BTreeSet<Digest>) -> Option<Substitute> {
    let View::Index(children) = &root.view else { return None };
    let here: Vec<_> = children.iter().filter(|child| present.contains(&child.digest)).collect();
    if here.len() == children.len() {
        return None;
    }
    match here.as_slice() {
        [] => None,
        [only] => Some(Substitute { digest: only.digest, made: None }),
        _ => {
            let mut document: Value = serde_json::from_slice(&root.bytes).ok()?;
            let is_here = |child: &Value| {
                child
                    .get("digest")
                    .and_then(Value::as_str)
                    .and_then(|text| text.parse().ok())
                    .is_some_and(|digest: Digest| present.contains(&digest))
            };
            document.get_mut("manifests")?.as_array_mut()?.retain(is_here);
            let made = Manifest::parse(document.to_string().into(), Some(&root.media_type)).ok()?;
            Some(Substitute { digest: made.digest, made: Some(made) })
        }
    }
}

/// Whether a registry says no to what a manifest is, rather than to who asks, how often or how much.
fn is_refusal(error: &source::Error) -> bool {
    error.status().is_some_and(|status| {
        status.is_client_error()
            && !matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::media_type;

    fn index(digests: &[Digest]) -> Manifest {
        let children: Vec<_> = digests
            .iter()
            .map(|digest| serde_json::json!({"mediaType": media_type::OCI_MANIFEST, "digest": digest, "size": 1}))
            .collect();
        let document =
            serde_json::json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": children});
        Manifest::parse(document.to_string().into(), None).unwrap()
    }

    #[test]
    fn what_is_there_stands_for_the_index() {
        let all = ["a", "b", "c"].map(|text| Digest::of(text.as_bytes()));
        let root = index(&all);
        let of = |present: &[Digest]| substitute(&root, &present.iter().copied().collect());
        assert!(of(&all).is_none() && of(&[]).is_none());
        let one = of(&all[1..2]).unwrap();
        assert_eq!((one.digest, one.form()), (all[1], Form::Manifest));
        let two = of(&[all[2], all[0]]).unwrap();
        assert_eq!(two.form(), Form::Reduced);
        let View::Index(children) = two.made.unwrap().view else { panic!("it is no index") };
        assert_eq!(children.iter().map(|child| child.digest).collect::<Vec<_>>(), [all[0], all[2]]);
        assert!(
            substitute(
                &Manifest { view: View::Manifest { config: children[0].clone(), layers: vec![] }, ..root },
                &BTreeSet::new()
            )
            .is_none()
        );
    }
}
