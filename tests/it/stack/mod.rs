//! The stack that the bundle installs: what real Helm makes of our values, and our own manifests.

mod boards;
mod every;
mod metrics;
pub(crate) mod render;
mod schema;
mod sources;
mod ways_in;
