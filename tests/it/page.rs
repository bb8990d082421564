//! `bundler inspect --html` in a real browser.

use bundler::oci::Digest;
use serde_json::{Value, json};

use crate::support::{Browser, Sandbox};

/// A name that would run, were it markup.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)><b>";

/// A lock with images of known sizes, a file at an address that is no web page, and a hostile reason.
fn lock() -> String {
    let (first, second) = (Digest::of(b"first"), Digest::of(b"second"));
    let hex = Digest::of(b"yq").hex();
    format!(
        "schema: 1\nbundle: {{name: demo, version: 1.0.0, kubernetes: '1.36', kubeedge: '1.23', architectures: [amd64, arm64]}}\n\
         profiles: {{cloud: [loki, web, yq], edge: [yq]}}\ncomponents:\n  \
         loki: {{version: 18.11.0, inputs: {first}, images: ['docker.io/grafana/loki:3.7.6', 'docker.io/x/sidecar:1']}}\n  \
         web: {{version: 2.0.0, inputs: {first}, images: ['docker.io/x/sidecar:1']}}\n  \
         yq:\n    version: 4.47.1\n    inputs: {first}\n    files:\n      yq:\n        \
         amd64: {{url: 'https://x.y/yq', sha256: {hex}, size: 2000000, from: checksum-file}}\n        \
         arm64: {{url: 'https://x.y/yq-arm64', sha256: {hex}, from: checksum-file}}\n\
         images:\n  \
         docker.io/grafana/loki:3.7.6: {{digest: '{first}', platforms: {{amd64: {{digest: '{first}', size: 1000, layers_size: 40000000}}}}}}\n  \
         docker.io/x/sidecar:1: {{digest: '{second}', platforms: {{amd64: {{digest: '{second}', size: 1000, layers_size: 9000000}}}}}}\n\
         unresolved:\n- {{component: loki, artifact: 'docker.io/grafana/helper:1', reason: '{HOSTILE}'}}\n"
    )
}

#[test]
fn the_page_renders_sorts_and_finds_and_asks_nobody() {
    let Some(mut browser) = Browser::start() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("bundle.lock.yaml", lock());
    let output = sandbox.bundler().args(["inspect", "bundle.lock.yaml", "--html", "page.html"]).assert().success();
    assert_eq!(String::from_utf8_lossy(&output.get_output().stderr), "wrote page.html\n");
    assert!(output.get_output().stdout.is_empty());
    browser.open(&sandbox.path("page.html"), true);
    assert_eq!(browser.evaluate("document.title"), "demo 1.0.0");
    assert_eq!(browser.evaluate("document.documentElement.dataset.theme"), "dark");
    assert_eq!(browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"), true);

    // The map: largest first, what two components use once and by itself, all of the field covered.
    assert_eq!(browser.texts("#map > .cell > .label"), ["loki40 MB", "Used by several components9.0 MB", "yq2.0 MB"]);
    assert_eq!(browser.texts("#facts dd"), ["51 MB", "3", "2", "0", "1"]);
    let covered = browser.evaluate(
        "[...document.querySelectorAll('#map > .cell')].reduce((sum, c) => sum + (c.offsetWidth + 3) * (c.offsetHeight + 3), 0) \
         / (document.getElementById('map').clientWidth * document.getElementById('map').clientHeight)",
    );
    assert!((0.97..1.03).contains(&covered.as_f64().unwrap()), "{covered}");

    // The list sorts by each column, both ways, and says so.
    assert_eq!(browser.texts("#rows strong"), ["docker.io/grafana/loki:3.7.6", "docker.io/x/sidecar:1", "yq"]);
    browser.evaluate("document.querySelector('#columns button').click()");
    assert_eq!(browser.evaluate("document.querySelector('th').getAttribute('aria-sort')"), "ascending");
    browser.evaluate("document.querySelector('#columns button').click()");
    assert_eq!(browser.texts("#rows strong"), ["yq", "docker.io/x/sidecar:1", "docker.io/grafana/loki:3.7.6"]);

    // The search takes names, components and digests.
    for (text, found) in [("SIDECAR web", 1), (&Digest::of(b"second").to_string()[..20], 1), ("x.y", 1), ("nothing", 0)]
    {
        let set = format!(
            "(() => {{ const f = document.getElementById('find'); f.value = {}; f.dispatchEvent(new Event('input')); }})()",
            Value::from(text)
        );
        browser.evaluate(&set);
        assert_eq!(browser.texts("#rows strong").len(), found, "{text}");
    }
    browser.evaluate(
        "(() => { const f = document.getElementById('find'); f.value = ''; f.dispatchEvent(new Event('input')); })()",
    );

    // Keys are enough: into a component, and back.
    browser.evaluate("document.querySelector('#map .cell').focus()");
    browser.key("ArrowRight");
    browser.key("Enter");
    assert_eq!(browser.texts("#path button"), ["Everything", "Used by several components"]);
    assert_eq!(browser.texts("#rows strong"), ["docker.io/x/sidecar:1"]);
    browser.key("Escape");
    assert_eq!(browser.texts("#rows strong").len(), 3);

    // Another profile, architecture, language and theme.
    let choose = |id: &str, value: &str| {
        format!(
            "(() => {{ const s = document.getElementById('{id}'); s.value = '{value}'; s.dispatchEvent(new Event('change')); }})()"
        )
    };
    browser.evaluate(&choose("profile", "edge"));
    assert_eq!(browser.texts("#rows strong"), ["yq"]);
    browser.evaluate(&choose("profile", ""));
    assert_eq!(browser.evaluate("document.getElementById('space').hidden"), false);
    browser.evaluate(&choose("arch", "arm64"));
    assert_eq!(browser.evaluate("document.getElementById('space').hidden"), true, "nothing to draw");
    assert_eq!(browser.texts("#rows .size"), ["?", "?", "?"], "a lock may not know");
    browser.evaluate("document.getElementById('language').click(); document.getElementById('theme').click()");
    assert_eq!(
        browser.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]"),
        json!(["zh-CN", "light"])
    );
    assert_eq!(browser.texts("#map-title"), ["空间占用"]);

    // On a telephone the list fits: the size is in sight without scrolling.
    browser.size(390, 844);
    let right = "Math.max(...[...document.querySelectorAll('.size')].map((e) => e.getBoundingClientRect().right))";
    assert_eq!(browser.evaluate(&format!("{right} <= document.documentElement.clientWidth")), true);
    assert_eq!(browser.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), true);

    // What is hostile is text, nothing was said on the console, and only the page itself was asked for.
    assert_eq!(browser.texts("#missing li"), [format!("docker.io/grafana/helper:1 — loki: {HOSTILE}")]);
    assert_eq!(browser.evaluate("document.querySelectorAll('img, #missing b').length"), 0);
    assert_eq!(browser.asked(), [format!("file://{}", sandbox.path("page.html").display())]);
    // A request that the page were made to send would not leave.
    let refused = browser.evaluate(
        "new Promise((done) => { document.addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective)); \
         const image = new Image(); image.onerror = () => setTimeout(() => done('asked'), 1000); \
         image.src = 'https://example.invalid/x'; })",
    );
    assert_eq!(refused, "img-src");
}
