//! What the kubelet finds: containerd is asked as the kubelet asks (CRI, `runtime.v1.ImageService`).

use std::path::Path;
use std::time::Duration;

use prost::Message;
use tonic::transport::Endpoint;

use super::{Containerd, Sample, done, host, load};

/// How often is asked: the CRI hears of an image by the event that everybody hears, and has no event of its own that
/// tells when it is in its list (`GetContainerEvents` is of containers only).
const TRIES: usize = 1200;

#[derive(Clone, PartialEq, Eq, Message)]
struct ImageSpec {
    #[prost(string, tag = "1")]
    image: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct StatusRequest {
    #[prost(message, optional, tag = "1")]
    image: Option<ImageSpec>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Image {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, repeated, tag = "2")]
    repo_tags: Vec<String>,
    #[prost(string, repeated, tag = "3")]
    repo_digests: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct StatusResponse {
    #[prost(message, optional, tag = "1")]
    image: Option<Image>,
}

/// What the kubelet is told about each name.
fn status(socket: &Path, names: &[String]) -> Vec<Option<Image>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let endpoint = Endpoint::from_shared(format!("unix:{}", socket.display())).unwrap();
        let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
        let mut found = Vec::new();
        for name in names {
            let mut image = None;
            for _ in 0..TRIES {
                grpc.ready().await.unwrap();
                let question = StatusRequest { image: Some(ImageSpec { image: name.clone() }) };
                let path = http::uri::PathAndQuery::from_static("/runtime.v1.ImageService/ImageStatus");
                let codec = tonic_prost::ProstCodec::<StatusRequest, StatusResponse>::new();
                image = grpc.unary(tonic::Request::new(question), path, codec).await.unwrap().into_inner().image;
                if image.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            found.push(image);
        }
        found
    })
}

#[test]
fn the_kubelet_finds_every_image_by_tag_and_by_digest() {
    let Some(containerd) = Containerd::with_cri() else { return };
    let sample = Sample::new(&[host()]);
    done(&mut load(&sample.sandbox, &containerd, &["b.tar.gz"]));
    for (name, digest) in &sample.names {
        let reference: bundler::oci::Reference = name.parse().unwrap();
        let pinned = reference.pinned(*digest).to_string();
        // As a pod may name it: by tag, by digest, or by both.
        let both = format!("{}@{digest}", name.split('@').next().unwrap());
        let found = status(&containerd.address(), &[name.clone(), pinned.clone(), both]);
        for image in &found {
            let image = image.as_ref().unwrap_or_else(|| panic!("{name} is not found: {found:#?}"));
            assert!(image.id.starts_with("sha256:"), "{image:?}");
            assert!(image.repo_digests.contains(&pinned), "{pinned}: {image:?}");
        }
    }
}
