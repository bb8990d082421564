//! What `bundler pack` says at its end.

use super::count;
use crate::pack::Packed;
use crate::size;

/// The bundle's path or those of its parts first, so that a script can take the first word of the first line.
#[must_use]
pub fn text(packed: &Packed) -> String {
    let files = if packed.parts.is_empty() { std::slice::from_ref(&packed.path) } else { &packed.parts };
    let files: String = files.iter().map(|path| format!("{}\n", path.display())).collect();
    format!(
        "{files}  {}, {}, {} in {}, {} of it fetched now\n  sha256 {}{}\n  sha256 of SHA256SUMS {}\n",
        count(packed.images, "image"),
        count(packed.charts, "chart"),
        count(packed.files, "file"),
        size::bytes(packed.size),
        size::bytes(packed.fetched),
        packed.sha256.hex(),
        if packed.parts.is_empty() { "" } else { " of the parts put together" },
        packed.sums_sha256.hex(),
    )
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
        "{}\n  {}, {} of it from the base\n  sha256 {}\n  sha256 of SHA256SUMS {}\n",
        applied.path.display(),
        size::bytes(applied.size),
        size::bytes(applied.from_base),
        applied.sha256.hex(),
        applied.sums_sha256.hex()
    )
}
