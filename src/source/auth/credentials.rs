//! Docker's `config.json` with its credential helpers, and podman's `auth.json`, which has the same form.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde::Deserialize;

use crate::config::DOCKER_HUB_API;
use crate::source::error::Error;

/// The largest file of credentials, 1 MiB; it holds a few hundred bytes a registry.
const MAX_CONFIG: u64 = 1 << 20;

/// What a file has for a registry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// A user's name and password.
    Password(String, String),
    /// A refresh token, which buys access tokens (Docker's "identity token").
    Refresh(String),
}

/// Looks up a registry by its host and port in the first file that knows it; `None` where nobody logged in.
///
/// Runs credential helpers, so it must not be called on an async thread.
pub(super) fn find(files: &[PathBuf], host: &str, repository: &str) -> Result<Option<Credential>, Error> {
    for file in files {
        if let Some(credential) = find_in(file, host, repository)? {
            return Ok(Some(credential));
        }
    }
    Ok(None)
}

fn find_in(path: &Path, host: &str, repository: &str) -> Result<Option<Credential>, Error> {
    let error = |reason: String| Error::CredentialStore {
        registry: host.to_owned(),
        looked: format!("`{}`", path.display()),
        reason,
    };
    let mut text = Vec::new();
    match std::fs::File::open(path).and_then(|file| file.take(MAX_CONFIG + 1).read_to_end(&mut text)) {
        Ok(_) => {}
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(error(source.to_string())),
    }
    if text.len() as u64 > MAX_CONFIG {
        return Err(error(format!("it has more than {MAX_CONFIG} bytes")));
    }
    let text = without_empty(text);
    for server in servers(&text, host, repository) {
        match docker_credential::get_credential_from_reader(&text[..], &server) {
            Ok(DockerCredential::IdentityToken(token)) => return Ok(Some(Credential::Refresh(token))),
            Ok(DockerCredential::UsernamePassword(user, password)) => {
                return Ok(Some(Credential::Password(user, password)));
            }
            Err(CredentialRetrievalError::NoCredentialConfigured) => {}
            // What the helpers of Docker say of a registry that they do not know.
            Err(CredentialRetrievalError::HelperFailure { stdout, stderr, .. })
                if [&stdout, &stderr].iter().any(|text| text.contains("credentials not found")) => {}
            Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
                return Err(error(format!("the helper `{helper}` failed")));
            }
            Err(other) => return Err(error(other.to_string())),
        }
    }
    Ok(None)
}

/// The file without the fields of its entries that hold nothing: for docker an empty `auth` is as good as none, and so is
/// that of an empty user with an empty password. What is no JSON stays for its reader to refuse.
fn without_empty(text: Vec<u8>) -> Vec<u8> {
    /// `:` in base64.
    const NOBODY: &str = "Og==";
    let Ok(mut file) = serde_json::from_slice::<serde_json::Value>(&text) else { return text };
    let Some(auths) = file.get_mut("auths").and_then(serde_json::Value::as_object_mut) else { return text };
    for entry in auths.values_mut().filter_map(serde_json::Value::as_object_mut) {
        entry.retain(|name, value| {
            value.as_str().is_none_or(|value| !value.is_empty() && (name.as_str(), value) != ("auth", NOBODY))
        });
    }
    file.to_string().into_bytes()
}

/// The names under which a file may know a registry; Docker Hub has kept its first one.
///
/// Podman's also has repositories and what is above them (containers-auth.json(5)); the longest is asked first, and
/// only where the file has it, because a helper is asked for hosts alone.
fn servers(text: &[u8], host: &str, repository: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        auths: Option<std::collections::BTreeMap<String, serde::de::IgnoredAny>>,
    }
    let hub = DOCKER_HUB_API.strip_prefix("https://") == Some(host);
    let host = if hub { "docker.io" } else { host };
    let known: BTreeSet<_> = serde_json::from_slice::<File>(text)
        .ok()
        .and_then(|file| file.auths)
        .map(|auths| auths.into_keys().collect())
        .unwrap_or_default();
    let mut paths: Vec<_> = repository.match_indices('/').map(|(at, _)| &repository[..at]).collect();
    paths.push(repository);
    let below = paths.into_iter().rev().map(|path| format!("{host}/{path}")).filter(|name| known.contains(name));
    let first = hub.then(|| "https://index.docker.io/v1/".to_owned());
    below.chain(first).chain([host.to_owned()]).collect()
}

/// Where credentials are looked for, in words.
pub(super) fn places(files: &[PathBuf]) -> String {
    match files {
        [] => "no place, because neither DOCKER_CONFIG nor HOME is set".to_owned(),
        files => files.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnostic as _;
    use crate::exit::Exit;

    fn lookup(json: &str, host: &str) -> Result<Option<Credential>, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, json).unwrap();
        find(&[path], host, "org/app")
    }

    fn password(user: &str, password: &str) -> Option<Credential> {
        Some(Credential::Password(user.into(), password.into()))
    }

    #[test]
    fn finds_what_docker_login_wrote() {
        // `user:pass` in base64.
        let json = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpwYXNz"},"127.0.0.1:5000":{"auth":"dXNlcjpwYXNz"},
            "azure.example":{"auth":"dXNlcjpwYXNz","identitytoken":"refresh"}}}"#;
        assert!(lookup(json, "registry-1.docker.io").unwrap() == password("user", "pass"));
        assert!(lookup(json, "127.0.0.1:5000").unwrap() == password("user", "pass"));
        assert!(lookup(json, "azure.example").unwrap() == Some(Credential::Refresh("refresh".into())));
        assert!(lookup(json, "127.0.0.1:5001").unwrap().is_none());
        assert!(lookup(json, "docker.io.evil.example").unwrap().is_none());
        assert!(lookup("{}", "quay.io").unwrap().is_none());
        assert!(find(&[], "quay.io", "org/app").unwrap().is_none());
        assert!(find(&["/nonexistent/config.json".into()], "quay.io", "org/app").unwrap().is_none());
    }

    #[test]
    fn an_entry_that_holds_nothing_is_nobody() {
        for entry in [
            "{}",
            r#"{"auth":""}"#,
            r#"{"auth":"Og=="}"#,
            r#"{"username":"","password":"","auth":"","identitytoken":""}"#,
        ] {
            assert!(lookup(&format!(r#"{{"auths":{{"quay.io":{entry}}}}}"#), "quay.io").unwrap().is_none(), "{entry}");
        }
        let json = r#"{"auths":{"quay.io":{"username":"user","password":"pass","auth":"","identitytoken":""}}}"#;
        assert!(lookup(json, "quay.io").unwrap() == password("user", "pass"));
    }

    #[test]
    fn finds_what_podman_login_wrote() {
        // `user:pass`, `org:pass` and `app:pass` in base64.
        let json = r#"{"auths":{"quay.io":{"auth":"dXNlcjpwYXNz"},"quay.io/org":{"auth":"b3JnOnBhc3M="},
            "quay.io/org/app":{"auth":"YXBwOnBhc3M="},"docker.io":{"auth":"dXNlcjpwYXNz"}}}"#;
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("auth.json"), json).unwrap();
        std::fs::write(path("config.json"), r#"{"auths":{"ghcr.io":{"auth":"dXNlcjpwYXNz"}}}"#).unwrap();
        let files = [path("none.json"), path("config.json"), path("auth.json")];
        for (host, repository, user) in [
            ("quay.io", "org/app", "app"),
            ("quay.io", "org/application", "org"),
            ("quay.io", "organisation/app", "user"),
            ("ghcr.io", "org/app", "user"),
            ("registry-1.docker.io", "library/busybox", "user"),
        ] {
            assert!(find(&files, host, repository).unwrap() == password(user, "pass"), "{host}/{repository}");
        }
        assert!(find(&files, "gcr.io", "org/app").unwrap().is_none());
    }

    /// Runs itself with a PATH where the helpers are: a process has one environment for all of its tests.
    #[test]
    fn asks_the_helpers() {
        const MARK: &str = "BUNDLER_TEST_OF_HELPERS";
        const CONFIG: &str =
            r#"{"credHelpers":{"quay.io":"good","ghcr.io":"bad","token.example":"token"},"credsStore":"empty"}"#;
        if std::env::var_os(MARK).is_some() {
            assert!(lookup(CONFIG, "quay.io").unwrap() == password("user", "of quay.io"));
            assert!(lookup(CONFIG, "token.example").unwrap() == Some(Credential::Refresh("refresh".into())));
            assert!(lookup(CONFIG, "docker.example").unwrap().is_none(), "what the store does not know is anonymous");
            let Err(error) = lookup(CONFIG, "ghcr.io") else { panic!("the helper fails") };
            assert!(error.to_string().contains("docker-credential-bad"), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        for (name, script) in [
            ("good", r#"echo "{\"Username\":\"user\",\"Secret\":\"of $server\"}""#),
            ("token", r#"echo '{"Username":"<token>","Secret":"refresh"}'"#),
            ("empty", "echo 'credentials not found in native keychain'; exit 1"),
            ("bad", "echo secret; exit 1"),
        ] {
            let path = directory.path().join(format!("docker-credential-{name}"));
            // One that ends before it was asked would break the pipe to it.
            std::fs::write(&path, format!("#!/bin/sh\nread -r server\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "source::auth::credentials::tests::asks_the_helpers"])
            .env(MARK, "1")
            .env("PATH", directory.path())
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && output.contains("1 passed"), "{output}");
    }

    #[test]
    fn says_what_is_wrong_with_the_file() {
        let helper = r#"{"credHelpers":{"quay.io":"bundler-test-has-no-such-helper"}}"#;
        let large = format!(r#"{{"auths":{{"quay.io":{{"auth":"dXNlcjpwYXNz"}}}}}}{}"#, " ".repeat(1 << 20));
        for json in ["{", "[]", r#"{"auths":{"quay.io":{"auth":"%%%"}}}"#, helper, &large] {
            let Err(error) = lookup(json, "quay.io") else { panic!("{json}") };
            assert_eq!(error.exit(), Exit::Credentials);
            assert!(error.to_string().contains("config.json"), "{error}");
        }
    }
}
