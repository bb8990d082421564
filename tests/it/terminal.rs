//! What the program looks like on a terminal: a real one, of `script`, whose screen an emulator keeps.

use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};

use crate::bundle_programs::Sample;
use crate::bundle_programs::containerd::host;
use crate::support;

/// More lines than any of these commands says, so that nothing scrolls away.
const ROWS: u16 = 200;

/// A command on a terminal.
struct Terminal {
    child: Child,
    parser: vt100::Parser,
    /// Everything that the command wrote.
    raw: Vec<u8>,
}

impl Terminal {
    /// Starts the program in the sample's directory; `None` where Debian's own `script` is missing.
    fn start(sample: &Sample, columns: u16, arguments: &str, variables: &[(&str, &str)]) -> Option<Self> {
        let script = support::program("script")?;
        let path = format!("{}:{}", sample.sandbox.path("bin").display(), std::env::var("PATH").unwrap());
        let program = env!("CARGO_BIN_EXE_bundler");
        // One that hangs is ended, so that its test fails.
        let mut command = sample.sandbox.command("timeout");
        command.args(["--foreground", "120"]).arg(script).args(["-qec"]);
        command.arg(format!("stty cols {columns} rows {ROWS}; exec '{program}' {arguments}")).arg("/dev/null");
        command.env("TERM", "xterm-256color").env("PATH", path).envs(variables.iter().copied());
        let size = |lines| NonZero::new(lines).unwrap();
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Some(Self { child, parser: vt100::Parser::new(size(ROWS), size(columns), 0), raw: Vec::new() })
    }

    /// Takes some more of what is written; whether there was any.
    fn take(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let length = self.child.stdout.as_mut().unwrap().read(&mut buffer).unwrap();
        self.parser.process(&buffer[..length]);
        self.raw.extend_from_slice(&buffer[..length]);
        length > 0
    }

    fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Waits for something on the screen.
    fn wait_for(&mut self, text: &str) {
        while !self.screen().contains(text) {
            assert!(self.take(), "{text} never came:\n{}", self.screen());
        }
    }

    fn press(&mut self, key: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(key).unwrap();
    }

    /// Waits for the end; the exit code and the screen that is left.
    fn end(mut self) -> (i32, String, String) {
        while self.take() {}
        let code = self.child.wait().unwrap().code().unwrap();
        (code, self.screen(), String::from_utf8_lossy(&self.raw).into_owned())
    }
}

/// A docker that takes nothing before somebody writes to the pipe `go`, so that a bar stays as long as a test wants.
fn waiting_docker(sample: &Sample) {
    let script = "#!/bin/sh\ncase \"$1\" in\nload) read -r _ <go && cat >loaded.tar;;\nimage) tar -xOf loaded.tar \
                  manifest.json 2>/dev/null | python3 -c 'import json,sys\nfor i in json.load(sys.stdin):\n  \
                  c=i[\"Config\"].split(\"/\")[-1]\n  if sys.argv[1] in i[\"RepoTags\"]+[\"sha256:\"+c]: \
                  print(\"sha256:\"+c); sys.exit(0)\nsys.exit(1)' \"$5\";;\nesac\n";
    let path = sample.sandbox.write("bin/docker", script);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    support::output_of(sample.sandbox.command("mkfifo").arg("go"));
}

/// Whether a line is one of a bar.
fn is_bar(line: &str) -> bool {
    line.contains('%') && line.contains('[')
}

#[test]
fn a_bar_has_bytes_rate_and_time_on_one_line_and_goes_in_the_end() {
    for (columns, language, shown) in [(80, "C", "/s, "), (40, "C", "/s"), (80, "zh_CN.UTF-8", "，还需 ")] {
        let sample = Sample::new(&[host()]);
        waiting_docker(&sample);
        let variables = [("LC_ALL", language)];
        let arguments = "load b.tar.gz --into docker";
        let Some(mut terminal) = Terminal::start(&sample, columns, arguments, &variables) else { return };
        terminal.wait_for(shown);
        let screen = terminal.screen();
        let bars: Vec<_> = screen.lines().filter(|line| is_bar(line)).collect();
        assert!(bars.len() == 1 && screen.trim_end().ends_with(bars[0].trim_end()), "{columns}: {screen}");
        assert!(bars[0].contains("% ") && bars[0].contains(shown), "{columns}: {screen}");
        std::fs::write(sample.sandbox.path("go"), "\n").unwrap();
        let (code, screen, raw) = terminal.end();
        assert_eq!(code, 0, "{screen}");
        assert!(!screen.lines().any(is_bar), "the bar is left:\n{screen}");
        let lines: Vec<_> = screen.lines().collect();
        assert!(!raw.contains("\u{1b}[?25l"), "the cursor was hidden");
        if language == "C" {
            assert_eq!(lines[0].trim_end(), "loading images into docker");
            // How much, how long and how fast; then the report.
            assert!(screen.contains(" ms, ") || screen.contains(" s, "), "{screen}");
            assert!(screen.trim_end().ends_with("docker"), "{screen}");
        } else {
            assert_eq!(lines[0].trim_end(), "导入镜像到 docker");
            assert!(screen.contains("，用时 "), "{screen}");
        }
    }
}

#[test]
fn interrupting_leaves_no_broken_line() {
    for columns in [80, 40] {
        let sample = Sample::new(&[host()]);
        waiting_docker(&sample);
        let Some(mut terminal) = Terminal::start(&sample, columns, "load b.tar.gz --into docker", &[]) else { return };
        terminal.wait_for("%");
        terminal.press(b"\x03");
        let (code, screen, _) = terminal.end();
        assert_eq!(code, 130, "{screen}");
        assert!(!screen.lines().any(is_bar), "{screen}");
        assert!(screen.contains("error: interrupted"), "{screen}");
    }
}

#[test]
fn verify_can_be_interrupted() {
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    std::fs::create_dir(sandbox.path("unpacked")).unwrap();
    support::output_of(sandbox.command("tar").args(["-xzf", "b.tar.gz", "-C", "unpacked"]));
    // Zeros that take no place, and hours to hash.
    let file = std::fs::File::create(sandbox.path("unpacked/zeros")).unwrap();
    file.set_len(1 << 43).unwrap();
    let Some(mut terminal) = Terminal::start(&sample, 80, "verify unpacked", &[]) else { return };
    terminal.wait_for("%");
    terminal.press(b"\x03");
    let (code, screen, _) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert!(!screen.lines().any(is_bar) && screen.contains("error: interrupted"), "{screen}");
}

#[test]
fn colours_are_for_terminals_and_can_be_refused() {
    let sample = Sample::new(&[host()]);
    for (arguments, variables, coloured) in [
        ("verify none", [("A", "")], true),
        ("verify none --color never", [("A", "")], false),
        ("verify none", [("NO_COLOR", "1")], false),
        ("verify none", [("TERM", "dumb")], false),
    ] {
        let Some(terminal) = Terminal::start(&sample, 80, arguments, &variables) else { return };
        let (code, screen, raw) = terminal.end();
        assert_eq!(code, 2, "{screen}");
        assert!(screen.contains("error: cannot read `none`"), "{screen}");
        assert_eq!(raw.contains('\u{1b}'), coloured, "{arguments} {variables:?}: {raw:?}");
    }
    let output = sample.sandbox.bundler().args(["verify", "none"]).output().unwrap();
    assert!(!output.stderr.contains(&0x1b));
    let output = sample.sandbox.bundler().args(["--color", "always", "verify", "none"]).output().unwrap();
    assert!(output.stderr.contains(&0x1b));
}

#[test]
fn tables_fit_the_terminal_and_are_whole_in_a_pipe() {
    let sample = Sample::new(&[host()]);
    for (columns, language) in [(200, "C"), (80, "C"), (40, "C"), (80, "zh_CN.UTF-8"), (40, "zh_CN.UTF-8")] {
        let variables = [("LC_ALL", language)];
        let Some(terminal) = Terminal::start(&sample, columns, "inspect b.tar.gz", &variables) else { return };
        let (code, screen, raw) = terminal.end();
        assert_eq!(code, 0, "{screen}");
        assert_eq!(raw.contains('…'), columns < 200, "{raw}");
        // Every line of the tables is one line of the screen; the first lines may be folded.
        let tables = raw.replace('\r', "").split_once("\n\n").unwrap().1.to_owned();
        for line in tables.lines() {
            let width = unicode_width::UnicodeWidthStr::width(line);
            let is_name = !line.starts_with(' ') && !line.contains("  ");
            assert!(width <= usize::from(columns) || is_name, "{columns} {language}: {line}");
        }
    }
    let output = sample.sandbox.bundler().args(["inspect", "b.tar.gz"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('…'), "{text}");
    for digest in sample.names.values() {
        assert!(text.contains(&digest.to_string()), "{digest}: {text}");
    }
}

#[test]
fn plain_progress_has_a_line_a_step_and_the_sum() {
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let output = sandbox
        .bundler()
        .args(["load", "b.tar.gz", "--into", "oci-layout:out", "--progress", "plain"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.first(), Some(&"writing images into out"), "{said}");
    assert!(lines.last().unwrap().ends_with("/s") && lines.last().unwrap().contains(" in "), "{said}");
    assert!(!said.contains(['\r', '\u{1b}']), "{said:?}");
    let output = sandbox.bundler().args(["-q", "load", "b.tar.gz", "--into", "oci-layout:other"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
