//! Asking each question once, however many tasks have it at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// The answers so far by question; a failed question is asked again.
#[derive(Debug)]
pub struct Once<T>(Mutex<HashMap<String, Arc<OnceCell<T>>>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Once<T> {
    /// The answer to `question`, from `ask` when nobody has asked yet; whoever comes meanwhile waits for it.
    pub async fn get<E>(&self, question: &str, ask: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let cell = {
            let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(question.to_owned()).or_default())
        };
        cell.get_or_try_init(|| ask).await.cloned()
    }
}
