//! Loading: the images of bundles into what runs containers, or into a directory, straight from the archive.
//!
//! `choose` finds the images and reads their documents, `place` where they go; each place has a module.

mod archive;
mod choose;
mod containerd;
mod error;
mod k3s;
mod layout;
mod mark;
mod partial;
mod place;
mod program;
mod report;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use error::Error;
pub use mark::Mark;
pub use place::{Into, NoPlace};
pub use report::{Amount, Loaded, LoadedImage, State, Unloaded};

use crate::bundle::read::Bundle;
use crate::bundle::set::{self, Choice, Set};
use crate::event::{Event, Reporter};
use crate::oci::Arch;

/// What `load` is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The bundles.
    pub bundles: Vec<PathBuf>,
    /// Which images.
    pub choice: Choice,
    /// For these architectures; empty for what the place wants.
    pub archs: Vec<Arch>,
    /// Where they go.
    pub to: To,
    /// Load an older version than the one that is loaded.
    pub allow_downgrade: bool,
    /// Take away what other versions of the bundles brought.
    pub prune: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// How many blobs are sent at once.
    pub jobs: Option<usize>,
    /// Now.
    pub now: jiff::Timestamp,
}

/// Where images go, as far as the user says it.
#[derive(Clone, Debug)]
pub struct To {
    /// The place; `None` for the only one that there is.
    pub into: Option<Into>,
    /// containerd's socket.
    pub address: Option<PathBuf>,
    /// containerd's namespace; Kubernetes has `k8s.io`.
    pub namespace: String,
}

/// Loads images.
pub async fn load(options: &Options, reporter: &dyn Reporter, cancel: CancellationToken) -> Result<Loaded, Error> {
    let set = Arc::new(Set::open(&options.bundles)?);
    set.tell_form(reporter);
    let (into, address) = place::find(options.to.into.as_ref(), options.to.address.as_deref())?;
    let archs = if matches!(into, Into::OciLayout(_)) { choose::Archs::All } else { choose::Archs::Host };
    let wanted = choose::choose(&set, &options.choice, &options.archs, archs)?;
    warn_of_foreign(&wanted, reporter);
    let load = async {
        match (into, address) {
            (Into::Containerd, Some(address)) => {
                let place = containerd::Place { address, namespace: options.to.namespace.clone() };
                containerd::load(set, &wanted, &place, options, reporter).await
            }
            (Into::Containerd, None) => Err(Error::NoTarget),
            // These work with files and pipes; each looks at `cancel` itself.
            (place, _) => tokio::task::block_in_place(|| match place {
                Into::K3sDir(directory) => k3s::load(&set, &wanted, &directory, options, reporter, &cancel),
                Into::OciLayout(directory) => layout::load(&set, &wanted, &directory, options, reporter, &cancel),
                Into::Podman => program::load(&set, &wanted, "podman", options, reporter, &cancel),
                Into::Docker | Into::Containerd => program::load(&set, &wanted, "docker", options, reporter, &cancel),
            }),
        }
    };
    cancel.run_until_cancelled(load).await.unwrap_or(Err(Error::Interrupted))
}

/// Takes away what bundles brought, each named by its path or as `NAME@VERSION`.
pub async fn unload(bundles: &[PathBuf], to: &To, dry_run: bool, cancel: CancellationToken) -> Result<Unloaded, Error> {
    let marks: BTreeSet<Mark> = bundles.iter().map(|bundle| named(bundle)).collect::<Result<_, _>>()?;
    let (into, address) = place::find(to.into.as_ref(), to.address.as_deref())?;
    let unload = async {
        match (into, address) {
            (Into::Containerd, Some(address)) => {
                let place = containerd::Place { address, namespace: to.namespace.clone() };
                containerd::unload(&place, &marks, dry_run).await
            }
            (Into::K3sDir(directory), _) => k3s::unload(&directory, &marks, dry_run),
            (Into::Docker, _) => Err(Error::NoMarks { into: "docker" }),
            (Into::Podman, _) => Err(Error::NoMarks { into: "podman" }),
            (Into::OciLayout(_), _) => Err(Error::NoMarks { into: "an OCI layout" }),
            (Into::Containerd, None) => Err(Error::NoTarget),
        }
    };
    cancel.run_until_cancelled(unload).await.unwrap_or(Err(Error::Interrupted))
}

fn named(bundle: &Path) -> Result<Mark, Error> {
    if !bundle.exists() {
        return bundle.to_string_lossy().parse();
    }
    let opened = Bundle::open(bundle).and_then(|bundle| bundle.about()).map_err(set::Error::from)?;
    Mark::of(&opened)
}

fn warn_of_foreign(wanted: &[choose::Wanted], reporter: &dyn Reporter) {
    let Some(host) = Arch::host() else { return };
    let foreign: BTreeSet<_> =
        wanted.iter().flat_map(|image| image.manifests.keys()).filter(|arch| **arch != host).collect();
    for arch in foreign {
        reporter.report(Event::Warning(&format!("the images for {arch} do not run on this machine, which is {host}")));
    }
}
