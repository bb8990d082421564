//! A list of images, one reference a line: people's own, and those of k3s and RKE2.

use super::Inventory;
use crate::oci::Reference;
use crate::yaml::{Place, Problems, YamlError};

/// Reads a list; `#` begins a comment. A line that is no reference is told with its place.
pub(super) fn read(file: &str, text: &str, inventory: &mut Inventory) -> Result<(), Problems> {
    let mut wrong = Vec::new();
    for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        match text.parse::<Reference>() {
            Ok(reference) => inventory.images.push(reference),
            Err(error) => wrong.push(YamlError::new(file, Place { line, column: 1 }, error.to_string())),
        }
        if wrong.len() == MAX_WRONG {
            break;
        }
    }
    Problems::none_of(wrong)
}

/// The most wrong lines that are kept: a file of them is no list.
const MAX_WRONG: usize = 1000;
