//! Reports about a bundle or a lock.
