//! Resolving: the driver and the pure choice; image discovery.

pub mod choice;
