use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn repository() -> Url {
    "https://example.org/charts?token=1".parse().unwrap()
}

fn index() -> String {
    format!(
        r#"apiVersion: v1
entries:
  # the first
  alloy:
  - version: 9.9.9
    description: |
      a text that looks like the next key:
        loki:
    urls: [https://x.org/alloy-9.9.9.tgz]
  "loki":
  - apiVersion: v2
    appVersion: 1.20
    created: "2026-08-21T10:00:00.123456789Z"
    digest: {A}
    kubeVersion: '>=1.25.0-0'
    name: loki
    urls:
    - loki-18.11.0.tgz
    version: 18.11.0
  - version: 18.10.0
    deprecated: true
    urls: ["https://cdn.example.org/loki-18.10.0.tgz", "oci://ghcr.io/x/loki"]
  - version: 18.11.0
    digest: sha256:{B}
    urls: [other.tgz]
  - name: loki
  - version: 18.10.0
    digest: sha256:{A}
  minio:
  - version: 1.0.0
generated: "2026-08-21T10:00:00Z"
"#
    )
}

#[test]
fn one_chart_of_many() {
    let entries = parse(&index(), &repository(), "loki").unwrap();
    let versions: Vec<_> = entries.iter().map(|e| e.version.as_str()).collect();
    assert_eq!(versions, ["18.11.0", "18.10.0"]);
    let (first, second) = (&entries[0], &entries[1]);
    assert_eq!(first.app_version.as_deref(), Some("1.20"));
    assert_eq!(first.kube_version.as_deref(), Some(">=1.25.0-0"));
    assert_eq!(first.created.unwrap().to_string(), "2026-08-21T10:00:00.123456789Z");
    assert_eq!(first.urls[0].as_str(), "https://example.org/charts/loki-18.11.0.tgz?token=1");
    assert!(!first.deprecated && second.deprecated);
    assert_eq!(
        second.urls.iter().map(Url::as_str).collect::<Vec<_>>(),
        ["https://cdn.example.org/loki-18.10.0.tgz", "oci://ghcr.io/x/loki"]
    );
}

#[test]
fn two_contents_of_one_version_are_an_error_of_that_version_only() {
    let entries = parse(&index(), &repository(), "loki").unwrap();
    let error = entries[0].digest().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the index lists loki 18.11.0 more than once with different digests: {A} and sha256:{B}")
    );
    assert_eq!(entries[1].digest().unwrap().unwrap().to_string(), format!("sha256:{A}"));
    let alloy = parse(&index(), &repository(), "alloy").unwrap();
    assert_eq!(alloy[0].digest().unwrap(), None);
}

#[test]
fn every_style_says_the_same() {
    let expected = parse(&index(), &repository(), "loki").unwrap();
    let value: serde_json::Value = yaml::parse_foreign("x", &index().replace("1.20", "'1.20'")).unwrap();
    let json = serde_json::to_string_pretty(&value).unwrap();
    let entries = value["entries"].to_string();
    for text in [
        json.clone(),
        format!("# JSON below\n{json}"),
        format!("entries: {entries}\n"),
        index().replace("entries:", "entries: # all of them"),
        index().replace("\"loki\":", "loki:   # this one"),
        index().replace("entries:", "entries: !!map"),
        index().replace("  alloy:", "  ? alloy\n  :"),
        format!("\u{feff}---\n{}", index().replace('\n', "\r\n")),
        index().split_once("generated").unwrap().0.to_owned(),
    ] {
        assert_eq!(parse(&text, &repository(), "loki").unwrap(), expected, "{text}");
    }
}

#[test]
fn a_chart_that_is_listed_twice_is_never_half_read() {
    let twice = index().replace("  minio:\n", "  minio: []\n  loki:\n  - version: 2.0.0\n  other:\n");
    let more = "entries:\n  loki:\n  - version: 2.0.0\n";
    for text in [
        twice.clone(),
        twice.replace("  loki:\n", "  'loki': # again\n"),
        index() + more,
        index() + &more.replace("entries", "\"entries\""),
        index().replace("generated:", &format!("{more}generated:")),
        // Where the second one is written in another way.
        twice.replace("  loki:\n  - version: 2.0.0\n", "  loki: [{version: 2.0.0}]\n"),
        twice.replace("  loki:\n  - version: 2.0.0\n", "  ? loki\n  : [{version: 2.0.0}]\n"),
        twice.replace("  loki:\n  - version: 2.0.0\n", "  \"lo\\x6bi\": [{version: 2.0.0}]\n"),
        index().replace("  minio:", "  minio: &x").replace("generated", "  loki: *x\ngenerated"),
        index() + "entries: {loki: [{version: 2.0.0}]}\n",
        // Where braces hold a line that looks like the next key.
        index().replace("  minio:\n", "  minio: &x\n  - {\nversion: 1.0.0}\n  loki: *x\n  other:\n"),
        index() + "? entries\n: {loki: [{version: 2.0.0}]}\n",
    ] {
        let versions = |found: Result<Vec<Entry>, Error>| {
            found.map(|entries| entries.into_iter().map(|entry| entry.version).collect::<Vec<_>>())
        };
        let whole = versions(parse_whole(&text, &repository(), "loki")).unwrap();
        assert_eq!(versions(parse(&text, &repository(), "loki")).unwrap(), whole, "{text}");
        assert!(whole.len() < 2, "the last one counts: {whole:?}");
    }
}

#[test]
fn braces_that_are_open_hold_the_next_line() {
    let text = "entries:\n  loki:\n  - version: 18.11.0\n  alloy: &x\n  - {a:+k3s1\nrsion: 1.0.0}\n  loki: *x\n";
    assert!(matches!(cut(text, "loki"), Cut::Unknown));
    // Closed ones do not, nor those within a text.
    let text =
        "entries:\n  loki:\n  - {version: 1.0.0}\n    # a {\n    description: of [ this\n  alloy:\n  - urls: [x]\n";
    assert!(matches!(cut(text, "loki"), Cut::Block { line: 1, .. }));
}

#[test]
fn an_item_may_begin_below_its_dash() {
    let expected = parse(&index(), &repository(), "loki").unwrap();
    let text = index().replace("  - version", "  -\n    version").replace("  - apiVersion", "  - # v2\n    apiVersion");
    assert_eq!(parse(&text, &repository(), "loki").unwrap(), expected);
    assert!(matches!(cut(&text, "loki"), Cut::Block { .. }));
    let inline = index().replace("  minio:\n", "  minio: []\n  more:\n");
    assert!(matches!(cut(&inline, "loki"), Cut::Block { .. }), "another chart may have its value beside it");
}

#[test]
fn a_tab_in_a_text_is_no_indentation() {
    let tab = index().replace("        loki:", "      \tloki:");
    assert_eq!(parse(&tab, &repository(), "minio").unwrap().len(), 1);
    assert!(matches!(cut(&tab, "minio"), Cut::Block { .. }), "a large index would not be read at all");
}

#[test]
fn a_missing_chart_names_the_nearest() {
    for text in [index(), index().replace("entries:", "entries: !!map")] {
        let error = parse(&text, &repository(), "lokki").unwrap_err();
        assert_eq!(error.to_string(), "https://example.org/charts?token=1 has no chart `lokki`");
        assert_eq!(error.hint().unwrap(), "did you mean `loki`?");
    }
}

#[test]
fn what_is_no_index_says_where() {
    let html = parse("<html><body>404</body></html>", &repository(), "loki").unwrap_err();
    assert!(html.to_string().starts_with("https://example.org/charts/index.yaml?token=1:1:1: "), "{html}");
    let torn = index().replace("deprecated: true", "deprecated: [");
    let error = parse(&torn, &repository(), "loki").unwrap_err();
    assert!(matches!(&error, Error::Malformed(e) if (20..=25).contains(&e.place.line)), "{error}");
}

#[test]
fn what_is_no_index_is_not_called_an_index_without_the_chart() {
    for text in [
        "",
        "[]",
        "[{}]",
        "- {}\n",
        "- loki:\n  - version: 1.0.0\n",
        "{}",
        "apiVersion: v1\n",
        "message: Not Found\n",
        r#"{"message": "Not Found"}"#,
        r#"[{"loki": []}]"#,
        "entries:\n- loki\n",
        "entries:\n- loki:\n",
        "entries:\n  - loki:\n    - version: 1.0.0\n",
        "entries: []\n",
        "entries: loki\n",
        "entries:\n  loki: {}\n",
        "entries:\n  loki:\n    version: 1.0.0\n",
        "entries:\n  loki:\n  - 1.0.0\n",
    ] {
        let error = parse(text, &repository(), "loki").unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{text:?}: {error}");
    }
    for text in ["entries: {}\n", "entries:\n", "entries: {other: []}\n", r#"{"entries": {}}"#] {
        let error = parse(text, &repository(), "loki").unwrap_err();
        assert!(matches!(error, Error::NoChart { .. }), "{text:?}: {error}");
    }
}

#[test]
fn a_digest_that_is_none_is_an_error() {
    let entries = parse("entries:\n  a:\n  - {version: 1.0.0, digest: latest}\n", &repository(), "a").unwrap();
    assert!(matches!(entries[0].digest(), Err(Error::BadDigest { .. })));
}

#[test]
fn a_bomb_is_refused() {
    let mut text = "x: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
    for level in 1..12 {
        let (alias, name) = (format!("*a{},", level - 1).repeat(10), format!("a{level}"));
        text.push_str(&format!("y{level}: &{name} [{}]\n", alias.trim_end_matches(',')));
    }
    text.push_str("entries: *a11\n");
    assert!(matches!(parse(&text, &repository(), "a"), Err(Error::Malformed(_))));
}
