//! Bytes of a bundle as they are asked for: whole, in part, or only their size; never without their digest.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Method, Response, StatusCode};

use super::answer::{self, Answer};
use super::body::{HELD, Payload, Stream};
use super::range::{self, Wanted};
use super::site::{Asked, Site};
use super::trust::{self, Content, Fault, Stamp};
use crate::oci::Digest;

impl Site {
    /// Bytes of a bundle, or the part of them that is asked for.
    pub(super) async fn content(self: &Arc<Self>, content: Content, media_type: &str, asked: &Asked) -> Answer {
        let size = content.blob.size;
        let stamp = match trust::stamp(&self.set, content.blob) {
            Ok(stamp) => stamp,
            Err(fault) => return answer::fault(&fault),
        };
        if self.trust.verdict(content.blob, stamp) == Some(false) {
            return answer::fault(&Fault::Damaged);
        }
        let mut headers = HeaderMap::new();
        answer::put(&mut headers, header::CONTENT_TYPE, media_type);
        answer::put(&mut headers, header::ACCEPT_RANGES, "bytes");
        headers.insert(header::CONTENT_LENGTH, size.into());
        let finish = |status, payload, headers| {
            let mut answer = Response::new(payload);
            (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
            answer::with_digest(answer, content.digest)
        };
        if asked.method == Method::HEAD {
            return finish(StatusCode::OK, Payload::empty(), headers);
        }
        // Other bytes than the client has the beginning of: all of them (RFC 9110 §13.1.5).
        let same = asked.header(header::IF_RANGE).is_none_or(|tag| tag == answer::etag(content.digest));
        match range::parse(asked.header(header::RANGE).filter(|_| same), size) {
            Wanted::Whole if size <= HELD => match self.small(content, stamp).await {
                Ok(bytes) => finish(StatusCode::OK, Payload::Memory(bytes), headers),
                Err(fault) => answer::fault(&fault),
            },
            Wanted::Whole => {
                let stream = Stream::whole(self, content, stamp);
                finish(StatusCode::OK, Payload::Stream(stream), headers)
            }
            Wanted::Part(range) => {
                if let Err(fault) = self.ensure(content, stamp).await {
                    return answer::fault(&fault);
                }
                let place = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                answer::put(&mut headers, header::CONTENT_RANGE, &place);
                headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
                let stream = Stream::part(self, content, stamp, range);
                finish(StatusCode::PARTIAL_CONTENT, Payload::Stream(stream), headers)
            }
            Wanted::Unsatisfiable => {
                let place = format!("bytes */{size}");
                headers.insert(header::CONTENT_LENGTH, 0_u64.into());
                answer::put(&mut headers, header::CONTENT_RANGE, &place);
                finish(StatusCode::RANGE_NOT_SATISFIABLE, Payload::empty(), headers)
            }
        }
    }

    /// All of a small blob, which is checked before anything is said of it.
    async fn small(self: &Arc<Self>, content: Content, stamp: Stamp) -> Result<Bytes, Fault> {
        let site = self.clone();
        let read = move || {
            let mut bytes = vec![0; usize::try_from(content.blob.size).unwrap_or_default()];
            let read = trust::read_at(&site.set, content.blob, 0, &mut bytes);
            let good = match &read {
                Ok(()) => Digest::of(&bytes) == content.digest,
                Err(Fault::Damaged) => false,
                Err(fault) => return Err(fault.clone()),
            };
            site.judge(content, stamp, good);
            if good { Ok(bytes.into()) } else { Err(Fault::Damaged) }
        };
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(Fault::Changed))
    }

    /// Hashes a blob unless that was done before; of many clients one does it.
    async fn ensure(self: &Arc<Self>, content: Content, stamp: Stamp) -> Result<(), Fault> {
        let verdict = |site: &Self| match site.trust.verdict(content.blob, stamp) {
            Some(true) => Some(Ok(())),
            Some(false) => Some(Err(Fault::Damaged)),
            None => None,
        };
        if let Some(verdict) = verdict(self) {
            return verdict;
        }
        let turn = self.trust.turn(content.blob);
        let _mine = turn.lock().await;
        if let Some(verdict) = verdict(self) {
            return verdict;
        }
        let Ok(_permit) = self.hashing.acquire().await else { return Err(Fault::Changed) };
        let site = self.clone();
        // It goes on when the client goes away: the next one needs the verdict too.
        let hash = move || {
            let good = trust::hash(&site.set, content)?;
            if trust::stamp(&site.set, content.blob)? != stamp {
                return Err(Fault::Changed);
            }
            site.judge(content, stamp, good);
            Ok(good)
        };
        match tokio::task::spawn_blocking(hash).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Fault::Damaged),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::Changed),
        }
    }
}
