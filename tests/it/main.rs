//! One integration binary: the real program against real servers on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, unused_imports, reason = "helpers for any test; not each is needed on the day it is written")]
mod support;
#[path = "../upstream/mod.rs"]
#[allow(dead_code, reason = "the tests use a part of what `make demo` does")]
mod upstream;

mod architecture;
mod bundle_programs;
mod charts;
mod choice;
mod cli;
mod demo;
mod pack;
mod registry_client;
mod resolve;
mod tools;
mod upstream_clients;
mod wrong_files;
