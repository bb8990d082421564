//! Upstream's pages about a release, told from where a component comes.

use super::super::model::Component;

/// The page of the new release.
pub(super) fn notes(component: &Component) -> Option<String> {
    let (project, tag) = release(component)?;
    Some(format!("{project}/releases/tag/{}", path(tag)))
}

/// The page with all that lies between two releases of one project.
pub(super) fn compare(old: &Component, new: &Component) -> Option<String> {
    let ((old_project, old_tag), (project, tag)) = (release(old)?, release(new)?);
    (old_project == project).then(|| format!("{project}/compare/{}...{}", path(old_tag), path(tag)))
}

/// The project on GitHub and the tag: those of the source, else those of a download's URL.
fn release(component: &Component) -> Option<(&str, &str)> {
    if let (Some(project), Some(tag)) = (&component.source, &component.tag) {
        return Some((project, tag));
    }
    let charts = component.chart.iter().chain(component.charts.values()).map(|chart| &chart.url);
    let files = component.files.values().flat_map(|archs| archs.values()).map(|file| &file.url);
    charts.chain(files).find_map(|url| download(url))
}

/// Takes `https://github.com/OWNER/NAME/releases/download/TAG/FILE` apart; the tag stays percent-encoded.
fn download(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://github.com/")?;
    let (name, rest) = rest.split_once("/releases/download/")?;
    let (tag, _) = rest.split_once('/')?;
    let project = &url[.."https://github.com/".len() + name.len()];
    (name.split('/').count() == 2).then_some((project, tag))
}

/// What may stand in a URL's path stays, and what is encoded already; all else is percent-encoded.
fn path(tag: &str) -> String {
    let keeps = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    tag.bytes().map(|byte| if keeps(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_names_project_and_tag() {
        let url = "https://github.com/k3s-io/k3s/releases/download/v1.36.2%2Bk3s1/k3s-arm64";
        assert_eq!(download(url), Some(("https://github.com/k3s-io/k3s", "v1.36.2%2Bk3s1")));
        for other in [
            "https://get.helm.sh/helm-v4.tar.gz",
            "https://github.com/a/releases/download/v1/x",
            "https://github.com/a/b",
        ] {
            assert_eq!(download(other), None, "{other}");
        }
    }

    #[test]
    fn a_tag_is_encoded_once() {
        assert_eq!(path("v1.36.2+k3s1"), "v1.36.2%2Bk3s1");
        assert_eq!(path("v1.36.2%2Bk3s1"), "v1.36.2%2Bk3s1");
        assert_eq!(path("a/v1 <b>"), "a/v1%20%3Cb%3E");
    }
}
