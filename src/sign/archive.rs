//! Signing a bundle that was packed without a key.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Error, sign_bytes};
use crate::bundle::parts::checksum_path;
use crate::bundle::read::Bundle;
use crate::bundle::write::{Finished, Writer, signature_path};
use crate::bundle::{Content, Layout, Member, delta, model, sums};
use crate::event::{Event, Reporter};
use crate::oci::{Digest, Hasher};
use crate::yaml;

/// How much is copied at once, 1 MiB.
const CHUNK: u64 = 1 << 20;

/// A bundle that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Signed {
    /// Where it is, or would be when its parts were put together.
    pub path: PathBuf,
    /// The signature of its `.sha256`, beside it.
    pub signature: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its sha256, which is another one than before.
    pub sha256: Digest,
    /// The sha256 of its `SHA256SUMS`, which is the same as before.
    pub sums_sha256: Digest,
}

/// Signs a bundle: every member is held against `SHA256SUMS`, the archive is written again with the signature as its
/// last member, and replaces the old one when it is whole.
pub fn sign(path: &Path, key: &Path, reporter: &dyn Reporter) -> Result<Signed, Error> {
    let bundle = Bundle::open(path)?;
    bundle.tell_form(reporter);
    let reason = "it is unpacked; sign the archive";
    let target = bundle.archive_path().ok_or(Error::Form { path: path.to_owned(), reason })?.to_owned();
    // What was cut stays cut, into parts of the same size.
    let part = bundle.parts().and_then(|parts| Some(std::fs::metadata(parts.paths.first()?).ok()?.len()));
    let reason = "it has a member that SHA256SUMS does not list";
    let unlisted = || Error::Form { path: path.to_owned(), reason };
    let list = bundle.read(model::SUMS, sums::MAX_SIZE)?;
    let listed = std::str::from_utf8(&list).ok().and_then(|text| sums::parse(text).ok());
    let reason = "its SHA256SUMS is no list of checksums";
    let listed = listed.ok_or(Error::Form { path: path.to_owned(), reason })?;
    let digest_of: HashMap<_, _> = listed.into_iter().collect();
    let signature = sign_bytes(&list, key)?;

    // Of a delta, what is in it: the full bundle's members below `delta/`, and at its root what it says about itself.
    let (bundle, prefix) = bundle.delta().map_or((&bundle, ""), |delta| (&delta.raw, delta::PREFIX));
    let mut old = Vec::new();
    let mut members = Vec::new();
    for (index, member) in bundle.members().iter().enumerate() {
        let digest = match member.path.strip_prefix(prefix) {
            Some(model::SUMS_SIG) => continue,
            Some(model::SUMS) => Digest::of(&list),
            Some(path) => *digest_of.get(path).ok_or_else(unlisted)?,
            None => Digest::of(&bundle.read(&member.path, yaml::MAX_YAML as u64)?),
        };
        old.push(index);
        members.push(Member { mode: member.mode, ..Member::blob(&member.path, digest, member.size) });
    }
    members.push(Member { mode: 0o644, ..Member::inline(format!("{prefix}{}", model::SUMS_SIG), signature) });
    let total = members.iter().map(|member| member.size).sum();
    reporter.report(Event::Total { bytes: total, items: members.len() as u64 });

    let writer = Writer::begin(&target, Layout::new(members)?, part, false)?;
    for (to, from) in old.into_iter().enumerate() {
        copy(bundle, from, &writer, to, reporter)?;
    }
    let Finished { sha256, size } = publish(writer, key)?;
    Ok(Signed {
        signature: signature_path(&checksum_path(&target)),
        path: target,
        size,
        sha256,
        sums_sha256: Digest::of(&list),
    })
}

/// The signature of a bundle that is being put together, its last member.
pub fn member(members: &[Member], key: &Path) -> Result<Member, Error> {
    let list = members.iter().find(|member| member.path == model::SUMS).map(|member| &member.content);
    let list = if let Some(Content::Inline(bytes)) = list { bytes.as_ref() } else { &[] };
    Ok(Member { mode: 0o644, ..Member::inline(model::SUMS_SIG, sign_bytes(list, key)?) })
}

fn copy(bundle: &Bundle, from: usize, writer: &Writer, to: usize, reporter: &dyn Reporter) -> Result<(), Error> {
    let member = &bundle.members()[from];
    let slot = writer.slot(to);
    let mut hasher = Hasher::new();
    let mut buffer = Vec::new();
    let mut at = 0;
    while at < member.size {
        let length = (member.size - at).min(CHUNK);
        buffer.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
        bundle.read_at(from, at, &mut buffer)?;
        hasher.update(&buffer);
        slot.write_at(at, &buffer)?;
        reporter.report(Event::Bytes(length));
        at += length;
    }
    let found = hasher.finish();
    let expected = match slot.member().content {
        Content::Blob(digest) => digest,
        Content::Inline(_) => found,
    };
    if found != expected {
        let (path, member) = (bundle.path().to_owned(), member.path.clone());
        return Err(Error::Damaged { path, member, expected: expected.to_string(), found });
    }
    Ok(())
}

fn publish(writer: Writer, key: &Path) -> Result<Finished, Error> {
    let sealed = writer.seal()?;
    let signature = sign_bytes(sealed.checksum_lines().as_bytes(), key)?;
    Ok(sealed.publish_signed(&signature)?)
}
