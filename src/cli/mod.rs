//! The command line and its translation into plain options.
