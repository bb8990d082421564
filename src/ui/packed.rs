//! What `bundler pack` says at its end.

use std::path::PathBuf;

use super::words::say;
use super::{count, line};
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
    files.iter().map(|path| format!("{}\n", line(&path.display().to_string()))).collect()
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
    let (size, base) = (size::bytes(applied.size), size::bytes(applied.from_base));
    let digest = applied.sha256.hex();
    format!(
        "{}  {}\n  {}\n  {}\n",
        files(&applied.path, &applied.parts),
        say!("{size}, {base} of it from the base", size, base),
        match applied.parts.as_slice() {
            [] => format!("sha256 {digest}"),
            _ => say!("sha256 {digest} of the parts put together", digest),
        },
        say!("sha256 of SHA256SUMS {digest}", digest = applied.sums_sha256.hex()),
    )
}
