//! The way of one request through its mirrors to the original, with several attempts at each.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use super::Http;
use crate::event::Event;
use crate::source::error::{Error, shown};

/// Attempts at a place when another one is left: the next mirror is nearer than patience.
const ATTEMPTS_BEFORE_NEXT: u32 = 2;

/// A wait from which on nobody should wonder why nothing moves.
const NOTABLE_WAIT: Duration = Duration::from_secs(10);

/// Hosts of which something was found out in this run.
#[derive(Default)]
pub(super) struct Hosts(Mutex<HashSet<String>>);

impl Hosts {
    /// Adds the host of a URL; `false` where it is there already.
    fn add(&self, url: &Url) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(url.authority().to_owned())
    }

    pub(super) fn has(&self, url: &Url) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(url.authority())
    }
}

/// Which place is asked now, and how often it failed.
pub(crate) struct Journey<'a, T> {
    http: &'a Http,
    places: std::vec::IntoIter<T>,
    here: T,
    failed: u32,
    /// What a place said that refused.
    refusal: Option<Error>,
}

/// A place that can be asked.
pub(crate) trait Place {
    fn url(&self) -> &Url;
}

impl Place for Url {
    fn url(&self) -> &Url {
        self
    }
}

impl Place for crate::config::Endpoint {
    fn url(&self) -> &Url {
        &self.url
    }
}

impl Http {
    /// Starts at the first of `places`; `subject` is the original that errors name.
    pub(crate) fn journey<T: Place>(&self, subject: &Url, mut places: Vec<T>) -> Result<Journey<'_, T>, Error> {
        if self.0.clients.is_none() {
            return Err(Error::Offline { url: shown(subject) });
        }
        places.sort_by_key(|place| self.0.silent.has(place.url()));
        let mut places = places.into_iter();
        let Some(here) = places.next() else { return Err(Error::NoMirror { url: shown(subject) }) };
        Ok(Journey { http: self, places, here, failed: 0, refusal: None })
    }
}

impl<T: Place> Journey<'_, T> {
    /// The place to ask now.
    pub(crate) fn here(&self) -> &T {
        &self.here
    }

    /// The place to ask now, if another one is left that may do better.
    pub(crate) fn detour(&self) -> Option<Url> {
        let silent = &self.http.0.silent;
        let other = self.places.as_slice().iter().any(|place| !silent.has(place.url()));
        other.then(|| self.here.url().clone())
    }

    /// After a failure: waits, or moves on to the next place, or gives the failure back where nothing is left to try.
    pub(crate) async fn after(&mut self, error: Error) -> Result<(), Error> {
        self.failed += 1;
        let options = &self.http.0;
        let attempts = if self.places.len() > 0 {
            ATTEMPTS_BEFORE_NEXT.min(options.retry.attempts)
        } else {
            options.retry.attempts
        };
        if error.is_transient() && self.failed < attempts {
            self.http.wait(self.failed, &error).await;
            return Ok(());
        }
        if error.is_unanswered() {
            // To wait for it once is enough.
            options.silent.add(self.here.url());
        }
        if !error.falls_back() {
            return Err(error);
        }
        let Some(next) = self.places.next() else {
            // That nobody is there says less than what somebody said.
            return Err(if error.is_unanswered() { self.refusal.take().unwrap_or(error) } else { error });
        };
        let text = format!("{error}; asking `{}`", shown(next.url()));
        let is_news = if error.is_refusal() {
            // One that serves some images and not others refuses often; the first time says it all.
            options.refusing.add(self.here.url())
        } else {
            error.status().is_none()
        };
        options.reporter.report(if is_news { Event::Warning(&text) } else { Event::Detail(&text) });
        if error.is_refusal() {
            self.refusal.get_or_insert(error);
        }
        self.here = next;
        self.failed = 0;
        Ok(())
    }

    /// Moves on after an answer that another place may better, and tells so; `false` where none is left and the caller
    /// asks `elsewhere`.
    pub(crate) fn go_on(&mut self, why: &str, elsewhere: &str) -> bool {
        let next = self.places.next();
        let asked = next.as_ref().map_or_else(|| elsewhere.to_owned(), |next| format!("`{}`", shown(next.url())));
        self.http.0.reporter.report(Event::Detail(&format!("{why}; asking {asked}")));
        let Some(next) = next else { return false };
        self.here = next;
        self.failed = 0;
        true
    }
}

impl Http {
    /// Waits before the next attempt after `failed` of them.
    async fn wait(&self, failed: u32, error: &Error) {
        let chance = RandomState::new().hash_one(failed);
        let delay = self.0.retry.delay(failed, error.retry_after(), chance);
        let text = format!("{error}; trying again in {:.1} s", delay.as_secs_f64());
        let event = if delay < NOTABLE_WAIT { Event::Detail(&text) } else { Event::Warning(&text) };
        self.0.reporter.report(event);
        self.0.sleep.wait(delay).await;
    }

    /// For transfers that go on where they broke: waits and says `true` if one more attempt is worth it.
    ///
    /// `failed` counts the attempts that failed without a byte of progress, this one included.
    pub async fn try_again(&self, failed: u32, error: &Error) -> bool {
        if !error.is_transient() || failed >= self.0.retry.attempts {
            return false;
        }
        self.wait(failed, error).await;
        true
    }

    /// Asks the host of `place` last from now on, because it answers but its bytes do not come; `false` where that
    /// would change nothing.
    pub(crate) fn pass_over(&self, place: Option<&Url>, error: &Error) -> bool {
        let Some(place) = place.filter(|_| error.is_transient()) else { return false };
        self.0.silent.add(place);
        self.0.reporter.report(Event::Warning(&format!("{error}; asking another place than `{}`", shown(place))));
        true
    }

    /// Whether the host of `place` is asked last.
    pub(crate) fn passes_over(&self, place: &Url) -> bool {
        self.0.silent.has(place)
    }
}
