//! What the tests and `make demo` have in place of the internet: GitHub with its API and git, Helm repositories,
//! download hosts and registries, in one process on loopback, reached through the client's `mirrors`.

mod answer;
mod chart;
pub(crate) mod content;
pub(crate) mod faults;
mod git;
mod github;
mod history;
pub(crate) mod image;
mod registry;
mod server;
mod table;
pub(crate) mod world;

pub(crate) use server::Upstream;
