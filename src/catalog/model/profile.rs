//! `profiles`: where components are carried to.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::Spanned;

/// A profile: a list of component names, or a map with more to say.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Profile {
    /// Just the components.
    List(#[schemars(with = "Vec<String>")] Vec<Spanned<String>>),
    /// The components and a bound on the bundle's size.
    Full(FullProfile),
}

/// A profile written as a map.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FullProfile {
    /// The components.
    #[schemars(with = "Vec<String>")]
    pub components: Vec<Spanned<String>>,
    /// The largest bundle of this profile, such as `350MB`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub budget: Option<Spanned<String>>,
}

impl Profile {
    /// The names of its components, with their places.
    #[must_use]
    pub fn components(&self) -> &[Spanned<String>] {
        match self {
            Self::List(components) => components,
            Self::Full(full) => &full.components,
        }
    }

    /// The bound on the bundle's size, if there is one.
    #[must_use]
    pub fn budget(&self) -> Option<&Spanned<String>> {
        match self {
            Self::List(_) => None,
            Self::Full(full) => full.budget.as_ref(),
        }
    }
}

// Written by hand: an untagged enum would lose the place and the reason of an error.
impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Profile;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of component names, or a map with `components`")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Profile, A::Error> {
                Deserialize::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(Profile::List)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Profile, A::Error> {
                Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Profile::Full)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
