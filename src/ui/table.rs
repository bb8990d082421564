//! Plain tables: columns aligned by spaces, so that they can be read, grepped and cut.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr as _;

use super::{line, words};

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers and sizes.
    Right,
}

/// Lays out rows under a header; trailing spaces are cut.
///
/// Where stdout is a terminal that the table is too wide for, digests are shortened, and if that is not enough each row
/// becomes some lines. What is read by a program is never shortened.
#[must_use]
pub fn table(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    layout(header, rows, super::width(std::io::stdout()).map(usize::from))
}

fn layout(header: &[(&str, Align)], rows: &[Vec<String>], width: Option<usize>) -> String {
    let header: Vec<_> =
        header.iter().map(|(title, align)| (words::template(title).unwrap_or(title), *align)).collect();
    let mut rows: Vec<Vec<Cow<'_, str>>> = rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect()).collect();
    let fits = |text: &str| width.is_none_or(|width| text.lines().all(|line| line.width() <= width));
    let text = columns(&header, &rows);
    if fits(&text) {
        return text;
    }
    rows.iter_mut().flatten().for_each(shorten);
    let text = columns(&header, &rows);
    if fits(&text) { text } else { blocks(&header, &rows) }
}

fn columns(header: &[(&str, Align)], rows: &[Vec<Cow<'_, str>>]) -> String {
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(i, (title, _))| {
            rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.width()).max().max(Some(title.width()))
        })
        .map(Option::unwrap_or_default)
        .collect();
    let mut out = String::new();
    let titles: Vec<_> = header.iter().map(|(title, _)| line(title)).collect();
    for row in std::iter::once(&titles).chain(rows) {
        let mut text = String::new();
        for ((cell, (_, align)), column) in row.iter().zip(header).zip(&widths) {
            let gap = " ".repeat(column - cell.width());
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

/// A row as some lines: its first cell, and below it the others with their titles.
fn blocks(header: &[(&str, Align)], rows: &[Vec<Cow<'_, str>>]) -> String {
    let Some(((first, _), others)) = header.split_first() else { return String::new() };
    let column = others.iter().map(|(title, _)| title.width()).max().unwrap_or_default();
    let mut out = format!("{first}\n");
    for row in rows {
        let Some((name, cells)) = row.split_first() else { continue };
        out.push_str(&format!("{name}\n"));
        for (cell, (title, _)) in cells.iter().zip(others) {
            out.push_str(&format!("  {title}{}  {cell}\n", " ".repeat(column - title.width())));
        }
    }
    out
}

/// `sha256:0123456789ab…`: enough to tell one from another.
fn shorten(cell: &mut Cow<'_, str>) {
    if let Some(hex) = cell.strip_prefix("sha256:").filter(|hex| hex.len() == 64 && hex.is_ascii()) {
        *cell = Cow::Owned(format!("sha256:{}…", &hex[..12]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_columns() {
        let rows = [vec!["loki".to_owned(), "9 MB".to_owned()], vec!["k3s".to_owned(), "120 MB".to_owned()]];
        let text = table(&[("NAME", Align::Left), ("SIZE", Align::Right)], &rows);
        assert_eq!(text, "NAME    SIZE\nloki    9 MB\nk3s   120 MB\n");
        // A Chinese character takes two columns of a terminal.
        let rows = [vec!["镜像".to_owned(), "1".to_owned()], vec!["abcde".to_owned(), "2".to_owned()]];
        let text = table(&[("N", Align::Left), ("S", Align::Right)], &rows);
        assert_eq!(text, "N      S\n镜像   1\nabcde  2\n");
    }

    #[test]
    fn a_narrow_terminal_gets_short_digests_and_then_blocks() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        let header = [("IMAGE", Align::Left), ("DIGEST", Align::Left), ("ARM64", Align::Right)];
        let rows = [vec!["quay.io/a/镜像:1".to_owned(), digest.clone(), "9 MB".to_owned()]];
        for width in [None, Some(200)] {
            let text = layout(&header, &rows, width);
            assert!(text.contains(&digest) && text.lines().count() == 2, "{text}");
        }
        insta::assert_snapshot!(layout(&header, &rows, Some(60)), @r"
        IMAGE             DIGEST                ARM64
        quay.io/a/镜像:1  sha256:0123456789ab…   9 MB
        ");
        insta::assert_snapshot!(layout(&header, &rows, Some(40)), @r"
        IMAGE
        quay.io/a/镜像:1
          DIGEST  sha256:0123456789ab…
          ARM64   9 MB
        ");
    }
}
