//! The bundle: layout, tar in stored gzip, checksums, random access.
