//! What the tests and `make demo` have in place of the internet.

pub(crate) mod image;
