use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::bundle::contents::tests::Sample;
use crate::bundle::model::Added;

fn catalog(text: &str) -> BTreeMap<String, catalog::Component> {
    let component = catalog::parse_component("component.yaml", text).unwrap();
    BTreeMap::from([(component.name.value.clone(), component)])
}

fn tool() -> BTreeMap<String, catalog::Component> {
    catalog(
        "name: tool\ndescription: Says \"program\"\nlicence: Apache-2.0 AND AGPL-3.0-only\n\
         source: {github: x/tool, tag: 'v{version}', kind: releases}\nimages: ['docker.io/library/web:1']\n",
    )
}

fn bill(parts: &Parts) -> Value {
    serde_json::from_slice(&of(parts, &tool()).unwrap()).unwrap()
}

fn component<'a>(bill: &'a Value, bom_ref: &str) -> &'a Value {
    let mut components = bill["components"].as_array().unwrap().iter();
    components.find(|component| component["bom-ref"] == bom_ref).unwrap_or_else(|| panic!("{bom_ref}: {bill:#}"))
}

fn depends<'a>(bill: &'a Value, user: &str) -> Vec<&'a str> {
    let dependency = bill["dependencies"].as_array().unwrap().iter().find(|d| d["ref"] == user).unwrap();
    dependency["dependsOn"].as_array().unwrap().iter().map(|used| used.as_str().unwrap()).collect()
}

#[test]
fn it_lists_all_that_is_carried() {
    let parts = Sample::new(&[Arch::Arm64]).parts;
    let bill = bill(&parts);
    assert_eq!(bill["metadata"]["component"]["name"], "observability");
    assert_eq!(depends(&bill, "bundle.yaml"), ["components/tool", "files/notes.txt"]);
    let tool = component(&bill, "components/tool");
    assert_eq!(tool["licenses"][0]["expression"], "Apache-2.0 AND AGPL-3.0-only");
    assert_eq!(tool["description"], "Says \"program\"");

    let used = depends(&bill, "components/tool");
    assert_eq!(used.len(), 3 + 2, "three images, a chart and a program: {used:?}");
    let chart = component(&bill, "charts/tool-4.2.4.tgz");
    let digest = Digest::of(b"a chart's bytes");
    assert_eq!(chart["hashes"][0]["content"], digest.hex());
    assert_eq!(chart["purl"], format!("pkg:generic/tool@4.2.4?checksum={digest}&download_url=https://x.y/c.tgz"));

    // What is carried of an archive has its own digest, and the URL has the archive's.
    let file = component(&bill, "files/tool");
    assert_eq!(file["hashes"][0]["content"], Digest::of(b"#!/bin/sh\necho program\n").hex());
    let archive = Digest::of(b"an archive that is not carried");
    assert_eq!(file["externalReferences"][0]["hashes"][0]["content"], archive.hex());
    assert_eq!(file["properties"][0]["value"], "t");
    assert!(file["purl"].as_str().unwrap().contains(&archive.to_string()), "{file}");
    assert_eq!(component(&bill, "files/notes.txt")["hashes"][0]["content"], Digest::of(b"added").hex());

    // Every reference leads to something, and every image is said to hold more.
    let refs: BTreeSet<_> =
        bill["components"].as_array().unwrap().iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
    assert!(used.iter().all(|used| refs.contains(used)));
    let images: Vec<_> = used.into_iter().filter(|used| used.starts_with("pkg:oci/")).collect();
    assert_eq!(bill["compositions"][0]["assemblies"], serde_json::json!(images));
    assert_eq!(bill["compositions"][0]["aggregate"], "incomplete");
}

#[test]
fn an_image_has_the_digest_of_its_architecture() {
    let sample = Sample::new(&[Arch::Amd64, Arch::Arm64]);
    let mut parts = sample.parts;
    let single = "quay.io/x/single:2".parse().unwrap();
    parts.bundle.lock.images.remove(&single);
    parts.bundle.lock.components.get_mut("tool").unwrap().images.retain(|image| *image != single);
    let bill = bill(&parts);
    let web: Vec<_> =
        bill["components"].as_array().unwrap().iter().filter(|c| c["name"] == "docker.io/library/web").collect();
    assert_eq!(web.len(), 2);
    let index = parts.bundle.lock.images[&"docker.io/library/web:1".parse().unwrap()].digest;
    for (component, arch) in web.iter().zip(["amd64", "arm64"]) {
        let digest = Digest::from_hex(component["hashes"][0]["content"].as_str().unwrap()).unwrap();
        assert!(parts.manifests.contains_key(&digest) && digest != index);
        let purl = format!("pkg:oci/web@{digest}?arch={arch}&repository_url=docker.io/library/web&tag=1");
        assert!(web.iter().any(|component| component["purl"] == purl), "{purl} is not in {web:#?}");
        assert_eq!(component["properties"][0]["value"], index.to_string());
    }
    assert!(component(&bill, "files/amd64/tool")["hashes"].is_array());
}

#[test]
fn equal_parts_give_equal_bytes_and_other_parts_another_serial_number() {
    let parts = Sample::new(&[Arch::Arm64]).parts;
    let first = of(&parts, &tool()).unwrap();
    assert_eq!(first, of(&parts, &tool()).unwrap());
    let mut other = parts.clone();
    other.bundle.profiles.push("another".to_owned());
    let serial = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["serialNumber"].clone();
    assert_ne!(serial(&first), serial(&of(&other, &tool()).unwrap()));
    assert!(!String::from_utf8_lossy(&first).contains("timestamp"));
}

#[test]
fn a_thing_that_is_there_twice_is_listed_once() {
    let mut parts = Sample::new(&[Arch::Arm64]).parts;
    let twin = parts.bundle.lock.components["tool"].clone();
    parts.bundle.lock.components.insert("twin".to_owned(), twin);
    let program = Digest::of(b"#!/bin/sh\necho program\n");
    parts.bundle.added.push(Added { path: "files/tool".to_owned(), digest: program, size: 23 });
    let bill = bill(&parts);
    let files = depends(&bill, "components/twin");
    assert!(files.contains(&"files/tool") && depends(&bill, "components/tool").contains(&"files/tool"));
    let listed = bill["components"].as_array().unwrap().iter().filter(|c| c["bom-ref"] == "files/tool");
    assert_eq!(listed.count(), 1);
}

#[test]
fn what_is_not_known_is_an_error() {
    let mut parts = Sample::new(&[Arch::Arm64]).parts;
    parts.bundle.lock.components.get_mut("tool").unwrap().chart.as_mut().unwrap().size = None;
    assert!(matches!(of(&parts, &tool()), Err(Error::Unknown(_))));
    let mut parts = Sample::new(&[Arch::Arm64]).parts;
    parts.manifests.clear();
    assert!(matches!(of(&parts, &tool()), Err(Error::Image(_))));
}
