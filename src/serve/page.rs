//! The page for people: what is inside, with commands to copy, in English and Chinese.

use std::fmt::Write as _;

use http::{StatusCode, header};

use super::answer::{self, Answer};
use super::charts::{CHARTS, Charts};
use super::documents::Documents;
use super::route::Query;
use super::site::{Asked, Site};
use crate::bundle::set::Kind;
use crate::oci::Digest;
use crate::size;

mod words;

use words::Words;

/// Nothing on the page runs, and it loads nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Where clients are told to go when they sent no host that can be shown.
const NO_HOST: &str = "HOST:PORT";

pub(super) fn answer(site: &Site, charts: &Charts, documents: &Documents, asked: &Asked, query: &Query) -> Answer {
    let text = |name| asked.headers.get(name).and_then(|value| value.to_str().ok());
    let words = match query.lang.as_deref() {
        Some("zh") => &words::CHINESE,
        Some("en") => &words::ENGLISH,
        _ if prefers_chinese(text(header::ACCEPT_LANGUAGE)) => &words::CHINESE,
        _ => &words::ENGLISH,
    };
    let host = text(header::HOST).filter(|host| shown(host)).unwrap_or(NO_HOST);
    let html = html(site, charts, documents, words, host);
    let mut answer = answer::bytes(StatusCode::OK, "text/html; charset=utf-8", html);
    let headers = answer.headers_mut();
    answer::put(headers, header::CONTENT_LANGUAGE, words.code);
    answer::put(headers, header::VARY, "Accept-Language, Host");
    answer::put(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    answer
}

/// Whether Chinese comes before English in `Accept-Language`; weights are in falling order in practice.
fn prefers_chinese(header: Option<&str>) -> bool {
    let mut languages = header.unwrap_or_default().split(',').map(str::trim);
    languages.find_map(|language| match language.get(..2)?.to_ascii_lowercase().as_str() {
        "zh" => Some(true),
        "en" => Some(false),
        _ => None,
    }) == Some(true)
}

/// Whether a `Host` header is a host and a port, and nothing that a page or a shell could stumble over.
fn shown(host: &str) -> bool {
    !host.is_empty() && host.len() <= 255 && host.bytes().all(|c| c.is_ascii_alphanumeric() || b".-:[]".contains(&c))
}

fn html(site: &Site, charts: &Charts, documents: &Documents, words: &Words, host: &str) -> String {
    let mut page = Page { html: String::new(), words };
    page.head(site, host);
    page.images(site, host);
    page.charts(site, charts, host);
    page.files(site, host);
    page.documents(site, documents);
    page.html.push_str("</main></body></html>\n");
    page.html
}

struct Page<'a> {
    html: String,
    words: &'a Words,
}

impl Page<'_> {
    fn add(&mut self, text: &str) {
        self.html.push_str(text);
        self.html.push('\n');
    }

    /// A block of text to copy.
    fn commands(&mut self, text: &str) {
        let _ = writeln!(self.html, "<pre>{}</pre>", escape(text.trim_end()));
    }

    fn row(&mut self, cells: &[&str]) {
        self.html.push_str("<tr>");
        for cell in cells {
            let _ = write!(self.html, "<td>{cell}</td>");
        }
        self.add("</tr>");
    }

    fn head(&mut self, site: &Site, host: &str) {
        let words = self.words;
        let _ = write!(
            self.html,
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title>\n<style>{STYLE}</style></head>\n\
             <body><main><p class=\"lang\"><a href=\"/?lang=en\" hreflang=\"en\">English</a> · \
             <a href=\"/?lang=zh\" hreflang=\"zh\">中文</a></p>\n<h1>{}</h1>\n<p>{}</p>\n<table><tr><th>{}</th><th>{}</th><th>{}</th></tr>\n",
            words.code, words.title, words.title, words.intro, words.bundle, words.platforms, words.profiles
        );
        for opened in site.set.bundles() {
            let about = &opened.about;
            let platforms: Vec<_> = about.architectures.iter().map(|arch| format!("linux/{arch}")).collect();
            let name = escape(&format!("{} {}", about.name, about.version));
            self.row(&[&name, &platforms.join(", "), &escape(&about.profiles.join(", "))]);
        }
        self.add("</table>");
        let _ = writeln!(self.html, "<p>{}: <code>{}://{}</code></p>", words.address, site.scheme, escape(host));
    }

    fn images(&mut self, site: &Site, host: &str) {
        let words = self.words;
        if site.set.images().is_empty() {
            return;
        }
        let base = format!("{}://{host}", site.scheme);
        let _ = writeln!(self.html, "<h2>{}</h2>\n<p>{}</p>", words.images, words.containerd);
        let mut hosts = String::new();
        for registry in site.names.registries() {
            let _ = write!(
                hosts,
                "mkdir -p /etc/containerd/certs.d/{registry}\ncat >/etc/containerd/certs.d/{registry}/hosts.toml <<'END'\n\
                 [host.\"{base}\"]\n  capabilities = [\"pull\", \"resolve\"]\nEND\n"
            );
        }
        self.commands(&hosts);
        let _ = writeln!(self.html, "<p>{}</p>", words.k3s);
        let mut mirrors = String::from("mirrors:\n");
        for registry in site.names.registries() {
            let _ = write!(mirrors, "  {registry}:\n    endpoint: [\"{base}\"]\n");
        }
        self.commands(&mirrors);
        let first = site.set.images().keys().find(|reference| reference.tag().is_some());
        if let Some(reference) = first {
            let name = format!("{host}/{}:{}", reference.name(), reference.tag().unwrap_or_default());
            let plain = site.scheme == "http";
            let (insecure, tls) = if plain { (" --insecure", " --src-tls-verify=false") } else { ("", "") };
            let _ = writeln!(self.html, "<p>{}</p>", words.copy);
            self.commands(&format!(
                "crane pull{insecure} {name} image.tar\nskopeo copy{tls} docker://{name} oci-archive:image.tar\n"
            ));
        }
        let _ = writeln!(
            self.html,
            "<table><tr><th>{}</th><th>{}</th><th>{}</th></tr>",
            words.image, words.platforms, words.components
        );
        for (reference, image) in site.set.images() {
            let platforms: Vec<_> = image.architectures.iter().map(|arch| arch.as_str()).collect();
            let components: Vec<_> = image.components.iter().map(String::as_str).collect();
            let name = format!("<code title=\"{}\">{}</code>", image.digest, escape(&reference.to_string()));
            self.row(&[&name, &platforms.join(", "), &escape(&components.join(", "))]);
        }
        self.add("</table>");
    }

    fn charts(&mut self, site: &Site, charts: &Charts, host: &str) {
        let words = self.words;
        let Some(first) = charts.iter().next() else { return };
        let base = format!("{}://{host}", site.scheme);
        let _ = writeln!(self.html, "<h2>{}</h2>\n<p>{}</p>", words.charts, words.repository);
        let (name, version) = (&first.name, &first.version);
        self.commands(&format!("helm repo add site {base}\nhelm pull site/{name} --version {version}\n"));
        let _ = writeln!(self.html, "<p>{}</p>", words.artifact);
        let plain = if site.scheme == "http" { " --plain-http" } else { "" };
        self.commands(&format!("helm pull{plain} oci://{host}/{CHARTS}{name} --version {version}\n"));
        let _ = writeln!(
            self.html,
            "<table><tr><th>{}</th><th>{}</th><th>{}</th></tr>",
            words.chart, words.version, words.size
        );
        for chart in charts.iter() {
            let link = format!("<a href=\"/{}\">{}</a>", href(&chart.path), escape(&chart.name));
            self.row(&[&link, &escape(&chart.version), &size::bytes(chart.content.blob.size)]);
        }
        self.add("</table>");
    }

    fn files(&mut self, site: &Site, host: &str) {
        let words = self.words;
        let mut files = site.set.shipped().iter().filter(|(_, shipped)| shipped.kind == Kind::File).peekable();
        let Some((first, _)) = files.peek() else { return };
        let base = format!("{}://{host}", site.scheme);
        let _ = writeln!(self.html, "<h2>{}</h2>\n<p>{}</p>", words.files, words.download);
        self.commands(&format!("curl -fO {base}/{}\n", href(first)));
        let _ = writeln!(self.html, "<table><tr><th>{}</th><th>{}</th><th>sha256</th></tr>", words.file, words.size);
        for (path, shipped) in files {
            self.file(path, shipped.blob.size, shipped.digest);
        }
        self.add("</table>");
    }

    fn documents(&mut self, site: &Site, documents: &Documents) {
        let words = self.words;
        let several = if site.set.bundles().len() > 1 { words.several } else { "" };
        let _ = writeln!(self.html, "<h2>{}</h2>\n<p>{}{several}</p>", words.documents, words.about_documents);
        let _ = writeln!(self.html, "<table><tr><th>{}</th><th>{}</th><th>sha256</th></tr>", words.file, words.size);
        for (path, document) in documents.iter() {
            self.file(path, document.blob.size, document.digest);
        }
        self.add("</table>");
    }

    fn file(&mut self, path: &str, size: u64, digest: Option<Digest>) {
        let link = format!("<a href=\"/{}\">{}</a>", href(path), escape(path));
        let digest = digest.map(|digest| format!("<code>{}</code>", digest.hex())).unwrap_or_default();
        self.row(&[&link, &size::bytes(size), &digest]);
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#222;background:#fff}\
main{max-width:70rem;margin:0 auto;padding:1rem}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd;vertical-align:top;overflow-wrap:anywhere}\
pre{background:#f4f4f4;padding:.75rem;overflow:auto}code,pre{font-size:.875rem}.lang{float:right}";

/// Text as HTML.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

/// A path as part of a URL.
fn href(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');
    percent_encoding::utf8_percent_encode(path, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_readers() {
        for header in ["zh-CN,zh;q=0.9,en;q=0.8", "de, zh", "ZH"] {
            assert!(prefers_chinese(Some(header)), "{header}");
        }
        for header in ["en-GB,zh;q=0.5", "de", "", "é", "*"] {
            assert!(!prefers_chinese(Some(header)), "{header}");
        }
        assert!(!prefers_chinese(None));
    }

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(escape("<a href='\"&'>"), "&lt;a href=&#39;&quot;&amp;&#39;&gt;");
        assert_eq!(href("files/a b+c\"<é"), "files/a%20b%2Bc%22%3C%C3%A9");
        for host in ["127.0.0.1:5000", "[::1]:5000", "registry.site"] {
            assert!(shown(host), "{host}");
        }
        for host in ["", "a b", "a\"b", "a<b", "a/b", "$(x)", "a'b", "a\n"] {
            assert!(!shown(host), "{host}");
        }
    }
}
