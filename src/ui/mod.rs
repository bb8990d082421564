//! The printer, progress and diagnostics: the only place that prints.
//!
//! Data goes to stdout, all else to stderr.

pub mod added;
pub mod cache;
pub mod compared;
pub mod diagnostic;
pub mod images;
pub mod inspected;
pub mod loaded;
mod markdown;
pub mod packed;
pub mod progress;
pub mod pushed;
pub mod report;
pub mod resolved;
pub mod served;
pub mod table;
pub mod verified;
pub mod words;

use std::borrow::Cow;
use std::io::{self, Write};

/// Writes `text` to stdout as it is; data only.
///
/// A reader that went away (`bundler inspect … | head`) is no failure of ours.
pub fn data(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes one line to stderr; where stderr is gone there is nobody to tell.
pub fn note(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Writes a question to stderr, whose answer is typed behind it.
pub fn ask(question: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
}

/// A text from outside as one line that cannot speak to a terminal: control characters are escaped.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, char::is_control)
}

/// The same of a text that may have several lines.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| c.is_control() && c != '\n')
}

fn escape(text: &str, unwanted: fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(unwanted) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if unwanted(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// `wrote FILE`.
#[must_use]
pub fn wrote(path: &std::path::Path) -> String {
    words::say!("wrote {path}", path = line(&path.to_string_lossy()))
}

/// `1 image`, `2 images`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    match words::template(&["{number} ", thing, "s"].concat()) {
        None => format!("{number} {thing}{}", if number == 1 { "" } else { "s" }),
        Some(other) => words::fill(other, &[("number", number.to_string())]),
    }
}

/// `amd64`, `amd64 and arm64`.
#[must_use]
pub fn and<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    let all = things.into_iter().map(|thing| thing.to_string());
    all.reduce(|left, right| words::say!("{left} and {right}", left, right)).unwrap_or_default()
}

/// The columns of the terminal that something is written to; none where it is no terminal.
#[must_use]
pub fn width(stream: impl std::os::fd::AsFd) -> Option<u16> {
    terminal_size::terminal_size_of(stream).map(|(width, _)| width.0)
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes it the choice of the whole process.
    pub fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets a terminal's title, clears it, goes back to overwrite a line, and forges one.
    const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}1A\rgood\n/b.tar.gz: good";

    #[test]
    fn a_text_from_outside_cannot_speak_to_the_terminal() {
        assert_eq!(line(HOSTILE), "\\u{1b}]0;x\\u{7}\\u{1b}[2J\\u{9b}1A\\rgood\\n/b.tar.gz: good");
        assert_eq!(lines("a\nb\tä"), "a\nb\\tä");
        let error = io::Error::other(HOSTILE);
        let shown = diagnostic::chain(HOSTILE, Some(&error), Some(HOSTILE.to_owned()));
        let table = table::table(&[("NAME", table::Align::Left)], &[vec![HOSTILE.to_owned()]]);
        for text in [shown, diagnostic::warning(HOSTILE), table.clone()] {
            assert!(!text.contains(['\r', '\u{7}', '\u{9b}']) && !text.contains("\u{1b}[2J"), "{text:?}");
        }
        assert_eq!(table.lines().count(), 2, "{table}");
    }
}
