//! What a program costs: time, CPU, memory, bytes written.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions};

use crate::Result;

/// The cost of one run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    /// The most memory that was resident at a time, in bytes.
    pub(crate) peak: u64,
    /// The bytes that it made the kernel write to the disk.
    pub(crate) written: u64,
}

/// Runs commands one after the other; times add up, of memory the largest counts.
pub(crate) fn run(commands: &[Vec<std::ffi::OsString>], log: &Path) -> Result<Cost> {
    let mut total = Cost::default();
    for command in commands {
        let cost = one(command, log)?;
        total.wall += cost.wall;
        total.user += cost.user;
        total.system += cost.system;
        total.peak = total.peak.max(cost.peak);
        total.written += cost.written;
    }
    Ok(total)
}

/// Starts a program that reads nothing; what it writes to stderr is in the log.
pub(crate) fn start(command: &[std::ffi::OsString], log: &Path) -> Result<Child> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log)?)
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    Ok(child)
}

fn one(command: &[std::ffi::OsString], log: &Path) -> Result<Cost> {
    let began = Instant::now();
    let child = start(command, log)?;
    let (status, cost) = wait(child, began)?;
    if status == 0 { Ok(cost) } else { Err(format!("{command:?} failed").into()) }
}

/// Waits for a program that began then; its status and what it cost.
pub(crate) fn wait(child: Child, began: Instant) -> Result<(i32, Cost)> {
    let pid = Pid::from_child(&child);
    // It stays a zombie for a moment, whose counters can still be read.
    rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    let wall = began.elapsed();
    let written = written(pid)?;
    let (status, usage) = reap(child)?;
    let cost = Cost {
        wall,
        user: duration(usage.ru_utime),
        system: duration(usage.ru_stime),
        peak: u64::try_from(usage.ru_maxrss)? * 1024,
        written,
    };
    Ok((status, cost))
}

fn written(pid: Pid) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{}/io", pid.as_raw_nonzero()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.ok_or("no write_bytes in /proc/PID/io")?.trim().parse()?)
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default())
        + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or_default())
}

/// Waits for a child and returns its status and what it used; takes it, because nobody may wait a second time.
#[expect(unsafe_code, reason = "neither the standard library nor rustix has wait4, and nothing else gives the peak")]
fn reap(child: Child) -> Result<(i32, libc::rusage)> {
    let pid = libc::pid_t::try_from(child.id())?;
    let mut status = 0;
    // SAFETY: both pointers are to values that live until the call returns; an rusage of zeros is a valid one.
    let (waited, usage) = unsafe {
        let mut usage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    if waited == pid { Ok((status, usage)) } else { Err(std::io::Error::last_os_error().into()) }
}
