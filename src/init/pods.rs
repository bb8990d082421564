//! What a cluster runs: `kubectl get pods -A -o json`.

use serde::Deserialize;

use super::Inventory;

#[derive(Deserialize)]
struct List {
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    init_containers: Vec<Container>,
    #[serde(default)]
    containers: Vec<Container>,
    #[serde(default)]
    ephemeral_containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    image: String,
}

/// Reads a list of pods. An image that is no reference is one that the cluster could not pull either: it is noted.
pub(super) fn read(bytes: &[u8], inventory: &mut Inventory) -> serde_json::Result<()> {
    let list: List = serde_json::from_slice(bytes)?;
    for spec in list.items.into_iter().map(|pod| pod.spec) {
        for container in spec.init_containers.into_iter().chain(spec.containers).chain(spec.ephemeral_containers) {
            inventory.image(&container.image);
        }
    }
    Ok(())
}
