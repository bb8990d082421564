//! What `bundler push` says at its end: the mapping, and what was sent.

use super::table::{Align, table};
use super::words::say;
use super::{and, count, line, wrote};
use crate::push::report::{Form, Mapped, Pushed, State};
use crate::size;

/// The mapping as a table, then what had to be done for it.
#[must_use]
pub fn text(pushed: &Pushed) -> String {
    let header = ["IMAGE OR CHART", "AT", "DIGEST", "WHAT"].map(|title| (title, Align::Left));
    let rows: Vec<_> = pushed.images.iter().chain(&pushed.charts).map(row).collect();
    let mut text = table(&header, &rows);
    let blobs = pushed.blobs;
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let (registry, size) = (line(&pushed.registry), size::bytes(blobs.bytes));
    let (images, charts) = (count(pushed.images.len(), "image"), count(pushed.charts.len(), "chart"));
    let (sent, mounted, present) = (count(number(blobs.sent), "blob"), blobs.mounted, blobs.present);
    text.push_str(&if pushed.dry_run {
        say!(
            "{registry}: {images}, {charts}; {blobs} would be sent ({size}), {mounted} would be mounted, {present} there already",
            registry,
            images,
            charts,
            blobs = sent,
            size,
            mounted,
            present
        )
    } else {
        say!(
            "{registry}: {images}, {charts}; {blobs} sent ({size}), {mounted} mounted, {present} there already",
            registry,
            images,
            charts,
            blobs = sent,
            size,
            mounted,
            present
        )
    });
    text.push('\n');
    let changed = pushed.images.iter().filter(|image| image.instead_of.is_some()).count();
    if changed > 0 {
        let images = count(changed, "image");
        let said = say!(
            "this registry refuses an index with absent children: {images} with another digest there than in the bundle",
            images
        );
        text.push_str(&format!("  {said}\n"));
    }
    for path in &pushed.written {
        text.push_str(&format!("  {}\n", wrote(path)));
    }
    text
}

fn row(mapped: &Mapped) -> Vec<String> {
    let state = match mapped.state {
        State::Present => say!("there already"),
        State::Pushed => say!("pushed"),
        State::Missing => say!("missing"),
    };
    let state = match mapped.form {
        Form::AsIs => state,
        Form::Manifest => {
            let architectures = and(&mapped.architectures);
            say!("{state}, only the manifest for {architectures}", state, architectures)
        }
        Form::Reduced => say!("{state}, an index of what is there", state),
    };
    let state = match mapped.attached {
        0 => state,
        number => say!("{state}, {number} attached", state, number),
    };
    vec![mapped.name.clone(), mapped.at.clone(), mapped.digest.to_string(), state]
}
