//! What the catalog demands of a component's version, as the pure choice wants it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Failure;
use super::choice::{Age, Compatibility, EndOfLife, Rules, end_of_day, parse_day};
use crate::catalog::model::{Catalog, Component, Warning};
use crate::version::{Constraint, Version, fill};

/// Reads texts of the catalog, which its own rules have checked before.
pub(super) struct Reader<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) as_of: Timestamp,
    pub(super) kubernetes: &'a Version,
}

fn field<E: std::fmt::Display>(field: &'static str) -> impl Fn(E) -> Failure {
    move |error| Failure::Field { field, problem: error.to_string() }
}

impl Reader<'_> {
    /// A constraint with the platform's versions filled in.
    pub(super) fn constraint(&self, name: &'static str, text: &str) -> Result<Constraint, Failure> {
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
            kubeedge: kubeedge.map(|v| v.value.parse().map_err(field("platform.kubeedge"))).transpose()?,
            compatibility: Vec::new(),
            end_of_life: Vec::new(),
        })
    }

    /// Why a kind of warning is accepted today, if it is.
    pub(super) fn accepted<'c>(&self, component: &'c Component, what: Warning) -> Option<&'c str> {
        let open = |until: &Option<crate::yaml::Spanned<String>>| {
            until.as_ref().is_none_or(|until| parse_day(&until.value).is_ok_and(|day| self.as_of <= end_of_day(day)))
        };
        component.accepted.iter().find(|a| a.what == what && open(&a.until)).map(|a| a.reason.as_str())
    }

    /// The held version, and the day until which it is, where that day is over.
    pub(super) fn hold(&self, component: &Component) -> Result<(Option<Version>, Option<Date>), Failure> {
        let Some(hold) = &component.hold else { return Ok((None, None)) };
        let version = hold.version.value.parse().map_err(field("hold"))?;
        let until = hold.until.as_ref().map(|day| parse_day(&day.value).map_err(field("hold"))).transpose()?;
        Ok((Some(version), until.filter(|day| *day < self.today())))
    }
}
