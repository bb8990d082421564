//! Signatures: SSHSIG (openssh `PROTOCOL.sshsig`) in the namespace `bundler`, so that a site checks them with
//! `ssh-keygen -Y verify` and nothing of ours.
//!
//! What is signed is `SHA256SUMS` in the bundle and `FILE.sha256` beside it. Signing is left to `ssh-keygen`, which
//! knows agents, hardware keys and passphrases; checking is here, because a site may have no OpenSSH.

mod archive;
mod check;
mod keygen;
mod pattern;
mod signers;

use std::io;
use std::path::PathBuf;

pub use archive::{Signed, member, sign};
pub use check::{Refusal, Signature, Trust, signer};
pub use keygen::sign_bytes;
pub use signers::Signers;

use crate::bundle::{read, write};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;

/// The namespace that signatures are made in and for: one made for mail or git is not good for a bundle.
pub const NAMESPACE: &str = "bundler";

/// The largest signature that is read, 64 KiB: one of a 16,384-bit RSA key has 6.
pub const MAX_SIGNATURE: u64 = 64 << 10;

/// Why nothing was signed, or no trust could be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of the list of signers or of revoked keys is wrong.
    #[error("{path}:{line}: {reason}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no `ssh-keygen`.
    #[error("cannot run `ssh-keygen`, which signs")]
    Program(#[source] io::Error),
    /// `ssh-keygen` did not sign.
    #[error("ssh-keygen cannot sign with `{key}`: {message}")]
    Sign {
        /// The key.
        key: PathBuf,
        /// Its message.
        message: String,
    },
    /// The bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] read::Error),
    /// The bundle is not in a form that a signature can be added to.
    #[error("`{path}` cannot be signed: {reason}")]
    Form {
        /// The bundle.
        path: PathBuf,
        /// What it is.
        reason: &'static str,
    },
    /// A member is not what `SHA256SUMS` lists.
    #[error("`{member}` of `{path}` is not what SHA256SUMS lists: expected {expected}, found {found}")]
    Damaged {
        /// The bundle.
        path: PathBuf,
        /// The member.
        member: String,
        /// What is listed.
        expected: String,
        /// What is there.
        found: Digest,
    },
    /// The members fit in no archive.
    #[error(transparent)]
    Layout(#[from] crate::bundle::layout::Error),
    /// The archive cannot be written.
    #[error(transparent)]
    Archive(#[from] write::Error),
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Read { .. } | Self::Line { .. } | Self::Program(_) | Self::Sign { .. } | Self::Form { .. } => {
                Exit::Usage
            }
            Self::Write { .. } => Exit::Disk,
            Self::Bundle(error) => error.exit(),
            Self::Damaged { .. } => Exit::Mismatch,
            Self::Layout(error) => error.exit(),
            Self::Archive(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Line { .. } => {
                Some("`man ssh-keygen`, ALLOWED SIGNERS, says what a line has: names, options, key".to_owned())
            }
            Self::Program(_) => Some("install OpenSSH on the machine that signs".to_owned()),
            Self::Sign { .. } => {
                Some("name a private key, or the public half of one that an agent or a security key holds".to_owned())
            }
            Self::Bundle(error) => error.hint(),
            Self::Damaged { .. } => Some("`bundler verify` lists all that is wrong".to_owned()),
            Self::Layout(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::Read { .. } | Self::Write { .. } | Self::Form { .. } => None,
        }
    }
}
