//! The messages of containerd's API that are used here, with the numbers of its `.proto` files (api/services,
//! the same in 1.6 and 2.x). Fields that nothing here reads are passed over.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;

/// Labels of a blob, an image or a lease.
pub(super) type Labels = BTreeMap<String, String>;

/// `containerd.services.content.v1.Info`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Info {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
    #[prost(int64, tag = "2")]
    pub(super) size: i64,
    #[prost(btree_map = "string, string", tag = "5")]
    pub(super) labels: Labels,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct InfoRequest {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct InfoResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) info: Option<Info>,
}

/// `google.protobuf.FieldMask`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Mask {
    #[prost(string, repeated, tag = "1")]
    pub(super) paths: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct UpdateInfoRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) info: Option<Info>,
    #[prost(message, optional, tag = "2")]
    pub(super) mask: Option<Mask>,
}

/// `WriteAction`: where the stream of a blob stands, its bytes, its end.
pub(super) mod action {
    pub(in super::super) const STAT: i32 = 0;
    pub(in super::super) const WRITE: i32 = 1;
    pub(in super::super) const COMMIT: i32 = 2;
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct WriteRequest {
    #[prost(int32, tag = "1")]
    pub(super) action: i32,
    #[prost(string, tag = "2")]
    pub(super) reference: String,
    #[prost(int64, tag = "3")]
    pub(super) total: i64,
    #[prost(string, tag = "4")]
    pub(super) expected: String,
    #[prost(int64, tag = "5")]
    pub(super) offset: i64,
    #[prost(bytes = "bytes", tag = "6")]
    pub(super) data: Bytes,
    #[prost(btree_map = "string, string", tag = "7")]
    pub(super) labels: Labels,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct WriteResponse {
    #[prost(int32, tag = "1")]
    pub(super) action: i32,
    #[prost(int64, tag = "4")]
    pub(super) offset: i64,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct AbortRequest {
    #[prost(string, tag = "1")]
    pub(super) reference: String,
}

/// `containerd.types.Descriptor`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Descriptor {
    #[prost(string, tag = "1")]
    pub(super) media_type: String,
    #[prost(string, tag = "2")]
    pub(super) digest: String,
    #[prost(int64, tag = "3")]
    pub(super) size: i64,
}

/// `containerd.services.images.v1.Image`: a name and what it leads to.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Image {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) labels: Labels,
    #[prost(message, optional, tag = "3")]
    pub(super) target: Option<Descriptor>,
}

impl Image {
    /// The digest that the name leads to; empty where containerd says none.
    pub(super) fn digest(&self) -> &str {
        self.target.as_ref().map_or("", |target| &target.digest)
    }
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ListImagesRequest {
    #[prost(string, repeated, tag = "1")]
    pub(super) filters: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ListImagesResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) images: Vec<Image>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct CreateImageRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) image: Option<Image>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct UpdateImageRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) image: Option<Image>,
    #[prost(message, optional, tag = "2")]
    pub(super) mask: Option<Mask>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct DeleteImageRequest {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Whether the garbage is collected before the answer.
    #[prost(bool, tag = "2")]
    pub(super) sync: bool,
}

/// `containerd.services.leases.v1.Lease`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Lease {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(super) labels: Labels,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct CreateLeaseRequest {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(super) labels: Labels,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct DeleteLeaseRequest {
    #[prost(string, tag = "1")]
    pub(super) id: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ListLeasesRequest {
    #[prost(string, repeated, tag = "1")]
    pub(super) filters: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ListLeasesResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) leases: Vec<Lease>,
}
