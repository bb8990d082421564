//! References, versions, tag patterns, constraints and Helm's ranges.

use crate::config::Config;
use crate::oci::Reference;
use crate::oci::reference::valid_tag;
use crate::version::{Constraint, HelmRange, Pattern, Version};

use super::text;

/// What is accepted keeps the rules of the distribution spec, prints as it is read, and stays on its registry.
pub(super) fn reference(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let reference = match text.parse::<Reference>() {
        Ok(reference) => reference,
        Err(error) => return assert!(error.to_string().chars().count() < 400, "a long message"),
    };
    let printed = reference.to_string();
    assert_eq!(printed.parse::<Reference>().as_ref(), Ok(&reference));
    assert!(printed.bytes().all(|c| c.is_ascii_graphic()), "{printed}");
    assert!(reference.name().len() <= 255 && reference.tag().is_none_or(valid_tag));
    let part = |part: &str| !part.is_empty() && part != "." && part != "..";
    assert!(reference.repository().split('/').all(part), "{printed}");
    assert!(!reference.repository().contains(|c: char| c.is_ascii_uppercase() || "%?#\\@:".contains(c)), "{printed}");
    let again =
        Reference::new(reference.registry(), reference.repository(), reference.tag(), reference.digest()).unwrap();
    assert_eq!(again, reference);
    // The request goes to the registry that the reference names, below its repository, whatever a URL parser makes of it.
    let endpoints = Config::default().endpoints(reference.registry(), reference.repository(), "manifests/x");
    for endpoint in endpoints {
        let url = endpoint.url;
        assert_eq!(url.path(), format!("/v2/{}/manifests/x", reference.repository()), "{printed}");
        assert!(url.username().is_empty() && url.query().is_none() && url.scheme() == "https", "{url}");
        if reference.registry() != "docker.io" {
            let host = format!("https://{}/", reference.registry());
            let expected = url::Url::parse(&host).unwrap();
            assert_eq!((url.host_str(), url.port()), (expected.host_str(), expected.port()), "{printed}");
        }
    }
}

/// The order of any three versions is total, and each prints as it was written.
pub(super) fn version(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let versions: Vec<Version> = text.lines().take(3).filter_map(|line| line.parse().ok()).collect();
    for a in &versions {
        assert_eq!(a.as_str().parse::<Version>().unwrap(), *a);
        assert_eq!(a.to_string(), a.as_str());
        assert!(a.as_str().bytes().all(|c| c.is_ascii_graphic()), "{a:?}");
        // It stands in file names and URLs.
        assert!(!a.as_str().contains(['/', '\\', '%']) && !a.as_str().contains(".."), "{a:?}");
        for b in &versions {
            assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{a:?} and {b:?}");
            assert_eq!(a == b, a.cmp(b).is_eq());
            for c in &versions {
                assert!(!(a <= b && b <= c) || a <= c, "{a:?} ≤ {b:?} ≤ {c:?}");
                assert!(a != b || a.cmp(c) == b.cmp(c), "{a:?} = {b:?}, {c:?}");
            }
        }
    }
}

/// A pattern finds in a tag the version that it was made of, and nothing else gives that tag.
pub(super) fn pattern(data: &[u8]) {
    let Some((pattern, tag)) = text(data).and_then(|text| text.split_once('\n')) else { return };
    let Ok(pattern) = pattern.parse::<Pattern>() else { return };
    assert_eq!(pattern.to_string().parse::<Pattern>().as_ref(), Ok(&pattern));
    if let Some(version) = pattern.version(tag) {
        assert_eq!(pattern.tag(version.as_str()), tag);
        assert!(tag.starts_with(pattern.prefix()));
    }
    if let Ok(version) = tag.parse::<Version>()
        && !tag.starts_with('v')
    {
        assert_eq!(pattern.version(&pattern.tag(tag)).map(|found| found.to_string()), Some(version.to_string()));
    }
}

/// Constraints and ranges: what nobody can meet is met by nobody, and the text stays.
pub(super) fn constraint(data: &[u8]) {
    let Some((constraint, versions)) = text(data).and_then(|text| text.split_once('\n')) else { return };
    let (ours, helms) = (constraint.parse::<Constraint>(), constraint.parse::<HelmRange>());
    for error in [ours.as_ref().err(), helms.as_ref().err()].into_iter().flatten() {
        assert!(error.text.len() <= 2048 && error.at <= constraint.chars().count() + 1, "{error:?}");
    }
    for version in versions.lines().take(4).filter_map(|line| line.parse::<Version>().ok()) {
        if let Ok(ours) = &ours {
            assert_eq!(ours.as_str(), constraint);
            assert!(ours.is_satisfiable() || !ours.matches(&version), "{ours} takes {version}");
            // The union with everything takes it, and with the list itself nothing changes.
            if constraint.len() < 250 && constraint.matches("||").count() < 15 {
                let twice: Constraint = format!("{constraint} || {constraint}").parse().unwrap();
                assert_eq!(twice.matches(&version), ours.matches(&version), "{twice} and {version}");
                let all: Constraint = format!("{constraint} || *").parse().unwrap();
                assert!(all.matches(&version), "{all} leaves {version}");
            }
        }
        if let Ok(range) = &helms {
            assert_eq!(range.as_str(), constraint);
            // A release in the range is in it whatever was built after it: Helm ignores build metadata.
            if version.build().is_empty() && version.as_str().len() < 100 {
                let built: Version = format!("{version}+k3s1").parse().unwrap();
                assert_eq!(range.matches(&built), range.matches(&version), "{range} and {version}");
            }
        }
    }
}
