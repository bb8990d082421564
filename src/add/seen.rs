//! The tags that were seen, and which pattern is taken: told, guessed, or asked for.

use crate::version::{Constraint, Family, Pattern, Survey};

use super::Error;

/// How many patterns are offered to choose from.
const MAX_OFFERED: usize = 9;

/// The tags of a repository.
#[derive(Clone, Debug)]
pub struct Seen {
    what: String,
    survey: Survey,
    /// The pattern that needs no guess: one that was given.
    given: Option<Pattern>,
}

/// What somebody said to the question for a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one.
    Take(Pattern),
    /// None.
    Declined,
    /// Nothing that was understood, with what to say about it.
    Again(String),
}

impl Seen {
    /// Looks whether there is anything to choose from.
    pub(super) fn new(
        what: String,
        survey: Survey,
        given: Option<Pattern>,
        within: Option<Constraint>,
    ) -> Result<Self, Error> {
        let seen = Self { what, survey, given };
        let none = |survey: &Survey| {
            let tags = survey.examples().into_iter().map(str::to_owned).collect();
            Error::NoRelease { what: seen.what.clone(), count: survey.tags(), tags }
        };
        match (&seen.given, seen.survey.families()) {
            (None, []) => return Err(none(&seen.survey)),
            (Some(pattern), families) if seen.survey.fit(pattern).releases == 0 => {
                return Err(match families.first() {
                    None => none(&seen.survey),
                    Some(family) => Error::NothingFits {
                        what: seen.what.clone(),
                        pattern: pattern.to_string(),
                        instead: family.pattern.to_string(),
                    },
                });
            }
            _ => {}
        }
        if let (Some(within), Some(pattern)) = (within, seen.pattern()) {
            let ranked = crate::resolve::choice::rank(seen.survey.names(), pattern, Some(&within), None);
            if ranked.is_empty() {
                let highest = seen.survey.fit(pattern).highest;
                return Err(Error::NoVersionWithin { what: seen.what, within: within.to_string(), highest });
            }
        }
        Ok(seen)
    }

    /// Whose tags they are.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The tags.
    #[must_use]
    pub const fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The pattern that was given, or else the guess; none where several are as likely.
    #[must_use]
    pub fn pattern(&self) -> Option<&Pattern> {
        self.given.as_ref().or_else(|| self.survey.guess().map(|family| &family.pattern))
    }

    /// Whether somebody who is there is asked: a pattern that was given is no guess.
    #[must_use]
    pub const fn is_question(&self) -> bool {
        self.given.is_none()
    }

    /// The pattern where nobody is asked.
    ///
    /// # Errors
    /// Several are as likely.
    pub fn decide(&self) -> Result<&Pattern, Error> {
        self.pattern().ok_or_else(|| {
            let patterns = self.offered().iter().map(|family| family.pattern.to_string()).collect();
            Error::WhichPattern { what: self.what.clone(), patterns, count: self.survey.families().len() }
        })
    }

    /// The patterns to choose from, the likeliest first.
    #[must_use]
    pub fn offered(&self) -> &[Family] {
        let families = self.survey.families();
        &families[..families.len().min(MAX_OFFERED)]
    }

    /// Reads what somebody answered: nothing or yes for the guess, no, a number of those offered, a pattern.
    #[must_use]
    pub fn answer(&self, text: &str) -> Answer {
        let text = text.trim();
        match (text.to_ascii_lowercase().as_str(), self.pattern()) {
            ("" | "y" | "yes", Some(pattern)) => return Answer::Take(pattern.clone()),
            ("n" | "no" | "q", _) => return Answer::Declined,
            _ => {}
        }
        if let Ok(number) = text.parse::<usize>() {
            let offered = number.checked_sub(1).and_then(|index| self.offered().get(index));
            return offered.map_or_else(
                || Answer::Again(format!("there is no pattern {number}")),
                |family| Answer::Take(family.pattern.clone()),
            );
        }
        match text.parse::<Pattern>() {
            Ok(pattern) if self.survey.fit(&pattern).releases > 0 => Answer::Take(pattern),
            Ok(pattern) => Answer::Again(format!("no release has the pattern `{pattern}`")),
            Err(error) => Answer::Again(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(tags: &[&str], given: Option<&str>) -> Result<Seen, Error> {
        let survey = Survey::of(tags.iter().map(|tag| (*tag).to_owned()).collect(), &["x"]);
        Seen::new("registry.test/x".to_owned(), survey, given.map(|given| given.parse().unwrap()), None)
    }

    #[test]
    fn an_answer_is_a_yes_a_number_or_a_pattern() {
        let seen = seen(&["1.0", "1.0-alpine", "v0.9"], None).unwrap();
        let take = |text: &str| Answer::Take(text.parse().unwrap());
        for (text, expected) in [
            ("", take("{version}")),
            ("Y\n", take("{version}")),
            ("2", take("{version}-alpine")),
            (" v{version} ", take("v{version}")),
            ("n", Answer::Declined),
            ("4", Answer::Again("there is no pattern 4".to_owned())),
            ("0", Answer::Again("there is no pattern 0".to_owned())),
            ("w{version}", Answer::Again("no release has the pattern `w{version}`".to_owned())),
        ] {
            assert_eq!(seen.answer(text), expected, "{text:?}");
        }
        assert!(matches!(seen.answer("w"), Answer::Again(text) if text.contains("is not a tag pattern")));
        assert!(seen.is_question());
    }

    #[test]
    fn without_a_likely_one_a_number_is_needed() {
        let seen = seen(&["a-1.0", "b-1.0"], None).unwrap();
        assert!(matches!(seen.answer(""), Answer::Again(_)));
        let error = seen.decide().unwrap_err().to_string();
        assert!(error.contains("`a-{version}`, `b-{version}`"), "{error}");
    }

    #[test]
    fn what_has_no_release_says_what_it_has() {
        let error = seen(&["latest", "v2.0.0-rc.1"], None).unwrap_err().to_string();
        assert!(error.contains("v2.0.0-rc.1, latest"), "{error}");
        assert!(seen(&[], None).unwrap_err().to_string().contains("has no tag"));
        let error = seen(&["1.0"], Some("v{version}")).unwrap_err();
        assert!(
            error.to_string().contains("no release of `registry.test/x` has the tag pattern `v{version}`"),
            "{error}"
        );
    }
}
