//! What `bundler load` and `bundler unload` say at their end.

use super::{count, line};
use crate::load::{Loaded, State, Unloaded};
use crate::size;

/// A line for each image that was not there, and the sums; the last line says where they are.
#[must_use]
pub fn text(loaded: &Loaded) -> String {
    let mut text = String::new();
    for image in &loaded.images {
        let state = match image.state {
            State::Loaded => "loaded ",
            State::Moved => "moved  ",
            State::Present => continue,
        };
        text.push_str(&format!("  {state} {} {}\n", line(&image.reference.to_string()), image.digest));
    }
    for name in &loaded.removed {
        text.push_str(&format!("  removed {}\n", line(name)));
    }
    let present = loaded.images.iter().filter(|image| image.state == State::Present).count();
    text.push_str(&format!(
        "{}{}, {present} of them there before; {} in {} {}: {}\n",
        if loaded.dry_run { "would load " } else { "" },
        count(loaded.images.len(), "image"),
        size::bytes(loaded.sent.bytes),
        count(loaded.sent.blobs, "blob"),
        if loaded.dry_run { "to send" } else { "sent" },
        line(&loaded.into),
    ));
    text
}

/// A line for each name that went, and how many stay.
#[must_use]
pub fn unloaded(unloaded: &Unloaded) -> String {
    let mut text: String = unloaded.removed.iter().map(|name| format!("  removed {}\n", line(name))).collect();
    text.push_str(&format!(
        "{}{} removed, {} kept because something else needs them\n",
        if unloaded.dry_run { "would be: " } else { "" },
        count(unloaded.removed.len(), "name"),
        unloaded.kept,
    ));
    text
}
