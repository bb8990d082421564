//! Bytes that look random and are the same at every run, and checksum files in the publishers' forms.

use std::fmt::Write as _;

use bundler::oci::Digest;
use sha2::Digest as _;

use super::table::Sums;

/// `size` bytes that no compression makes smaller, the same for the same seed.
pub(crate) fn noise(seed: &str, size: usize) -> Vec<u8> {
    let digest = Digest::of(seed.as_bytes());
    let mut state = digest.as_bytes()[..8].iter().fold(0u64, |state, byte| state << 8 | u64::from(*byte)) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        // xorshift64*: quick even without optimisation.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// A program of about `size` bytes that says what it is.
pub(crate) fn program(name: &str, seed: &str, size: usize) -> Vec<u8> {
    let mut bytes = format!("#!/bin/sh\necho '{name} of the embedded upstream: {seed}'\nexit 0\n").into_bytes();
    bytes.extend(noise(seed, size.saturating_sub(bytes.len())));
    bytes
}

/// The algorithms of `rhash --all`, in the order that its file has them.
const ALGORITHMS: [(&str, usize); 8] = [
    ("CRC32", 8),
    ("MD4", 32),
    ("MD5", 32),
    ("SHA1", 40),
    ("RIPEMD-160", 40),
    ("SHA-256", 64),
    ("SHA-512", 128),
    ("SHA3-256", 64),
];

/// A checksum file over named contents.
pub(crate) fn sums(form: Sums, over: &[(String, bytes::Bytes)]) -> String {
    let mut text = String::new();
    for (name, bytes) in over {
        let sha256 = Digest::of(bytes).hex();
        let line = match form {
            Sums::Gnu => writeln!(text, "{sha256}  {name}"),
            Sums::OneBlank => writeln!(text, "{sha256} {name}"),
            Sums::Binary => writeln!(text, "{sha256} *{name}"),
            Sums::Dist => writeln!(text, "{sha256}  dist/{name}"),
            Sums::Bare => writeln!(text, "{sha256}"),
            Sums::BareSha512 => writeln!(text, "{}", sha512(bytes)),
            Sums::Bsd => ALGORITHMS.iter().try_for_each(|(algorithm, digits)| {
                writeln!(text, "{} ({name}) = {}", algorithm.replace("SHA-", "SHA"), hash(algorithm, *digits, bytes))
            }),
            Sums::Rhash => {
                let hashes: Vec<_> = ALGORITHMS.iter().map(|(a, digits)| hash(a, *digits, bytes)).collect();
                writeln!(text, "{name}  {}", hashes.join("  "))
            }
            Sums::RhashOrder => Ok(()),
        };
        line.expect("memory takes it");
    }
    if matches!(form, Sums::RhashOrder) {
        return ALGORITHMS.iter().map(|(algorithm, _)| format!("{algorithm}\n")).collect();
    }
    text
}

/// The real hash where somebody reads it; the others only look like one.
fn hash(algorithm: &str, digits: usize, bytes: &[u8]) -> String {
    match algorithm {
        "SHA-256" => Digest::of(bytes).hex(),
        "SHA-512" => sha512(bytes),
        _ => {
            let seed = Digest::of(format!("{algorithm}{}", Digest::of(bytes)).as_bytes()).hex();
            seed.chars().cycle().take(digits).collect()
        }
    }
}

fn sha512(bytes: &[u8]) -> String {
    sha2::Sha512::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
