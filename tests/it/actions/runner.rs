//! Runs a workflow of the repository as GitHub would: jobs in order of their needs, every leg of a matrix on a machine of
//! its own, steps with GitHub's environment files. What GitHub itself does (checkout, caches, artifacts, attestations,
//! releases) happens in directories.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Map, Value, json};

use super::expression::{fill, holds, string};
use crate::support::Sandbox;

/// A repository at an emulated GitHub, and what GitHub keeps of it.
pub(super) struct GitHub {
    pub(super) sandbox: Sandbox,
    /// Programs that stand in for those of a hosted runner: `gh`, and the toolchain.
    programs: PathBuf,
    /// Secrets by name; a fork's pull request has none.
    pub(super) secrets: BTreeMap<String, String>,
    /// What a job's token may do at most, whatever the workflow asks for.
    pub(super) rights: &'static str,
    path: String,
}

/// What started a workflow.
pub(super) struct Event<'a> {
    pub(super) name: &'a str,
    pub(super) ref_type: &'a str,
    pub(super) ref_name: &'a str,
    pub(super) inputs: Value,
}

impl Event<'_> {
    pub(super) fn tag(tag: &str) -> Event<'_> {
        Event { name: "push", ref_type: "tag", ref_name: tag, inputs: json!({}) }
    }

    pub(super) const fn on_main(name: &str) -> Event<'_> {
        Event { name, ref_type: "branch", ref_name: "main", inputs: Value::Null }
    }
}

/// How a run went.
#[derive(Default)]
pub(super) struct Run {
    /// `success`, `failure` or `skipped` of each leg, by `job` or `job (arch, profile)`.
    pub(super) legs: BTreeMap<String, &'static str>,
    pub(super) log: String,
    pub(super) summary: String,
    /// The outputs of each leg's steps.
    pub(super) outputs: BTreeMap<String, Value>,
}

impl Run {
    pub(super) fn green(&self) -> bool {
        self.legs.values().all(|status| *status == "success")
    }
}

/// A machine on which a leg runs.
struct Machine<'a> {
    github: &'a GitHub,
    workspace: PathBuf,
    temp: PathBuf,
    arch: String,
    path: Vec<PathBuf>,
    env: BTreeMap<String, String>,
    /// What caches do when a job ends well.
    saves: Vec<(String, PathBuf)>,
    run: &'a mut Run,
}

impl GitHub {
    pub(super) fn new(sandbox: Sandbox, programs: PathBuf) -> Self {
        for name in ["caches", "artifacts", "releases", "state"] {
            fs::create_dir_all(sandbox.path(name)).unwrap();
        }
        let path = std::env::var("PATH").unwrap();
        Self { sandbox, programs, secrets: BTreeMap::new(), rights: "write", path }
    }

    /// The repository that is checked out.
    pub(super) fn repository(&self) -> PathBuf {
        self.sandbox.path("repository")
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        let mut command = self.sandbox.command("git");
        command.arg("-C").arg(self.repository()).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        crate::support::output_of(command.args(arguments)).trim().to_owned()
    }

    /// Runs a workflow from its first job to its last.
    pub(super) fn run(&self, workflow: &str, event: &Event<'_>) -> Run {
        let text = fs::read_to_string(self.repository().join(".github/workflows").join(workflow)).unwrap();
        let workflow: Value = serde_saphyr::from_str(&text).unwrap();
        let _ = fs::remove_dir_all(self.sandbox.path("artifacts"));
        fs::create_dir_all(self.sandbox.path("artifacts")).unwrap();
        let mut run = Run::default();
        let mut results: BTreeMap<String, (&'static str, Value)> = BTreeMap::new();
        let jobs = workflow["jobs"].as_object().unwrap();
        while let Some((name, job)) = jobs.iter().find(|(name, job)| {
            !results.contains_key(*name) && needs(job).iter().all(|needed| results.contains_key(needed))
        }) {
            let needed: Map<_, _> = needs(job)
                .into_iter()
                .map(|n| (n.clone(), json!({"result": results[&n].0, "outputs": results[&n].1})))
                .collect();
            let good = needed.values().all(|needed| needed["result"] == "success");
            let (mut result, mut outputs) = ("skipped", json!({}));
            for matrix in legs(job) {
                let contexts = self.contexts(event, job, &Value::Object(needed.clone()), &matrix, good);
                let title = title(name, &matrix);
                if !holds(job.get("if"), &contexts) {
                    run.legs.insert(title, "skipped");
                    continue;
                }
                let (status, leg_outputs) = self.leg(job, contexts, &title, &mut run);
                run.legs.insert(title, status);
                result = if result == "failure" { "failure" } else { status };
                outputs = leg_outputs;
            }
            results.insert(name.clone(), (result, outputs));
        }
        assert_eq!(results.len(), jobs.len(), "every job's needs are there");
        run
    }

    fn contexts(&self, event: &Event<'_>, job: &Value, needs: &Value, matrix: &Value, good: bool) -> Value {
        let write = self.rights == "write" && job["permissions"]["contents"] == "write";
        let refs = if event.ref_type == "tag" { "tags" } else { "heads" };
        json!({
            "github": {
                "token": if write { "token-write" } else { "token-read" }, "repository": "example/bundler",
                "event_name": event.name, "ref": format!("refs/{refs}/{}", event.ref_name),
                "ref_type": event.ref_type, "ref_name": event.ref_name, "action_repository": "",
                "event": {"repository": {"default_branch": "main"}},
            },
            "inputs": event.inputs, "needs": needs, "matrix": matrix, "steps": {}, "env": {},
            "secrets": self.secrets, "job": {"status": if good { "success" } else { "failure" }},
            "runner": {"temp": ""},
        })
    }

    fn leg(&self, job: &Value, mut contexts: Value, title: &str, run: &mut Run) -> (&'static str, Value) {
        let machine = tempfile::Builder::new().prefix("machine-").tempdir_in(self.sandbox.work()).unwrap();
        let (workspace, temp) = (machine.path().join("work"), machine.path().join("temp"));
        fs::create_dir_all(&workspace).unwrap();
        fs::create_dir_all(temp.join("files")).unwrap();
        contexts["runner"]["temp"] = json!(temp);
        let runner = fill(&string(&job["runs-on"]), &contexts);
        let arch = if runner.ends_with("-arm") { "aarch64" } else { "x86_64" }.to_owned();
        run.log.push_str(&format!("== {title} on {runner}\n"));
        let mut machine = Machine {
            github: self,
            workspace,
            temp,
            arch,
            path: vec![self.programs.clone()],
            env: BTreeMap::new(),
            saves: Vec::new(),
            run,
        };
        let steps = job["steps"].as_array().unwrap();
        let good = machine.steps(steps, &mut contexts);
        if good {
            machine.saves.iter().for_each(|(key, path)| save(self, key, path));
        }
        run.outputs.insert(title.to_owned(), contexts["steps"].clone());
        let outputs = job["outputs"].as_object().cloned().unwrap_or_default();
        let outputs =
            outputs.into_iter().map(|(name, value)| (name, json!(fill(&string(&value), &contexts)))).collect();
        (if good { "success" } else { "failure" }, Value::Object(outputs))
    }
}

impl Machine<'_> {
    /// Runs steps; after one that failed only those run that ask for it.
    fn steps(&mut self, steps: &[Value], contexts: &mut Value) -> bool {
        for step in steps {
            if !holds(step.get("if"), contexts) {
                continue;
            }
            let outputs =
                if step.get("run").is_some() { self.script(step, contexts) } else { self.uses(step, contexts) };
            match outputs {
                Some(outputs) => {
                    if let Some(id) = step["id"].as_str() {
                        contexts["steps"][id] = json!({"outputs": outputs});
                    }
                }
                None => contexts["job"]["status"] = json!("failure"),
            }
        }
        contexts["job"]["status"] == "success"
    }

    fn script(&mut self, step: &Value, contexts: &Value) -> Option<Value> {
        let script = fill(step["run"].as_str().unwrap(), contexts);
        assert!(!step["run"].as_str().unwrap().contains("${{"), "text from outside in a script: {script}");
        let file = |name: &str| {
            let path = self.temp.join("files").join(name);
            fs::write(&path, "").unwrap();
            path
        };
        let (output, summary, path, env) = (file("output"), file("summary"), file("path"), file("env"));
        let mut command = self.github.sandbox.command("bash");
        match step.get("shell") {
            Some(_) => command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script]),
            None => command.args(["-e", "-c", &script]),
        };
        let search = self.path.iter().rev().map(|path| path.display().to_string() + ":").collect::<String>();
        command.current_dir(&self.workspace).stdin(Stdio::null()).env("PATH", search + &self.github.path);
        command.envs(&self.env).env("CI", "true").env("GITHUB_ACTIONS", "true");
        for (name, value) in [("OUTPUT", &output), ("STEP_SUMMARY", &summary), ("PATH", &path), ("ENV", &env)] {
            command.env(format!("GITHUB_{name}"), value);
        }
        for (name, path) in [("repository", "REPOSITORY"), ("ref_type", "REF_TYPE"), ("ref_name", "REF_NAME")] {
            command.env(format!("GITHUB_{path}"), string(&contexts["github"][name]));
        }
        command.env("GITHUB_SHA", self.github.git(&["rev-parse", "HEAD"])).env("RUNNER_TEMP", &self.temp);
        command.env("GITHUB_SERVER_URL", "https://github.invalid").env("GITHUB_HUB", self.github.sandbox.work());
        command.env("RUNNER_MACHINE", &self.arch).env("TEST_PROGRAM", env!("CARGO_BIN_EXE_bundler"));
        if let Some(action) = contexts["github"]["action_path"].as_str() {
            command.env("GITHUB_ACTION_PATH", action);
        }
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, fill(&string(value), contexts));
        }
        let done = command.output().unwrap();
        for bytes in [&done.stdout, &done.stderr] {
            self.run.log.push_str(&String::from_utf8_lossy(bytes));
        }
        self.run.summary.push_str(&fs::read_to_string(summary).unwrap());
        self.path.extend(fs::read_to_string(path).unwrap().lines().map(PathBuf::from));
        self.env.extend(pairs(&fs::read_to_string(env).unwrap()));
        let outputs = pairs(&fs::read_to_string(output).unwrap());
        done.status.success().then(|| json!(outputs.into_iter().collect::<BTreeMap<_, _>>()))
    }

    fn uses(&mut self, step: &Value, contexts: &Value) -> Option<Value> {
        let action = step["uses"].as_str().unwrap();
        let with = |name: &str| fill(&string(&step["with"][name]), contexts);
        if let Some(path) = action.strip_prefix("./") {
            return self.composite(path, step, contexts);
        }
        let (name, commit) = action.split_once('@').unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{action} is pinned by commit");
        let github = self.github;
        let key = |key: &str| github.sandbox.path("caches").join(key);
        match name {
            "actions/checkout" => {
                assert_eq!(with("persist-credentials"), "false", "no later step needs the token");
                let mut git = github.sandbox.command("git");
                git.args(["clone", "--quiet"]).arg(github.repository()).arg(&self.workspace);
                crate::support::output_of(&mut git);
            }
            "actions/cache" | "actions/cache/restore" => {
                let path = self.workspace.join(with("path"));
                let prefix = with("restore-keys");
                let hit = key(&with("key")).exists();
                let others = fs::read_dir(github.sandbox.path("caches")).unwrap().map(|entry| entry.unwrap().path());
                let like = |entry: &PathBuf| {
                    !prefix.is_empty() && entry.file_name().unwrap().to_string_lossy().starts_with(prefix.trim())
                };
                let entry = if hit { Some(key(&with("key"))) } else { others.filter(like).max() };
                if let Some(entry) = entry {
                    copy(&entry, &path);
                }
                if name == "actions/cache" && !hit {
                    self.saves.push((with("key"), path));
                }
                return Some(json!({"cache-hit": hit.to_string()}));
            }
            "actions/cache/save" => save(github, &with("key"), &self.workspace.join(with("path"))),
            "actions/upload-artifact" => {
                let to = github.sandbox.path("artifacts").join(with("name"));
                assert!(!to.exists(), "artifacts do not change");
                copy(&self.workspace.join(with("path")), &to);
                modes(&to);
            }
            "actions/download-artifact" => {
                let to = self.workspace.join(with("path"));
                let wanted = with("name");
                for artifact in fs::read_dir(github.sandbox.path("artifacts")).unwrap() {
                    let artifact = artifact.unwrap();
                    if wanted.is_empty() || artifact.file_name() == *wanted {
                        copy(&artifact.path(), &to);
                    }
                }
            }
            "actions/attest-build-provenance" => {
                let pattern = self.workspace.join(with("subject-path"));
                let (directory, name) = (pattern.parent().unwrap(), pattern.file_name().unwrap().to_str().unwrap());
                let mut sums = String::new();
                for file in fs::read_dir(directory).unwrap() {
                    let file = file.unwrap();
                    if file.file_name().to_string_lossy().starts_with(name.trim_end_matches('*')) {
                        let digest = bundler::oci::Digest::of(&fs::read(file.path()).unwrap());
                        sums.push_str(&format!("{}  {}\n", digest.hex(), file.file_name().to_string_lossy()));
                    }
                }
                assert!(!sums.is_empty(), "{} names something", pattern.display());
                let all = github.sandbox.path("state/attested");
                let before = fs::read_to_string(&all).unwrap_or_default();
                fs::write(all, before + &sums).unwrap();
            }
            other => panic!("{other} is not known here"),
        }
        Some(json!({}))
    }

    /// Runs a composite action with contexts of its own.
    fn composite(&mut self, path: &str, step: &Value, outer: &Value) -> Option<Value> {
        let directory = self.workspace.join(path);
        let action: Value = serde_saphyr::from_str(&fs::read_to_string(directory.join("action.yml")).unwrap()).unwrap();
        let declared = action["inputs"].as_object().unwrap();
        let given = step["with"].as_object().cloned().unwrap_or_default();
        assert!(given.keys().all(|name| declared.contains_key(name)), "{given:?}");
        let input = |(name, about): (&String, &Value)| {
            let value = given.get(name).map_or_else(|| string(&about["default"]), |value| fill(&string(value), outer));
            assert!(about["required"] != json!(true) || !value.is_empty(), "{name} is required");
            (name.clone(), json!(value))
        };
        let mut contexts = outer.clone();
        contexts["inputs"] = Value::Object(declared.iter().map(input).collect());
        contexts["steps"] = json!({});
        contexts["secrets"] = Value::Null;
        contexts["github"]["action_path"] = json!(directory);
        if !self.steps(action["runs"]["steps"].as_array().unwrap(), &mut contexts) {
            return None;
        }
        let outputs = action["outputs"].as_object().unwrap();
        let outputs =
            outputs.iter().map(|(name, output)| (name.clone(), json!(fill(&string(&output["value"]), &contexts))));
        Some(Value::Object(outputs.collect()))
    }
}

fn needs(job: &Value) -> Vec<String> {
    match &job["needs"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().map(string).collect(),
        _ => Vec::new(),
    }
}

/// The legs of a job's matrix; one without values where it has none.
fn legs(job: &Value) -> Vec<Value> {
    let matrix = &job["strategy"]["matrix"];
    if let Some(include) = matrix["include"].as_array() {
        return include.clone();
    }
    let mut legs = vec![Map::new()];
    for (name, values) in matrix.as_object().into_iter().flatten() {
        let values = values.as_array().unwrap();
        let with = |leg: &Map<String, Value>, value: &Value| {
            let mut leg = leg.clone();
            leg.insert(name.clone(), value.clone());
            leg
        };
        legs = legs.iter().flat_map(|leg| values.iter().map(move |value| with(leg, value))).collect();
    }
    legs.into_iter().map(Value::Object).collect()
}

fn title(job: &str, matrix: &Value) -> String {
    let values: Vec<_> = matrix.as_object().into_iter().flatten().map(|(_, value)| string(value)).collect();
    if values.is_empty() { job.to_owned() } else { format!("{job} ({})", values.join(", ")) }
}

/// `name=value` lines, and values of several lines between delimiters.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match line.split_once("<<") {
            Some((name, end)) if !name.contains('=') => {
                let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
                pairs.push((name.to_owned(), value.join("\n")));
            }
            _ => {
                let (name, value) = line.split_once('=').expect("a name and a value");
                pairs.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    pairs
}

/// An entry of the cache never changes.
fn save(github: &GitHub, key: &str, path: &Path) {
    let entry = github.sandbox.path("caches").join(key);
    if !entry.exists() {
        copy(path, &entry);
    }
}

/// Artifacts forget who may run a file.
fn modes(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { modes(&path) } else { fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap() }
    }
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let done = std::process::Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(done.success(), "{} -> {}", from.display(), to.display());
}
