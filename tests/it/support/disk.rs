//! A small disk of its own: a tmpfs in a mount namespace, which ends with the test however that ends.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Sandbox, Server, output_of};

/// A small disk that the program has at a path of the sandbox, and nobody else.
pub(crate) struct Disk {
    /// The process that holds the namespace.
    holder: String,
    path: PathBuf,
    _server: Server,
}

impl Disk {
    /// Mounts a disk of so many MiB at `relative`, where the machine lets us.
    pub(crate) fn new(sandbox: &Sandbox, relative: &str, size: u32) -> Option<Self> {
        let (unshare, _) = (super::program("unshare")?, super::program("nsenter")?);
        let path = sandbox.path(relative);
        std::fs::create_dir_all(&path).unwrap();
        let script = "mount -t tmpfs -o size=\"$1\"m none \"$2\" && echo $$ && exec sleep infinity";
        let size = size.to_string();
        let arguments = ["-m", "sh", "-c", script, "sh", &size].map(std::ffi::OsStr::new);
        let (server, mut output) = Server::start(&unshare, &[&arguments[..], &[path.as_os_str()]].concat());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let holder = line.trim().to_owned();
        if holder.parse::<u32>().is_err() {
            return super::skip("to mount a tmpfs, as root or in a privileged container");
        }
        Some(Self { holder, path, _server: server })
    }

    /// Where this process sees what is on the disk.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        let outside = Path::new("/proc").join(&self.holder).join("root");
        outside.join(self.path.strip_prefix("/").expect("it is absolute")).join(relative)
    }

    /// The program under test with the disk in its place.
    pub(crate) fn bundler(&self, sandbox: &Sandbox) -> Command {
        let mut command = sandbox.command("nsenter");
        command.args(["-t", &self.holder, "-m", "sh", "-c", "cd \"$0\" && exec \"$@\""]);
        command.arg(sandbox.work()).arg(env!("CARGO_BIN_EXE_bundler"));
        command
    }

    /// Makes the disk read-only, or writable again.
    pub(crate) fn set_read_only(&self, sandbox: &Sandbox, read_only: bool) {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        let mut command = sandbox.command("nsenter");
        output_of(command.args(["-t", &self.holder, "-m", "mount", "-o", options]).arg(&self.path));
    }

    /// Takes all space that is left, with a file that it names.
    pub(crate) fn fill(&self) -> PathBuf {
        use std::io::Write as _;
        let path = self.path("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}
