//! Every byte: hashed on all cores, and everything between the members as an archive is written.

use std::fs::File;
use std::io::Read as _;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::report::{Finding, Kind, Report};
use crate::bundle::parts::Parts;
use crate::bundle::read::framed::Archive;
use crate::bundle::read::{Bundle, Fault, Form};
use crate::bundle::{delta, gzip, model, tar};
use crate::event::{Event, Reporter};
use crate::oci::{Digest, Hasher};

/// How much is read at once, 1 MiB: large enough for the system calls not to count.
const CHUNK: u64 = 1 << 20;

/// What the bytes are.
pub(super) struct Hashed {
    /// The sha256 of each member that could be read.
    pub(super) members: Vec<Option<Digest>>,
    /// The sha256 of the archive, if it was asked for and could be read.
    pub(super) archive: Option<Digest>,
}

/// Hashes the parts of an archive, where its checksum file lists them, and says which one is where it should not be.
pub(super) fn parts(parts: &Parts, reporter: &dyn Reporter, report: &mut Report) {
    let mut buffer = Vec::new();
    for path in &parts.paths {
        let Some(expected) = parts.sum(path) else { continue };
        let name = path.display().to_string();
        match file(path, &mut buffer, reporter) {
            Ok(found) if found == expected => {}
            Ok(found) => {
                let other = parts.sums.iter().find(|(_, digest)| **digest == found);
                let message = match other {
                    Some((other, _)) => format!("it has the bytes of `{other}`: swapped, renamed or repeated"),
                    None => "not the bytes that the checksum file lists".to_owned(),
                };
                report.add(Finding::new(Kind::Archive, message).at(name).differs(expected, found));
            }
            Err(error) => report.add(Finding::from_error(Kind::Unreadable, Some(&name), &error)),
        }
    }
}

/// The sha256 of a file, in order.
fn file(path: &Path, buffer: &mut Vec<u8>, reporter: &dyn Reporter) -> std::io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    buffer.resize(CHUNK as usize, 0);
    loop {
        let length = file.read(buffer)?;
        if length == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..length]);
        reporter.report(Event::Bytes(length as u64));
    }
}

/// One thing for a thread to do.
#[derive(Clone, Copy)]
enum Job {
    Archive,
    Member(usize),
}

/// What a thread gives back.
enum Done {
    Archive(Option<Digest>),
    Member { index: usize, digest: Option<Digest>, crc: Option<crc32fast::Hasher> },
}

/// Hashes all members, and the archive where `archive` asks for it.
pub(super) fn check(
    bundle: &Bundle,
    jobs: NonZero<usize>,
    archive: bool,
    reporter: &dyn Reporter,
    report: &mut Report,
) -> Hashed {
    if let Some(delta) = bundle.delta() {
        return of_delta(bundle, delta, jobs, archive, reporter, report);
    }
    form(bundle, report);
    let mut queue: Vec<_> = (0..bundle.members().len()).map(Job::Member).collect();
    // One that was compressed again is read fastest in its own order.
    if bundle.form() != Form::Recompressed {
        // The largest first, so that no thread is left alone with one at the end.
        queue.sort_by_key(|job| match job {
            Job::Archive => u64::MAX,
            Job::Member(index) => u64::MAX - bundle.members()[*index].size,
        });
    }
    if archive {
        queue.insert(0, Job::Archive);
    }

    let done = run(bundle, &queue, jobs, reporter, report);
    let mut hashed = Hashed { members: vec![None; bundle.members().len()], archive: None };
    let mut crcs = vec![None; bundle.members().len()];
    for done in done {
        match done {
            Done::Archive(digest) => hashed.archive = digest,
            Done::Member { index, digest, crc } => {
                hashed.members[index] = digest;
                crcs[index] = crc;
            }
        }
    }
    if let Some(archive) = bundle.archive() {
        trailer(archive, crcs, report);
    }
    hashed
}

/// Hashes a delta, and of its base, if it is there, what the delta leaves out.
fn of_delta(
    bundle: &Bundle,
    delta: &delta::Delta,
    jobs: NonZero<usize>,
    archive: bool,
    reporter: &dyn Reporter,
    report: &mut Report,
) -> Hashed {
    let raw = check(&delta.raw, jobs, archive, reporter, report);
    let from_base = |(index, source): (usize, &delta::Source)| match source {
        delta::Source::Omitted(Some(_)) => Some(Job::Member(index)),
        _ => None,
    };
    let queue: Vec<_> = delta.sources.iter().enumerate().filter_map(from_base).collect();
    let carried = |source: &delta::Source| match source {
        delta::Source::Carried(index) => raw.members[*index],
        delta::Source::Omitted(_) => None,
    };
    let mut members: Vec<_> = delta.sources.iter().map(carried).collect();
    for done in run(bundle, &queue, jobs, reporter, report) {
        if let Done::Member { index, digest, .. } = done {
            members[index] = digest;
        }
    }
    Hashed { members, archive: raw.archive }
}

/// Does what is in the queue with some threads.
fn run(
    bundle: &Bundle,
    queue: &[Job],
    jobs: NonZero<usize>,
    reporter: &dyn Reporter,
    report: &mut Report,
) -> Vec<Done> {
    let findings = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut worker = Worker { bundle, reporter, findings: &findings, buffer: Vec::new() };
        let mut done = Vec::new();
        while let Some(job) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(worker.run(*job));
        }
        done
    };
    let done = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..jobs.get().min(queue.len())).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for thread in threads {
            match thread.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    for finding in findings.into_inner().unwrap_or_else(PoisonError::into_inner) {
        report.add(finding);
    }
    done
}

/// What can be said about the form before the bytes are read.
fn form(bundle: &Bundle, report: &mut Report) {
    if bundle.form() == Form::Recompressed {
        report.add(Finding::new(
            Kind::Form,
            "not in the form that it was written in: somebody compressed it again, or its end is missing or longer",
        ));
    }
    for foreign in bundle.foreign() {
        report.add(Finding::new(Kind::Extra, foreign.reason).at(&foreign.path));
    }
    if bundle.form() == Form::Unpacked {
        return;
    }
    for pair in bundle.members().windows(2) {
        let is_delta = bundle.find(delta::DELTA_YAML).is_some();
        let order = |path| if is_delta { delta::order(path) } else { (0, model::order(path)) };
        if order(&pair[0].path) >= order(&pair[1].path) {
            report.add(
                Finding::new(Kind::Form, format!("not in its place: it follows `{}`", pair[0].path)).at(&pair[1].path),
            );
        }
    }
    for member in bundle.members() {
        if !matches!(member.mode, 0o644 | 0o755) {
            let finding = Finding::new(Kind::Form, "wrong permissions").at(&member.path);
            report.add(finding.differs("644 or 755", format!("{:o}", member.mode)));
        }
    }
}

/// Compares crc32 and size of the whole tar, the first combined from the members' parts.
fn trailer(archive: &Archive, crcs: Vec<Option<crc32fast::Hasher>>, report: &mut Report) {
    // A part that could not be read is a finding already.
    let Some(crcs) = crcs.into_iter().collect::<Option<Vec<_>>>() else { return };
    let mut whole = crc32fast::Hasher::new();
    for crc in &crcs {
        whole.combine(crc);
    }
    match archive.trailer() {
        Ok(found) => {
            let expected = gzip::trailer(whole.finalize(), archive.tar_size());
            if found != expected {
                let finding = Finding::new(Kind::Form, "the gzip trailer does not fit the bytes");
                report.add(finding.differs(hex(&expected), hex(&found)));
            }
        }
        Err(error) => report.add(Finding::from_error(Kind::Unreadable, None, &error)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Worker<'a> {
    bundle: &'a Bundle,
    reporter: &'a dyn Reporter,
    findings: &'a Mutex<Vec<Finding>>,
    buffer: Vec<u8>,
}

impl Worker<'_> {
    fn add(&self, finding: Finding) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    }

    fn run(&mut self, job: Job) -> Done {
        match job {
            Job::Archive => Done::Archive(self.archive()),
            Job::Member(index) => {
                let path = &self.bundle.members()[index].path;
                let (digest, crc) = match self.bundle.archive() {
                    Some(archive) => match self.framed(archive, index) {
                        Ok((digest, crc)) => (Some(digest), Some(crc)),
                        Err(Fault::Disk(error)) => {
                            self.add(Finding::from_error(Kind::Unreadable, Some(path), &error));
                            (None, None)
                        }
                        Err(Fault::Damaged { at, reason }) => {
                            self.add(Finding::new(Kind::Form, format!("{reason} (byte {at} of the tar)")).at(path));
                            (None, None)
                        }
                    },
                    None => (self.plain(index), None),
                };
                self.reporter.report(Event::Piece(path));
                Done::Member { index, digest, crc }
            }
        }
    }

    /// The sha256 of the archive file, in order.
    fn archive(&mut self) -> Option<Digest> {
        let result = file(self.bundle.path(), &mut self.buffer, self.reporter);
        result.map_err(|error| self.add(Finding::from_error(Kind::Unreadable, None, &error))).ok()
    }

    /// The sha256 of a member of a canonical archive, and the crc32 of all its bytes of the tar.
    fn framed(&mut self, archive: &Archive, index: usize) -> Result<(Digest, crc32fast::Hasher), Fault> {
        let members = self.bundle.members();
        let member = &members[index];
        let data = member.range();
        let end = members.get(index + 1).map_or(archive.tar_size(), |next| next.range().start - tar::RECORD);
        let mut crc = crc32fast::Hasher::new();

        let mut header = Vec::with_capacity(512);
        archive
            .visit(data.start - tar::RECORD, data.start, &mut self.buffer, |bytes| header.extend_from_slice(bytes))?;
        crc.update(&header);
        if tar::header(&member.path, member.mode, member.size).is_none_or(|expected| header != expected) {
            self.add(Finding::new(Kind::Form, "its tar header is not as it was written").at(&member.path));
        }

        let mut sha256 = Hasher::new();
        archive.visit(data.start, data.end, &mut self.buffer, |bytes| {
            sha256.update(bytes);
            crc.update(bytes);
            self.reporter.report(Event::Bytes(bytes.len() as u64));
        })?;

        let mut zeros = true;
        archive.visit(data.end, end, &mut self.buffer, |bytes| {
            zeros &= bytes.iter().all(|byte| *byte == 0);
            crc.update(bytes);
        })?;
        let last = index + 1 == members.len();
        let padded = data.end.next_multiple_of(tar::RECORD) + if last { tar::END } else { 0 };
        if !zeros || padded != end {
            self.add(Finding::new(Kind::Form, "it is followed by bytes that belong to nothing").at(&member.path));
        }
        Ok((sha256.finish(), crc))
    }

    /// The sha256 of a member of any bundle.
    fn plain(&mut self, index: usize) -> Option<Digest> {
        let member = &self.bundle.members()[index];
        let mut hasher = Hasher::new();
        let mut at = 0;
        while at < member.size {
            let length = (member.size - at).min(CHUNK);
            self.buffer.resize(length as usize, 0);
            if let Err(error) = self.bundle.read_at(index, at, &mut self.buffer) {
                self.add(Finding::from_error(Kind::Unreadable, Some(&member.path), &error));
                return None;
            }
            hasher.update(&self.buffer);
            self.reporter.report(Event::Bytes(length));
            at += length;
        }
        Some(hasher.finish())
    }
}
