//! Basic authentication against an htpasswd file with bcrypt, which is what docker's registry reads too.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::oci::{Digest, Hasher};

/// The most users, 10 000.
const MAX_USERS: usize = 10_000;
/// The highest cost that is taken, 2^16 rounds, about 4 s: a client would not wait longer.
const MAX_COST: u32 = 16;
/// The most passwords that are remembered; after that all are forgotten.
const MAX_REMEMBERED: usize = 1_000;
/// How many passwords are checked at once: each check keeps a core busy.
const CHECKS: usize = 2;

/// The users of an htpasswd file.
pub(super) struct Htpasswd {
    users: HashMap<String, String>,
    /// A hash that no password has, so that an unknown user takes as long as a wrong password.
    nobody: String,
    /// What was right before: bcrypt is slow by design, and a client sends its password with each request.
    remembered: Mutex<HashSet<Digest>>,
    checks: tokio::sync::Semaphore,
}

impl std::fmt::Debug for Htpasswd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Htpasswd").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

impl Htpasswd {
    /// Parses a file of `user:hash` lines; what is wrong is told with its line, from 1.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, &'static str)> {
        let mut users = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.trim_start().is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |reason| (index + 1, reason);
            let (user, hash) = line.split_once(':').ok_or(wrong("expected `user:hash`"))?;
            if user.is_empty() {
                return Err(wrong("the user has no name"));
            }
            let cost = cost(hash).ok_or(wrong("the hash is not bcrypt's: make it with `htpasswd -B`"))?;
            if cost > MAX_COST {
                return Err(wrong("the cost of the hash is above 16"));
            }
            if users.insert(user.to_owned(), hash.to_owned()).is_some() {
                return Err(wrong("the user is here a second time"));
            }
            if users.len() > MAX_USERS {
                return Err(wrong("more than 10000 users"));
            }
        }
        let Some(nobody) = users.values().max_by_key(|hash| cost(hash)) else { return Err((1, "it has no user")) };
        // The salt and the cost of a real one.
        let nobody = format!("{}{}", &nobody[..29], ".".repeat(31));
        Ok(Self { users, nobody, remembered: Mutex::default(), checks: tokio::sync::Semaphore::new(CHECKS) })
    }

    /// Whether the header `Authorization` names a user with the right password.
    pub(super) async fn allows(self: &Arc<Self>, header: Option<&str>) -> bool {
        let Some((user, password)) = header.and_then(credentials) else { return false };
        let hash = self.users.get(&user);
        let mut key = Hasher::new();
        // A name has no colon, and the hash has its salt: equal keys are equal credentials.
        key.update(format!("{user}:{}:", hash.map_or("", String::as_str)).as_bytes());
        key.update(&password);
        let key = key.finish();
        if self.remembered.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return true;
        }
        let Ok(_permit) = self.checks.acquire().await else { return false };
        let (known, hash) = (hash.is_some(), hash.unwrap_or(&self.nobody).clone());
        let check = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false));
        let right = check.await.unwrap_or(false) && known;
        if right {
            let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            if remembered.len() == MAX_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(key);
        }
        right
    }
}

/// The cost of a bcrypt hash: `$2y$10$` and 53 characters of salt and hash.
fn cost(hash: &str) -> Option<u32> {
    let rest = ["$2a$", "$2b$", "$2x$", "$2y$"].into_iter().find_map(|prefix| hash.strip_prefix(prefix))?;
    let (cost, rest) = rest.split_once('$')?;
    let base64 = |c: u8| c.is_ascii_alphanumeric() || c == b'.' || c == b'/';
    let fits = cost.len() == 2 && rest.len() == 53 && rest.bytes().all(base64);
    cost.parse().ok().filter(|cost| fits && (4..=31).contains(cost))
}

/// User and password of `Basic …` (RFC 7617).
fn credentials(header: &str) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let user = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((user, decoded[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "correct horse", of the lowest cost.
    const HASH: &str = "$2b$04$AHk7dN55sGq84LZZHJIyp.X.p1OJ6SoYviLCXAKfLKniXqv2B9ph.";

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[tokio::test]
    async fn the_right_password_opens() {
        let users = Arc::new(Htpasswd::parse(&format!("# users\n\ncarrier:{HASH}\n")).unwrap());
        for _ in 0..2 {
            assert!(users.allows(Some(&basic("carrier:correct horse"))).await);
        }
        for wrong in [
            "carrier:wrong",
            "carrier:",
            "carrier",
            "other:correct horse",
            ":correct horse",
            "",
            "carrier:correct horse ",
        ] {
            assert!(!users.allows(Some(&basic(wrong))).await, "{wrong}");
        }
        for header in ["Basic", "Basic !", "Bearer x", "", "basic  ", "Basic /w=="] {
            assert!(!users.allows(Some(header)).await, "{header}");
        }
        assert!(!users.allows(None).await);
        assert!(users.allows(Some(&basic("carrier:correct horse").replace("Basic", "bAsIc"))).await);
    }

    #[test]
    fn other_hashes_are_refused_with_their_line() {
        let good = format!("a:{HASH}\n");
        let refused = |text: &str| Htpasswd::parse(text).unwrap_err();
        assert_eq!(refused(&format!("{good}b:{{SHA}}W6ph5Mm5Pz8GgiULbPgzG37mj9g=")).0, 2);
        assert_eq!(refused(&format!("{good}\nb:$apr1$xxxxxxxx$yyyyyyyyyyyyyyyyyyyyyy")).0, 3);
        assert_eq!(refused("a:plain").0, 1);
        assert_eq!(refused("a").0, 1);
        assert_eq!(refused(&format!(":{HASH}")).0, 1);
        assert_eq!(refused(&format!("{good}{good}")).0, 2);
        assert_eq!(refused("# nobody\n"), (1, "it has no user"));
        assert!(refused(&good.replace("$04$", "$31$")).1.contains("cost"));
        let many: String = (0..=MAX_USERS).map(|user| format!("{user}:{HASH}\n")).collect();
        assert_eq!(refused(&many), (MAX_USERS + 1, "more than 10000 users"));
    }
}
