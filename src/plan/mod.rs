//! The pure plan: which artifacts and blobs a selection of the lock needs.
