//! Packing: lock to bundle.
