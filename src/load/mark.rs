//! What tells later which bundle an image came from, so that it can be taken away again.

use std::fmt;
use std::str::FromStr;

use super::Error;
use crate::bundle::model::BundleFile;
use crate::name;
use crate::version::Version;

/// A bundle by name and version, written `NAME@VERSION`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The bundle's name.
    pub name: String,
    /// The bundle's version.
    pub version: String,
}

impl Mark {
    /// The mark of a bundle, whose name and version must be safe to be part of labels and file names.
    pub fn of(about: &BundleFile) -> Result<Self, Error> {
        format!("{}@{}", about.name, about.version).parse()
    }

    /// Whether this is a newer version of the same bundle; versions that have no order are not.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        let versions = (self.version.parse::<Version>(), other.version.parse::<Version>());
        self.name == other.name && matches!(versions, (Ok(this), Ok(that)) if this > that)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

impl FromStr for Mark {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('@').filter(|(bundle, version)| name::is_name(bundle) && name::is_version(version));
        let (bundle, version) =
            parts.ok_or_else(|| Error::NoBundle(text.chars().take(150).flat_map(char::escape_default).collect()))?;
        Ok(Self { name: bundle.to_owned(), version: version.to_owned() })
    }
}

/// Refuses to load `wanted` where a newer version is among what is loaded.
pub(super) fn refuse_downgrade<'a>(
    loaded: impl IntoIterator<Item = &'a Mark>,
    wanted: impl IntoIterator<Item = &'a Mark> + Clone,
) -> Result<(), Error> {
    for loaded in loaded {
        if let Some(wanted) = wanted.clone().into_iter().find(|wanted| loaded.is_newer_than(wanted)) {
            return Err(Error::Downgrade {
                name: wanted.name.clone(),
                loaded: loaded.version.clone(),
                version: wanted.version.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_safe_and_ordered() {
        let mark = |text: &str| text.parse::<Mark>();
        for text in ["", "a", "a@", "@1", "../a@1", "a@1/2", "a@../1", "a b@1", "a@1\n"] {
            assert!(mark(text).is_err(), "{text:?}");
        }
        let [old, new, other] = ["site@1.9.0", "site@1.10.0", "edge@2.0.0"].map(|text| mark(text).unwrap());
        assert!(new.is_newer_than(&old) && !old.is_newer_than(&new) && !other.is_newer_than(&old));
        assert_eq!(new.to_string(), "site@1.10.0");
        assert!(refuse_downgrade([&old, &other], [&new]).is_ok());
        assert!(matches!(refuse_downgrade([&other, &new], [&old]), Err(Error::Downgrade { .. })));
    }
}
