//! Headless Chromium, spoken to over pipes (DevTools protocol, `--remote-debugging-pipe`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::process::find;

/// A browser with one page. It ends when its pipe does, that is with this value.
pub(crate) struct Browser {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    last: u64,
    /// What the page told: requests, messages of the console, exceptions.
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it with an empty page.
    pub(crate) fn start() -> Option<Self> {
        let programs = ["chromium", "chromium-browser", "google-chrome"];
        let Some(program) = programs.into_iter().find_map(find) else { return super::skip("Chromium") };
        let profile = tempfile::tempdir().unwrap();
        // The protocol is on the descriptors 3 and 4.
        let mut child = Command::new("/bin/sh")
            .args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#, "sh"])
            .arg(program)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"])
            .args(["--disable-background-networking", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser = Self { child, to, from, session: None, last: 0, events: Vec::new(), _profile: profile };
        let target = browser.send("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.send("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.send(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Opens a file and waits until it is loaded.
    pub(crate) fn open(&mut self, page: &Path, dark: bool) {
        self.visit(&format!("file://{}", page.display()), dark);
    }

    /// Opens a page and waits until it is loaded.
    pub(crate) fn visit(&mut self, url: &str, dark: bool) {
        let scheme = json!([{"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }}]);
        self.send("Emulation.setEmulatedMedia", json!({"features": scheme}));
        self.events.retain(|event| event["method"] != "Page.loadEventFired");
        self.send("Page.navigate", json!({"url": url}));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.read();
            self.events.push(event);
        }
    }

    /// What an expression gives in the page.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let given = self
            .send("Runtime.evaluate", json!({"expression": expression, "returnByValue": true, "awaitPromise": true}));
        assert!(given["exceptionDetails"].is_null(), "{expression}: {given:#}");
        given["result"]["value"].clone()
    }

    /// What the elements of a selector say.
    pub(crate) fn texts(&mut self, selector: &str) -> Vec<String> {
        let texts = format!("[...document.querySelectorAll('{selector}')].map((e) => e.textContent)");
        serde_json::from_value(self.evaluate(&texts)).unwrap()
    }

    /// The URLs that were asked for, of pages that complained of nothing.
    pub(crate) fn asked(&self) -> Vec<Value> {
        for complaint in ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"] {
            assert!(self.events(complaint).is_empty(), "{:#?}", self.events(complaint));
        }
        let asked = self.events("Network.requestWillBeSent");
        asked.iter().map(|event| event["params"]["request"]["url"].clone()).collect()
    }

    /// Types a key into what has the focus.
    pub(crate) fn key(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if key == "Enter" { "\r" } else { "" };
            let code = if key == "Enter" { 13 } else { 0 };
            self.send(
                "Input.dispatchKeyEvent",
                json!({"type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code}),
            );
        }
    }

    /// Shows the page in a window of this size.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.send("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// The events of one name.
    fn events(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["method"] == method).collect()
    }

    fn send(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let to = self.to.as_mut().unwrap();
        to.write_all(format!("{message}\0").as_bytes()).unwrap();
        to.flush().unwrap();
        loop {
            let answer = self.read();
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer:#}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "the browser ended");
        serde_json::from_slice(&bytes).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
