//! Applying: base and delta give the full bundle, byte for byte as it was published.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Serialize;

use crate::bundle::delta::Error as DeltaError;
use crate::bundle::read::{Bundle, is_other};
use crate::bundle::write::{Finished, Writer};
use crate::bundle::{self, Content, Layout, Member, delta, model, sums};
use crate::error::Diagnostic;
use crate::event::{Event, Reporter};
use crate::exit::Exit;
use crate::oci::{Digest, Hasher};

#[cfg(test)]
mod tests;

/// How much is copied at once, 256 KiB: they stay in a core's cache while they are read, hashed and written.
const CHUNK: u64 = 256 << 10;
/// The largest signature that is taken, 64 KiB: one has a few hundred bytes.
const MAX_SIGNATURE: u64 = 64 << 10;

/// Why a delta was not applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// What is in the output's place is somebody's file.
    #[error("`{}` is there already and is no bundle", .0.display())]
    NotBundle(PathBuf),
    /// Bytes are not those of `SHA256SUMS`.
    #[error("`{member}` is damaged in `{}`: it should be {expected}, but is {found}", .path.display())]
    Damaged {
        /// The base or the delta.
        path: PathBuf,
        /// The member of the full bundle.
        member: String,
        /// What `SHA256SUMS` says.
        expected: Digest,
        /// The digest of its bytes.
        found: Digest,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Bundle(error) => error.exit(),
            Self::NotBundle(_) => Exit::Usage,
            Self::Damaged { .. } => Exit::Mismatch,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Bundle(error) => error.hint(),
            Self::NotBundle(_) => Some("name another file with `--output`".to_owned()),
            Self::Damaged { .. } => Some("copy it again; `bundler verify` lists all that is wrong".to_owned()),
        }
    }
}

/// A delta that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Applied {
    /// The full bundle.
    pub path: PathBuf,
    /// Its parts, where it was cut.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PathBuf>,
    /// Its size in bytes.
    pub size: u64,
    /// Its sha256.
    pub sha256: Digest,
    /// The sha256 of its `SHA256SUMS`.
    pub sums_sha256: Digest,
    /// How many bytes came from the base.
    pub from_base: u64,
}

/// Writes the full bundle of `base` and `delta` with `jobs` threads, in parts where it is larger than `split_size`
/// bytes; every byte is hashed while it is copied.
pub fn apply(
    base: &Path,
    delta: &Path,
    output: &Path,
    split_size: Option<u64>,
    jobs: NonZero<usize>,
    reporter: &dyn Reporter,
) -> Result<Applied, Error> {
    if is_other(output) {
        return Err(Error::NotBundle(output.to_owned()));
    }
    let mut full = Bundle::open(delta).map_err(bundle::Error::from)?;
    full.join(Arc::new(Bundle::open(base).map_err(bundle::Error::from)?)).map_err(bundle::Error::from)?;
    full.tell_form(reporter);
    let (members, from_base, sums_sha256) = members(&full)?;
    let total = members.iter().map(|member| member.size).sum();
    reporter.report(Event::Total { bytes: total, items: members.len() as u64 });
    let layout = Layout::new(members).map_err(bundle::Error::from)?;
    if let Some(part) = split_size {
        bundle::parts::check(layout.archive_size(), part).map_err(bundle::Error::from)?;
    }
    let writer = Writer::begin(output, layout, split_size, false).map_err(bundle::Error::from)?;
    let parts: Vec<_> = writer.files().filter(|file| *file != output).map(Path::to_owned).collect();
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), Error> {
        let mut buffer = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(member) = writer.layout().members().get(index) else { return Ok(()) };
            if let Content::Blob(expected) = member.content
                && let Err(error) = copy(&full, index, expected, &writer, &mut buffer, reporter)
            {
                // The others stop at their next member.
                next.store(writer.layout().members().len(), Ordering::Relaxed);
                return Err(error);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..jobs.get()).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for thread in threads {
            match thread.join() {
                Ok(other) => result = result.and(other),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })?;
    let sealed = writer.seal().map_err(bundle::Error::from)?;
    let Finished { sha256, size } = sealed.publish().map_err(bundle::Error::from)?;
    Ok(Applied { path: output.to_owned(), parts, size, sha256, sums_sha256, from_base })
}

/// The members of the full bundle, how many bytes of them are in the base, and the sha256 of `SHA256SUMS`.
fn members(full: &Bundle) -> Result<(Vec<Member>, u64, Digest), Error> {
    let damaged = |reason: String| {
        let error = DeltaError::Damaged { path: full.path().to_owned(), reason };
        Error::from(bundle::Error::from(bundle::read::Error::from(error)))
    };
    let list = full.read(model::SUMS, sums::MAX_SIZE).map_err(bundle::Error::from)?;
    let text = std::str::from_utf8(&list).ok().and_then(|text| sums::parse(text).ok());
    let listed: HashMap<_, _> =
        text.ok_or_else(|| damaged("its SHA256SUMS is no list of checksums".to_owned()))?.into_iter().collect();
    let omitted = full.delta_file().map(|file: &delta::DeltaFile| file.omitted.as_slice()).unwrap_or_default();
    let from_base = omitted.iter().fold(0_u64, |sum, omitted| sum.saturating_add(omitted.size));
    let mut members = Vec::new();
    let mut seen = 0;
    for member in full.members() {
        let content = match (listed.get(member.path.as_str()), member.path.as_str()) {
            (Some(digest), _) => {
                seen += 1;
                Content::Blob(*digest)
            }
            (None, model::SUMS) => Content::Inline(list.clone().into()),
            (None, model::SUMS_SIG) => {
                Content::Inline(full.read(model::SUMS_SIG, MAX_SIGNATURE).map_err(bundle::Error::from)?.into())
            }
            (None, path) => return Err(damaged(format!("`{path}` is not listed in its SHA256SUMS"))),
        };
        members.push(Member { path: member.path.clone(), mode: member.mode, size: member.size, content });
    }
    if seen < listed.len() {
        return Err(damaged("it lacks something that its SHA256SUMS lists".to_owned()));
    }
    Ok((members, from_base, Digest::of(&list)))
}

fn copy(
    full: &Bundle,
    index: usize,
    expected: Digest,
    writer: &Writer,
    buffer: &mut Vec<u8>,
    reporter: &dyn Reporter,
) -> Result<(), Error> {
    let member = &full.members()[index];
    let slot = writer.slot(index);
    let mut hasher = Hasher::new();
    let mut at = 0;
    while at < member.size {
        let length = (member.size - at).min(CHUNK);
        buffer.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
        full.read_at(index, at, buffer).map_err(bundle::Error::from)?;
        hasher.update(buffer);
        slot.write_at(at, buffer).map_err(bundle::Error::from)?;
        reporter.report(Event::Bytes(length));
        at += length;
    }
    let found = hasher.finish();
    if found != expected {
        return Err(Error::Damaged { path: full.source_of(index), member: member.path.clone(), expected, found });
    }
    reporter.report(Event::Piece(&member.path));
    Ok(())
}
