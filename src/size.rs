//! Sizes and durations for people.

/// `1.4 GB`, `350 MB`, `12 B`: powers of 1000 as disks and links are sold, three digits at most.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = "";
    for name in UNITS {
        value /= 1000.0;
        unit = name;
        // 999.6 would be shown as 1000.
        if value < 999.5 {
            break;
        }
    }
    let digits = if value < 9.95 { 1 } else { 0 };
    format!("{value:.digits$} {unit}")
}

/// `45 s`, `3 min 20 s`, `1 h 02 min`.
#[must_use]
pub fn seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_three_digits_at_most() {
        for (value, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_951, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (1_400_000_000, "1.4 GB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(bytes(value), shown);
        }
        assert_eq!([seconds(59), seconds(60), seconds(3661)], ["59 s", "1 min 00 s", "1 h 01 min"]);
    }
}
