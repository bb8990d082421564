//! The words of the OCI specifications: digest, reference, platform, media type, manifest, index.

pub mod arch;
pub mod digest;
pub mod manifest;
pub mod media_type;
pub mod reference;
pub mod referrers;

pub use arch::Arch;
pub use digest::{Digest, Hasher};
pub use reference::{Reference, ReferenceError};
