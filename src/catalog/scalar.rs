//! The small texts of the catalog that mean a number: ages, sizes and dates.

/// The days of an age such as `7d`.
#[must_use]
pub fn days(text: &str) -> Option<u32> {
    text.strip_suffix('d').filter(|digits| is_number(digits))?.parse().ok()
}

/// The bytes of a size such as `350MB` or `1.5GiB`; `k`, `M` and `G` are powers of 1000, with `i` of 1024.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 6] =
        [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    let text = text.trim();
    let (digits, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), *unit)))?;
    let (whole, tenths) = digits.split_once('.').unwrap_or((digits, "0"));
    if !is_number(whole) || !is_number(tenths) || tenths.len() != 1 {
        return None;
    }
    let tenths = whole.parse::<u64>().ok()?.checked_mul(10)?.checked_add(tenths.parse().ok()?)?;
    Some(tenths.checked_mul(unit)? / 10)
}

/// The day of a date in the one form that is accepted, `YYYY-MM-DD`.
#[must_use]
pub fn date(text: &str) -> Option<jiff::civil::Date> {
    let date: jiff::civil::Date = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ages() {
        assert_eq!(days("7d"), Some(7));
        assert_eq!(days("0d"), Some(0));
        for text in ["", "d", "7", "7h", "-1d", "+1d", "1.5d", " 7d", "7 d", "99999999999d"] {
            assert_eq!(days(text), None, "{text}");
        }
    }

    #[test]
    fn reads_sizes() {
        assert_eq!(bytes("350MB"), Some(350_000_000));
        assert_eq!(bytes("1.5 GiB"), Some(3 << 29));
        assert_eq!(bytes("0kB"), Some(0));
        for text in ["", "MB", "350", "350mb", "-1MB", "1.25GB", "1.MB", ".5MB", "99999999999999999999GB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn reads_dates() {
        assert_eq!(date("2027-03-01"), Some(jiff::civil::date(2027, 3, 1)));
        for text in ["", "2027-3-1", "2027-02-30", "20270301", "2027-03-01T00:00", "tomorrow", "2027-W10-1"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
