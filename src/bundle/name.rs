//! Which names a member may have: those that no reader can be led astray by.

/// The longest name in bytes: what a ustar header holds with its prefix, and no PAX header needed,
/// which busybox would pass over.
pub const MAX_NAME: usize = 255;

/// Checks that `name` is a plain relative path, and says what is wrong with it.
///
/// Control characters and backslashes would need quoting in `SHA256SUMS`.
pub fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("the name is empty");
    }
    if name.len() > MAX_NAME {
        return Err("the name is longer than 255 bytes");
    }
    if name.starts_with('/') {
        return Err("the path is absolute");
    }
    if name.contains(|c: char| c.is_control() || c == '\\') {
        return Err("the name has a control character or a backslash");
    }
    for part in name.split('/') {
        match part {
            "" => return Err("the path has an empty part"),
            "." | ".." => return Err("the path has a `.` or `..`"),
            _ => {}
        }
    }
    Ok(())
}

/// Quotes a name from outside for a message: escaped, and at most 100 characters of it.
#[must_use]
pub fn quote(name: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(name).chars().take(100).collect();
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_paths_only() {
        for name in ["a", "a/b.c", "lib/安装.sh", "a..b", ".a", "a b", &"a/".repeat(127), &"x".repeat(255)] {
            assert_eq!(check(name.trim_end_matches('/')), Ok(()), "{name}");
        }
        for name in
            ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/./b", "a\nb", "a\0", "a\\b", &"x".repeat(256)]
        {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
