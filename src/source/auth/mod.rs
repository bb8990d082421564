//! Proving who we are to a registry: anonymous tokens, basic, bearer (distribution, "Token Authentication").
//!
//! Tokens are kept in memory for a registry and a repository, and bought once for everybody who waits for them.

pub(crate) mod challenge;
mod credentials;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use url::Url;

use self::challenge::Challenge;
use self::credentials::Credential;
use super::error::{Error, server_message, shown};
use super::http::{Authorization, Call, Http, Line};

/// The largest answer of a token server, 1 MiB; tokens have a few kilobytes.
const MAX_TOKEN: u64 = 1 << 20;
/// How long a token is good for when the server does not say (distribution, "Token Authentication").
const DEFAULT_LIFE: u64 = 60;
/// A token this near its end is not used any more.
const MARGIN: Duration = Duration::from_secs(10);

/// What is known about the access to the repositories of registries.
#[derive(Default)]
pub(super) struct Access(Mutex<HashMap<Key, Arc<tokio::sync::Mutex<Option<Grant>>>>>);

/// A registry by scheme, host and port, and a repository.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    origin: String,
    repository: String,
}

#[derive(Clone)]
struct Grant {
    authorization: Authorization,
    until: Option<Instant>,
}

impl Grant {
    fn is_good(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

impl Access {
    fn slot(&self, place: &Url, repository: &str) -> Arc<tokio::sync::Mutex<Option<Grant>>> {
        let key = Key { origin: place.origin().ascii_serialization(), repository: repository.to_owned() };
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
    }

    /// What to send at once, if a token is at hand.
    pub(super) async fn known(&self, place: &Url, repository: &str) -> Option<Authorization> {
        let slot = self.slot(place, repository);
        let grant = slot.lock().await;
        grant.as_ref().filter(|grant| grant.is_good()).map(|grant| grant.authorization.clone())
    }

    /// What to send after a 401 with `headers` to a request that carried `used`.
    pub(super) async fn renew(
        &self,
        http: &Http,
        place: &Url,
        repository: &str,
        used: Option<&Authorization>,
        headers: &HeaderMap,
    ) -> Result<Authorization, Error> {
        let slot = self.slot(place, repository);
        let mut grant = slot.lock().await;
        // Somebody else may have bought it while we waited.
        if let Some(grant) = grant.as_ref().filter(|grant| grant.is_good() && Some(&grant.authorization) != used) {
            return Ok(grant.authorization.clone());
        }
        *grant = None;
        let asker = Asker { http, place, repository };
        let new = asker.buy(&challenge::challenges(headers)).await?;
        let authorization = new.authorization.clone();
        *grant = Some(new);
        Ok(authorization)
    }
}

/// A registry's refusal, or the lack of credentials, in one error.
pub(super) fn refused(http: &Http, place: &Url, repository: &str, reason: String) -> Error {
    Error::Credentials {
        registry: host(place),
        repository: repository.to_owned(),
        reason,
        looked: credentials::places(http.credential_files()),
    }
}

/// The host with its port, as `config.json` names registries.
fn host(place: &Url) -> String {
    let host = place.host_str().unwrap_or_default();
    place.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

struct Asker<'a> {
    http: &'a Http,
    place: &'a Url,
    repository: &'a str,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    /// A number, but some write it in quotes or with a point, and that must not cost the token.
    #[serde(default)]
    expires_in: serde_json::Value,
}

impl Asker<'_> {
    async fn buy(&self, challenges: &[Challenge]) -> Result<Grant, Error> {
        let credential = self.credential().await?;
        let find = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
        if let Some(bearer) = find("bearer").filter(|bearer| bearer.parameter("realm").is_some()) {
            return self.token(bearer, credential).await;
        }
        match (find("basic"), credential) {
            (Some(_), Some(Credential::Password(user, password))) => {
                Ok(Grant { authorization: Authorization::Basic(user, password), until: None })
            }
            (Some(_), _) => Err(self.refused("it wants a user name and a password".to_owned())),
            (None, _) => Err(self.refused("401 Unauthorized without a way to log in that is known".to_owned())),
        }
    }

    async fn credential(&self) -> Result<Option<Credential>, Error> {
        let (files, host) = (self.http.credential_files().to_owned(), host(self.place));
        let repository = self.repository.to_owned();
        // A helper is a process that may wait for a key ring.
        let found = tokio::task::spawn_blocking(move || credentials::find(&files, &host, &repository)).await;
        found.unwrap_or_else(|_| Err(self.refused("the lookup of credentials was stopped".to_owned())))
    }

    async fn token(&self, bearer: &Challenge, credential: Option<Credential>) -> Result<Grant, Error> {
        let text = bearer.parameter("realm").unwrap_or_default();
        let Ok(mut realm) = Url::parse(text) else {
            return Err(self.malformed("a token server that is no URL"));
        };
        let credential = match (self.place.scheme(), realm.scheme()) {
            (_, "https") => credential,
            // Only the host that the user wrote with plain http gets them over plain http.
            ("http", "http") => credential.filter(|_| realm.host() == self.place.host()),
            _ => return Err(self.malformed("a token server that is neither https nor its own plain http")),
        };
        if realm.set_username("").is_err() || realm.set_password(None).is_err() {
            return Err(self.malformed("a token server without a host"));
        }
        let scope =
            bearer.parameter("scope").map_or_else(|| format!("repository:{}:pull", self.repository), str::to_owned);
        let service = bearer.parameter("service");
        let (call, authorization) = match credential {
            Some(Credential::Refresh(token)) => (refresh(service, &scope, &token), None),
            other => {
                let mut query = realm.query_pairs_mut();
                query.extend_pairs(service.map(|service| ("service", service)));
                // One a parameter: a mount from another repository wants two.
                query.extend_pairs(scope.split_whitespace().map(|scope| ("scope", scope)));
                drop(query);
                let authorization = match other {
                    Some(Credential::Password(user, password)) => Some(Authorization::Basic(user, password)),
                    _ => None,
                };
                (Call::get(Line::Api), authorization)
            }
        };
        let token = self.ask(&call, &realm, authorization.as_ref()).await?;
        // Both are there at times, and one of them is empty.
        let Some(text) = [token.token, token.access_token].into_iter().flatten().find(|text| is_header(text)) else {
            return Err(Error::Malformed { url: shown(&realm), reason: "no token".to_owned() });
        };
        let until = Instant::now() + use_of(token.expires_in.as_u64());
        Ok(Grant { authorization: Authorization::Bearer(text), until: Some(until) })
    }

    /// Asks the token server once; whoever wants the token decides whether all of it is tried again.
    async fn ask(&self, call: &Call, realm: &Url, authorization: Option<&Authorization>) -> Result<Token, Error> {
        let mirror = self.http.config().mirrors.of(realm).into_iter().next();
        let place = mirror.as_ref().unwrap_or(realm);
        let answer = self.http.exchange(call, place, authorization).await?;
        let answer = self.http.success(answer).await.map_err(|error| match error {
            Error::Status { refusal, .. } if matches!(refusal.status.as_u16(), 401 | 403) => {
                let said = server_message(&refusal.body).map(|text| format!(": {text}")).unwrap_or_default();
                let anonymous = authorization.is_none() && call.body.is_empty();
                let who = if anonymous { "anonymous access" } else { "the credentials" };
                self.refused(format!("`{}` refused {who}{said}", shown(realm)))
            }
            other => other,
        })?;
        let body = self.http.read(answer, MAX_TOKEN).await?;
        serde_json::from_slice(&body.bytes)
            .map_err(|_| Error::Malformed { url: shown(realm), reason: "no JSON with a token".to_owned() })
    }

    fn refused(&self, reason: String) -> Error {
        refused(self.http, self.place, self.repository, reason)
    }

    fn malformed(&self, reason: &str) -> Error {
        Error::Malformed { url: shown(self.place), reason: reason.to_owned() }
    }
}

/// Buys an access token with a refresh token (OAuth 2.0, RFC 6749, §6).
fn refresh(service: Option<&str>, scope: &str, token: &str) -> Call {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("client_id", "bundler");
    form.extend_pairs(service.map(|service| ("service", service)));
    form.append_pair("scope", scope).append_pair("refresh_token", token);
    let mut call = Call { method: http::Method::POST, body: form.finish().into(), ..Call::get(Line::Api) };
    call.headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/x-www-form-urlencoded"));
    call
}

/// How long a token is used that is good for so many seconds: half of a very short life, so that it ever is.
fn use_of(expires_in: Option<u64>) -> Duration {
    let life = Duration::from_secs(expires_in.unwrap_or(DEFAULT_LIFE).clamp(1, 86_400));
    life.saturating_sub(MARGIN).max(life / 2)
}

/// Whether a token can stand in a header.
fn is_header(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_that_has_ended_is_not_sent() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (access, place) = (Access::default(), url("https://quay.io/v2/org/app/manifests/1"));
        let later = Instant::now() + Duration::from_secs(3600);
        for (until, sent) in [(None, true), (Some(later), true), (Some(Instant::now()), false)] {
            let authorization = Authorization::Bearer("token".to_owned());
            *access.slot(&place, "org/app").lock().await = Some(Grant { authorization, until });
            assert_eq!(access.known(&place, "org/app").await.is_some(), sent, "{until:?}");
            // Nor is it sent to another repository, host or port.
            for (other, repository) in
                [(&place, "org/other"), (&url("https://quay.io:444/"), "org/app"), (&url("http://quay.io/"), "org/app")]
            {
                assert!(access.known(other, repository).await.is_none());
            }
        }
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        for (expires_in, used) in
            [(None, 50_000), (Some(300), 290_000), (Some(12), 6_000), (Some(0), 500), (Some(u64::MAX), 86_390_000)]
        {
            assert_eq!(use_of(expires_in), Duration::from_millis(used), "{expires_in:?}");
        }
    }
}
