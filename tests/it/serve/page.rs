//! The page for people in a real browser.

use bundler::oci::Arch;
use serde_json::Value;

use super::served::Site;
use crate::support::Browser;

#[test]
fn the_page_renders_in_both_languages_and_asks_nobody() {
    let Some(mut browser) = Browser::start() else { return };
    let site = Site::new(&[Arch::Arm64]);
    let mut visited = Vec::new();
    for (lang, code, title, headings) in [
        ("en", "en", "Offline bundles", ["Images", "Charts", "Files", "Installer, values and lists"]),
        ("zh", "zh-CN", "离线包", ["镜像", "Chart", "文件", "安装脚本、values 与清单"]),
    ] {
        let url = format!("{}/?lang={lang}", site.served.url);
        browser.size(1280, 900);
        browser.visit(&url, false);
        visited.push(url);
        assert_eq!(browser.evaluate("document.title"), title);
        assert_eq!(browser.evaluate("document.documentElement.lang"), code);
        assert_eq!(browser.texts("h2"), headings);
        assert!(browser.texts("td code").contains(&"docker.io/library/web:1".to_owned()));
        // Its own style is let through by its own policy.
        let shade = "getComputedStyle(document.querySelector('pre')).backgroundColor";
        assert_eq!(browser.evaluate(shade), "rgb(244, 244, 244)");
        // Every link of the lists leads to its bytes.
        let links = browser.evaluate("[...document.querySelectorAll('td a')].map((a) => a.getAttribute('href'))");
        let links: Vec<_> = links.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(links.contains(&"/SHA256SUMS") && links.contains(&"/files/tool"), "{links:?}");
        for link in links {
            assert_eq!(site.served.head(link).status, 200, "{link}");
        }
        // On a telephone nothing has to be moved sideways but commands.
        browser.size(390, 844);
        let width = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
        let width = browser.evaluate(width);
        assert!(width[0].as_u64() <= width[1].as_u64(), "{lang}: {width}");
    }
    assert_eq!(browser.asked(), visited);
}
