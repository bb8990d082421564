//! What a component is held at: one version, or those that a constraint takes.

use std::fmt;
use std::str::FromStr;

use super::{Constraint, SyntaxError, Version};

/// The versions that a hold leaves.
#[derive(Clone, Debug)]
pub enum Hold {
    /// This version and no other, not even of another build.
    Exactly(Version),
    /// Those that the constraint takes.
    Within(Constraint),
}

impl Hold {
    /// Whether it leaves `version`.
    #[must_use]
    pub fn takes(&self, version: &Version) -> bool {
        match self {
            Self::Exactly(held) => held == version,
            Self::Within(constraint) => constraint.matches(version),
        }
    }

    /// Whether it leaves any version that `constraint` takes.
    #[must_use]
    pub fn fits(&self, constraint: &Constraint) -> bool {
        match self {
            Self::Exactly(held) => constraint.matches(held),
            Self::Within(held) => held.overlaps(constraint),
        }
    }
}

impl FromStr for Hold {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        match text.parse() {
            Ok(version) => Ok(Self::Exactly(version)),
            Err(_) => text.parse().map(Self::Within),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(version) => version.fmt(f),
            Self::Within(constraint) => constraint.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_version_is_that_one_alone() {
        let hold: Hold = "2.20.0".parse().unwrap();
        let takes = |version: &str| hold.takes(&version.parse().unwrap());
        assert!(takes("2.20.0") && !takes("2.20.0+build") && !takes("2.20.1"));
        assert!(hold.fits(&">=2".parse().unwrap()) && !hold.fits(&"<2".parse().unwrap()));
    }

    #[test]
    fn anything_else_is_a_constraint() {
        let hold: Hold = "<89".parse().unwrap();
        let takes = |version: &str| hold.takes(&version.parse().unwrap());
        assert!(takes("88.9.1") && takes("1.0.0") && !takes("89.0.0"));
        assert!(hold.fits(&">=88".parse().unwrap()) && !hold.fits(&">=89".parse().unwrap()));
        assert_eq!(hold.to_string(), "<89");
        assert!("soon".parse::<Hold>().is_err() && "<".parse::<Hold>().is_err());
    }
}
