//! What long operations tell while they run. The library reports; only `ui` prints.

/// One thing that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A phase began, such as `resolving 11 components`.
    Step(&'a str),
    /// The phase will move so many bytes and finish so many items; either may be 0 when unknown.
    Total {
        /// Bytes still to move in this phase.
        bytes: u64,
        /// Items still to finish in this phase.
        items: u64,
    },
    /// So many more bytes were moved.
    Bytes(u64),
    /// So many bytes that were counted before have to be moved again.
    Again(u64),
    /// An item is done: an image, a chart, a file, a component.
    Item(&'a str),
    /// A piece of something larger is done: a member of an archive. There are more of them than anybody reads.
    Piece(&'a str),
    /// Something that the reader should know but that stops nothing.
    Warning(&'a str),
    /// A detail, shown with `-v`.
    Detail(&'a str),
    /// Nothing more will be told: what is drawn goes away.
    End,
}

/// Receives events from any thread; must be cheap, since blobs report every chunk.
pub trait Reporter: Send + Sync {
    /// Takes one event.
    fn report(&self, event: Event<'_>);
}

/// Drops every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _: Event<'_>) {}
}
