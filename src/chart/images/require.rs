//! From finds to what is carried: the catalog's declared and ignored images, and what contradicts.

use std::collections::BTreeMap;
use std::fmt;

use super::{Discovery, Error, Found, Kind, Where};
use crate::oci::Reference;

/// A tag of these says nothing about what it points at.
const FLOATING: [&str; 11] =
    ["latest", "stable", "main", "master", "edge", "nightly", "dev", "develop", "canary", "unstable", "testing"];

/// One line of the catalog's `declared_images` or `ignored_images`, with its placeholders filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// The reference; in the ignored list without a tag it stands for the whole repository.
    pub image: &'a str,
    /// Why it is there.
    pub reason: &'a str,
}

/// Why an image is carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was found there.
    Found(Kind, Where),
    /// The catalog declares it, for this reason.
    Declared(String),
}

impl Origin {
    /// Its kind in reports.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Found(kind, _) => kind.name(),
            Self::Declared(_) => "declared",
        }
    }

    /// The place, or the reason.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Found(_, place) => place.to_string(),
            Self::Declared(reason) => reason.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), self.place())
    }
}

/// What has to be carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// Every image, sorted, with what wants it.
    pub images: BTreeMap<Reference, Vec<Origin>>,
    /// The images of `ignored_images` that match nothing.
    pub unused: Vec<String>,
}

/// Normalises the finds, drops what only tests run and what is ignored, and adds what is declared.
///
/// All that is wrong is told at once: a text that is no reference, a tag that floats or is absent, one name and
/// tag with two digests, a declared image of which the chart runs another version.
pub fn required(
    discovery: &Discovery,
    declared: &[Rule<'_>],
    ignored: &[Rule<'_>],
    tests: bool,
) -> Result<Required, Vec<Error>> {
    let mut errors = Vec::new();
    let declared = parse("declared_images", declared, &mut errors);
    let ignored = parse("ignored_images", ignored, &mut errors);
    let wanted = |found: &&Found| tests || found.kind != Kind::Test;
    for broken in discovery.broken.iter().filter(wanted) {
        errors.push(Error::Broken { text: broken.image.clone(), place: broken.place.clone(), written: None });
    }

    let mut matched = vec![false; ignored.len()];
    let mut images: BTreeMap<Reference, Vec<&Found>> = BTreeMap::new();
    for found in &discovery.found {
        // What finds an image has parsed it.
        let Ok(reference) = found.image.parse::<Reference>() else { continue };
        let hits = ignored.iter().enumerate().filter(|(_, (rule, _))| matches(rule, &reference));
        let hits: Vec<usize> = hits.map(|(position, _)| position).collect();
        hits.iter().for_each(|hit| matched[*hit] = true);
        if hits.is_empty() && wanted(&found) {
            images.entry(reference).or_default().push(found);
        }
    }

    contradicted(&declared, &images, &mut errors);
    let mut required = Required::default();
    for (reference, found) in &images {
        if let Some(first) = found.first() {
            floating(reference, &first.place.to_string(), &mut errors);
        }
        let origins = found.iter().map(|f| Origin::Found(f.kind, f.place.clone())).collect();
        required.images.insert(reference.clone(), origins);
    }
    for (reference, reason) in declared {
        floating(&reference, "declared_images", &mut errors);
        required.images.entry(reference).or_default().push(Origin::Declared(reason.to_owned()));
    }
    conflicts(&required.images, &mut errors);
    required.unused =
        ignored.iter().zip(matched).filter(|(_, hit)| !hit).map(|((rule, _), _)| rule.to_string()).collect();
    if errors.is_empty() { Ok(required) } else { Err(errors) }
}

fn parse<'a>(list: &'static str, rules: &[Rule<'a>], errors: &mut Vec<Error>) -> Vec<(Reference, &'a str)> {
    let mut parsed = Vec::new();
    for rule in rules {
        match rule.image.parse() {
            Ok(reference) => parsed.push((reference, rule.reason)),
            Err(source) => errors.push(Error::Rule { text: rule.image.to_owned(), list, source }),
        }
    }
    parsed
}

/// A rule without tag and digest is about the whole repository.
fn matches(rule: &Reference, reference: &Reference) -> bool {
    rule.name() == reference.name()
        && rule.tag().is_none_or(|tag| reference.tag() == Some(tag))
        && rule.digest().is_none_or(|digest| reference.digest() == Some(digest))
}

/// A digest pins whatever tag stands beside it.
fn floating(reference: &Reference, place: &str, errors: &mut Vec<Error>) {
    let floats = reference.tag().is_none_or(|tag| FLOATING.contains(&tag));
    if floats && reference.digest().is_none() {
        let tag = reference.tag().map(str::to_owned);
        errors.push(Error::Floating { image: Box::new(reference.clone()), tag, place: place.to_owned() });
    }
}

/// A declaration is wrong when the chart runs its repository, but never in that version.
fn contradicted(declared: &[(Reference, &str)], images: &BTreeMap<Reference, Vec<&Found>>, errors: &mut Vec<Error>) {
    for (declaration, _) in declared {
        let mut same_name = images.iter().filter(|(rendered, _)| rendered.name() == declaration.name()).peekable();
        let Some((rendered, found)) = same_name.peek().copied() else { continue };
        let agrees = |rendered: &Reference| match (rendered.tag(), declaration.tag()) {
            (Some(one), Some(other)) => one == other,
            _ => rendered.digest() == declaration.digest(),
        };
        if !same_name.any(|(rendered, _)| agrees(rendered))
            && let Some(first) = found.first()
        {
            let (declared, rendered) = (Box::new(declaration.clone()), Box::new(rendered.clone()));
            errors.push(Error::Contradicted { declared, rendered, place: first.place.clone() });
        }
    }
}

fn conflicts(images: &BTreeMap<Reference, Vec<Origin>>, errors: &mut Vec<Error>) {
    let mut pinned: BTreeMap<(String, &str), (&Reference, &Origin)> = BTreeMap::new();
    for (reference, places) in images {
        let (Some(tag), Some(_), Some(place)) = (reference.tag(), reference.digest(), places.first()) else { continue };
        match pinned.get(&(reference.name(), tag)) {
            Some((first, earlier)) => errors.push(Error::Conflict {
                first: Box::new((*first).clone()),
                second: Box::new(reference.clone()),
                places: [earlier.to_string(), place.to_string()],
            }),
            None => {
                pinned.insert((reference.name(), tag), (reference, place));
            }
        }
    }
}
