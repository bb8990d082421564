//! `bundler diff` on files, as scripts and people call it.

use crate::support::Sandbox;

fn lock(version: &str, helm: &str, digest: char) -> String {
    let digit = digest.to_string().repeat(64);
    format!(
        "schema: 1\nbundle: {{name: demo, version: {version}, kubernetes: '1.36', architectures: [amd64]}}\n\
         profiles: {{cloud: [helm]}}\ncomponents:\n  helm:\n    version: {helm}\n    inputs: sha256:{}\n    \
         images: ['docker.io/x/y:1']\nimages:\n  docker.io/x/y:1: {{digest: 'sha256:{digit}'}}\n",
        "1".repeat(64)
    )
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("old.yaml", lock("1.0.0", "4.2.3", 'a'));
    sandbox.write("new.yaml", lock("1.0.0", "4.2.4", 'b'));
    sandbox
}

fn stdout(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = sandbox.bundler().arg("diff").args(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn a_moved_tag_is_shouted_in_every_format() {
    let sandbox = sandbox();
    let text = stdout(&sandbox, &["old.yaml", "new.yaml"]);
    assert!(text.starts_with("MOVED docker.io/x/y:1: an unchanged tag has other bytes\n"), "{text}");
    assert!(text.contains("helm       4.2.3  4.2.4  patch"), "{text}");
    let markdown = stdout(&sandbox, &["old.yaml", "new.yaml", "--format", "markdown"]);
    assert!(markdown.starts_with("> [!CAUTION]\n"), "{markdown}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&sandbox, &["old.yaml", "new.yaml", "--format", "json"])).unwrap();
    assert_eq!(json["components"][0]["images"][0]["kind"], "moved");
    assert_eq!(json["components"][0]["step"], "patch");
    assert_eq!(json["new_bytes"], serde_json::Value::Null);
    assert_eq!(stdout(&sandbox, &["old.yaml", "old.yaml"]), "no difference\n");
}

#[test]
fn a_file_that_is_neither_is_told_by_name() {
    let sandbox = sandbox();
    sandbox.write("bad.yaml", "schema: 1\nbundle: [\n");
    for (arguments, said) in [(["old.yaml", "bad.yaml"], "bad.yaml:"), (["none.yaml", "new.yaml"], "none.yaml")] {
        let output = sandbox.bundler().arg("diff").args(arguments).assert().code(2).get_output().stderr.clone();
        let stderr = String::from_utf8(output).unwrap();
        assert!(stderr.contains(said), "{stderr}");
    }
}

#[test]
fn markdown_is_for_diff_and_inspect_alone() {
    let sandbox = sandbox();
    let output = sandbox.bundler().args(["verify", "old.yaml", "--format", "markdown"]).assert().code(2);
    let stderr = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(stderr.contains("only `bundler diff` and `bundler inspect` write Markdown"), "{stderr}");
}
