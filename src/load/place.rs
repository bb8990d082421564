//! Where images are loaded into, and which of these places this machine has.

use std::fmt;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::Error;

/// The sockets of containerd: its own, and that of k3s.
const SOCKETS: [&str; 2] = ["/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"];
/// Where docker's socket tells that its daemon runs.
const DOCKER: &str = "/run/docker.sock";
/// Where k3s takes images from at its start.
const K3S_IMAGES: &str = "/var/lib/rancher/k3s/agent/images";

/// What images are loaded into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Into {
    /// containerd, over its socket.
    Containerd,
    /// The directory that k3s imports from when it starts.
    K3sDir(PathBuf),
    /// Docker, through its program.
    Docker,
    /// podman, through its program.
    Podman,
    /// An OCI image layout, made if it is not there.
    OciLayout(PathBuf),
}

/// A text that is no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of containerd, k3s-dir, k3s-dir=DIR, docker, podman and oci-layout:DIR")]
pub struct NoPlace(String);

impl FromStr for Into {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (kind, directory) = match text.split_once(['=', ':']) {
            Some((kind, directory)) if !directory.is_empty() => (kind, Some(PathBuf::from(directory))),
            Some(_) => return Err(NoPlace(text.to_owned())),
            None => (text, None),
        };
        match (kind, directory) {
            ("containerd", None) => Ok(Self::Containerd),
            ("k3s-dir", directory) => Ok(Self::K3sDir(directory.unwrap_or_else(|| K3S_IMAGES.into()))),
            ("docker", None) => Ok(Self::Docker),
            ("podman", None) => Ok(Self::Podman),
            ("oci-layout", Some(directory)) => Ok(Self::OciLayout(directory)),
            _ => Err(NoPlace(text.to_owned())),
        }
    }
}

impl fmt::Display for Into {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Containerd => f.write_str("containerd"),
            Self::K3sDir(directory) => write!(f, "k3s-dir={}", directory.display()),
            Self::Docker => f.write_str("docker"),
            Self::Podman => f.write_str("podman"),
            Self::OciLayout(directory) => write!(f, "oci-layout:{}", directory.display()),
        }
    }
}

/// A place with the socket that it is reached by, where it has one.
pub(super) type Found = (Into, Option<PathBuf>);

/// The place that is meant: what was named, else the only one that there is.
pub(super) fn find(named: Option<&Into>, address: Option<&Path>) -> Result<Found, Error> {
    match (named, address) {
        (None | Some(Into::Containerd), Some(address)) => Ok((Into::Containerd, Some(address.to_owned()))),
        (Some(Into::Containerd), None) => only(sockets()).map_err(|error| match error {
            // The usual one is named in the message.
            Error::NoTarget => {
                Error::Connect { address: SOCKETS[0].into(), source: std::io::ErrorKind::NotFound.into() }
            }
            other => other,
        }),
        (Some(place), _) => Ok((place.clone(), None)),
        (None, None) => {
            let mut found = sockets();
            if is_socket(Path::new(DOCKER)) {
                found.push((Into::Docker, None));
            }
            if on_path("podman") {
                found.push((Into::Podman, None));
            }
            only(found)
        }
    }
}

fn only(mut found: Vec<Found>) -> Result<Found, Error> {
    let show = |(place, address): &Found| match address {
        Some(address) => format!("{place} at {}", address.display()),
        None => place.to_string(),
    };
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Error::NoTarget),
        _ => Err(Error::Targets(found.iter().map(show).collect())),
    }
}

fn sockets() -> Vec<Found> {
    let there = SOCKETS.iter().filter(|path| is_socket(Path::new(path)));
    there.map(|path| (Into::Containerd, Some(PathBuf::from(path)))).collect()
}

fn is_socket(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.file_type().is_socket())
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_places() {
        for (text, shown) in [
            ("containerd", "containerd"),
            ("k3s-dir", "k3s-dir=/var/lib/rancher/k3s/agent/images"),
            ("k3s-dir=/a:b", "k3s-dir=/a:b"),
            ("oci-layout:site=1", "oci-layout:site=1"),
            ("podman", "podman"),
        ] {
            assert_eq!(text.parse::<Into>().unwrap().to_string(), shown);
        }
        for text in ["", "k3s-dir=", "oci-layout", "docker:x", "registry"] {
            assert!(text.parse::<Into>().is_err(), "{text}");
        }
    }

    #[test]
    fn asks_where_there_are_several() {
        let socket = |path: &str| (Into::Containerd, Some(PathBuf::from(path)));
        assert!(matches!(only(vec![]), Err(Error::NoTarget)));
        assert_eq!(only(vec![socket("/a")]).unwrap(), socket("/a"));
        let error = only(vec![socket("/a"), (Into::Docker, None)]).unwrap_err();
        assert_eq!(error.to_string(), "this machine has several places for images: containerd at /a, docker");
    }
}
