//! `bundler serve` with real clients, held against the specification, and among hostile clients.

pub(crate) mod client;
mod conformance;
mod damage;
mod helm;
mod hostile;
mod names;
mod options;
mod page;
mod programs;
pub(crate) mod served;
mod specification;
