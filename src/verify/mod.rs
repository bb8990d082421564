//! Verifying: every byte of a bundle against its digest, offline.
