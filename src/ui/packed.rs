//! What `bundler pack` says at its end.

use super::size;
use crate::pack::Packed;

/// The bundle's path first, so that a script can take the first word of the first line.
#[must_use]
pub fn text(packed: &Packed) -> String {
    format!(
        "{}\n  {} images, {} charts, {} files in {}, {} of it fetched now\n  sha256 {}\n  sha256 of SHA256SUMS {}\n",
        packed.path.display(),
        packed.images,
        packed.charts,
        packed.files,
        size::bytes(packed.size),
        size::bytes(packed.fetched),
        packed.sha256.hex(),
        packed.sums_sha256.hex(),
    )
}
