//! Archives from outside: bundles, charts, downloads, and the tar headers in them.

use std::io::Write as _;
use std::num::NonZero;

use crate::bundle::read::{Bundle, Form};
use crate::bundle::{gzip, name, sums, tar};
use crate::chart::archive;
use crate::event::Silent;
use crate::verify::verify;

use super::{plain, shown, text};

/// The most bytes that a script may have a member claim and hold: the sizes are what matters, not the bytes.
const MAX_CONTENT: usize = 4096;

/// An input's first byte says what the rest is.
enum Input {
    /// The file itself.
    File(Vec<u8>),
    /// A tar, to be put into the form that the target reads.
    Tar(Vec<u8>),
    /// The same, to be compressed.
    Compressed(Vec<u8>),
}

/// `0`: the file as it is. `1` and `2`: a tar whose checksums are set right, or no mutation would pass them.
/// `s` and `z`: a script of a tar, `NAME<tab>KIND<tab>SIZE<tab>CONTENT` a line, in which `\n` is a line end.
fn input(data: &[u8]) -> Option<Input> {
    let (kind, rest) = data.split_first()?;
    Some(match kind {
        b'0' => Input::File(rest.to_vec()),
        b'1' => Input::Tar(repaired(rest)),
        b'2' => Input::Compressed(repaired(rest)),
        b's' => Input::Tar(scripted(rest)),
        b'z' => Input::Compressed(scripted(rest)),
        _ => return None,
    })
}

/// The sum of a header's bytes with its own field as spaces.
fn set_checksum(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn repaired(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    for header in tar.chunks_exact_mut(512).filter(|chunk| chunk[257..].starts_with(b"ustar")) {
        set_checksum(header);
    }
    tar
}

fn scripted(script: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    for line in script.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).take(64) {
        let mut fields = line.splitn(4, |byte| *byte == b'\t');
        let mut field = || fields.next().unwrap_or_default();
        let (name, kind, size, content) = (field(), field(), field(), field());
        let content = String::from_utf8_lossy(content).replace("\\n", "\n").into_bytes();
        let mut header = [0; 512];
        let length = name.len().min(100);
        header[..length].copy_from_slice(&name[..length]);
        header[100..108].copy_from_slice(b"0000644\0");
        let size = if size.is_empty() { format!("{:011o}", content.len()).into_bytes() } else { size.to_vec() };
        let length = size.len().min(12);
        header[124..124 + length].copy_from_slice(&size[..length]);
        header[156] = kind.first().copied().unwrap_or(b'0');
        header[257..265].copy_from_slice(b"ustar\x0000");
        set_checksum(&mut header);
        tar.extend(header);
        tar.extend(&content[..content.len().min(MAX_CONTENT)]);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn compressed(tar: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// A bundle: no member leads elsewhere, none lies outside of the archive, and `verify` never fails to tell.
pub(super) fn bundle(data: &[u8]) {
    let Some(input) = input(data) else { return };
    let bytes = match &input {
        Input::File(bytes) => bytes.clone(),
        Input::Tar(tar) => gzip::store(tar),
        Input::Compressed(tar) => compressed(tar),
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    std::fs::write(&path, &bytes).unwrap();
    let report = verify(&path, NonZero::<usize>::MIN, None, &Silent).unwrap();
    plain(&crate::ui::verified::text(&report));
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "reading changes nothing");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "reading writes nothing");
    let bundle = match Bundle::open(&path) {
        Ok(bundle) => bundle,
        Err(error) => {
            assert!(!report.good, "what cannot be opened is not good");
            return shown(&error.to_string());
        }
    };
    let mut last = 0;
    for (index, member) in bundle.members().iter().enumerate() {
        assert_eq!(name::check(&member.path), Ok(()));
        assert_eq!(bundle.find(&member.path), Some(index));
        let range = member.range();
        assert!(range.start >= last + tar::RECORD, "members overlap");
        last = range.end;
        if bundle.form() == Form::Canonical {
            assert!(range.end <= bytes.len() as u64, "a member beyond the archive");
        }
        let mut buffer = vec![0; usize::try_from(member.size.min(100)).unwrap()];
        let _ = bundle.read_at(index, member.size - buffer.len() as u64, &mut buffer);
        assert!(bundle.read_at(index, member.size, &mut [0]).is_err(), "a byte beyond a member");
        assert!(bundle.read_at(index, u64::MAX, &mut [0]).is_err());
    }
    if let Err(error) = bundle.about() {
        shown(&error.to_string());
    }
    match crate::inspect::inspect(&path) {
        Ok(inspection) => plain(&crate::ui::inspected::text(&inspection)),
        Err(error) => shown(&error.to_string()),
    }
}

/// A chart's archive: nothing but its own, each part once and within Helm's bounds.
pub(super) fn chart_archive(data: &[u8]) {
    let Some(input) = input(data) else { return };
    let bytes = match input {
        Input::File(bytes) => bytes,
        Input::Tar(tar) | Input::Compressed(tar) => compressed(&tar),
    };
    match archive::read(bytes.as_slice()) {
        Ok(chart) => {
            for path in chart.subcharts.keys() {
                assert!(path.starts_with("charts/") && !path.split('/').any(|part| matches!(part, "" | "." | "..")));
            }
            assert!(chart.crds.is_sorted());
            assert_eq!(archive::read(bytes.as_slice()).unwrap(), chart);
        }
        Err(error) => shown(&error.to_string()),
    }
}

/// A downloaded archive: the member comes whole, or not at all.
pub(super) fn member(data: &[u8]) {
    let Some(input) = input(data) else { return };
    let bytes = match input {
        Input::File(bytes) | Input::Tar(bytes) => bytes,
        Input::Compressed(tar) => compressed(&tar),
    };
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let mut output = Vec::new();
    match crate::member::copy(file, "linux-arm64/helm", &mut output) {
        Ok(Some(member)) => {
            assert_eq!((member.size, member.digest), (output.len() as u64, crate::oci::Digest::of(&output)));
        }
        Ok(None) => assert!(output.is_empty()),
        Err(error) => shown(&error.to_string()),
    }
}

/// `SHA256SUMS`: what is accepted is what `sha256sum` would print, byte for byte.
pub(super) fn sums(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(files) = sums::parse(text) else { return };
    let printed: String = files.iter().map(|(path, digest)| sums::line(*digest, path)).collect();
    assert_eq!(printed, text);
    assert!(files.iter().all(|(path, _)| name::check(path).is_ok()));
}

/// A tar header: what it says is what the header of that says, and what the `tar` crate reads.
pub(super) fn tar_header(data: &[u8]) {
    let mut header = [0; 512];
    let length = data.len().min(512);
    header[..length].copy_from_slice(&data[..length]);
    if header.iter().any(|byte| *byte != 0) {
        set_checksum(&mut header);
    }
    let entry = match tar::parse(&header) {
        Ok(Some(entry)) => entry,
        Ok(None) => return,
        Err(error) => return shown(&error.to_string()),
    };
    assert_eq!(name::check(&entry.path), Ok(()));
    let other = ::tar::Header::from_byte_slice(&header);
    assert_eq!(other.entry_size().unwrap(), entry.size);
    if other.as_ustar().is_some() {
        assert_eq!(&*other.path_bytes(), entry.path.as_bytes());
    }
    assert!(!other.entry_type().is_symlink() && !other.entry_type().is_hard_link());
    if let Some(written) = tar::header(&entry.path, entry.mode & 0o7777, entry.size) {
        let again = tar::parse(&written).unwrap().unwrap();
        assert_eq!((again.path, again.size), (entry.path, entry.size));
    }
}
