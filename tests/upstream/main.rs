//! The embedded upstream of the tests and of `make demo`.
fn main() {}
