use proptest::prelude::*;

use super::*;
use crate::catalog::model::Warning;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn constraint(text: &str) -> Constraint {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The tags that `pattern` leaves, in the order in which they are asked.
fn ranked(pattern: &str, constraint: Option<&str>, tags: &[&str]) -> Vec<String> {
    let constraint = constraint.map(self::constraint);
    rank(tags, &pattern.parse().unwrap(), constraint.as_ref(), None).into_iter().map(|one| one.tag).collect()
}

fn rules() -> Rules {
    Rules {
        as_of: end_of_day(parse_day("2026-11-20").unwrap()),
        min_age: "7d".parse().unwrap(),
        kubernetes: version("1.36.4+k3s1"),
        also: Vec::new(),
        kubeedge: Some(version("1.23")),
        compatibility: Vec::new(),
        end_of_life: Vec::new(),
    }
}

/// A release that is old enough.
fn facts(text: &str) -> Facts {
    Facts::new(version(text), Some(at("2026-10-01T12:00:00Z")))
}

fn refusal(facts: &Facts, rules: &Rules) -> String {
    judge(facts, rules).unwrap_err().to_string()
}

#[test]
fn monorepo_tags_of_other_charts_are_left_out() {
    let tags = [
        "prometheus-ipmi-exporter-0.8.2",
        "kube-prometheus-stack-88.5.3",
        "kube-prometheus-stack-88.10.0",
        "prometheus-29.0.0",
    ];
    assert_eq!(
        ranked("kube-prometheus-stack-{version}", None, &tags),
        ["kube-prometheus-stack-88.10.0", "kube-prometheus-stack-88.5.3"]
    );
}

#[test]
fn a_backport_that_is_newer_by_date_is_not_higher() {
    assert_eq!(ranked("v{version}", None, &["v2.3.4", "v2.2.7", "v1.7.34"])[0], "v2.3.4");
}

#[test]
fn library_tags_are_lower_or_kept_out_by_a_constraint() {
    let tags = ["v0.314.0", "v3.14.0", "v3.13.2"];
    assert_eq!(ranked("v{version}", None, &tags)[0], "v3.14.0");
    assert_eq!(ranked("v{version}", Some(">=3"), &tags), ["v3.14.0", "v3.13.2"]);
}

#[test]
fn pre_releases_by_their_text_are_never_asked() {
    let tags = [
        "v0.160.0-nightly.202608220225",
        "v1.19.0-rc.3",
        "v2.4.0-beta.0",
        "v1.6.0-lts",
        "v2.1.0rc3",
        "v3.0.0-alpha1",
        "v0.159.0",
    ];
    assert_eq!(ranked("v{version}", None, &tags), ["v0.159.0"]);
}

#[test]
fn builds_of_k3s_are_ordered_as_numbers() {
    let tags = ["v1.36.4+k3s1", "v1.36.4+k3s10", "v1.36.4+k3s2", "v1.36.4-rc1+k3s1", "v1.35.9+k3s11"];
    assert_eq!(ranked("v{version}", Some("1.36.*"), &tags), ["v1.36.4+k3s10", "v1.36.4+k3s2", "v1.36.4+k3s1"]);
}

#[test]
fn a_variant_of_a_plain_version_comes_after_it() {
    let tags = ["v2.54.0+dedupelabels", "v2.54.0", "v2.53.2"];
    assert_eq!(ranked("v{version}", None, &tags), ["v2.54.0", "v2.54.0+dedupelabels", "v2.53.2"]);
}

#[test]
fn four_parts_are_above_three() {
    assert_eq!(ranked("v{version}", None, &["v4.2.3", "v4.2.3.1", "v4.2.2"])[0], "v4.2.3.1");
}

#[test]
fn a_moving_major_tag_is_below_the_releases_that_it_moves_over() {
    assert_eq!(ranked("v{version}", None, &["v4", "v4.53.6", "v4.0.0"]), ["v4.53.6", "v4.0.0", "v4"]);
}

#[test]
fn charts_with_and_without_a_v_are_in_one_order() {
    let tags = ["1.8.2", "v1.9.0", "v1.10.0", "1.10.0", "v1.4.0", "2.0.0-dev", "v1.10"];
    let ranked: Vec<_> = rank(tags, &Pattern::of_charts(), None, None).into_iter().map(|one| one.tag).collect();
    assert_eq!(ranked, ["1.10.0", "v1.10.0", "v1.10", "v1.9.0", "1.8.2", "v1.4.0"]);
}

#[test]
fn two_majors_of_one_day_are_told_apart_by_a_constraint() {
    let tags = ["v3.21.4", "v4.2.4"];
    assert_eq!(ranked("v{version}", None, &tags), ["v4.2.4", "v3.21.4"]);
    assert_eq!(ranked("v{version}", Some("<4"), &tags), ["v3.21.4"]);
}

#[test]
fn a_hold_leaves_exactly_one_version() {
    let tags = ["v2.20.0", "v2.21.0", "v2.20.0+build"];
    let hold = "2.20.0".parse().unwrap();
    let held = rank(tags, &"v{version}".parse().unwrap(), None, Some(&hold));
    assert_eq!(held, [Ranked { tag: "v2.20.0".to_owned(), version: version("2.20.0") }]);
}

#[test]
fn a_hold_on_a_range_leaves_the_highest_of_it() {
    let hold = "<89".parse().unwrap();
    let tags = ["90.1.0", "89.0.0", "88.9.0", "88.10.2", "87.1.0"];
    let held = rank(tags, &"{version}".parse().unwrap(), Some(&">=88".parse().unwrap()), Some(&hold));
    assert_eq!(held.into_iter().map(|one| one.tag).collect::<Vec<_>>(), ["88.10.2", "88.9.0"]);
}

#[test]
fn a_deleted_release_is_passed_over() {
    let deleted = Facts { withdrawn: true, ..facts("1.2.3") };
    assert_eq!(refusal(&deleted, &rules()), "1.2.3 was withdrawn");
}

#[test]
fn a_draft_is_passed_over() {
    assert_eq!(refusal(&Facts { draft: true, ..facts("1.2.3") }, &rules()), "1.2.3 is a draft");
}

#[test]
fn either_sign_of_a_pre_release_is_enough() {
    let flag_only = Facts { prerelease: true, ..facts("1.2.3") };
    assert_eq!(refusal(&flag_only, &rules()), "1.2.3 is a pre-release by its publisher's mark");
    assert_eq!(refusal(&facts("1.2.3-rc.1"), &rules()), "1.2.3-rc.1 is a pre-release");
    let both = Facts { prerelease: true, ..facts("1.2.3-rc.1") };
    assert_eq!(refusal(&both, &rules()), "1.2.3-rc.1 is a pre-release");
}

#[test]
fn a_release_becomes_old_enough_to_the_second() {
    let mut rules = rules();
    let released = |text| Facts::new(version("4.3.0"), Some(at(text)));
    rules.as_of = at("2026-11-20T12:00:00Z");
    assert_eq!(judge(&released("2026-11-13T12:00:00Z"), &rules), Ok(()));
    assert_eq!(refusal(&released("2026-11-13T12:00:01Z"), &rules), "4.3.0 was released 2026-11-13, younger than 7d");
    assert_eq!(refusal(&released("2026-11-20T23:00:00Z"), &rules), "4.3.0 was released 2026-11-20, after 2026-11-20");
    rules.min_age = Age::default();
    assert_eq!(judge(&released("2026-11-20T12:00:00Z"), &rules), Ok(()));
}

#[test]
fn the_day_of_as_of_counts_to_its_end_in_utc() {
    let rules = Rules { as_of: end_of_day(parse_day("2026-03-01").unwrap()), min_age: Age::default(), ..rules() };
    let released = |text| Facts::new(version("1.0"), Some(at(text)));
    assert_eq!(judge(&released("2026-03-01T23:59:59Z"), &rules), Ok(()));
    assert_eq!(judge(&released("2026-03-02T07:00:00+08:00"), &rules), Ok(()));
    assert!(judge(&released("2026-03-01T20:00:00-08:00"), &rules).is_err());
}

#[test]
fn a_moved_tag_starts_its_cool_down_anew() {
    let moved = |text| Facts { moved: Some(at(text)), ..facts("1.2.3") };
    assert_eq!(
        refusal(&moved("2026-11-19T00:00:00Z"), &rules()),
        "the tag of 1.2.3 moved 2026-11-19, less than 7d ago"
    );
    assert_eq!(judge(&moved("2026-10-10T00:00:00Z"), &rules()), Ok(()));
}

#[test]
fn without_a_date_the_search_ends_unless_no_age_is_asked_for() {
    let undated = Facts::new(version("1.2.3"), None);
    let refused = judge(&undated, &rules()).unwrap_err();
    assert!(refused.ends_search());
    assert_eq!(refused.to_string(), "1.2.3 has no date, so nothing tells whether it is 7d old");
    assert!(!judge(&Facts { draft: true, ..facts("1.2.3") }, &rules()).unwrap_err().ends_search());
    assert_eq!(judge(&undated, &Rules { min_age: Age::default(), ..rules() }), Ok(()));
}

#[test]
fn a_chart_names_the_kubernetes_that_it_runs_on() {
    let chart = |range: &str| Facts { kube_version: Some(range.to_owned()), ..facts("88.5.3") };
    for range in [">=1.25.0-0", "^1.25.0-0", ">= 1.21-0", "", "1.36.x"] {
        assert_eq!(judge(&chart(range), &rules()), Ok(()), "{range}");
    }
    assert_eq!(
        refusal(&chart("<1.36.0-0"), &rules()),
        "88.5.3 wants Kubernetes <1.36.0-0, the platform has 1.36.4+k3s1"
    );
    assert_eq!(refusal(&chart("newest"), &rules()), "88.5.3 has the kubeVersion `newest`, which is no range");
}

#[test]
fn an_older_kubernetes_has_to_be_taken_too() {
    let mut rules = Rules { also: vec![version("1.34.0")], ..rules() };
    let chart = |range: &str| Facts { kube_version: Some(range.to_owned()), ..facts("88.5.3") };
    assert_eq!(judge(&chart(">=1.34.0-0"), &rules), Ok(()));
    assert_eq!(
        refusal(&chart(">=1.35.0-0"), &rules),
        "88.5.3 wants Kubernetes >=1.35.0-0, the platform has also 1.34.0"
    );
    rules.compatibility = vec![row("*", Some(">=1.35"), None)];
    assert_eq!(
        refusal(&facts("1.0.0"), &rules),
        "1.0.0 wants Kubernetes >=1.35 (compatibility of *), the platform has also 1.34.0"
    );
}

#[test]
fn what_has_had_no_release_for_two_years_is_said_to_be_unmaintained() {
    let old = Facts { newest: true, ..Facts::new(version("1.17.0"), Some(at("2024-05-31T12:00:00Z"))) };
    let said = notices(&old, &rules());
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].to_string(), "its newest version 1.17.0 is of 2024-05-31; nobody seems to maintain it");
    assert_eq!((said[0].kind(), said[0].fails_check()), (Warning::Unmaintained, true));
    // A line that the catalog keeps to, an age below two years, and no date at all say nothing.
    assert!(notices(&Facts { newest: false, ..old.clone() }, &rules()).is_empty());
    assert!(notices(&Facts { date: Some(at("2024-11-22T00:00:00Z")), ..old.clone() }, &rules()).is_empty());
    assert!(notices(&Facts { date: None, ..old }, &rules()).is_empty());
}

fn row(versions: &str, kubernetes: Option<&str>, kubeedge: Option<&str>) -> Compatibility {
    let parse = |text: Option<&str>| text.map(constraint);
    Compatibility { versions: constraint(versions), kubernetes: parse(kubernetes), kubeedge: parse(kubeedge) }
}

#[test]
fn every_compatibility_row_that_names_the_version_must_hold() {
    let mut rules = rules();
    rules.compatibility = vec![row("0.8.*", Some(">=1.31"), None), row(">=0.9", Some(">=1.37"), None)];
    assert_eq!(judge(&facts("0.8.1"), &rules), Ok(()));
    assert_eq!(
        refusal(&facts("0.9.0"), &rules),
        "0.9.0 wants Kubernetes >=1.37 (compatibility of >=0.9), the platform has 1.36.4+k3s1"
    );
    rules.compatibility = vec![row(">=1", Some(">=1.30"), None), row(">=1.5", None, Some("<1.23"))];
    assert_eq!(judge(&facts("1.4.0"), &rules), Ok(()));
    assert_eq!(
        refusal(&facts("1.5.0"), &rules),
        "1.5.0 wants KubeEdge <1.23 (compatibility of >=1.5), the platform has 1.23"
    );
    rules.kubeedge = None;
    assert_eq!(judge(&facts("1.5.0"), &rules), Ok(()));
}

#[test]
fn a_version_that_no_row_names_is_said_aloud() {
    let rules = Rules { compatibility: vec![row("0.8.*", Some(">=1.31"), None)], ..rules() };
    assert_eq!(judge(&facts("0.9.0"), &rules), Ok(()));
    let notices = notices(&facts("0.9.0"), &rules);
    assert_eq!(notices, [Notice::NoCompatibilityRow { version: version("0.9.0") }]);
    assert_eq!(notices[0].to_string(), "no compatibility row names 0.9.0");
    assert!(notices[0].fails_check());
    assert!(super::notices(&facts("0.8.1"), &rules).is_empty());
}

fn end(versions: &str, date: &str, successor: Option<&str>) -> EndOfLife {
    let successor = successor.map(str::to_owned);
    EndOfLife { versions: constraint(versions), date: parse_day(date).unwrap(), successor }
}

#[test]
fn an_end_of_life_is_said_before_and_fails_after_its_day() {
    let mut rules = rules();
    rules.end_of_life = vec![
        end("<3", "2027-03-02", Some("alloy")),
        end("<2", "2026-11-20", None),
        end("<1", "2026-11-19", Some("alloy")),
    ];
    let said = |text: &str| -> Vec<(String, bool)> {
        notices(&facts(text), &rules).iter().map(|notice| (notice.to_string(), notice.fails_check())).collect()
    };
    assert_eq!(said("3.0"), []);
    assert_eq!(said("2.9"), [("support of 2.9 ends on 2027-03-02; its successor is alloy".to_owned(), false)]);
    assert_eq!(said("1.9"), [("support of 1.9 ends on 2026-11-20".to_owned(), false)]);
    assert_eq!(said("0.9"), [("support of 0.9 ended on 2026-11-19; its successor is alloy".to_owned(), true)]);
}

#[test]
fn a_chart_whose_newest_entry_is_deprecated_is_taken_and_said_aloud() {
    let deprecated = Facts { deprecated: true, ..facts("10.5.15") };
    let mut rules = rules();
    assert_eq!(judge(&deprecated, &rules), Ok(()));
    let said = notices(&deprecated, &rules);
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].to_string().as_str(), said[0].kind()), ("10.5.15 is deprecated", Warning::Deprecated));
    assert!(said[0].fails_check());

    rules.end_of_life = vec![end("*", "2027-01-30", Some("grafana-community"))];
    let said = notices(&deprecated, &rules);
    assert_eq!(said[0].to_string(), "10.5.15 is deprecated; its successor is grafana-community");
    assert_eq!(said.iter().map(Notice::fails_check).collect::<Vec<_>>(), [false, false]);
}

#[test]
fn stamps_of_a_rebuilt_index_do_not_count() {
    let stamp = Some(at("2026-08-20T10:00:00Z"));
    let real = Some(at("2026-05-01T10:00:00Z"));
    assert_eq!(trusted_dates(&[stamp, stamp, real]), [None, None, real]);
    assert_eq!(trusted_dates(&[stamp, stamp, stamp]), [None, None, None]);
    // Exactly half is not fewer than half, and a chart's only entry tells nothing.
    assert_eq!(trusted_dates(&[stamp, real]), [None, None]);
    assert_eq!(trusted_dates(&[stamp]), [None]);
    assert_eq!(trusted_dates(&[]), []);
    // One day has many hours, and an entry without a date is an entry.
    let evening = Some(at("2026-08-20T23:59:59Z"));
    assert_eq!(trusted_dates(&[stamp, evening, real, None]), [None, None, real, None]);
    assert_eq!(trusted_dates(&[stamp, real, None]), [stamp, real, None]);
}

#[test]
fn reproducible_images_have_no_date() {
    assert_eq!(image_date(at("1970-01-01T00:00:00Z")), None);
    assert_eq!(image_date(at("1980-01-01T00:00:01Z")), None);
    assert_eq!(image_date(at("2026-08-20T10:00:00Z")), Some(at("2026-08-20T10:00:00Z")));
}

#[test]
fn ages_and_days_are_read_strictly() {
    for text in ["0d", "7d", "4294967295d"] {
        let age: Age = text.parse().unwrap();
        assert_eq!(age.to_string(), text);
        assert_eq!(age.duration().is_zero(), age.is_zero());
    }
    for text in ["", "d", "7", "-7d", "+7d", "7 d", "7h", "1w", "99999999999d"] {
        let error = text.parse::<Age>().unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` is not an age in whole days, such as `7d`"));
    }
    assert_eq!(end_of_day(parse_day("2026-02-28").unwrap()), at("2026-02-28T23:59:59.999999999Z"));
    for text in ["2026-2-28", "2026-02-30", "20260228", "2026-02-28T00:00:00Z", "today", "", "2026-02-2é"] {
        assert!(parse_day(text).is_err(), "{text}");
    }
    assert!(end_of_day(Date::MAX) > at("9999-12-29T00:00:00Z"));
}

proptest! {
    #[test]
    fn ranking_does_not_depend_on_the_sources_order(
        tags in proptest::collection::vec(r"v[0-2](\.[0-2]){0,3}(-rc[0-2])?(\+k3s[0-2])?|[a-z]{3}", 0..12),
    ) {
        let pattern: Pattern = "v{version}".parse().unwrap();
        let ranked = rank(&tags, &pattern, None, None);
        let mut sorted = tags.clone();
        sorted.sort();
        prop_assert_eq!(&rank(&sorted, &pattern, None, None), &ranked);
        for pair in ranked.windows(2) {
            prop_assert!(pair[0].version.precedence(&pair[1].version).is_ge());
        }
        for one in &ranked {
            prop_assert!(tags.contains(&one.tag) && !one.version.is_prerelease());
        }
    }
}
