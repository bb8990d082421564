//! Into docker or podman, through `docker load` and `podman load`: a stream of the images that they lack.

use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use tokio_util::sync::CancellationToken;

use super::archive::{Archive, Fault};
use super::choose::Wanted;
use super::report::{LoadedImage, State};
use super::{Error, Loaded, Options};
use crate::bundle::contents::images;
use crate::bundle::set::Set;
use crate::event::{Event, Reporter};

/// How much of what the program complains is kept, 4 KiB.
const MAX_COMPLAINT: usize = 4 << 10;

/// Streams the images that the program lacks into it.
pub(super) fn load(
    set: &Set,
    wanted: &[Wanted],
    program: &'static str,
    options: &Options,
    reporter: &dyn Reporter,
    cancel: &CancellationToken,
) -> Result<Loaded, Error> {
    if wanted.iter().any(|image| image.manifests.len() != 1) {
        return Err(Error::OneArch(program));
    }
    if options.prune {
        return Err(Error::NoMarks { into: program });
    }
    let mut missing = Vec::new();
    let mut loaded = Loaded::new(program, options.dry_run);
    for image in wanted {
        let state = if has(program, image)? { State::Present } else { State::Loaded };
        if state == State::Loaded {
            missing.push(image);
        }
        loaded.images.push(LoadedImage::new(image, [name(image)], state));
        if image.reference.tag().is_none() {
            let reference = &image.reference;
            reporter.report(Event::Warning(&format!(
                "`{reference}` has no tag, and {program} keeps no digests: it will know it as {}",
                name(image)
            )));
        }
    }
    let present: Vec<_> =
        wanted.iter().filter(|image| !missing.iter().any(|other| std::ptr::eq(*other, *image))).collect();
    loaded.present = super::archive::parts(set, &present).len();
    if missing.is_empty() {
        return Ok(loaded);
    }
    let archive = Archive::new(set, &missing);
    loaded.sent.blobs = archive.blobs();
    loaded.sent.bytes = archive.weight();
    if options.dry_run {
        return Ok(loaded);
    }
    reporter.report(Event::Step(&format!("loading images into {program}")));
    reporter.report(Event::Total { bytes: archive.weight(), items: 1 });
    stream(program, &archive, reporter, cancel)?;
    match missing.iter().find_map(|image| match has(program, image) {
        Ok(true) => None,
        Ok(false) => Some(Error::After {
            name: name(image),
            expected: image.top.digest.to_string(),
            found: "not there".to_owned(),
        }),
        Err(error) => Some(error),
    }) {
        Some(error) => Err(error),
        None => Ok(loaded),
    }
}

/// What the program knows the image by: its tag, or its id.
fn name(image: &Wanted) -> String {
    match image.reference.tag() {
        Some(tag) => format!("{}:{tag}", image.reference.name()),
        None => ids(image).into_iter().next().unwrap_or_default(),
    }
}

/// Digests that the program may have as the image's id: of the configuration, or with containerd's store of the
/// manifest or the index.
fn ids(image: &Wanted) -> Vec<String> {
    let configs = image.manifests.values().filter_map(|manifest| images::parts(manifest).next());
    let configs = configs.map(|config| config.digest.to_string());
    configs.chain(image.documents().map(|document| document.digest.to_string())).collect()
}

fn has(program: &'static str, image: &Wanted) -> Result<bool, Error> {
    let output = Command::new(program)
        .args(["image", "inspect", "--format", "{{.Id}}", &name(image)])
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Start { program, source })?;
    let id = String::from_utf8_lossy(&output.stdout);
    let id = id.trim().trim_start_matches("sha256:");
    Ok(output.status.success() && ids(image).iter().any(|known| known.ends_with(&format!(":{id}"))))
}

fn stream(
    program: &'static str,
    archive: &Archive<'_>,
    reporter: &dyn Reporter,
    cancel: &CancellationToken,
) -> Result<(), Error> {
    let start = |source| Error::Start { program, source };
    let mut command = Command::new(program);
    let command = command.arg("load").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(start)?;
    let (Some(mut input), Some(mut complaint)) = (child.stdin.take(), child.stderr.take()) else {
        return Err(start(io::ErrorKind::BrokenPipe.into()));
    };
    // A full pipe would stop it.
    let listener = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = complaint.read_to_end(&mut text);
        text.drain(..text.len().saturating_sub(MAX_COMPLAINT));
        String::from_utf8_lossy(&text).trim().to_owned()
    });
    let written = archive.write(&mut input, reporter, cancel);
    if let Err(Fault::Bundle(error)) = written {
        // Before its input ends, so that it never takes half a stream for a whole one.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    drop(input);
    let status = child.wait().map_err(start)?;
    let message = listener.join().unwrap_or_default();
    match written {
        // The terminal's Ctrl-C is for both, and the program may be the first to end by it.
        _ if cancel.is_cancelled() || status.signal() == Some(rustix::process::Signal::INT.as_raw()) => {
            Err(Error::Interrupted)
        }
        _ if !status.success() => Err(Error::Program { program: format!("{program} load"), status, message }),
        // It had enough before the end of the tar.
        Err(Fault::Sink(source)) if source.kind() != io::ErrorKind::BrokenPipe => Err(start(source)),
        _ => Ok(()),
    }
}
