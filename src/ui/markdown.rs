//! Markdown of text that others chose.

/// Text as code, so that it can be nothing but text, also in the cell of a table.
#[must_use]
pub(super) fn code(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() || c == '`' { '\u{fffd}' } else { c }).collect();
    format!("`{}`", plain.replace('|', "\\|"))
}
