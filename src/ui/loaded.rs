//! What `bundler load` and `bundler unload` say at their end.

use super::words::{self, say};
use super::{count, line};
use crate::load::{Loaded, State, Unloaded};
use crate::size;

/// A line for each image that was not there, and the sums; the last line says where they are.
#[must_use]
pub fn text(loaded: &Loaded) -> String {
    let mut lines = Vec::new();
    for image in &loaded.images {
        let (name, digest) = (image.reference.to_string(), image.digest);
        let name = line(&name);
        lines.push(match image.state {
            State::Loaded => say!("loaded  {image} {digest}", image = name, digest),
            State::Moved => say!("moved   {image} {digest}", image = name, digest),
            State::Present => continue,
        });
    }
    lines.extend(loaded.removed.iter().map(|name| say!("removed {name}", name = line(name))));
    let mut text: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    let images = count(loaded.images.len(), "image");
    let present = loaded.images.iter().filter(|image| image.state == State::Present).count();
    let (size, blobs) = (size::bytes(loaded.sent.bytes), count(loaded.sent.blobs, "blob"));
    let into = words::of(&loaded.into);
    let into = line(&into);
    text.push_str(&if loaded.dry_run {
        say!(
            "would load {images}, {present} of them there before; {size} in {blobs} to send: {into}",
            images,
            present,
            size,
            blobs,
            into
        )
    } else {
        say!(
            "{images}, {present} of them there before; {size} in {blobs} sent: {into}",
            images,
            present,
            size,
            blobs,
            into
        )
    });
    text + "\n"
}

/// A line for each name that went, and how many stay.
#[must_use]
pub fn unloaded(unloaded: &Unloaded) -> String {
    let line = |name: &String| format!("  {}\n", say!("removed {name}", name = line(name)));
    let mut text: String = unloaded.removed.iter().map(line).collect();
    let (names, kept) = (count(unloaded.removed.len(), "name"), unloaded.kept);
    text.push_str(&if unloaded.dry_run {
        say!("would be: {names} removed, {kept} kept because something else needs them", names, kept)
    } else {
        say!("{names} removed, {kept} kept because something else needs them", names, kept)
    });
    text + "\n"
}
