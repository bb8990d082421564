//! `bundler serve` with real clients, held against the specification, and among hostile clients.

mod client;
mod conformance;
mod damage;
mod helm;
mod hostile;
mod names;
mod options;
mod programs;
mod served;
mod specification;
