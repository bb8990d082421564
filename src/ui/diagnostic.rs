//! How a failure is shown: `error:`, `caused by:` lines, an empty line, `hint:`.

use std::error::Error as _;

use anstyle::{AnsiColor, Style};
use schemars::JsonSchema;
use serde::Serialize;

use super::words::{self, say};
use super::{lines, report};
use crate::error::{Diagnostic, Error};

const RED: Style = AnsiColor::Red.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Renders `error` for a person; several lines, without a last line break.
#[must_use]
pub fn text(error: &Error) -> String {
    chain(&error.to_string(), error.source(), error.hint())
}

/// Renders a failure from its message, what caused it, and a hint.
#[must_use]
pub fn chain(message: &str, cause: Option<&(dyn std::error::Error + 'static)>, advice: Option<String>) -> String {
    let mut out = labelled(RED, &say!("error:"), &words::of(message));
    for cause in causes(message, cause) {
        let cause = words::of(&cause).replace('\n', "\n    ");
        out.push_str(&format!("\n  {}{}", gap(&say!("caused by:")), lines(&cause)));
    }
    if let Some(advice) = advice {
        out.push_str("\n\n");
        out.push_str(&hint(&advice));
    }
    out
}

/// Renders a hint.
#[must_use]
pub fn hint(text: &str) -> String {
    labelled(CYAN, &say!("hint:"), &words::of(text))
}

/// The error's own message and those of its causes.
#[must_use]
pub fn messages(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let message = error.to_string();
    let causes = causes(&message, error.source());
    std::iter::once(message).chain(causes).collect()
}

/// What a command that cannot do its work says: one line on stderr.
#[derive(Serialize, JsonSchema)]
pub struct Failure {
    /// What failed.
    error: String,
    /// What caused it, the nearest first.
    causes: Vec<String>,
    /// What to do.
    hint: Option<String>,
    /// The exit code.
    exit: u8,
}

/// Renders `error` as one line of JSON.
#[must_use]
pub fn json(error: &Error) -> String {
    let failure = Failure {
        error: error.to_string(),
        causes: causes(&error.to_string(), error.source()),
        hint: error.hint(),
        exit: error.exit() as u8,
    };
    // Texts and a number always are JSON.
    report::line(&failure).unwrap_or_default()
}

/// Renders a warning.
#[must_use]
pub fn warning(message: &str) -> String {
    labelled(YELLOW, &say!("warning:"), &words::of(message))
}

/// Renders a warning for a log, which is searched for: in English, whatever the reader's language.
#[must_use]
pub fn logged(message: &str) -> String {
    labelled(YELLOW, "warning:", message)
}

fn labelled(style: Style, label: &str, text: &str) -> String {
    let gap = gap(label);
    let (label, space) = gap.split_at(label.len());
    format!("{style}{label}{style:#}{space}{}", lines(text))
}

/// A label with what keeps it apart from what follows: a wide colon has its own space.
fn gap(label: &str) -> String {
    if label.ends_with(':') { format!("{label} ") } else { label.to_owned() }
}

/// The chain below a message; a cause whose text its parent already shows is left out.
fn causes(message: &str, mut next: Option<&(dyn std::error::Error + 'static)>) -> Vec<String> {
    let mut causes = Vec::new();
    let mut shown = message.to_owned();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !shown.contains(&message) {
            causes.push(message.clone());
            shown = message;
        }
        next = cause.source();
    }
    causes
}
