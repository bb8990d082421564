//! The printer, progress and diagnostics: the only place that prints.
