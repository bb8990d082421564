//! `inspect --html`: the report as one page that needs nothing but itself.
//!
//! Scripts and styles run by their hashes only, so that no name in a lock could run anything even if it became markup;
//! and it cannot, because the data is JSON without a `<`, and the script writes nothing but text.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::Inspection;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Why a page is not written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct Error {
    /// The page.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        if self.source.kind() == io::ErrorKind::AlreadyExists { Exit::Usage } else { Exit::Disk }
    }

    fn hint(&self) -> Option<String> {
        Some(match self.source.kind() {
            io::ErrorKind::NotFound => "create the directory, or name another file with `--html`".to_owned(),
            _ => "name another file with `--html`".to_owned(),
        })
    }
}

/// Writes the page to `path`, complete or not at all; an older page is replaced, and no other file.
pub fn write(inspection: &Inspection, path: &Path) -> Result<(), Error> {
    let failed = |source| Error { path: path.to_owned(), source };
    if is_other(path) {
        return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, "it is there already and is no page")));
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::metadata(directory).map_err(failed)?;
    let mut file = tempfile::Builder::new().prefix(".inspect-").tempfile_in(directory).map_err(failed)?;
    file.write_all(page(inspection).as_bytes()).map_err(failed)?;
    readable(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Whether a file holds something that is no page, such as the bundle itself.
fn is_other(path: &Path) -> bool {
    if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0) {
        return false;
    }
    let mut head = [0; "<!doctype html>".len()];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_err() || !head.eq_ignore_ascii_case(b"<!doctype html>")
}

/// The page's text.
#[must_use]
pub fn page(inspection: &Inspection) -> String {
    // Where the file lies on this machine is nobody else's business.
    let name = Path::new(&inspection.path).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let data = data(&Inspection { path: name, ..inspection.clone() });
    let (style, script) = (source_hash(STYLE), source_hash(SCRIPT));
    let mut text = String::with_capacity(PAGE.len() + STYLE.len() + SCRIPT.len() + data.len());
    let mut rest = PAGE;
    // One pass, so that what is put in is never looked at for more.
    while let Some((before, name, after)) = mark(rest) {
        text.push_str(before);
        text.push_str(match name {
            "style-hash" => &style,
            "script-hash" => &script,
            "style" => STYLE,
            "script" => SCRIPT,
            _ => &data,
        });
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The first `{mark}` of the page with what is before and after it.
fn mark(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// The report as JSON that may stand in a `script` element: it has no `<`.
#[expect(clippy::expect_used, reason = "these types have text keys only, so they always serialise")]
fn data(inspection: &Inspection) -> String {
    serde_json::to_string(inspection).expect("plain data serialises").replace('<', "\\u003c")
}

/// What a content security policy calls a text (CSP level 3, §2.3.1).
fn source_hash(text: &str) -> String {
    format!("sha256-{}", base64(Digest::of(text.as_bytes()).as_bytes()))
}

/// RFC 4648's base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let three = chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[three >> (18 - 6 * place) & 63];
            text.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

/// Lets others read the page, as a file that is created the usual way: a temporary one is its owner's alone.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Kind, model};

    fn hostile(name: &str) -> Inspection {
        let lock = crate::yaml::parse(
            "test",
            "{schema: 1, bundle: {name: x, version: '1', kubernetes: '1.36', architectures: [arm64]}, profiles: {}, components: {}}",
        );
        Inspection { name: name.to_owned(), ..model::of(&lock.unwrap(), Kind::Lock, Path::new("</script>")) }
    }

    #[test]
    fn base64_is_as_the_rfc_has_it() {
        for (text, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn data_never_becomes_markup() {
        let name = "</script><script>alert(1)</script><!--<script> {data} {style} \u{2028} \" &lt; ]]>";
        let text = page(&hostile(name));
        assert_eq!(text.matches("</script>").count(), 2, "those of the page");
        assert_eq!(text.matches("<script").count(), 2, "those of the page");
        assert!(!text.contains("<!--"));
        let (_, rest) = text.split_once("id=\"data\">").unwrap();
        let (json, _) = rest.split_once("</script>").unwrap();
        let back: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(back["name"], name);
    }

    #[test]
    fn only_a_page_is_replaced_by_a_page() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("page.html");
        fs::write(&path, "").unwrap();
        write(&hostile("x"), &path).unwrap();
        write(&hostile("y"), &path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), page(&hostile("y")));
        fs::write(&path, "schema: 1\n").unwrap();
        let error = write(&hostile("x"), &path).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.hint().is_some_and(|hint| hint.contains("--html")), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "schema: 1\n");
        let missing = write(&hostile("x"), &directory.path().join("missing/page.html")).unwrap_err();
        assert_eq!((missing.exit(), missing.source.kind()), (Exit::Disk, io::ErrorKind::NotFound));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing half stays");
    }

    #[test]
    fn the_page_is_whole_and_names_no_other() {
        let text = page(&hostile("x"));
        assert!(text.starts_with("<!doctype html>") && text.ends_with("</html>\n"));
        for mark in ["{style", "{script", "{data}"] {
            assert!(!text.contains(mark), "{mark}");
        }
        assert!(text.contains(&format!("script-src '{}'", source_hash(SCRIPT))));
        for asset in [PAGE, STYLE, SCRIPT] {
            for address in ["http:", "https:", "url(", "@import", "src=", "fetch(", "innerHTML"] {
                assert!(!asset.contains(address), "{address}");
            }
        }
    }
}
