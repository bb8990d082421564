//! A connection to containerd's socket, and the calls that are one question and one answer.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::api::{
    AbortRequest, CreateImageRequest, CreateLeaseRequest, DeleteImageRequest, DeleteLeaseRequest, Descriptor, Image,
    Info, InfoRequest, InfoResponse, Labels, ListImagesRequest, ListImagesResponse, ListLeasesRequest,
    ListLeasesResponse, Mask, UpdateImageRequest, UpdateInfoRequest,
};
use crate::load::Error;
use crate::oci::Digest;

/// The largest answer that is read, 64 MiB: a list of images has less than 1 KiB for each.
const MAX_ANSWER: usize = 64 << 20;

/// How long a question may take; to delete an image may mean to collect gigabytes of garbage first.
const PATIENCE: Duration = Duration::from_secs(300);

/// A connection to containerd in one of its namespaces.
#[derive(Clone, Debug)]
pub(super) struct Client {
    channel: Channel,
    address: PathBuf,
    namespace: MetadataValue<Ascii>,
    lease: Option<MetadataValue<Ascii>>,
}

impl Client {
    /// Connects to the socket.
    pub(super) async fn connect(address: &Path, namespace: &str) -> Result<Self, Error> {
        // The library erases why a socket cannot be reached, so the system is asked first.
        UnixStream::connect(address).map_err(|source| Error::Connect { address: address.to_owned(), source })?;
        let refused = |message: String| Error::Call {
            address: address.to_owned(),
            what: "connect".to_owned(),
            code: Code::Unavailable,
            message,
        };
        let namespace =
            namespace.parse().map_err(|_| refused(format!("`{}` is no namespace", namespace.escape_default())))?;
        let endpoint = Endpoint::from_shared(format!("unix:{}", address.display()));
        let endpoint = endpoint.map_err(|error| refused(error.to_string()))?;
        let channel = endpoint.connect().await.map_err(|error| refused(error.to_string()))?;
        Ok(Self { channel, address: address.to_owned(), namespace, lease: None })
    }

    /// Makes an error of what containerd answered when asked to do `what`.
    pub(super) fn failed(&self, what: impl Into<String>) -> impl FnOnce(Status) -> Error {
        let (address, what) = (self.address.clone(), what.into());
        move |status| Error::Call { address, what, code: status.code(), message: status.message().to_owned() }
    }

    /// A question in the namespace and under the lease.
    pub(super) fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("containerd-namespace", self.namespace.clone());
        if let Some(lease) = &self.lease {
            request.metadata_mut().insert("containerd-lease", lease.clone());
        }
        request
    }

    /// The transport of a call.
    pub(super) async fn grpc(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER);
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(grpc)
    }

    async fn ask<Q, A>(&self, path: &'static str, message: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = self.grpc().await?;
        let answer = grpc.unary(self.request(message), PathAndQuery::from_static(path), ProstCodec::<Q, A>::new());
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => Ok(answer?.into_inner()),
            Err(_) => Err(Status::deadline_exceeded(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    /// What containerd knows of a blob; `None` when it has none.
    pub(super) async fn info(&self, digest: Digest) -> Result<Option<Info>, Error> {
        let question = InfoRequest { digest: digest.to_string() };
        match self.ask::<_, InfoResponse>("/containerd.services.content.v1.Content/Info", question).await {
            Ok(answer) => Ok(answer.info),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(self.failed(format!("tell about {digest}"))(status)),
        }
    }

    /// Sets labels of a blob and leaves its others.
    pub(super) async fn label_blob(&self, digest: Digest, labels: &Labels) -> Result<(), Error> {
        let info = Info { digest: digest.to_string(), size: 0, labels: labels.clone() };
        let question = UpdateInfoRequest { info: Some(info), mask: Some(mask(labels.keys())) };
        let answer = self.ask::<_, ()>("/containerd.services.content.v1.Content/Update", question).await;
        answer.map_err(self.failed(format!("label {digest}")))
    }

    /// Drops what was sent of a blob that did not come to its end.
    pub(super) async fn abort(&self, reference: String) -> Result<(), Status> {
        self.ask("/containerd.services.content.v1.Content/Abort", AbortRequest { reference }).await
    }

    /// Every image of the namespace.
    pub(super) async fn images(&self) -> Result<Vec<Image>, Error> {
        let question = ListImagesRequest { filters: Vec::new() };
        let answer = self.ask::<_, ListImagesResponse>("/containerd.services.images.v1.Images/List", question).await;
        Ok(answer.map_err(self.failed("list its images"))?.images)
    }

    /// Names an image; `false` when the name is there already.
    pub(super) async fn create(&self, name: &str, target: &Descriptor, labels: &Labels) -> Result<bool, Error> {
        let image = Image { name: name.to_owned(), labels: labels.clone(), target: Some(target.clone()) };
        let question = CreateImageRequest { image: Some(image) };
        match self.ask::<_, ()>("/containerd.services.images.v1.Images/Create", question).await {
            Ok(()) => Ok(true),
            Err(status) if status.code() == Code::AlreadyExists => Ok(false),
            Err(status) => Err(self.failed(format!("name `{name}`"))(status)),
        }
    }

    /// Sets some labels of an image, an empty value to remove one, and its target where one is given.
    pub(super) async fn update(&self, name: &str, target: Option<&Descriptor>, labels: &Labels) -> Result<(), Error> {
        let mut mask = mask(labels.keys());
        mask.paths.extend(target.map(|_| "target".to_owned()));
        let image = Image { name: name.to_owned(), labels: labels.clone(), target: target.cloned() };
        let question = UpdateImageRequest { image: Some(image), mask: Some(mask) };
        let answer = self.ask::<_, ()>("/containerd.services.images.v1.Images/Update", question).await;
        answer.map_err(self.failed(format!("change `{name}`")))
    }

    /// Removes a name; with `sync` what nothing else needs is gone when this returns.
    pub(super) async fn delete(&self, name: &str, sync: bool) -> Result<(), Error> {
        let question = DeleteImageRequest { name: name.to_owned(), sync };
        match self.ask::<_, ()>("/containerd.services.images.v1.Images/Delete", question).await {
            Err(status) if status.code() != Code::NotFound => Err(self.failed(format!("remove `{name}`"))(status)),
            _ => Ok(()),
        }
    }

    /// Creates a lease and holds everything that is sent from now on under it.
    pub(super) async fn hold(&mut self, id: &str, labels: Labels) -> Result<(), Error> {
        let question = CreateLeaseRequest { id: id.to_owned(), labels };
        let answer = self.ask::<_, ()>("/containerd.services.leases.v1.Leases/Create", question).await;
        answer.map_err(self.failed("create a lease"))?;
        self.lease = id.parse().ok();
        Ok(())
    }

    /// Ends every lease that has this label and a name that is `over`.
    pub(super) async fn release(&mut self, label: &str, value: &str, over: impl Fn(&str) -> bool) -> Result<(), Error> {
        self.lease = None;
        let question = ListLeasesRequest { filters: Vec::new() };
        let answer = self.ask::<_, ListLeasesResponse>("/containerd.services.leases.v1.Leases/List", question).await;
        for lease in answer.map_err(self.failed("list its leases"))?.leases {
            if lease.labels.get(label).is_some_and(|found| found == value) && over(&lease.id) {
                let question = DeleteLeaseRequest { id: lease.id };
                let answer = self.ask::<_, ()>("/containerd.services.leases.v1.Leases/Delete", question).await;
                if let Err(status) = answer
                    && status.code() != Code::NotFound
                {
                    return Err(self.failed("end a lease")(status));
                }
            }
        }
        Ok(())
    }
}

fn mask<'a>(labels: impl Iterator<Item = &'a String>) -> Mask {
    Mask { paths: labels.map(|label| format!("labels.{label}")).collect() }
}
