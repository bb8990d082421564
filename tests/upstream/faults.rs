//! What goes wrong on demand.

use super::answer::{Answer, Request};

/// Something that goes wrong for requests whose target contains a text.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// A part of the target, such as `docker.io/grafana/loki/manifests` or `storage/sha256:`.
    pub(crate) target: String,
    /// How many requests it meets; `None` for all.
    pub(crate) times: Option<u32>,
    pub(crate) effect: Effect,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Another status and an empty body.
    Status(u16),
    /// A status with `Retry-After` in seconds.
    RetryAfter(u16, u32),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The byte at this offset of the whole content is another one.
    Corrupt(usize),
    /// After so many bytes of the body nothing more comes.
    Hang(usize),
    /// A range is answered with everything.
    IgnoreRange,
}

/// How an answer's body is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    Whole,
    Cut(usize),
    Hang(usize),
}

/// Finishes an answer, with an effect or without.
pub(crate) fn finish(answer: Answer, request: &Request, effect: Option<&Effect>) -> (Answer, Sending) {
    let good = |answer: Answer| answer.conditional(request).ranged(request);
    match effect {
        None => (good(answer), Sending::Whole),
        Some(Effect::Status(status)) => (Answer::new(*status, "text/plain", ""), Sending::Whole),
        Some(Effect::RetryAfter(status, seconds)) => {
            (Answer::new(*status, "text/plain", "").with("retry-after", seconds.to_string()), Sending::Whole)
        }
        Some(Effect::Cut(bytes)) => (good(answer), Sending::Cut(*bytes)),
        Some(Effect::Hang(bytes)) => (good(answer), Sending::Hang(*bytes)),
        Some(Effect::IgnoreRange) => (answer.conditional(request), Sending::Whole),
        Some(Effect::Corrupt(at)) => {
            let mut answer = answer;
            let mut body = answer.body.to_vec();
            if let Some(byte) = body.get_mut(*at) {
                *byte ^= 0xff;
            }
            answer.body = body.into();
            (good(answer), Sending::Whole)
        }
    }
}
