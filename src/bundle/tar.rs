//! Tar headers (POSIX.1-1988 ustar) of plain files without owner and time.
//!
//! Long names use the prefix field and sizes from 8 GiB on base-256, which GNU tar, busybox, bsdtar,
//! Python and Go all read; busybox passes over PAX headers.

use super::name;

/// The unit of a tar.
pub const RECORD: u64 = 512;
/// The two zero records that end a tar.
pub const END: u64 = 2 * RECORD;

const NAME: std::ops::Range<usize> = 0..100;
const MODE: std::ops::Range<usize> = 100..108;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const KIND: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..265;
const PREFIX: std::ops::Range<usize> = 345..500;
/// The largest size in eleven octal digits.
const MAX_OCTAL_SIZE: u64 = (1 << 33) - 1;

/// What a header says about a plain file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its checked path.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
}

/// Why a header is not that of a plain file with a safe name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The checksum is wrong: damaged, or no tar.
    #[error("the tar header is damaged")]
    Checksum,
    /// A link, device, directory, sparse file or extension header.
    #[error("`{name}` is a tar entry of type `{kind}`; a bundle has plain files only")]
    Kind {
        /// The name, quoted.
        name: String,
        /// The type flag, quoted.
        kind: String,
    },
    /// The name could lead a reader astray.
    #[error("unsafe name `{name}`: {reason}")]
    Name {
        /// The name, quoted.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A number is none.
    #[error("`{name}` has a {field} that is no number")]
    Number {
        /// The name, quoted.
        name: String,
        /// Which field.
        field: &'static str,
    },
}

/// Rounds `size` up to whole records.
#[must_use]
pub const fn padded(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(RECORD)
}

/// Writes the header of a plain file; `None` when the path has no `/` where the header's fields want one.
#[must_use]
pub fn header(path: &str, mode: u32, size: u64) -> Option<[u8; 512]> {
    let (prefix, file) = split(path)?;
    let mut header = [0; 512];
    header[..file.len()].copy_from_slice(file.as_bytes());
    header[PREFIX.start..PREFIX.start + prefix.len()].copy_from_slice(prefix.as_bytes());
    octal(&mut header[MODE], mode.into());
    octal(&mut header[108..116], 0); // uid
    octal(&mut header[116..124], 0); // gid
    if size <= MAX_OCTAL_SIZE {
        octal(&mut header[SIZE], size);
    } else {
        header[SIZE.start] = 0x80;
        header[SIZE.end - 8..SIZE.end].copy_from_slice(&size.to_be_bytes());
    }
    octal(&mut header[136..148], 0); // mtime
    header[KIND] = b'0';
    header[MAGIC].copy_from_slice(b"ustar\x0000");
    octal(&mut header[329..337], 0); // device major
    octal(&mut header[337..345], 0); // device minor
    let sum = checksum(&header);
    octal(&mut header[CHECKSUM.start..CHECKSUM.end - 1], sum.into());
    header[CHECKSUM.end - 1] = b' ';
    Some(header)
}

/// Reads a header; `None` for the zero record that ends a tar.
pub fn parse(header: &[u8; 512]) -> Result<Option<Entry>, Error> {
    if header.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    if number(&header[CHECKSUM]) != Some(checksum(header).into()) {
        return Err(Error::Checksum);
    }
    let mut path = text(&header[NAME]).to_vec();
    if &header[MAGIC] == b"ustar\x0000" && header[PREFIX.start] != 0 {
        path = [text(&header[PREFIX]), path.as_slice()].join(&b'/');
    }
    let quoted = || name::quote(&path);
    if !matches!(header[KIND], b'0' | 0) {
        return Err(Error::Kind { name: quoted(), kind: name::quote(&header[KIND..=KIND]) });
    }
    let reason = |reason| Error::Name { name: quoted(), reason };
    let path = std::str::from_utf8(&path).map_err(|_| reason("the name is not UTF-8"))?;
    name::check(path).map_err(reason)?;
    let field = |range: std::ops::Range<usize>, field| {
        number(&header[range]).ok_or_else(|| Error::Number { name: quoted(), field })
    };
    let size = field(SIZE, "size")?;
    let mode = u32::try_from(field(MODE, "mode")?).map_err(|_| Error::Number { name: quoted(), field: "mode" })?;
    Ok(Some(Entry { path: path.to_owned(), mode, size }))
}

/// Splits a path for the prefix and name fields, with the longest name that fits.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME.len() {
        return Some(("", path));
    }
    let at =
        path.bytes().enumerate().position(|(at, byte)| byte == b'/' && at > 0 && path.len() - at - 1 <= NAME.len())?;
    (at <= PREFIX.len() && at + 1 < path.len()).then(|| (&path[..at], &path[at + 1..]))
}

/// Writes `value` in octal with leading zeros and a final NUL.
fn octal(field: &mut [u8], value: u64) {
    let Some((end, digits)) = field.split_last_mut() else { return };
    *end = 0;
    let mut rest = value;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' | (rest & 7) as u8;
        rest >>= 3;
    }
    debug_assert_eq!(rest, 0, "the field is too short");
}

/// Reads octal digits that may end in spaces or NULs, or base-256 (GNU and star).
fn number(field: &[u8]) -> Option<u64> {
    if field.first() == Some(&0x80) {
        let (high, low) = field[1..].split_at(field.len().checked_sub(9)?);
        return high.iter().all(|byte| *byte == 0).then(|| low.try_into().map(u64::from_be_bytes).ok())?;
    }
    let digits = field.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(field.len());
    let (digits, rest) = field.split_at(digits);
    if digits.is_empty() || rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        matches!(digit, b'0'..=b'7').then(|| value.checked_mul(8)?.checked_add(u64::from(digit - b'0')))?
    })
}

/// The text of a field up to its first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The sum of all bytes with the checksum's own field as spaces.
fn checksum(header: &[u8; 512]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    sum(&header[..CHECKSUM.start]) + 8 * u32::from(b' ') + sum(&header[CHECKSUM.end..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_an_entry_or_an_error(
            changes in prop::collection::vec((0_usize..512, any::<u8>()), 0..24),
        ) {
            let result = changed(|header| changes.iter().for_each(|(at, byte)| header[*at] = *byte));
            if let Ok(Some(entry)) = result {
                prop_assert_eq!(name::check(&entry.path), Ok(()));
            }
        }
    }

    fn long(parts: &[usize]) -> String {
        parts.iter().map(|n| "x".repeat(*n)).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn the_tar_crate_reads_the_same() {
        for path in ["a", "blobs/sha256/x", &long(&[100]), &long(&[154, 100]), &long(&[1, 1, 98]), &long(&[50, 90, 90])]
        {
            for (mode, size) in [(0o644, 0), (0o755, 1), (0o644, MAX_OCTAL_SIZE), (0o644, 1 << 33), (0o644, 1 << 40)] {
                let bytes = header(path, mode, size).unwrap();
                assert_eq!(parse(&bytes), Ok(Some(Entry { path: path.to_owned(), mode, size })));
                let other = ::tar::Header::from_byte_slice(&bytes);
                assert_eq!(&*other.path_bytes(), path.as_bytes());
                assert_eq!(other.size().unwrap(), size);
                assert_eq!(other.mode().unwrap(), mode);
                assert_eq!((other.uid().unwrap(), other.gid().unwrap(), other.mtime().unwrap()), (0, 0, 0));
                assert!(other.entry_type().is_file() && other.as_ustar().is_some());
            }
        }
    }

    #[test]
    fn refuses_names_without_a_place_to_split() {
        for path in [&long(&[101]), &long(&[156, 98]), &long(&[1, 101])] {
            assert_eq!(header(path, 0o644, 0), None);
        }
    }

    fn changed(change: impl FnOnce(&mut [u8; 512])) -> Result<Option<Entry>, Error> {
        let mut bytes = header("a/b", 0o644, 5).unwrap();
        change(&mut bytes);
        let sum = checksum(&bytes);
        octal(&mut bytes[CHECKSUM.start..CHECKSUM.end - 1], sum.into());
        parse(&bytes)
    }

    #[test]
    fn refuses_what_is_no_plain_file() {
        for kind in *b"123456xgLKSVN" {
            assert!(matches!(changed(|h| h[KIND] = kind), Err(Error::Kind { .. })), "{}", char::from(kind));
        }
    }

    #[test]
    fn refuses_unsafe_names() {
        for name in [&b"../a"[..], b"/etc/passwd", b"a/../../b", b"a\nb", b"a\\b", b"\xff\xfe", b"a/", b"."] {
            let result = changed(|h| {
                h[NAME].fill(0);
                h[..name.len()].copy_from_slice(name);
            });
            assert!(matches!(result, Err(Error::Name { .. })), "{name:?}");
        }
        let prefix = changed(|h| h[PREFIX.start..PREFIX.start + 2].copy_from_slice(b".."));
        assert!(matches!(prefix, Err(Error::Name { .. })));
    }

    #[test]
    fn refuses_damage() {
        let mut bytes = header("a", 0o644, 0).unwrap();
        bytes[0] ^= 1;
        assert_eq!(parse(&bytes), Err(Error::Checksum));
        for size in [&b"-1234567890\0"[..], b"99999999999\0", b"\0\0\0\0\0\0\0\0\0\0\0\0", b"1 1\0\0\0\0\0\0\0\0\0"] {
            assert!(matches!(changed(|h| h[SIZE].copy_from_slice(size)), Err(Error::Number { .. })), "{size:?}");
        }
        assert!(matches!(changed(|h| h[SIZE].copy_from_slice(&[0xff; 12])), Err(Error::Number { .. })));
        assert_eq!(parse(&[0; 512]), Ok(None));
    }
}
