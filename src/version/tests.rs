use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn constraint(text: &str) -> Constraint {
    text.parse().unwrap()
}

/// Each is below the next, by the rule that its comment names.
const ASCENDING: &[&str] = &[
    "0.0.0-0",
    "0.9",
    "0.9.1",
    "0.10.0-alpha",
    "0.10.0-alpha.1",
    "0.10.0-alpha.beta",
    "0.10.0-beta",
    "0.10.0-beta.2",
    "0.10.0-beta.11",
    "0.10.0rc1",
    "0.10.0-rc2",
    "0.10.0rc10",
    "0.10",
    "1.34.10+k3s9",
    "1.36.4-rc1+k3s1",
    "1.36.4",
    "1.36.4+k3s1",
    "1.36.4+k3s2",
    "1.36.4+k3s10",
    "1.36.5+k8s-1.9",
    "1.36.5+k8s-1.35",
    "1.36.5+k8s-1.36",
    "4.2.3",
    "4.2.3.1",
    "4.2.4",
    "2024.01.02",
    "20260822",
];

#[test]
fn orders_versions() {
    for (i, a) in ASCENDING.iter().enumerate() {
        for (j, b) in ASCENDING.iter().enumerate() {
            assert_eq!(version(a).cmp(&version(b)), i.cmp(&j), "{a} and {b}");
        }
    }
}

#[test]
fn missing_parts_are_zero_and_the_text_stays() {
    for text in ["1.2", "v1.2", "1.2.0", "1.2.0.0", "01.02"] {
        assert_eq!(version(text), version("1.2.0"));
        assert_eq!(version(text).as_str(), text);
    }
    assert_eq!(version("2.1.0rc3"), version("2.1.0-rc3"));
}

#[test]
fn a_pre_release_says_so_itself() {
    for text in
        ["1.0.0-rc.1", "2.1.0rc3", "3.0-beta1", "1.6.0-lts", "1.3.4-not-blessed", "0.152.0-nightly.202605110308"]
    {
        assert!(version(text).is_prerelease(), "{text}");
    }
    for text in ["1.0", "1.36.4+k3s1", "4.2.3.1", "1.0.0+rc.1"] {
        assert!(!version(text).is_prerelease(), "{text}");
    }
    assert_eq!(version("1.2.3-rc.1+k3s1").pre(), "rc.1");
    assert_eq!(version("1.2.3-rc.1+k3s1").build(), "k3s1");
}

#[test]
fn refuses_what_is_no_version() {
    let long = format!("1.{}", "0".repeat(MAX_VERSION));
    let refused = [
        "",
        "v",
        "latest",
        "1.",
        ".1",
        "1..2",
        "1.2.3.4.5",
        "1.2.3-",
        "1.2.3-rc..1",
        "1.2.3+",
        "1.2.3+a+b",
        "1.2.3 ",
        " 1",
        "1.0.0.snapshot.1",
        "1.2/3",
        "1.2.3_4",
        "1.2.3-rc/../..",
        "vv1",
        "V1",
        "٣.1",
        "-1",
        "18446744073709551615.0",
        &long,
    ];
    for text in refused {
        assert!(text.parse::<Version>().is_err(), "{text}");
    }
    assert_eq!(
        "1.2.3.4.5".parse::<Version>().unwrap_err().to_string(),
        "`1.2.3.4.5` is not a version: it has more than four numeric parts"
    );
}

#[test]
fn numbers_of_any_length_do_not_overflow() {
    let long = |tail: &str| version(&format!("1.0.0-nightly.{}{tail}", "9".repeat(60)));
    assert!(long("0") < long("1"));
    assert!(version("1.0.0+k3s99999999999999999999") < version("1.0.0+k3s100000000000000000000"));
    assert!(version("9223372036854775807.1") > version("9223372036854775807.0"));
    assert!(!constraint("^9223372036854775807").matches(&version("1")));
}

#[test]
fn constraints_take_and_leave() {
    let table: &[(&str, &[&str], &[&str])] = &[
        (">=18, <19", &["18", "18.11.0", "18.99.99"], &["17.9.9", "19.0.0", "19.0.0-rc.1", "18.0.0-rc.1"]),
        (">=2, <2.21", &["2.20.9", "2.0.0"], &["2.21.0", "2.21.0-rc.0", "1.9.9"]),
        ("1.36.*", &["1.36.0", "1.36.4+k3s1"], &["1.35.9", "1.37.0", "1.37.0-alpha.1"]),
        ("1.36", &["1.36.0", "1.36.4"], &["1.37.0"]),
        ("=1.36.4", &["1.36.4", "1.36.4+k3s2"], &["1.36.4.1", "1.36.5", "1.36.4-rc.1"]),
        ("=1.36.4+k3s2", &["1.36.4+k3s2"], &["1.36.4", "1.36.4+k3s1", "1.36.4+k3s10"]),
        (">=1.36.4+k3s2", &["1.36.4+k3s10", "1.36.5"], &["1.36.4", "1.36.4+k3s1"]),
        (">1.36.4", &["1.36.4.1", "1.36.5"], &["1.36.4", "1.36.4+k3s1", "1.36.3"]),
        (">1.36", &["1.37.0"], &["1.36.9"]),
        ("<=1.36", &["1.36.9", "1.36.9+k3s1"], &["1.37.0-alpha.1"]),
        ("<=1.36.4", &["1.36.4+k3s1"], &["1.36.5-rc.1", "1.36.4.1"]),
        ("!=2.54.0", &["2.54.1", "2.53.9"], &["2.54.0", "2.54.0+dedupelabels"]),
        ("!=1.*", &["0.9", "2.0"], &["1.0", "1.9"]),
        ("^1.2", &["1.2.0", "1.99.0"], &["1.1.9", "2.0.0", "2.0.0-rc.1"]),
        ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]),
        ("^0.0.3", &["0.0.3"], &["0.0.4", "0.1.0"]),
        ("^0.0", &["0.0.9"], &["0.1.0"]),
        ("^0", &["0.9.9"], &["1.0.0"]),
        ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]),
        ("~1.2", &["1.2.0", "1.2.9"], &["1.3.0"]),
        ("~1", &["1.9.9"], &["2.0.0"]),
        ("~4.2.3.1", &["4.2.3.1", "4.2.9"], &["4.2.3", "4.3.0"]),
        ("<3 || >=4", &["2.9", "4.0"], &["3.0", "3.9.9"]),
        ("1.2 - 1.4", &["1.2.0", "1.4.9"], &["1.1.9", "1.5.0"]),
        (">=v1.2 <2", &["v1.2.0", "1.9"], &["2.0", "1.1"]),
        ("*", &["0", "99.9"], &[]),
        (">=3.0.0-rc.1", &["3.0.0-rc.1", "3.0.0"], &["3.0.0-beta.1"]),
        ("<3.0.0-rc.1", &["3.0.0-beta.1"], &["3.0.0-rc.1", "3.0.0"]),
        ("<=3.0.0-rc.1", &["3.0.0-rc.1"], &["3.0.0-rc.1.0", "3.0.0"]),
    ];
    for (text, taken, left) in table {
        let constraint = constraint(text);
        assert!(constraint.is_satisfiable(), "{text}");
        for text in *taken {
            assert!(constraint.matches(&version(text)), "`{constraint}` takes {text}");
        }
        for text in *left {
            assert!(!constraint.matches(&version(text)), "`{constraint}` leaves {text}");
        }
    }
}

#[test]
fn finds_constraints_that_nobody_can_meet() {
    for text in [
        ">2, <1",
        ">=2, <2",
        "=1.2, !=1.2",
        ">1.2.3.4, <1.2.3.5",
        "^1, ^2",
        "~1.2, >=1.3",
        ">*",
        ">1, <1.5",
        "<1, >2 || =3, !=3",
        // Not even a release candidate: `<1.0.0` leaves those of 1.0.0 out.
        ">=1.0.0-rc.1, <1.0.0",
    ] {
        assert!(!constraint(text).is_satisfiable(), "{text}");
    }
    for text in [">1.2.3, <1.2.4", ">2, <1 || =3", "=1.2.3, !=1.2.4", "<=2, >=2", ">=1.0.0-rc.1, <1.0.0-rc.2"] {
        assert!(constraint(text).is_satisfiable(), "{text}");
    }
}

#[test]
fn a_wrong_constraint_names_its_place() {
    let table = [
        ("", "expected a version such as `1.2`, `1.2.3` or `1.*` at character 1"),
        (">=18, <x9", "expected a version such as `1.2`, `1.2.3` or `1.*` at character 8"),
        (">=18 <", "expected a version such as `1.2`, `1.2.3` or `1.*` at character 7"),
        (">=18<19", "expected a comma, `||` or the end at character 5"),
        ("==18", "expected a version such as `1.2`, `1.2.3` or `1.*` at character 2"),
        (">=18 ||", "expected a version such as `1.2`, `1.2.3` or `1.*` at character 8"),
        ("≥18", "expected a version such as `1.2`, `1.2.3` or `1.*` at character 1"),
        ("é || 1é", "expected a version such as `1.2`, `1.2.3` or `1.*` at character 1"),
        ("1.*.3", "a number stands after a wildcard at character 1"),
        ("<1.2.3.4.5", "the version has too many numbers at character 2"),
        (">=2, >=1.2é", "expected a comma, `||` or the end at character 11"),
        (">=2, >=1.2-", "expected a version such as `1.2`, `1.2.3` or `1.*` at character 8"),
    ];
    for (text, expected) in table {
        let error = text.parse::<Constraint>().unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` is not a constraint: {expected}"));
    }
    // The place counts characters where the bound counts bytes.
    for (text, at) in [(">=1,".repeat(200), 513), ("é".repeat(300), 257)] {
        let error = text.parse::<Constraint>().unwrap_err();
        assert_eq!((error.at, error.text.chars().count()), (at, at - 1));
    }
    assert!("1||".repeat(40).parse::<Constraint>().is_err());
}

#[test]
fn placeholders_are_the_platforms() {
    assert_eq!(fill("{kubernetes}.*", "1.36", None).unwrap(), "1.36.*");
    assert_eq!(fill(">={kubeedge}, <2", "1.36", Some("1.23")).unwrap(), ">=1.23, <2");
    assert_eq!(fill(">=1", "1.36", None).unwrap(), ">=1");
    assert_eq!(fill("{kubeedge}.*", "1.36", None), Err(FillError::NoKubeEdge));
    assert_eq!(fill("{k3s}.*", "1.36", None), Err(FillError::Unknown("k3s".to_owned())));
    assert!(fill("{kubernetes", "1.36", None).is_err());
}

/// Any version of the grammar, with few values, so that equal and close ones meet.
fn any_version() -> impl Strategy<Value = Version> {
    r"v?[0-3](\.[0-3]){0,3}(-?(rc|beta|a)[0-2]?(\.[0-2])?|-[0-2](\.x)?)?(\+(k3s)?[0-2]{1,2})?"
        .prop_map(|text| version(&text))
}

/// Any constraint of the grammar.
fn any_constraint() -> impl Strategy<Value = String> {
    let comparator = r"(=|!=|>|>=|<|<=|~|\^|) ?([0-3](\.[0-3]){0,3}(-rc[0-2])?(\+k3s[0-2])?|[0-3]\.\*|\*)";
    proptest::collection::vec(comparator, 1..4).prop_map(|comparators| comparators.join(", "))
}

proptest! {
    #[test]
    fn the_order_is_total(a in any_version(), b in any_version(), c in any_version()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        if a == b {
            prop_assert_eq!(a.cmp(&c), b.cmp(&c));
        }
    }

    #[test]
    fn a_version_reads_back_as_itself(a in any_version()) {
        let again = version(&a.to_string());
        prop_assert_eq!(again.as_str(), a.as_str());
        prop_assert_eq!(again, a);
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".{0,40}") {
        let _ = text.parse::<Version>();
        let _ = text.parse::<Pattern>();
        let _ = text.parse::<Constraint>();
        let _ = text.parse::<HelmRange>();
    }

    #[test]
    fn no_version_meets_what_nobody_can(text in any_constraint(), v in any_version()) {
        let constraint = constraint(&text);
        prop_assert!(constraint.is_satisfiable() || !constraint.matches(&v));
    }

    #[test]
    fn a_list_is_met_where_each_comparator_is(text in any_constraint(), v in any_version()) {
        let each = text.split(", ").all(|one| constraint(one).matches(&v));
        prop_assert_eq!(constraint(&text).matches(&v), each);
    }

    #[test]
    fn opposites_are_opposite(v in any_version(), bound in any_version()) {
        let meets = |operator: &str| constraint(&format!("{operator}{}", bound.as_str())).matches(&v);
        prop_assert_eq!(meets("="), !meets("!="));
        prop_assert_eq!(meets(">"), !meets("<="));
        // Release candidates of the bound itself are neither below it nor at it.
        prop_assert!(!(meets("<") && meets(">=")));
    }
}
