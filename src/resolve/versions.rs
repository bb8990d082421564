//! Which version of a component, and of its charts, is taken: what the sources list, put before the pure choice.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::Failure;
use super::choice::{self, Age, Facts, Notice, Ranked, Refusal, Rules};
use super::rules::{Acceptance, Reader};
use super::sources::Sources;
use crate::catalog::model::{self, Component, SourceKind, Warning};
use crate::catalog::names::Names;
use crate::event::{Event, Reporter};
use crate::lock::model as lock;
use crate::oci::{Arch, Digest, Reference};
use crate::source::github::{Listing, Repository};
use crate::source::helm;
use crate::version::{Constraint, Hold, Pattern};

/// How many candidates of one component are asked about, each for a request: past them the constraint or the cool-down
/// is wrong, and going on would use up GitHub's hour.
const MAX_ASKED: usize = 30;
/// How long before its day an end of life is said aloud: time enough to move to the successor.
const ANNOUNCED: SignedDuration = SignedDuration::from_hours(180 * 24);
/// How many refusals an error names.
const MAX_NAMED: usize = 5;

/// What was chosen for a component.
pub(super) struct Choice {
    /// The version: of the source, else of the charts.
    pub(super) version: String,
    /// The tag that has it, where the source has tags.
    pub(super) tag: Option<String>,
    /// Its charts, in the catalog's order.
    pub(super) charts: Vec<ChartChoice>,
    /// What has to be said about it.
    pub(super) remarks: Vec<Remark>,
}

/// Something to say about a choice.
pub(super) struct Remark {
    pub(super) what: Warning,
    pub(super) text: String,
    /// Whether `--check` fails over it unless it is accepted.
    pub(super) fails_check: bool,
}

/// What was chosen for a chart.
pub(super) struct ChartChoice {
    /// The version that its archive says; not known beforehand where the catalog names the archive itself.
    pub(super) version: Option<String>,
    pub(super) location: Location,
    /// The archive's published sha256.
    pub(super) digest: Option<Digest>,
}

/// Where a chart's archive is.
pub(super) enum Location {
    /// In any of these places.
    Urls(Vec<Url>),
    /// In a registry.
    Registry(Reference),
}

/// Where versions are listed, with the list.
enum Origin {
    GitHub { repository: Repository, kind: SourceKind, listing: Listing },
    Helm { entries: Vec<helm::Entry>, dates: Vec<Option<Timestamp>>, newest_deprecated: bool },
    Registry { repository: Reference, tags: Arc<Vec<String>>, chart: bool },
}

impl Origin {
    fn tags(&self) -> Vec<String> {
        match self {
            Self::GitHub { listing, .. } => listing.tags.keys().cloned().collect(),
            Self::Helm { entries, .. } => entries.iter().map(|entry| entry.version.clone()).collect(),
            // Helm writes the `+` of a version as `_`, which a tag may have.
            Self::Registry { tags, chart: true, .. } => tags.iter().map(|tag| tag.replace('_', "+")).collect(),
            Self::Registry { tags, .. } => tags.to_vec(),
        }
    }

    fn entry(&self, tag: &str) -> Option<(usize, &helm::Entry)> {
        match self {
            Self::Helm { entries, .. } => entries.iter().enumerate().find(|(_, entry)| entry.version == tag),
            _ => None,
        }
    }

    /// What is known of a candidate without asking anybody.
    fn known(&self, candidate: &Ranked) -> Facts {
        let mut facts = Facts::new(candidate.version.clone(), None);
        if let (Self::Helm { newest_deprecated, .. }, Some((_, entry))) = (self, self.entry(&candidate.tag)) {
            facts.kube_version.clone_from(&entry.kube_version);
            // Helm's own rule: a chart is deprecated when its newest version says so.
            facts.deprecated = entry.deprecated || *newest_deprecated;
        }
        facts
    }
}

/// Chooses the versions of one component.
pub(super) struct Chooser<'a> {
    pub(super) name: &'a str,
    pub(super) component: &'a Component,
    pub(super) sources: &'a Sources,
    pub(super) reader: &'a Reader<'a>,
    pub(super) reporter: &'a dyn Reporter,
    /// The component as the lock has it.
    pub(super) locked: Option<&'a lock::Component>,
}

impl Chooser<'_> {
    pub(super) async fn choose(&self) -> Result<Choice, Failure> {
        if self.component.is_own() {
            let version = self.reader.catalog.file.version.value.clone();
            return Ok(Choice { version, tag: None, charts: Vec::new(), remarks: Vec::new() });
        }
        let mut rules = self.reader.rules(self.component)?;
        let rows = rules.compatibility.clone();
        let accepted = self.reader.accepted(&self.component.accepted, Warning::Compatibility);
        let accepted = matches!(accepted, Acceptance::Yes(_));
        if accepted {
            rules.compatibility.clear();
        }
        let (hold, over) = self.reader.hold(self.component)?;
        if let (Some(held), Some(about)) = (&hold, &self.component.hold) {
            self.reporter.report(Event::Detail(&format!("{}: held at {held}: {}", self.name, about.reason)));
        }
        let mut remarks = Vec::new();
        if let Some(day) = over {
            let reason = self.component.hold.as_ref().map_or("", |hold| &hold.reason);
            let text = format!("its hold ended on {day} ({reason}); decide anew whether it is needed");
            remarks.push(Remark { what: Warning::Hold, text, fails_check: true });
        }
        let (chosen, facts, tag, charts) = match &self.component.source {
            Some(source) => {
                let (origin, pattern) = self.origin(&source.value).await?;
                if let Origin::GitHub { repository, listing, .. } = &origin
                    && let Some(now) = &listing.renamed
                {
                    let text = format!("{repository} is {now} now; write that in `source.github`");
                    remarks.push(Remark { what: Warning::Renamed, text, fails_check: true });
                }
                let of = describe(&source.value);
                let constraint = self.constraint("version", self.component.version.as_ref())?;
                let ranked = self.rank(&of, &[&origin], &pattern, &[constraint], hold.as_ref())?;
                let (chosen, mut facts) = self.search(&of, &[&origin], ranked, &rules).await?;
                facts.newest = is_newest(&chosen, &origin, &pattern);
                let version = chosen.version.as_str().to_owned();
                let names = Names { version: Some(&version), tag: Some(&chosen.tag), ..Names::default() };
                let charts = self.charts_beside(&names, &mut remarks).await?;
                let tag = (!matches!(origin, Origin::Helm { .. })).then(|| chosen.tag.clone());
                (version, facts, tag, charts)
            }
            None => self.charts_alone(&rules, hold.as_ref()).await?,
        };
        let spoken = choice::notices(&facts, &rules).into_iter().filter(|notice| self.is_near(notice));
        remarks.extend(spoken.map(|notice| remark(&notice, "")));
        if accepted
            && let Err(refusal) = choice::judge(&Facts::new(facts.version.clone(), None), &timeless(&rules, rows))
        {
            remarks.push(Remark { what: Warning::Compatibility, text: refusal.to_string(), fails_check: true });
        }
        Ok(Choice { version: chosen, tag, charts, remarks })
    }

    /// Whether a notice concerns anybody yet: an end of life that is years away does not.
    fn is_near(&self, notice: &Notice) -> bool {
        match notice {
            Notice::EndOfLife { date, past: false, .. } => {
                choice::end_of_day(*date).duration_since(self.reader.as_of) <= ANNOUNCED
            }
            _ => true,
        }
    }

    /// The charts of a component whose version is its source's: each has a version of its own.
    async fn charts_beside(&self, names: &Names<'_>, remarks: &mut Vec<Remark>) -> Result<Vec<ChartChoice>, Failure> {
        let rules = self.reader.plain_rules(self.component)?;
        let mut charts = Vec::new();
        for chart in self.component.all_charts() {
            let chart = &chart.value;
            if let Some(url) = &chart.url {
                let url = names.fill_url(url)?;
                let location = Location::Urls(vec![parse_url("chart.url", &url)?]);
                charts.push(ChartChoice { version: None, location, digest: None });
                continue;
            }
            let origin = self.chart_origin(chart).await?;
            let constraint = self.constraint("chart.version", chart.version.as_ref())?;
            let of = format!("chart {}", chart.name);
            let ranked = self.rank(&of, &[&origin], &Pattern::of_charts(), &[constraint], None)?;
            let (chosen, facts) = self.search(&of, &[&origin], ranked, &rules).await?;
            remarks.extend(choice::notices(&facts, &rules).iter().map(|n| remark(n, &of)));
            charts.push(located(chart, &origin, &chosen.tag)?);
        }
        Ok(charts)
    }

    /// The charts of a component without a source: they share one version.
    async fn charts_alone(
        &self,
        rules: &Rules,
        hold: Option<&Hold>,
    ) -> Result<(String, Facts, Option<String>, Vec<ChartChoice>), Failure> {
        let charts: Vec<&model::Chart> = self.component.all_charts().map(|chart| &chart.value).collect();
        let Some(first) = charts.first() else {
            let problem = "a component without a chart needs one".to_owned();
            return Err(Failure::Field { field: "source", problem });
        };
        let mut origins = Vec::new();
        let mut constraints = vec![self.constraint("version", self.component.version.as_ref())?];
        for chart in &charts {
            origins.push(self.chart_origin(chart).await?);
            constraints.push(self.constraint("chart.version", chart.version.as_ref())?);
        }
        let origins: Vec<&Origin> = origins.iter().collect();
        let pattern = Pattern::of_charts();
        let of = format!("chart {}", first.name);
        let ranked = self.rank(&of, &origins, &pattern, &constraints, hold)?;
        let (chosen, mut facts) = self.search(&of, &origins, ranked, rules).await?;
        facts.newest = is_newest(&chosen, origins[0], &pattern);
        let located: Result<Vec<_>, _> =
            charts.iter().zip(&origins).map(|(chart, origin)| located(chart, origin, &chosen.tag)).collect();
        Ok((chosen.tag, facts, None, located?))
    }

    fn constraint(
        &self,
        field: &'static str,
        text: Option<&crate::yaml::Spanned<String>>,
    ) -> Result<Option<Constraint>, Failure> {
        text.map(|text| self.reader.constraint(field, &text.value)).transpose()
    }

    /// The candidates that every origin has, highest first.
    fn rank(
        &self,
        of: &str,
        origins: &[&Origin],
        pattern: &Pattern,
        constraints: &[Option<Constraint>],
        hold: Option<&Hold>,
    ) -> Result<Vec<Ranked>, Failure> {
        let mut tags = origins[0].tags();
        for other in &origins[1..] {
            let others: std::collections::BTreeSet<String> = other.tags().into_iter().collect();
            tags.retain(|tag| others.contains(tag));
        }
        let mut ranked = choice::rank(&tags, pattern, None, hold);
        ranked.retain(|candidate| constraints.iter().flatten().all(|c| c.matches(&candidate.version)));
        match hold {
            Some(hold) if ranked.is_empty() => {
                Err(Failure::HeldMissing { of: of.to_owned(), version: hold.to_string() })
            }
            _ => Ok(ranked),
        }
    }

    /// The first candidate that the rules let through, asking about one after the other.
    async fn search(
        &self,
        of: &str,
        origins: &[&Origin],
        ranked: Vec<Ranked>,
        rules: &Rules,
    ) -> Result<(Ranked, Facts), Failure> {
        let candidates = ranked.len();
        let mut refused = Vec::new();
        let mut asked = 0;
        let timeless = timeless(rules, rules.compatibility.clone());
        for candidate in ranked {
            // What speaks against it without a date costs no request.
            let known = origins.iter().map(|origin| choice::judge(&origin.known(&candidate), &timeless));
            let mut refusal = known.filter_map(Result::err).next().map(|refusal| refusal.to_string());
            if refusal.is_none() {
                if asked == MAX_ASKED {
                    break;
                }
                asked += 1;
                match self.facts(origins[0], &candidate, rules.min_age).await? {
                    None => refusal = Some(format!("the tag {} has no release", candidate.tag)),
                    Some(facts) => match choice::judge(&facts, rules) {
                        Ok(()) => match self.refused_beside(&origins[1..], &candidate, &timeless).await? {
                            None => return Ok((candidate, facts)),
                            Some(other) => refusal = Some(other.to_string()),
                        },
                        Err(source) if source.ends_search() => {
                            return Err(Failure::Refused { of: of.to_owned(), source: Box::new(source) });
                        }
                        Err(source) => refusal = Some(source.to_string()),
                    },
                }
            }
            if let Some(refusal) = refusal {
                self.reporter.report(Event::Detail(&format!("{}: {of}: passed over: {refusal}", self.name)));
                refused.push(refusal);
            }
        }
        refused.truncate(MAX_NAMED);
        Err(Failure::NoVersion { of: of.to_owned(), candidates, refused })
    }

    /// What speaks against a candidate in a component's further charts: those in a registry tell it only when asked.
    async fn refused_beside(
        &self,
        origins: &[&Origin],
        candidate: &Ranked,
        timeless: &Rules,
    ) -> Result<Option<Refusal>, Failure> {
        for origin in origins.iter().filter(|origin| matches!(origin, Origin::Registry { .. })) {
            let facts = self.facts(origin, candidate, Age::default()).await?;
            if let Some(Err(refusal)) = facts.map(|facts| choice::judge(&facts, timeless)) {
                return Ok(Some(refusal));
            }
        }
        Ok(None)
    }

    /// What the source says about a candidate; none where its tag has no release.
    async fn facts(&self, origin: &Origin, candidate: &Ranked, min_age: Age) -> Result<Option<Facts>, Failure> {
        let mut facts = origin.known(candidate);
        match origin {
            Origin::GitHub { repository, kind: SourceKind::Releases, listing } => {
                let release = self.sources.github.release(repository, &candidate.tag, listing.fingerprint).await?;
                let Some(release) = release else { return Ok(None) };
                facts.draft = release.draft;
                facts.prerelease = release.prerelease;
                facts.date = release.published_at;
                facts.moved = listing.moved.get(&candidate.tag).copied();
            }
            Origin::GitHub { repository, kind: SourceKind::Tags, listing } => {
                facts.moved = listing.moved.get(&candidate.tag).copied();
                if let Some(tag) = listing.tags.get(&candidate.tag).filter(|_| !min_age.is_zero()) {
                    facts.date = Some(self.sources.github.commit_date(repository, tag.commit()).await?);
                }
            }
            Origin::Helm { dates, .. } => {
                let Some((index, entry)) = origin.entry(&candidate.tag) else { return Ok(None) };
                facts.date = match dates[index] {
                    None if !min_age.is_zero() => self.release_date(entry).await?,
                    date => date,
                };
                facts.moved = self.moved(candidate, entry.digest().ok().flatten());
            }
            Origin::Registry { repository, chart, .. } => {
                let tag = if *chart { candidate.tag.replace('+', "_") } else { candidate.tag.clone() };
                let reference = with_tag(repository, &tag)?;
                if !min_age.is_zero() {
                    let created = self.sources.created(&reference, self.arch()).await?;
                    facts.date = created.and_then(choice::image_date);
                }
                if *chart {
                    let about = self.sources.about_chart(&reference).await?;
                    (facts.kube_version, facts.deprecated) = (about.kube_version, about.deprecated == Some(true));
                }
            }
        }
        Ok(Some(facts))
    }

    /// When the chart of the locked version was first seen with another digest than the locked one.
    fn moved(&self, candidate: &Ranked, digest: Option<Digest>) -> Option<Timestamp> {
        let locked = self.locked?;
        let chart = locked.chart.as_ref()?;
        let version = chart.version.as_ref().unwrap_or(&locked.version);
        let digest = digest.filter(|digest| *digest != chart.sha256 && *version == candidate.tag)?;
        Some(self.sources.first_seen(&chart.url, digest))
    }

    /// The date of the GitHub release that an index entry's URL points at.
    async fn release_date(&self, entry: &helm::Entry) -> Result<Option<Timestamp>, Failure> {
        let github = &self.sources.github;
        let Some((repository, tag)) = entry.urls.iter().find_map(|url| github.release_of(url.as_str())) else {
            return Ok(None);
        };
        let listing = github.tags(&repository, &tag).await?;
        let release = github.release(&repository, &tag, listing.fingerprint).await?;
        Ok(release.and_then(|release| release.published_at))
    }

    /// The architecture whose child of an index tells the date.
    fn arch(&self) -> Arch {
        self.reader.catalog.file.platform.architectures.first().copied().unwrap_or(Arch::Amd64)
    }

    async fn origin(&self, source: &model::Source) -> Result<(Origin, Pattern), Failure> {
        let field = |field| move |problem: String| Failure::Field { field, problem };
        let pattern = |tag: &str| -> Result<Pattern, Failure> {
            tag.parse().map_err(|e: crate::version::PatternError| field("source.tag")(e.to_string()))
        };
        if let Some(github) = &source.github {
            let repository: Repository = github
                .parse()
                .map_err(|e: crate::source::github::NotRepository| field("source.github")(e.to_string()))?;
            let pattern = pattern(source.tag.as_deref().unwrap_or("v{version}"))?;
            let listing = self.sources.github.tags(&repository, pattern.prefix()).await?;
            let kind = source.kind.unwrap_or(SourceKind::Releases);
            return Ok((Origin::GitHub { repository, kind, listing }, pattern));
        }
        if let Some(helm) = &source.helm {
            let chart = source.chart.as_deref().unwrap_or(self.name);
            let origin = self.helm_origin("source.helm", helm, chart).await?;
            let pattern = match &source.tag {
                Some(tag) => pattern(tag)?,
                None => Pattern::of_charts(),
            };
            return Ok((origin, pattern));
        }
        let Some(oci) = &source.oci else {
            return Err(field("source")("it needs one of `github`, `helm` and `oci`".to_owned()));
        };
        let repository = repository("source.oci", oci)?;
        let tags = self.sources.registry_tags(&repository).await?;
        let pattern = pattern(source.tag.as_deref().unwrap_or("{version}"))?;
        Ok((Origin::Registry { repository, tags, chart: false }, pattern))
    }

    async fn chart_origin(&self, chart: &model::Chart) -> Result<Origin, Failure> {
        let Some(place) = &chart.repository else {
            let problem = "a chart with `url` needs a `source` beside it".to_owned();
            return Err(Failure::Field { field: "chart", problem });
        };
        if place.starts_with("oci://") {
            let repository =
                repository("chart.repository", &format!("{}/{}", place.trim_end_matches('/'), chart.name))?;
            let tags = self.sources.registry_tags(&repository).await?;
            return Ok(Origin::Registry { repository, tags, chart: true });
        }
        self.helm_origin("chart.repository", place, &chart.name).await
    }

    async fn helm_origin(&self, field: &'static str, place: &str, chart: &str) -> Result<Origin, Failure> {
        let entries = self.sources.index(&parse_url(field, place)?, chart).await?;
        let created: Vec<Option<Timestamp>> = entries.iter().map(|entry| entry.created).collect();
        let tags: Vec<&str> = entries.iter().map(|entry| entry.version.as_str()).collect();
        let newest = choice::rank(&tags, &Pattern::of_charts(), None, None).into_iter().next();
        let newest_deprecated =
            newest.is_some_and(|newest| entries.iter().any(|e| e.version == newest.tag && e.deprecated));
        Ok(Origin::Helm { dates: choice::trusted_dates(&created), entries, newest_deprecated })
    }
}

/// Whether the origin has nothing higher, whatever constraint or hold there is.
fn is_newest(chosen: &Ranked, origin: &Origin, pattern: &Pattern) -> bool {
    choice::rank(origin.tags(), pattern, None, None).first().is_some_and(|first| first.tag == chosen.tag)
}

/// The rules without any about dates.
fn timeless(rules: &Rules, compatibility: Vec<choice::Compatibility>) -> Rules {
    Rules { as_of: Timestamp::MAX, min_age: Age::default(), compatibility, ..rules.clone() }
}

fn remark(notice: &Notice, of: &str) -> Remark {
    let text = if of.is_empty() { notice.to_string() } else { format!("{of}: {notice}") };
    Remark { what: notice.kind(), text, fails_check: notice.fails_check() }
}

/// Where the chosen version of a chart is.
fn located(chart: &model::Chart, origin: &Origin, tag: &str) -> Result<ChartChoice, Failure> {
    match origin {
        Origin::Registry { repository, .. } => {
            let reference = with_tag(repository, &tag.replace('+', "_"))?;
            Ok(ChartChoice { version: Some(tag.to_owned()), location: Location::Registry(reference), digest: None })
        }
        _ => {
            let missing =
                || Failure::NoVersion { of: format!("chart {}", chart.name), candidates: 0, refused: Vec::new() };
            let (_, entry) = origin.entry(tag).ok_or_else(missing)?;
            Ok(ChartChoice {
                version: Some(tag.to_owned()),
                location: Location::Urls(entry.urls.clone()),
                digest: entry.digest()?,
            })
        }
    }
}

fn describe(source: &model::Source) -> String {
    let text = source.github.as_ref().or(source.chart.as_ref()).or(source.helm.as_ref()).or(source.oci.as_ref());
    text.cloned().unwrap_or_default()
}

pub(super) fn parse_url(field: &'static str, text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|error| Failure::Field { field, problem: format!("`{text}` is no URL: {error}") })
}

fn repository(field: &'static str, text: &str) -> Result<Reference, Failure> {
    let text = text.strip_prefix("oci://").unwrap_or(text);
    text.parse().map_err(|error: crate::oci::ReferenceError| Failure::Field { field, problem: error.to_string() })
}

fn with_tag(repository: &Reference, tag: &str) -> Result<Reference, Failure> {
    repository.with_tag(tag).map_err(|source| Failure::NotImage {
        found: "the tags of the registry".to_owned(),
        text: format!("{}:{tag}", repository.name()),
        source,
    })
}
