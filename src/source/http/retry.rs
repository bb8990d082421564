//! How often and how patiently a request is repeated, as arithmetic.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;

use crate::source::error::Refusal;

/// A bounded number of attempts with waits that double.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Attempts for one request at one place, the first included.
    pub attempts: u32,
    /// The wait before the second attempt.
    pub base: Duration,
    /// The longest wait, and the most that a server's `Retry-After` is honoured for.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, base: Duration::from_millis(500), longest: Duration::from_secs(60) }
    }
}

impl Retry {
    /// The wait before the next attempt after `failed` of them; `chance` is any number and spreads clients that failed
    /// together. A server's own wish counts when it is longer.
    #[must_use]
    pub fn delay(&self, failed: u32, retry_after: Option<Duration>, chance: u64) -> Duration {
        let doubled = self.base.saturating_mul(1 << failed.saturating_sub(1).min(16)).min(self.longest);
        // Between half of it and all of it.
        let thousandths = u32::try_from(500 + chance % 501).unwrap_or(1000);
        let spread = doubled.saturating_mul(thousandths) / 1000;
        spread.max(retry_after.unwrap_or_default().min(self.longest))
    }
}

/// More seconds than any server asks to wait, thirty years: such a number is a date in seconds since 1970, as Docker Hub
/// sends it.
const DATE: u64 = 1_000_000_000;

/// `Retry-After` in seconds or as a date (RFC 9110, §10.2.3); a date that has passed means now.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) {
        let seconds = match text.parse::<u64>() {
            Ok(date @ DATE..) => date.saturating_sub(now.as_second().try_into().unwrap_or(0)),
            Ok(seconds) => seconds,
            // Digits that overflow ask for longer than anybody waits.
            Err(_) => u64::MAX,
        };
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// Whether GitHub says that no request is left (REST API, "Rate limits"). Others send the same headers, and are waited for.
pub(super) fn is_used_up(refusal: &Refusal) -> bool {
    matches!(refusal.status.as_u16(), 403 | 429) && number(&refusal.headers, "x-ratelimit-remaining") == Some(0)
}

/// When GitHub's budget starts anew.
pub(super) fn reset(headers: &HeaderMap) -> Option<Timestamp> {
    Timestamp::from_second(number(headers, "x-ratelimit-reset")?).ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_their_bound() {
        let retry = Retry { attempts: 5, base: Duration::from_secs(1), longest: Duration::from_secs(10) };
        let seconds = |failed, chance| retry.delay(failed, None, chance).as_millis();
        assert_eq!([1, 2, 3, 4, 5, 99].map(|n| seconds(n, 500)), [1000, 2000, 4000, 8000, 10_000, 10_000]);
        assert_eq!([1, 2, 5].map(|n| seconds(n, 0)), [500, 1000, 5000]);
        assert_eq!(retry.delay(1, Some(Duration::from_secs(7)), 0).as_secs(), 7);
        assert_eq!(retry.delay(1, Some(Duration::MAX), 0).as_secs(), 10);
        assert_eq!(retry.delay(5, Some(Duration::ZERO), 500).as_secs(), 10);
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        let after = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now).map(|duration| duration.as_secs())
        };
        assert_eq!(after("120"), Some(120));
        assert_eq!(after(" 0 "), Some(0));
        assert_eq!(after("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(after("999999999"), Some(999_999_999));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(after("Sun, 06 Nov 1994 08:48:00 GMT"), Some(0));
        // As Docker Hub writes a date (docker/hub-feedback#2459).
        let now = Timestamp::from_second(1_746_136_900).unwrap();
        for (text, seconds) in [("1746136938", 38), ("1746136000", 0)] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(seconds)), "{text}");
        }
        for nonsense in ["", "soon", "-5", "1.5", "0x10"] {
            assert_eq!(after(nonsense), None, "{nonsense}");
        }
    }
}
