//! Every command of the documentation is run as it stands there, page by page, in the order of the page.
//!
//! What is shown is typed into a shell in a directory that has the files of which the pages speak ([`world`]). It has to
//! end with 0. A block begins in that directory again, and a section has a containerd without images. What cannot be run is
//! in [`not_run`], with the reason.

mod commands;
mod not_run;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use bundler::catalog::model::{CatalogFile, Component};
use commands::{Command, commands};
use world::World;

use crate::bundle_programs::containerd::Containerd;
use crate::support::{self, Registry, Sandbox, output_of};

/// What a page's commands may need besides the system's own programs.
const PROGRAMS: [&str; 3] = ["crane", "helm", "oras"];

/// Pages whose catalog has another name or version than `observability` and 1.5.0.
const CATALOGS: [(&str, &str, &str); 1] = [("README.md", "observability", "0.1.0")];

/// What bundles begin with; they are linked and not copied, because nothing writes into them.
const LINKED: &str = "observability-";

/// Copies a directory into one that is there.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else if entry.file_name().to_str().unwrap().starts_with(LINKED) {
            std::fs::hard_link(entry.path(), to).unwrap();
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The pages with their command lines, by path.
fn pages() -> BTreeMap<String, Vec<Command>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = BTreeMap::new();
    for directory in ["", "docs", "docs/decisions"] {
        for entry in std::fs::read_dir(root.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".md") && name != "CHANGELOG.md" {
                pages.insert(name, commands(&std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    pages
}

/// A page that is being read: its directory, and the server that it started last.
struct Reader<'a> {
    sandbox: Sandbox,
    registry: &'a Registry,
    containerd: Option<Containerd>,
    server: Option<(Child, String)>,
}

impl<'a> Reader<'a> {
    /// A copy of the world, with an empty store.
    fn new(world: &World, registry: &'a Registry) -> Self {
        let sandbox = Sandbox::new();
        sandbox.config(&world.upstream.config());
        copy(&world.sandbox.work(), &sandbox.work());
        let bin = sandbox.home().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let programs = PROGRAMS.iter().filter_map(|name| Some((*name, support::tool(name)?)));
        for (name, program) in programs.chain([("bundler", PathBuf::from(env!("CARGO_BIN_EXE_bundler")))]) {
            std::os::unix::fs::symlink(program, bin.join(name)).unwrap();
        }
        let kubectl = bin.join("kubectl");
        std::fs::write(&kubectl, "#!/bin/sh\nexec cat pods.json\n").unwrap();
        output_of(std::process::Command::new("chmod").arg("+x").arg(kubectl));
        Self { sandbox, registry, containerd: None, server: None }
    }

    fn bash(&self, script: &str) -> std::process::Command {
        let mut bash = self.sandbox.command("timeout");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.sandbox.home().join("bin").display());
        // In the background it would give a server the signal twice: to it, and to its group.
        bash.args(["--foreground", "300", "bash", "-euo", "pipefail", "-c", script])
            .env("PATH", path)
            .stdin(Stdio::null());
        // Nothing leaves this machine, whatever a page names.
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            bash.env(name, "http://127.0.0.1:9");
        }
        bash.env("NO_PROXY", "127.0.0.1,127.0.0.2").env("no_proxy", "127.0.0.1,127.0.0.2");
        bash.envs(self.containerd.iter().map(|containerd| ("CONTAINERD_ADDRESS", containerd.address())));
        bash
    }

    /// The line as it has to be here: other addresses, small parts, and a board's images on whatever this machine is.
    fn here(&self, line: &str) -> String {
        let mut line = line.replace("2000MB", "1MB");
        if line.starts_with("bundler push ") {
            line = line.replace(" harbor.example/", &format!(" {}/", self.registry.url()));
        }
        if line.starts_with("bundler load ") && line.contains("linux-arm64") {
            line.push_str(" --arch arm64");
        }
        if let Some((_, address)) = &self.server {
            line = line.replace("10.0.0.5:5000", address).replace("127.0.0.1:5000", address);
        }
        line.replace("/media/usb", "dist")
    }

    /// Runs a line in `directory`, and says in which one the next begins, or why it is wrong.
    fn run(&mut self, line: &str, directory: &Path) -> Result<PathBuf, String> {
        if line.starts_with("bundler serve ") {
            return self.serve(line, directory).map(|()| directory.to_owned());
        }
        if line.contains("bundler init ") {
            // It begins a catalog, each line another one.
            let _ = std::fs::remove_dir_all(directory.join("manifests"));
            let _ = std::fs::remove_file(directory.join("bundle.lock.yaml"));
        }
        let after = self.sandbox.home().join("after");
        let script = format!("{}\npwd >'{}'", self.here(line), after.display());
        let output = self.bash(&script).current_dir(directory).output().unwrap();
        if output.status.success() {
            return Ok(PathBuf::from(std::fs::read_to_string(after).unwrap().trim_end()));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Err(format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr)))
    }

    /// Starts a server in place of the one before, and waits for its address.
    fn serve(&mut self, line: &str, directory: &Path) -> Result<(), String> {
        self.stop()?;
        let mut words: Vec<&str> = line.split(' ').collect();
        if let Some(listen) = words.iter().position(|word| *word == "--listen") {
            words.drain(listen..listen + 2);
        }
        let script = format!("exec {} --listen 127.0.0.1:0", words.join(" "));
        let mut command = self.bash(&script);
        command.current_dir(directory).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.trim_end().split_once("://").map(|(_, address)| address.to_owned());
        self.server = Some((child, address.clone().unwrap_or_default()));
        if address.is_some() { Ok(()) } else { Err(format!("no address: {said:?}; {:?}", self.stop())) }
    }

    /// Ends the server, which has to end well.
    fn stop(&mut self) -> Result<(), String> {
        let Some((mut child, _)) = self.server.take() else { return Ok(()) };
        output_of(std::process::Command::new("kill").arg(child.id().to_string()));
        let status = child.wait().unwrap();
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}")) }
    }

    /// Runs a page, and gives what is wrong with it.
    fn read(&mut self, page: &str, commands: &[Command]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut place = (usize::MAX, PathBuf::new());
        let mut section = usize::MAX;
        for command in commands.iter().filter(|command| not_run::reason(&command.line).is_none()) {
            if section != command.section {
                (section, self.containerd) = (command.section, None);
            }
            if self.containerd.is_none() && ["load ", "ctr "].iter().any(|word| command.line.contains(word)) {
                self.containerd = Containerd::start();
            }
            if place.0 != command.block {
                place = (command.block, self.sandbox.work());
            }
            match self.run(&command.line, &place.1) {
                Ok(directory) => place.1 = directory,
                Err(why) => wrong.push(format!("{page}: {}\n{why}", command.line)),
            }
        }
        wrong.extend(self.stop().err());
        wrong
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// The YAML block of a page that has `part`, so that a file which a page shows is the one that its commands read.
fn shown(page: &str, part: &str) -> String {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("    ") && line.contains(part)).unwrap();
    let first = lines[..at].iter().rposition(|line| !line.starts_with("    ")).unwrap() + 1;
    lines[first..].iter().map_while(|line| line.strip_prefix("    ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_command_of_the_pages_does_what_it_says() {
    let (Some(registry), Some(_)) = (Registry::plain(), Containerd::start()) else { return };
    if PROGRAMS.iter().chain(&["skopeo", "jq", "curl"]).any(|name| support::tool(name).is_none()) {
        return;
    }
    let Some(world) = World::new() else { return };
    world.add_files();
    let only = std::env::var("BUNDLER_PAGE").ok();
    let mut run = 0;
    let mut wrong = Vec::new();
    for (page, commands) in pages().into_iter().filter(|(page, _)| only.as_ref().is_none_or(|only| only == page)) {
        // The other half has the same commands, which another test sees to.
        if page.ends_with(".zh-CN.md") || commands.iter().all(|command| not_run::reason(&command.line).is_some()) {
            continue;
        }
        run += commands.len();
        let mut reader = Reader::new(&world, &registry);
        if let Some((_, name, version)) = CATALOGS.iter().find(|(of, _, _)| *of == page) {
            world::rename(&reader.sandbox, name, version);
        }
        wrong.extend(reader.read(&page, &commands));
    }
    assert!(only.is_some() || run > 60, "the commands are not found: {run}");
    assert!(wrong.is_empty(), "{} commands of the pages are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn the_catalogs_that_pages_show_are_read() {
    for page in ["docs/catalog.md", "docs/catalog.zh-CN.md"] {
        let catalog = bundler::yaml::parse::<CatalogFile>("catalog.yaml", &shown(page, "name: observability"));
        assert_eq!(catalog.unwrap().name.value, "observability", "{page}");
        let component = bundler::yaml::parse::<Component>("component.yaml", &shown(page, "name: loki"));
        assert_eq!(component.unwrap().name.value, "loki", "{page}");
    }
}

#[test]
fn what_is_not_run_is_there_and_is_no_command_of_ours() {
    let mut used = BTreeSet::new();
    for command in pages().into_values().flatten() {
        if let Some(reason) = not_run::reason(&command.line) {
            assert!(!command.line.contains("bundler ") || command.line.starts_with("make "), "{}", command.line);
            used.insert(reason);
        }
    }
    let unused: Vec<_> = not_run::NOT_RUN.iter().filter(|(_, reason)| !used.contains(reason)).collect();
    assert!(unused.is_empty(), "no page shows these: {unused:#?}");
}

#[test]
fn both_languages_show_the_same_commands() {
    let pages = pages();
    for (chinese, commands) in pages.iter().filter(|(page, _)| page.ends_with(".zh-CN.md")) {
        let english = chinese.replace(".zh-CN.md", ".md");
        let lines = |commands: &[Command]| commands.iter().map(|command| command.line.clone()).collect::<Vec<_>>();
        assert_eq!(lines(commands), lines(&pages[&english]), "{chinese}");
    }
}
