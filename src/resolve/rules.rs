//! What the catalog demands of a component's version, as the pure choice wants it.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::choice::{Age, Compatibility, EndOfLife, Rules, end_of_day, parse_day};
use super::{Failure, Notice};
use crate::catalog::model::{Accepted, Catalog, Component, Warning};
use crate::version::{Constraint, Hold, Version, fill};

/// Reads texts of the catalog, which its own rules have checked before.
pub(super) struct Reader<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) as_of: Timestamp,
    pub(super) kubernetes: &'a Version,
    pub(super) also: &'a [Version],
}

/// Whether a kind of warning is accepted today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acceptance<'c> {
    /// It is not.
    No,
    /// It was, until this day.
    Over(Date),
    /// It is, for this reason.
    Yes(&'c str),
}

fn field<E: std::fmt::Display>(field: &'static str) -> impl Fn(E) -> Failure {
    move |error| Failure::Field { field, problem: error.to_string() }
}

impl Reader<'_> {
    /// A constraint with the platform's versions filled in.
    pub(super) fn constraint(&self, name: &'static str, text: &str) -> Result<Constraint, Failure> {
        self.filled(name, text)
    }

    fn filled<T: FromStr<Err: std::fmt::Display>>(&self, name: &'static str, text: &str) -> Result<T, Failure> {
        let platform = &self.catalog.file.platform;
        let kubeedge = platform.kubeedge.as_ref().map(|v| v.value.as_str());
        let filled = fill(text, &platform.kubernetes.value, kubeedge).map_err(field(name))?;
        filled.parse().map_err(field(name))
    }

    /// The day of this choice.
    pub(super) fn today(&self) -> Date {
        self.as_of.to_zoned(TimeZone::UTC).date()
    }

    /// The rules for a component's own version.
    pub(super) fn rules(&self, component: &Component) -> Result<Rules, Failure> {
        let mut rules = self.plain_rules(component)?;
        for row in &component.compatibility {
            let optional = |text: &Option<crate::yaml::Spanned<String>>| {
                text.as_ref().map(|t| self.constraint("compatibility", &t.value)).transpose()
            };
            rules.compatibility.push(Compatibility {
                versions: self.constraint("compatibility", &row.versions.value)?,
                kubernetes: optional(&row.kubernetes)?,
                kubeedge: optional(&row.kubeedge)?,
            });
        }
        for row in &component.end_of_life {
            rules.end_of_life.push(EndOfLife {
                versions: self.constraint("end_of_life", &row.versions.value)?,
                date: parse_day(&row.date.value).map_err(field("end_of_life"))?,
                successor: row.successor.clone(),
            });
        }
        Ok(rules)
    }

    /// The rules without the component's rows, for a chart that follows another version.
    pub(super) fn plain_rules(&self, component: &Component) -> Result<Rules, Failure> {
        let age = component.min_age.as_ref().or(self.catalog.file.policy.min_age.as_ref());
        let kubeedge = self.catalog.file.platform.kubeedge.as_ref();
        Ok(Rules {
            as_of: self.as_of,
            min_age: age.map_or(Ok(Age::default()), |age| age.value.parse().map_err(field("min_age")))?,
            kubernetes: self.kubernetes.clone(),
            also: self.also.to_vec(),
            kubeedge: kubeedge.map(|v| v.value.parse().map_err(field("platform.kubeedge"))).transpose()?,
            compatibility: Vec::new(),
            end_of_life: Vec::new(),
        })
    }

    /// Whether one of the `accepted` of a component or of the catalog accepts a kind of warning today.
    pub(super) fn accepted<'c>(&self, accepted: &'c [Accepted], what: Warning) -> Acceptance<'c> {
        let mut acceptance = Acceptance::No;
        for accepted in accepted.iter().filter(|accepted| accepted.what == what) {
            // The catalog's rules have refused a text that is no day.
            let until = accepted.until.as_ref().and_then(|until| parse_day(&until.value).ok());
            match until {
                Some(day) if self.as_of > end_of_day(day) => acceptance = Acceptance::Over(day),
                _ => return Acceptance::Yes(&accepted.reason),
            }
        }
        acceptance
    }

    /// What has to be said, with whether it is accepted.
    pub(super) fn notice(&self, component: Option<&str>, what: Warning, mut text: String, fails_check: bool) -> Notice {
        let of_component = component.and_then(|name| self.catalog.components.get(name));
        let list = of_component.map_or(&self.catalog.file.accepted, |component| &component.accepted);
        let acceptance = self.accepted(list, what);
        if let Acceptance::Over(day) = acceptance {
            text = format!("{text} (this was accepted until {day})");
        }
        let accepted = if let Acceptance::Yes(reason) = acceptance { Some(reason.to_owned()) } else { None };
        let fails_check = fails_check && accepted.is_none();
        Notice { component: component.map(str::to_owned), what, text, accepted, fails_check }
    }

    /// What is held, and the day until which it is, where that day is over.
    pub(super) fn hold(&self, component: &Component) -> Result<(Option<Hold>, Option<Date>), Failure> {
        let Some(hold) = &component.hold else { return Ok((None, None)) };
        let held = self.filled("hold", &hold.version.value)?;
        let until = hold.until.as_ref().map(|day| parse_day(&day.value).map_err(field("hold"))).transpose()?;
        Ok((Some(held), until.filter(|day| *day < self.today())))
    }
}
