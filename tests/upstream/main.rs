//! The embedded upstream of the tests and of `make demo`.
//!
//! Usage: `upstream [CONFIG]`. Writes a client's configuration to the file CONFIG, prints `ready URL` and serves until
//! its stdin ends or it is told to stop.

#[allow(dead_code, reason = "the faults are for the tests")]
#[path = "mod.rs"]
mod upstream;

use std::io::{Read as _, Write as _};

fn main() -> std::io::Result<()> {
    let upstream = upstream::Upstream::start();
    if let Some(file) = std::env::args_os().nth(1) {
        std::fs::write(file, upstream.config())?;
    }
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ready {}", upstream.url())?;
    stdout.flush()?;
    // SIGTERM and SIGINT need no handler: there is nothing to clean up.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
