//! What `bundler pack` says at its end.

use std::path::PathBuf;

use super::count;
use crate::pack::Packed;
use crate::size;

/// The bundle's path or those of its parts first, so that a script can take the first word of the first line.
#[must_use]
pub fn text(packed: &Packed) -> String {
    format!(
        "{}  {}, {}, {} in {}, {} of it fetched now\n  sha256 {}{}\n  sha256 of SHA256SUMS {}\n",
        files(&packed.path, &packed.parts),
        count(packed.images, "image"),
        count(packed.charts, "chart"),
        count(packed.files, "file"),
        size::bytes(packed.size),
        size::bytes(packed.fetched),
        packed.sha256.hex(),
        of_parts(&packed.parts),
        packed.sums_sha256.hex(),
    )
}

/// The paths of what was written, one a line.
fn files(path: &PathBuf, parts: &[PathBuf]) -> String {
    let files = if parts.is_empty() { std::slice::from_ref(path) } else { parts };
    files.iter().map(|path| format!("{}\n", path.display())).collect()
}

const fn of_parts(parts: &[PathBuf]) -> &'static str {
    if parts.is_empty() { "" } else { " of the parts put together" }
}

/// The report of `bundler sign`.
#[must_use]
pub fn signed(signed: &crate::sign::Signed) -> String {
    let size = size::bytes(signed.size);
    format!(
        "{}\n  signed, {size}\n  sha256 {}\n  sha256 of SHA256SUMS {}\n",
        signed.path.display(),
        signed.sha256.hex(),
        signed.sums_sha256.hex()
    )
}

/// The report of `bundler apply`.
#[must_use]
pub fn applied(applied: &crate::apply::Applied) -> String {
    format!(
        "{}  {}, {} of it from the base\n  sha256 {}{}\n  sha256 of SHA256SUMS {}\n",
        files(&applied.path, &applied.parts),
        size::bytes(applied.size),
        size::bytes(applied.from_base),
        applied.sha256.hex(),
        of_parts(&applied.parts),
        applied.sums_sha256.hex()
    )
}
