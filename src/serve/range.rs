//! The `Range` header (RFC 9110 §14): one range of bytes, or everything.

use std::ops::Range;

/// What a client asks of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them: no header, one that is not understood, or several ranges, which a server may pass over.
    Whole,
    /// These, of which there is at least one.
    Part(Range<u64>),
    /// Bytes that do not exist.
    Unsatisfiable,
}

/// Reads the header for bytes of this size.
pub(super) fn parse(header: Option<&str>, size: u64) -> Wanted {
    let Some(header) = header else { return Wanted::Whole };
    let Some((unit, set)) = header.split_once('=') else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Wanted::Whole };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => return Wanted::Whole,
        (Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(length)) if first.is_empty() => size.saturating_sub(length)..size,
        _ => return Wanted::Whole,
    };
    if range.start < range.end { Wanted::Part(range) } else { Wanted::Unsatisfiable }
}

/// A decimal number; one that fits no 64 bits is as good as the largest that does.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range() {
        let part = |header, start, end| assert_eq!(parse(Some(header), 1000), Wanted::Part(start..end), "{header}");
        part("bytes=0-0", 0, 1);
        part("bytes=0-", 0, 1000);
        part("bytes=10-19", 10, 20);
        part("bytes=990-5000", 990, 1000);
        part("bytes=-1", 999, 1000);
        part("bytes=-5000", 0, 1000);
        part("Bytes=1-2", 1, 3);
        part("bytes=0-99999999999999999999999", 0, 1000);
    }

    #[test]
    fn none() {
        for header in ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(parse(Some(header), 1000), Wanted::Unsatisfiable, "{header}");
        }
        for header in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(parse(Some(header), 0), Wanted::Unsatisfiable, "{header}");
        }
    }

    #[test]
    fn nonsense_is_passed_over() {
        let silly = [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=1",
            "bytes=2-1",
            "bytes=+1-2",
            "bytes=1-2-3",
            "bytes=0-1,5-6",
            "lines=1-2",
            "bytes=--1",
            "bytes=0x10-",
            "bytes=1 - 2",
            "=1-2",
            "bytes=\u{661}-",
        ];
        for header in silly {
            assert_eq!(parse(Some(header), 1000), Wanted::Whole, "{header}");
        }
        assert_eq!(parse(None, 1000), Wanted::Whole);
    }
}
