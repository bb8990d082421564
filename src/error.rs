//! What every failure of the library can tell: the facts, an exit code and a hint.
//!
//! Each module has its own `thiserror` enum with the facts in fields and implements [`Diagnostic`];
//! [`Error`] gathers them without erasing a type, and `ui` renders the whole chain once.

use crate::exit::Exit;

/// What the renderer asks of an error besides its message and its sources.
pub trait Diagnostic: std::error::Error {
    /// The exit code that this failure ends the process with.
    fn exit(&self) -> Exit;

    /// What the reader can do about it, in one sentence; none where the message says it all.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Declares [`Error`] as the union of the modules' errors.
macro_rules! union {
    ($($(#[$meta:meta])* $variant:ident($inner:ty),)*) => {
        /// Any failure of the library, each with its own type.
        #[derive(Debug, thiserror::Error)]
        pub enum Error {
            $($(#[$meta])* #[error(transparent)] $variant(#[from] $inner),)*
        }

        impl Diagnostic for Error {
            fn exit(&self) -> Exit {
                match self { $(Self::$variant(e) => e.exit(),)* }
            }

            fn hint(&self) -> Option<String> {
                match self { $(Self::$variant(e) => e.hint(),)* }
            }
        }
    };
}

union! {
    /// The process itself.
    Process(crate::cli::run::ProcessError),
    /// The catalog.
    Catalog(crate::catalog::Error),
    /// The bundle.
    Bundle(crate::bundle::Error),
    /// The lock.
    Lock(crate::lock::Error),
    /// What was selected.
    Plan(crate::plan::Error),
    /// The cache.
    Store(crate::store::Error),
    /// Fetching blobs.
    Fetch(crate::fetch::Error),
    /// The page of a report.
    Page(crate::inspect::html::Error),
    /// Packing.
    Pack(crate::pack::Error),
    /// Signing, or whom to trust.
    Sign(crate::sign::Error),
    /// Pushing.
    Push(crate::push::Error),
    /// Applying a delta.
    Apply(crate::apply::Error),
    /// The configuration.
    Config(crate::config::Error),
    /// A source.
    Source(crate::source::Error),
    /// A chart's archive, its rendering or its images.
    Chart(crate::chart::Error),
    /// The index of a Helm repository.
    Index(crate::source::helm::Error),
    /// Loading images on a site.
    Load(crate::load::Error),
    /// Starting a catalog.
    Init(crate::init::Error),
    /// Adding a component.
    Add(crate::add::Error),
    /// Resolving.
    Resolve(crate::resolve::Error),
    /// Serving.
    Serve(crate::serve::Error),
}
