//! Alertmanager: the settings that Helm makes of the site's wishes, in the very Alertmanager of the lock.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use super::render::{find, stack};
use super::servers::{Listening, get, post, wait_for};
use crate::support::{self, Sandbox};

/// Every channel, a proxy, and times when nothing is sent.
const EVERYTHING: &str = r#"
notifications:
  proxy: "http://proxy.example.com:3128"
  email: {enabled: true, to: "ops@example.com,night@example.com", from: "site@example.com", smarthost: "mail.example.com:587", username: site}
  dingtalk: {enabled: true}
  feishu: {enabled: true}
  wecom: {enabled: true}
  webhook: {enabled: true}
  heartbeat: {enabled: true}
  timeIntervals:
    timezone: Asia/Shanghai
    maintenance: [{weekdays: [saturday], times: [{start_time: "02:00", end_time: "04:00"}]}]
    holidays: [{years: ["2027"], months: [october], days_of_month: ["1:7"]}, {weekdays: [sunday]}]
"#;

/// Writes what the chart makes of a site's values, with its paths below the sandbox.
fn settings(sandbox: &Sandbox, values: &str) -> Option<PathBuf> {
    let objects = stack()?.with("kube-prometheus-stack", values);
    let secret = find(&objects, "Secret", "alertmanager-kps-alertmanager");
    let data = secret.at("/data").as_object().unwrap();
    for (name, content) in data {
        let bytes = base64::engine::general_purpose::STANDARD.decode(content.as_str().unwrap()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let directory = sandbox.path("alertmanager").display().to_string();
        let text = text.replace("/etc/alertmanager/config", &directory).replace("/etc/alertmanager", &directory);
        sandbox.write(format!("alertmanager/{name}"), text);
    }
    assert!(data.contains_key("site.tmpl"), "{:?}", data.keys());
    Some(sandbox.path("alertmanager/alertmanager.yaml"))
}

fn channel(name: &str) -> String {
    format!(
        "notifications: {{{name}: {{enabled: true, to: a@example.com, from: b@example.com, smarthost: 'm.example.com:25'}}}}"
    )
}

#[test]
fn every_choice_of_channels_is_one_that_alertmanager_takes() {
    let Some(amtool) = support::kept_program("amtool") else { return };
    let mut choices: Vec<String> = ["email", "dingtalk", "feishu", "wecom", "webhook", "heartbeat"].map(channel).into();
    choices.push("{}".to_owned());
    choices.push("notifications: {dingtalk: {enabled: true, signed: true}}".to_owned());
    choices.push(EVERYTHING.to_owned());
    for values in &choices {
        let sandbox = Sandbox::new();
        let Some(file) = settings(&sandbox, values) else { return };
        let output = sandbox.command(&amtool).arg("check-config").arg(&file).output().unwrap();
        assert!(output.status.success(), "{values}: {}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(&file).unwrap();
        let wanted = values.contains("signed");
        assert_eq!(text.contains("prometheus-alert"), wanted, "the bridge is for signed robots only: {text}");
    }
    // And it looks: a time that is none is refused.
    let sandbox = Sandbox::new();
    let wrong = "notifications: {timeIntervals: {holidays: [{months: [smarch]}]}}";
    let file = settings(&sandbox, wrong).unwrap();
    assert!(!sandbox.command(&amtool).arg("check-config").arg(&file).output().unwrap().status.success());
}

#[test]
fn every_route_leads_where_it_should() {
    let Some(amtool) = support::kept_program("amtool") else { return };
    let routes: [(&[&str], &str); 8] = [
        (&["alertname=EdgeNodeOffline", "severity=critical", "node=edge-1"], "critical"),
        (&["alertname=EdgeLinkSlow", "severity=warning", "node=edge-1"], "warning"),
        (&["alertname=PushedJobStale", "severity=info"], "info"),
        (&["alertname=Somebodys", "namespace=shop"], "warning"),
        (&["alertname=TestAlert", "severity=critical", "source=install.sh"], "critical"),
        (&["alertname=Watchdog", "severity=none"], "heartbeat"),
        (&["alertname=InfoInhibitor", "severity=none"], "nobody"),
        (&["alertname=KubernetesWarningEvents", "severity=warning", "namespace=kubeedge"], "warning"),
    ];
    for (values, heartbeat) in [(EVERYTHING, "heartbeat"), ("{}", "nobody")] {
        let sandbox = Sandbox::new();
        let Some(file) = settings(&sandbox, values) else { return };
        for (labels, receiver) in routes {
            let receiver = if receiver == "heartbeat" { heartbeat } else { receiver };
            let mut command = sandbox.command(&amtool);
            command.args(["config", "routes", "test", "--verify.receivers", receiver, "--config.file"]).arg(&file);
            support::output_of(command.args(labels));
        }
    }
}

/// A web server that keeps what is posted: path and JSON.
fn web_sink() -> (String, Receiver<(String, Value)>, tokio::runtime::Runtime) {
    let (sender, receiver) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(async move |uri: axum::http::Uri, body: String| {
        let _ = sender.send((uri.path().to_owned(), serde_json::from_str(&body).unwrap_or(Value::String(body))));
        "{\"errcode\":0}"
    });
    runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, receiver, runtime)
}

/// A mail relay that keeps every message.
fn mail_sink() -> (String, Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut answer = stream.try_clone().unwrap();
            let mut lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
            let _ = answer.write_all(b"220 sink\r\n");
            while let Some(line) = lines.next() {
                let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
                if verb == "DATA" {
                    let _ = answer.write_all(b"354 go on\r\n");
                    let message: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                    let _ = sender.send(message.join("\n"));
                }
                let _ = answer.write_all(if verb == "QUIT" { b"221 bye\r\n" } else { b"250 good\r\n" });
            }
        }
    });
    (address, receiver)
}

/// An Alertmanager with a site's settings that waits for nothing before it sends.
fn alertmanager(sandbox: &Sandbox, values: &str) -> Option<Listening> {
    let program = support::kept_program("alertmanager")?;
    let file = settings(sandbox, values)?;
    let text = std::fs::read_to_string(&file).unwrap();
    let at_once = ["10s", "30s", "5m"]
        .iter()
        .fold(text, |text, wait| text.replace(&format!("group_wait: {wait}"), "group_wait: 0s"));
    std::fs::write(&file, at_once).unwrap();
    let option = |name: &str, value: String| format!("--{name}={value}").into();
    let options: [std::ffi::OsString; 4] = [
        option("config.file", file.display().to_string()),
        option("storage.path", sandbox.path("data").display().to_string()),
        option("web.listen-address", "127.0.0.1:0".into()),
        option("cluster.listen-address", String::new()),
    ];
    let options: Vec<&OsStr> = options.iter().map(AsRef::as_ref).collect();
    let server = Listening::start(&program, &options);
    wait_for("the Alertmanager", || sandbox_ready(sandbox, &server));
    Some(server)
}

fn sandbox_ready(sandbox: &Sandbox, server: &Listening) -> Option<Value> {
    get(sandbox, &format!("{}/api/v2/status", server.url()), &[])
}

fn send(sandbox: &Sandbox, server: &Listening, alerts: &Value) {
    let body = sandbox.write("alerts.json", alerts.to_string());
    let url = format!("{}/api/v2/alerts", server.url());
    assert_eq!(post(sandbox, &url, &["Content-Type: application/json"], &body), "200");
}

/// What would be no text if it were read as YAML once more.
const SUMMARY: &str = "disk: 95 % # \"full\" · 磁盘\n- {a: b}";

fn alert(name: &str, severity: &str, node: &str) -> Value {
    json!({
        "labels": {"alertname": name, "severity": severity, "node": node, "site": "hill"},
        "annotations": {"summary": SUMMARY, "description": "*look* at it: [now]"},
    })
}

#[test]
fn an_alert_arrives_by_every_channel_of_its_severity() {
    let sandbox = Sandbox::new();
    let (web, posted, _runtime) = web_sink();
    let (relay, mails) = mail_sink();
    for name in ["dingtalk", "feishu", "wecom", "webhook", "heartbeat"] {
        sandbox
            .write(format!("alertmanager/secrets/alert-channels/{name}-url"), format!("{web}/{name}?access_token=s\n"));
    }
    let values = EVERYTHING
        .replace(r#"proxy: "http://proxy.example.com:3128""#, "proxy: ''")
        .replace("mail.example.com:587", &relay)
        .replace("username: site", "username: '', requireTLS: false")
        .replace("weekdays: [sunday]", "years: ['2001']")
        .replace("weekdays: [saturday]", "years: ['2001']");
    let Some(server) = alertmanager(&sandbox, &values) else { return };

    send(&sandbox, &server, &json!([alert("TestAlert", "critical", "edge-1")]));
    let mut arrived = std::collections::BTreeMap::new();
    while arrived.len() < 4 {
        let (path, body) = posted.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("only {arrived:?}"));
        arrived.insert(path, body);
    }
    let title = "【firing】critical TestAlert edge-1 hill (1) observability";
    let ding = &arrived["/dingtalk"];
    assert_eq!((&ding["msgtype"], &ding["markdown"]["title"]), (&json!("markdown"), &json!(title)));
    let feishu = &arrived["/feishu"];
    assert_eq!(feishu["msg_type"], "interactive");
    assert_eq!(feishu.pointer("/card/header/title/content"), Some(&json!(title)));
    assert_eq!(feishu.pointer("/card/header/template"), Some(&json!("red")));
    assert_eq!(feishu.pointer("/card/config/wide_screen_mode"), Some(&json!(true)));
    let texts = [
        &ding["markdown"]["text"],
        &arrived["/wecom"]["markdown"]["content"],
        &feishu["card"]["elements"][0]["content"],
    ];
    for text in texts {
        let text = text.as_str().unwrap_or_else(|| panic!("no text but {text}"));
        assert!(text.contains(SUMMARY) && text.contains("*look* at it: [now]"), "{text}");
    }
    assert_eq!(arrived["/webhook"]["version"], "4");
    assert_eq!(arrived["/webhook"]["alerts"][0]["annotations"]["summary"], SUMMARY);
    let mail = mails.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(mail.contains("Subject: =?utf-8?") && mail.contains("critical"), "{mail}");
    assert!(mail.contains("ops@example.com") && mail.contains("text/html"), "{mail}");

    // What is only worth knowing goes to mail and machines, not to chat groups; the heartbeat goes its own way.
    send(&sandbox, &server, &json!([alert("PushedJobStale", "info", ""), alert("Watchdog", "none", "")]));
    let mut paths: Vec<String> = Vec::new();
    while paths.len() < 2 {
        let (path, body) = posted.recv_timeout(Duration::from_secs(60)).unwrap();
        if !body.to_string().contains("TestAlert") {
            paths.push(path);
        }
    }
    paths.sort();
    assert_eq!(paths, ["/heartbeat", "/webhook"]);
    assert!(mails.recv_timeout(Duration::from_secs(60)).unwrap().contains("PushedJobStale"));
}

/// State of an alert as the API tells it, and what keeps it quiet.
fn state(sandbox: &Sandbox, server: &Listening, name: &str) -> Option<Value> {
    let groups = get(sandbox, &format!("{}/api/v2/alerts/groups", server.url()), &[])?;
    let mut alerts = groups.as_array().unwrap().iter().flat_map(|group| group["alerts"].as_array().unwrap());
    alerts.find(|alert| alert["labels"]["alertname"] == name).map(|alert| alert["status"].clone())
}

#[test]
fn silences_inhibition_and_maintenance_keep_alerts_quiet() {
    let (sandbox, Some(amtool)) = (Sandbox::new(), support::kept_program("amtool")) else { return };
    let (web, posted, _runtime) = web_sink();
    sandbox.write("alertmanager/secrets/alert-channels/webhook-url", format!("{web}/webhook"));
    let Some(server) = alertmanager(&sandbox, "notifications: {webhook: {enabled: true}}") else { return };
    let url = format!("--alertmanager.url={}", server.url());

    // The lines of the guide for operators.
    let mut silence = sandbox.command(&amtool);
    silence.args(["silence", "add", &url, "--author=ops", "--duration=2h", "--comment=new disk", "node=edge-7"]);
    let id = support::output_of(&mut silence);
    let disk = alert("EdgeDiskAlmostFull", "warning", "edge-7");
    let offline = alert("EdgeNodeOffline", "critical", "edge-1");
    let slow = alert("EdgeLinkSlow", "warning", "edge-1");
    send(&sandbox, &server, &json!([offline]));
    let (_, body) = posted.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(body["alerts"][0]["labels"]["alertname"], "EdgeNodeOffline");
    send(&sandbox, &server, &json!([disk, slow]));
    let of =
        |name: &str| wait_for(name, || state(&sandbox, &server, name).filter(|state| state["state"] != "unprocessed"));
    let silenced = of("EdgeDiskAlmostFull");
    assert_eq!((&silenced["state"], &silenced["silencedBy"]), (&json!("suppressed"), &json!([id.trim()])));
    let inhibited = of("EdgeLinkSlow");
    assert_eq!(inhibited["inhibitedBy"].as_array().map(Vec::len), Some(1), "{inhibited}");

    let listed = support::output_of(sandbox.command(&amtool).args(["silence", "query", &url]));
    assert!(listed.contains("new disk"), "{listed}");
    support::output_of(sandbox.command(&amtool).args(["silence", "expire", &url, id.trim()]));
    // The alert that was silenced is sent with the next round of its group; the API says at once that nothing holds it.
    let free = wait_for("the end of the silence", || {
        state(&sandbox, &server, "EdgeDiskAlmostFull").filter(|state| state["silencedBy"] == json!([]))
    });
    assert_ne!(free["state"], "suppressed");
    drop(server);

    let always = "notifications: {webhook: {enabled: true}, timeIntervals: {holidays: [{times: [{start_time: '00:00', end_time: '24:00'}]}]}}";
    let sandbox = Sandbox::new();
    sandbox.write("alertmanager/secrets/alert-channels/webhook-url", format!("{web}/holiday"));
    let Some(server) = alertmanager(&sandbox, always) else { return };
    send(&sandbox, &server, &json!([slow]));
    let muted = wait_for("the holiday", || {
        state(&sandbox, &server, "EdgeLinkSlow").filter(|state| state["mutedBy"] == json!(["holidays"]))
    });
    assert_eq!(muted["mutedBy"].as_array().map(Vec::len), Some(1), "{muted}");
    // What is critical is told on holidays too, and it is all that is.
    send(&sandbox, &server, &json!([offline]));
    let (path, body) = loop {
        let (path, body) = posted.recv_timeout(Duration::from_secs(60)).unwrap();
        if path == "/holiday" {
            break (path, body);
        }
    };
    assert_eq!((path.as_str(), &body["alerts"][0]["labels"]["alertname"]), ("/holiday", &json!("EdgeNodeOffline")));
    assert_eq!(posted.try_recv().map_err(|_| RecvTimeoutError::Timeout), Err(RecvTimeoutError::Timeout));
}
