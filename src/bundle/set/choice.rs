//! Which images and charts of a set are meant.

use std::collections::BTreeSet;

use super::{Error, Kind, Set};
use crate::oci::Reference;

/// What the user wants of a set; all of it where every list is empty.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// What these profiles carry.
    pub profiles: Vec<String>,
    /// What these components run; with profiles, those of them that the profiles carry.
    pub components: Vec<String>,
    /// These images alone and no chart: a full reference, or a name for all its tags.
    pub images: Vec<Reference>,
}

/// The images by their references and the charts by their paths, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The images.
    pub images: Vec<Reference>,
    /// The charts.
    pub charts: Vec<String>,
}

impl Set {
    /// Picks what is meant; each name has to be that of something.
    pub fn choose(&self, choice: &Choice) -> Result<Chosen, Error> {
        let locks = || self.bundles.iter().map(|opened| &opened.about.lock);
        let profiles: BTreeSet<&String> = locks().flat_map(|lock| lock.profiles.keys()).collect();
        let components: BTreeSet<&String> = locks().flat_map(|lock| lock.components.keys()).collect();
        known("profile", &choice.profiles, &profiles)?;
        known("component", &choice.components, &components)?;
        for wanted in &choice.images {
            if !self.images.keys().any(|reference| is_meant(wanted, reference)) {
                let known = self.images.keys().map(ToString::to_string).collect();
                return Err(Error::Unknown { what: "image", name: wanted.to_string(), known });
            }
        }
        let carried = |component: &String| {
            let carries = |profile: &String| {
                locks().any(|lock| lock.profiles.get(profile).is_some_and(|names| names.contains(component)))
            };
            (choice.profiles.is_empty() || choice.profiles.iter().any(carries))
                && (choice.components.is_empty() || choice.components.contains(component))
        };
        let images = self.images.iter().filter(|(reference, image)| {
            (choice.images.is_empty() || choice.images.iter().any(|wanted| is_meant(wanted, reference)))
                && image.components.iter().any(carried)
        });
        let charts = self.shipped.iter().filter(|(_, shipped)| {
            shipped.kind == Kind::Chart && choice.images.is_empty() && shipped.component.as_ref().is_some_and(carried)
        });
        Ok(Chosen {
            images: images.map(|(reference, _)| reference.clone()).collect(),
            charts: charts.map(|(path, _)| path.clone()).collect(),
        })
    }
}

fn known(what: &'static str, names: &[String], known: &BTreeSet<&String>) -> Result<(), Error> {
    match names.iter().find(|name| !known.contains(name)) {
        Some(name) => {
            let known = known.iter().map(ToString::to_string).collect();
            Err(Error::Unknown { what, name: name.clone(), known })
        }
        None => Ok(()),
    }
}

/// Whether what was written means this image: what it leaves out may be anything.
fn is_meant(wanted: &Reference, reference: &Reference) -> bool {
    wanted.name() == reference.name()
        && wanted.tag().is_none_or(|tag| reference.tag() == Some(tag))
        && wanted.digest().is_none_or(|digest| reference.digest() == Some(digest))
}
