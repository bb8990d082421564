use super::*;
use crate::lock::diff::{diff, tests};

fn comparison() -> Comparison {
    Comparison { diff: diff(&tests::old(), &tests::new()), new_bytes: Some(1_400_000) }
}

#[test]
fn a_terminal_sees_tables() {
    insta::assert_snapshot!(text(&comparison()), @r"
    MOVED docker.io/library/redis:8: an unchanged tag has other bytes
      was sha256:9999999999999999999999999999999999999999999999999999999999999999
      is  sha256:2222222222222222222222222222222222222222222222222222222222222222

    6 components differ; to fetch: 823 B + 1 unknown (amd64), 11 B + 1 unknown (arm64); not in the older bundle: 1.4 MB
    observability 1.4.0 -> 1.5.0

    COMPONENT  OLD      NEW     STEP                                                       FETCH
    helm       4.2.3    4.3.0   minor                                              120 B (amd64)
    loki       18.10.0  19.0.0  major        612 B + 1 unknown (amd64), 11 B + 1 unknown (arm64)
    old        1.0.0    -       removed                                                        -
    same       1.0.0    1.0.0   digest only                                         91 B (amd64)
    tool       -        1       added                                               91 B (amd64)
    values     2.0.0    2.0.0   own files                                                      -

    IMAGE                           OLD    NEW    STEP     COMPONENT
    docker.io/grafana/loki          3.7.5  3.8.0  updated  loki
    docker.io/kiwigrid/k8s-sidecar  -      2.0    added    loki
    quay.io/x/old                   1      -      removed  old
    docker.io/library/redis         8      8      MOVED    same
    docker.io/library/redis         -      8      added    tool

    helm: https://github.com/helm/helm/releases/tag/v4.3.0
    helm: https://github.com/helm/helm/compare/v4.2.3...v4.3.0
    loki: https://github.com/g/h/releases/tag/loki-19.0.0
    loki: https://github.com/g/h/compare/loki-18.10.0...loki-19.0.0
    ");
}

#[test]
fn a_pull_request_sees_markdown() {
    insta::assert_snapshot!(markdown(&comparison()), @r"
    > [!CAUTION]
    > **An unchanged tag has other bytes.** Somebody pushed over a release; find out why before you merge.
    >
    > - `docker.io/library/redis:8`: `sha256:9999999999999999999999999999999999999999999999999999999999999999` is now `sha256:2222222222222222222222222222222222222222222222222222222222222222`

    6 components differ; to fetch: 823 B + 1 unknown (amd64), 11 B + 1 unknown (arm64); not in the older bundle: 1.4 MB
    - observability 1.4.0 -> 1.5.0

    | Component | Old | New | Step | To fetch | Upstream |
    |---|---|---|---|---:|---|
    | `helm` | `4.2.3` | `4.3.0` | minor | 120 B (amd64) | [notes](https://github.com/helm/helm/releases/tag/v4.3.0) · [compare](https://github.com/helm/helm/compare/v4.2.3...v4.3.0) |
    | `loki` | `18.10.0` | `19.0.0` | **major** | 612 B + 1 unknown (amd64), 11 B + 1 unknown (arm64) | [notes](https://github.com/g/h/releases/tag/loki-19.0.0) · [compare](https://github.com/g/h/compare/loki-18.10.0...loki-19.0.0) |
    | `old` | `1.0.0` | – | **removed** | – |  |
    | `same` | `1.0.0` | `1.0.0` | digest only | 91 B (amd64) |  |
    | `tool` | – | `1` | added | 91 B (amd64) |  |
    | `values` | `2.0.0` | `2.0.0` | own files | – |  |

    <details><summary>5 images differ</summary>

    - `docker.io/grafana/loki` `3.7.5` → `3.8.0` (`loki`)
    - `docker.io/kiwigrid/k8s-sidecar` `2.0` added (`loki`)
    - `quay.io/x/old` `1` removed (`old`)
    - `docker.io/library/redis` **moved** under `8` (`same`)
    - `docker.io/library/redis` `8` added (`tool`)

    </details>
    ");
}

#[test]
fn upstreams_text_is_nothing_but_text() {
    let mut comparison = comparison();
    comparison.diff.components[0].new = Some("1 | `<img src=x>`\n# @all [a](b)".to_owned());
    let row = markdown(&comparison).lines().find(|line| line.contains("helm")).unwrap().to_owned();
    assert!(row.contains("`1 \\| \u{fffd}<img src=x>\u{fffd}\u{fffd}# @all [a](b)`"), "{row}");
}

#[test]
fn nothing_is_said_as_nothing() {
    let same = Comparison { diff: diff(&tests::old(), &tests::old()), new_bytes: None };
    assert_eq!((text(&same), markdown(&same)), ("no difference\n".to_owned(), "No difference.\n".to_owned()));
}
