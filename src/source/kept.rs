//! Small answers that are kept on disk as JSON, by the question. Losing one costs a request and nothing else.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::oci::Digest;

/// A directory of kept answers; none keeps nothing.
#[derive(Clone, Debug, Default)]
pub struct Kept(Option<PathBuf>);

impl Kept {
    /// Keeps answers in `directory`, which is made when the first one comes.
    #[must_use]
    pub const fn new(directory: Option<PathBuf>) -> Self {
        Self(directory)
    }

    /// The answer to `question`; one that is not there or not whole is none.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self, question: &str) -> Option<T> {
        serde_json::from_slice(&std::fs::read(self.file(question)?).ok()?).ok()
    }

    /// Keeps the answer to `question`. That it cannot be kept stops nothing: the next run asks again.
    pub fn write<T: Serialize>(&self, question: &str, answer: &T) {
        let keep = |file: &Path| -> Option<()> {
            let directory = file.parent()?;
            std::fs::create_dir_all(directory).ok()?;
            let temporary = tempfile::NamedTempFile::new_in(directory).ok()?;
            serde_json::to_writer(temporary.as_file(), answer).ok()?;
            temporary.persist(file).ok().map(|_| ())
        };
        let _ = self.file(question).as_deref().and_then(keep);
    }

    fn file(&self, question: &str) -> Option<PathBuf> {
        let name = Digest::of(question.as_bytes()).hex();
        self.0.as_ref().map(|directory| directory.join(format!("{name}.json")))
    }
}
