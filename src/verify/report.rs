//! What a verification found.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::bundle::read::Form;
use crate::oci::{Arch, Digest};
use crate::sign::Signature;

/// The most findings that are listed; a bundle of zeros has as many as members.
pub(super) const MAX_FINDINGS: usize = 1000;

/// The answer to `bundler verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// The archive or directory as it was given.
    pub path: String,
    /// Whether every byte is in place, nothing is missing and nothing extra.
    pub good: bool,
    /// In which form the bundle is; none when it could not be read.
    pub form: Option<Form>,
    /// Of a delta, the bundle that has the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Whether what a delta leaves out was checked in its base.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub with_base: bool,
    /// The bundle's name.
    pub name: Option<String>,
    /// The bundle's version.
    pub version: Option<String>,
    /// The profiles that it has.
    pub profiles: Vec<String>,
    /// The architectures that it is for.
    pub architectures: Vec<Arch>,
    /// The sha256 of `SHA256SUMS`: equal for equal contents, signed or not.
    pub sums_sha256: Option<Digest>,
    /// Who signed it; without a list of signers only the key is told, and nothing is checked.
    pub signature: Option<Signature>,
    /// The sha256 of the archive, computed when `FILE.sha256` is beside it.
    pub archive_sha256: Option<Digest>,
    /// The number of files.
    pub members: usize,
    /// The sum of their sizes.
    pub bytes: u64,
    /// The number of images that it should have.
    pub images: usize,
    /// The number of charts that it should have.
    pub charts: usize,
    /// The number of programs and other files that it should have.
    pub files: usize,
    /// What is wrong, sorted.
    pub findings: Vec<Finding>,
    /// How many more findings there are than are listed.
    pub more: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Finding {
    /// Which kind of thing.
    pub kind: Kind,
    /// The member, image or file that it is about; none for the archive as a whole.
    pub member: Option<String>,
    /// What is wrong, in words.
    pub message: String,
    /// What should be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The bundle or a member cannot be read.
    Unreadable,
    /// The archive is not the one that `FILE.sha256` names.
    Archive,
    /// The archive is not in the form that it is written in.
    Form,
    /// Bytes are not those of `SHA256SUMS`, of a blob's name or of the lock.
    Digest,
    /// Something is missing.
    Missing,
    /// Something is there that should not be.
    Extra,
    /// `SHA256SUMS`, `bundle.yaml` or a list of images is wrong.
    Content,
    /// A signature is required and missing, or not good.
    Signature,
}

impl Report {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.display().to_string(),
            good: true,
            form: None,
            base: None,
            with_base: false,
            name: None,
            version: None,
            profiles: Vec::new(),
            architectures: Vec::new(),
            sums_sha256: None,
            signature: None,
            archive_sha256: None,
            members: 0,
            bytes: 0,
            images: 0,
            charts: 0,
            files: 0,
            findings: Vec::new(),
            more: 0,
        }
    }

    /// Adds a finding, unless another check told the same: of a wrong blob `SHA256SUMS` and its name both say so.
    pub(super) fn add(&mut self, finding: Finding) {
        self.good = false;
        let same = |other: &Finding| {
            other.kind == finding.kind
                && other.member == finding.member
                && other.expected == finding.expected
                && other.found == finding.found
        };
        if finding.member.is_some() && self.findings.iter().any(same) {
            return;
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

impl Finding {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, member: None, message: message.into(), expected: None, found: None }
    }

    /// A finding with the words of an error and of its causes.
    pub(super) fn from_error(kind: Kind, member: Option<&str>, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self { member: member.map(str::to_owned), ..Self::new(kind, message) }
    }

    pub(super) fn at(self, member: impl Into<String>) -> Self {
        Self { member: Some(member.into()), ..self }
    }

    pub(super) fn differs(self, expected: impl ToString, found: impl ToString) -> Self {
        Self { expected: Some(expected.to_string()), found: Some(found.to_string()), ..self }
    }
}
