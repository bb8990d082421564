//! Registries that want to know who asks: a real token server before a real registry, and where credentials come from.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::site::Site;
use crate::support::{Asked, Fault, Proxy, Registry, Tokens};
use crate::upstream::Upstream;

const ARGUMENTS: [&str; 5] = ["--arch", "arm64", "--component", "agent", "--no-store"];
/// `carrier:correct horse` in base64.
const PASSWORD: &str = "Y2Fycmllcjpjb3JyZWN0IGhvcnNl";
const REFRESH: &str = "refresh/me";

/// A registry that believes a token server alone, which wants a password or a refresh token.
struct Secured {
    site: Site,
    registry: Registry,
    signer: Arc<Tokens>,
    tokens: Proxy,
}

impl Secured {
    fn start(upstream: &Upstream) -> Option<Self> {
        let site = Site::new(upstream);
        let storage = site.sandbox.path("storage");
        site.push(&Registry::filling(&storage)?);
        let signer = Arc::new(Tokens::new());
        let signing = Arc::clone(&signer);
        let tokens = Proxy::alone(move |asked| sell(asked, &signing));
        let realm = format!("{}/token", tokens.url());
        let registry = Registry::with_tokens(&storage, &realm, &signer.certificate())?;
        site.mirror(&registry.url());
        Some(Self { site, registry, signer, tokens })
    }

    /// A file with credentials for the registry.
    fn file(&self, entry: &str) -> String {
        format!(r#"{{"auths": {{"{}": {entry}}}}}"#, self.registry.address())
    }

    /// Writes docker's configuration.
    fn docker(&self, json: &str) {
        let docker = self.site.sandbox.home().join(".docker");
        std::fs::create_dir_all(&docker).unwrap();
        std::fs::write(docker.join("config.json"), json).unwrap();
    }

    fn packs(&self) {
        self.site.pack(&ARGUMENTS);
    }

    fn packs_with(&self, variables: &[(&str, &str)]) {
        let mut command = self.site.sandbox.bundler();
        command.args(["pack", "-q"]).args(ARGUMENTS).envs(variables.iter().copied()).assert().success();
    }

    fn refused(&self) -> String {
        self.site.refused(&ARGUMENTS, 5)
    }
}

/// Sells a token for what `scope` names to who proves to be the carrier.
fn sell(asked: &Asked, signer: &Tokens) -> Fault {
    let fields = match asked.method.as_str() {
        "POST" => asked.body.clone(),
        _ => asked.target.split_once('?').map_or_else(String::new, |(_, query)| query.to_owned()),
    };
    let fields: Vec<_> = url::form_urlencoded::parse(fields.as_bytes()).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let known = match asked.method.as_str() {
        "POST" => field("grant_type") == Some("refresh_token") && field("refresh_token") == Some(REFRESH),
        _ => asked.header("authorization") == Some(&format!("Basic {PASSWORD}")),
    };
    let repository = field("scope").and_then(|scope| scope.strip_prefix("repository:")?.strip_suffix(":pull"));
    match (known, repository) {
        (true, Some(repository)) => {
            let token = signer.token(repository, 300);
            let name = if asked.method == "POST" { "access_token" } else { "token" };
            let body = serde_json::json!({name: token, "expires_in": 300}).to_string();
            Fault::Answer(200, vec![("content-type", "application/json".to_owned())], body.into_bytes())
        }
        _ => Fault::Answer(401, Vec::new(), br#"{"details": "incorrect username or password"}"#.to_vec()),
    }
}

#[test]
fn a_password_or_an_identity_token_buys_tokens() {
    let upstream = Upstream::start();
    let Some(secured) = Secured::start(&upstream) else { return };
    let text = secured.refused();
    let docker = secured.site.sandbox.home().join(".docker/config.json");
    for part in [secured.registry.address(), "`agent`", "refused anonymous access", docker.to_str().unwrap()] {
        assert!(text.contains(part), "{part}: {text}");
    }
    secured.docker(&secured.file(&format!(r#"{{"auth": "{PASSWORD}"}}"#)));
    secured.packs();
    assert!(secured.tokens.asked().iter().all(|asked| asked.method == "GET"));
    secured.docker(&secured.file(&format!(r#"{{"identitytoken": "{REFRESH}"}}"#)));
    secured.packs();
    assert!(secured.tokens.asked().iter().any(|asked| asked.method == "POST"));
    for wrong in [r#"{"auth": "Y2FycmllcjpzZWNyZXQ="}"#, r#"{"identitytoken": "secret"}"#] {
        secured.docker(&secured.file(wrong));
        let text = secured.refused();
        assert!(text.contains("refused the credentials: incorrect username or password"), "{text}");
        assert!(text.contains(secured.registry.address()) && text.contains(docker.to_str().unwrap()), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn helpers_are_asked_for_their_registry() {
    let upstream = Upstream::start();
    let Some(secured) = Secured::start(&upstream) else { return };
    let host = secured.registry.address();
    let helper = |name: &str, script: &str| {
        let path = secured.site.sandbox.write(format!("bin/docker-credential-{name}"), script);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    let answering = |answer: &str| {
        format!("#!/bin/sh\nread -r server\n[ \"$1 $server\" = 'get {host}' ] || exit 1\nprintf '%s' '{answer}'\n")
    };
    helper("vault", &answering(r#"{"Username": "carrier", "Secret": "correct horse"}"#));
    helper("token", &answering(&format!(r#"{{"Username": "<token>", "Secret": "{REFRESH}"}}"#)));
    helper("none", "#!/bin/sh\nread -r server\necho 'credentials not found in native keychain'\nexit 1\n");
    helper("broken", "#!/bin/sh\nread -r server\necho secret\nexit 1\n");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", secured.site.sandbox.path("bin").display());
    for json in [
        format!(r#"{{"credHelpers": {{"{host}": "vault"}}}}"#),
        format!(r#"{{"credHelpers": {{"{host}": "token"}}}}"#),
        r#"{"credsStore": "vault"}"#.to_owned(),
        // What docker writes beside a store: an entry without a secret.
        format!(r#"{{"auths": {{"{host}": {{}}}}, "credsStore": "vault"}}"#),
        format!(r#"{{"credHelpers": {{"{host}": "vault"}}, "credsStore": "broken"}}"#),
    ] {
        secured.docker(&json);
        secured.packs_with(&[("PATH", &path)]);
    }
    for (json, said) in [
        (r#"{"credsStore": "none"}"#, "refused anonymous access"),
        (r#"{"credsStore": "broken"}"#, "the helper `docker-credential-broken` failed"),
        (r#"{"credsStore": "absent"}"#, "credential helper"),
    ] {
        secured.docker(json);
        let mut command = secured.site.sandbox.bundler();
        let assert = command.arg("pack").args(ARGUMENTS).env("PATH", &path).assert().code(5);
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(text.contains(said) && text.contains(host) && !text.contains("secret"), "{json}: {text}");
    }
}

#[test]
fn podmans_file_is_searched_too() {
    let upstream = Upstream::start();
    let Some(secured) = Secured::start(&upstream) else { return };
    let good = secured.file(&format!(r#"{{"auth": "{PASSWORD}"}}"#));
    let wrong = secured.file(r#"{"auth": "Y2FycmllcjpzZWNyZXQ="}"#);
    let named = secured.site.sandbox.write("auth.json", &good);
    let run = secured.site.sandbox.path("run");
    secured.site.sandbox.write("run/containers/auth.json", &good);
    secured.packs_with(&[("XDG_RUNTIME_DIR", run.to_str().unwrap())]);
    // Docker's own counts more, and a file that was named the most.
    secured.docker(&wrong);
    let mut command = secured.site.sandbox.bundler();
    let assert = command.arg("pack").args(ARGUMENTS).env("XDG_RUNTIME_DIR", &run).assert().code(5);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(text.contains(run.to_str().unwrap()) && text.contains(".docker/config.json"), "{text}");
    secured.packs_with(&[("REGISTRY_AUTH_FILE", named.to_str().unwrap())]);
    // A login for one repository.
    let login = format!(r#"{{"auths": {{"{}/agent": {{"auth": "{PASSWORD}"}}}}}}"#, secured.registry.address());
    let one = secured.site.sandbox.write("one.json", login);
    secured.packs_with(&[("REGISTRY_AUTH_FILE", one.to_str().unwrap())]);
}

#[test]
fn a_token_that_ends_in_the_middle_is_bought_anew() {
    let upstream = Upstream::start();
    let Some(secured) = Secured::start(&upstream) else { return };
    let old = secured.signer.token("app", -3600);
    let passed = AtomicUsize::new(0);
    let first = std::sync::Mutex::new(None::<String>);
    // Before the registry every token for `app` gets old after its third blob, and the registry itself says so.
    let proxy = Proxy::before(&secured.registry.url(), move |asked| {
        let Some(sent) = asked.header("authorization").map(str::to_owned) else { return Fault::None };
        if !asked.target.contains("/app/") {
            return Fault::None;
        }
        let mut first = first.lock().unwrap();
        let first = first.get_or_insert_with(|| sent.clone());
        if *first == sent && asked.target.contains("/blobs/") && passed.fetch_add(1, Ordering::SeqCst) >= 2 {
            return Fault::Asking("authorization", format!("Bearer {old}"));
        }
        Fault::None
    });
    secured.site.mirrors(&[&proxy.url()], "");
    let login = format!(r#"{{"auths": {{"{}": {{"auth": "{PASSWORD}"}}}}}}"#, proxy.address());
    secured.docker(&login);
    secured.tokens.rule({
        let signer = Arc::clone(&secured.signer);
        move |asked| sell(asked, &signer)
    });
    let packed = secured.site.pack(&["--arch", "arm64", "--component", "app", "--jobs", "2"]);
    secured.site.sandbox.bundler().arg("verify").arg(packed["path"].as_str().unwrap()).assert().success();
    assert_eq!(secured.tokens.count("%3Aapp%3A"), 2, "{:?}", secured.tokens.asked());
}

#[test]
fn a_refusal_names_the_registry_and_where_credentials_were_looked_for() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let proxy = Proxy::alone(|_| Fault::None);
    site.mirrors(&[&proxy.url()], "");
    let challenge = vec![("www-authenticate", r#"Basic realm="x""#.to_owned())];
    let denied = br#"{"errors": [{"code": "DENIED", "message": "requested access is denied"}]}"#.to_vec();
    for (fault, said) in [
        (Fault::Answer(401, challenge, Vec::new()), "a user name and a password"),
        (Fault::Answer(401, Vec::new(), Vec::new()), "without a way to log in"),
        (Fault::Answer(403, Vec::new(), denied), "403 Forbidden: requested access is denied"),
    ] {
        proxy.rule(move |_| fault.clone());
        let text = site.refused(&ARGUMENTS, 5);
        let docker = site.sandbox.home().join(".docker/config.json");
        for part in ["images.example/agent:v1.0.0", proxy.address(), said, docker.to_str().unwrap(), "docker login"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn offline_names_the_image_that_is_missing() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let proxy = Proxy::alone(|_| Fault::Answer(404, Vec::new(), Vec::new()));
    site.mirrors(&[&proxy.url()], "");
    let text = site.refused(&["--arch", "arm64", "--component", "agent", "--offline"], 6);
    assert!(text.contains("images.example/agent:v1.0.0") && text.contains("without `--offline`"), "{text}");
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}
