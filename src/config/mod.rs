//! The machine's configuration: mirrors and connections. Never what is in a bundle.
