//! The embedded upstream of the tests and of `make demo`.

#[allow(dead_code, reason = "the faults are for the tests")]
#[path = "mod.rs"]
mod upstream;

fn main() {}
