//! Filling `{version}`, `{tag}`, `{arch}` and their like in the catalog's texts.

use super::template;

/// What the placeholders stand for; one that is none here cannot be used here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// `{version}`: the version's own text.
    pub version: Option<&'a str>,
    /// `{tag}`: the tag that has this version.
    pub tag: Option<&'a str>,
    /// `{app_version}`: the chart's own text.
    pub app_version: Option<&'a str>,
    /// `{arch}`: upstream's name of the architecture.
    pub arch: Option<&'a str>,
    /// `{kubernetes}`: the platform's minor.
    pub kubernetes: Option<&'a str>,
    /// `{kubeedge}`: the platform's minor.
    pub kubeedge: Option<&'a str>,
}

/// A text of the catalog with a placeholder that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be filled in")]
pub struct TemplateError {
    /// The whole text.
    pub text: String,
    /// The placeholder.
    pub source: template::Unknown,
}

/// What has to be encoded in one part of a URL's path.
const PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Names<'_> {
    /// Fills a text as it is.
    ///
    /// # Errors
    /// A placeholder that stands for nothing here.
    pub fn fill(&self, text: &str) -> Result<String, TemplateError> {
        self.fill_with(text, str::to_owned)
    }

    /// Fills a URL: what is filled in is percent-encoded, so that the `+` of `1.36.4+k3s1` stays one.
    ///
    /// # Errors
    /// A placeholder that stands for nothing here.
    pub fn fill_url(&self, text: &str) -> Result<String, TemplateError> {
        self.fill_with(text, |value| percent_encoding::utf8_percent_encode(value, PATH).to_string())
    }

    fn fill_with(&self, text: &str, encode: impl Fn(&str) -> String) -> Result<String, TemplateError> {
        let value = |name: &str| match name {
            "version" => self.version,
            "tag" => self.tag,
            "app_version" => self.app_version,
            "arch" => self.arch,
            "kubernetes" => self.kubernetes,
            "kubeedge" => self.kubeedge,
            _ => None,
        };
        template::fill(text, |name| value(name).map(&encode))
            .map_err(|source| TemplateError { text: text.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_in_urls_only() {
        let names =
            Names { version: Some("1.36.4+k3s1"), tag: Some("x/v1+1"), arch: Some("arm64"), ..Names::default() };
        assert_eq!(names.fill("a:{version}-{arch}").as_deref(), Ok("a:1.36.4+k3s1-arm64"));
        assert_eq!(
            names.fill_url("https://h/d/{tag}/k3s-{arch}?v={version}").as_deref(),
            Ok("https://h/d/x%2Fv1%2B1/k3s-arm64?v=1.36.4%2Bk3s1")
        );
    }

    #[test]
    fn says_what_stands_for_nothing() {
        let names = Names { version: Some("1"), ..Names::default() };
        for text in ["{tag}", "{Version}"] {
            let error = names.fill(text).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
        // What is filled in is not filled again.
        let names = Names { version: Some("{tag}"), ..Names::default() };
        assert_eq!(names.fill("{version}").as_deref(), Ok("{tag}"));
    }
}
