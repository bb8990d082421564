//! What `bundler pack` says at its end.

use super::count;
use crate::pack::Packed;
use crate::size;

/// The bundle's path first, so that a script can take the first word of the first line.
#[must_use]
pub fn text(packed: &Packed) -> String {
    format!(
        "{}\n  {}, {}, {} in {}, {} of it fetched now\n  sha256 {}\n  sha256 of SHA256SUMS {}\n",
        packed.path.display(),
        count(packed.images, "image"),
        count(packed.charts, "chart"),
        count(packed.files, "file"),
        size::bytes(packed.size),
        size::bytes(packed.fetched),
        packed.sha256.hex(),
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
