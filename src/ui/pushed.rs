//! What `bundler push` says at its end: the mapping, and what was sent.

use super::table::{Align, table};
use super::{count, line};
use crate::push::report::{Form, Mapped, Pushed, State};
use crate::size;

/// The mapping as a table, then what had to be done for it.
#[must_use]
pub fn text(pushed: &Pushed) -> String {
    let header = ["IMAGE OR CHART", "AT", "DIGEST", "WHAT"].map(|title| (title, Align::Left));
    let rows: Vec<_> = pushed.images.iter().chain(&pushed.charts).map(row).collect();
    let mut text = table(&header, &rows);
    let blobs = pushed.blobs;
    let (sent, mounted) = if pushed.dry_run { ("would be sent", "would be mounted") } else { ("sent", "mounted") };
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    text.push_str(&format!(
        "{}: {}, {}; {} {sent} ({}), {} {mounted}, {} there already\n",
        line(&pushed.registry),
        count(pushed.images.len(), "image"),
        count(pushed.charts.len(), "chart"),
        count(number(blobs.sent), "blob"),
        size::bytes(blobs.bytes),
        blobs.mounted,
        blobs.present,
    ));
    let changed = pushed.images.iter().filter(|image| image.instead_of.is_some()).count();
    if changed > 0 {
        text.push_str(&format!(
            "  this registry refuses an index with absent children: {} another digest there than in the bundle\n",
            if changed == 1 { "1 image has".to_owned() } else { format!("{changed} images have") }
        ));
    }
    for path in &pushed.written {
        text.push_str(&format!("  wrote {}\n", line(&path.to_string_lossy())));
    }
    text
}

fn row(mapped: &Mapped) -> Vec<String> {
    let state = match mapped.state {
        State::Present => "there already",
        State::Pushed => "pushed",
        State::Missing => "missing",
    };
    let form = match mapped.form {
        Form::AsIs => String::new(),
        Form::Manifest => {
            let architectures: Vec<_> = mapped.architectures.iter().map(|arch| arch.as_str()).collect();
            format!(", only the manifest for {}", architectures.join(" and "))
        }
        Form::Reduced => ", an index of what is there".to_owned(),
    };
    let attached = match mapped.attached {
        0 => String::new(),
        number => format!(", {number} attached"),
    };
    vec![mapped.name.clone(), mapped.at.clone(), mapped.digest.to_string(), format!("{state}{form}{attached}")]
}
