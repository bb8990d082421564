//! The documented exit codes of the program.

/// What the process ends with. The numbers are a contract with scripts and CI; see the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// The answer is no: a stale lock, an unresolved artifact, a bundle that is not good.
    No = 1,
    /// The command line, the catalog, the configuration or the lock is wrong; nothing was fetched.
    Usage = 2,
    /// A source failed: a registry, GitHub, a Helm repository or a download.
    Source = 3,
    /// Bytes did not match their digest or size while they were moved.
    Mismatch = 4,
    /// A registry refused the credentials, or wanted some and had none.
    Credentials = 5,
    /// The network was needed while offline.
    Offline = 6,
    /// The local disk: full, read-only, no permission.
    Disk = 7,
    /// A bug in this program.
    Bug = 70,
    /// Interrupted by a signal.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
