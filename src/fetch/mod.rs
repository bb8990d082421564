//! Bounded, resumable workers that move blobs to their place.
