//! A hermetic place to run the program in, and real servers to run it against.
//!
//! A test that needs a program which `make tools` could not install says so and ends; with `CI=true` it fails.

mod browser;
mod debian;
mod disk;
mod meter;
mod monitoring;
mod process;
mod proxy;
mod registry;
mod sandbox;
mod tokens;

pub(crate) use browser::Browser;
pub(crate) use debian::{DebianImage, debian_images};
pub(crate) use disk::Disk;
pub(crate) use meter::Meter;
pub(crate) use monitoring::{logql_failures, monitoring};
pub(crate) use process::{Server, bill_validator, helm, kept_program, output_of, program, report_validator, tool};
pub(crate) use proxy::{Asked, Fault, Proxy};
pub(crate) use registry::{PASSWORD, Registry, Secrets, USER};
pub(crate) use sandbox::Sandbox;
pub(crate) use tokens::Tokens;

/// Names a test that runs only when it is asked for, and how to ask.
pub(crate) fn unasked(how: &str) {
    use std::io::Write as _;
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "not run: {test} wants {how}");
}

/// Names the test that is skipped and why; with `CI=true` that is a failure.
///
/// Returns `None`, so that a caller can end with `return support::skip(…)` or use `?`.
pub(crate) fn skip<T>(reason: &str) -> Option<T> {
    use std::io::Write as _;
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} needs {reason}, and with CI=true nothing is skipped");
    // Not `eprintln!`: the harness would keep it to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {test} needs {reason} (make tools)");
    None
}
