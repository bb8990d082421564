//! Plain tables: columns aligned by spaces, so that they can be read, grepped and cut.

use super::line;

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers and sizes.
    Right,
}

/// Lays out rows under a header; trailing spaces are cut.
#[must_use]
pub fn table(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect()).collect();
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(i, (title, _))| {
            rows.iter().filter_map(|row| row.get(i)).map(|cell| width(cell)).max().unwrap_or(0).max(width(title))
        })
        .collect();
    let mut out = String::new();
    let titles: Vec<_> = header.iter().map(|(title, _)| line(title)).collect();
    for row in std::iter::once(&titles).chain(&rows) {
        let mut text = String::new();
        for ((cell, (_, align)), column) in row.iter().zip(header).zip(&widths) {
            let gap = " ".repeat(column - width(cell));
            match align {
                Align::Left => text.extend([&**cell, gap.as_str()]),
                Align::Right => text.extend([gap.as_str(), &**cell]),
            }
            text.push_str("  ");
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_columns() {
        let rows = [vec!["loki".to_owned(), "9 MB".to_owned()], vec!["k3s".to_owned(), "120 MB".to_owned()]];
        let text = table(&[("NAME", Align::Left), ("SIZE", Align::Right)], &rows);
        assert_eq!(text, "NAME    SIZE\nloki    9 MB\nk3s   120 MB\n");
    }
}
