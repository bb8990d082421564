//! The stack that the bundle installs: what real Helm makes of our values, and our own manifests.

mod alerts;
mod boards;
mod drill;
mod every;
mod fluent_bit;
mod logs;
mod metrics;
pub(crate) mod render;
mod rules;
mod schema;
mod servers;
mod site;
mod sources;
mod traces;
mod ways_in;
