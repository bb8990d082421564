//! `README.txt`: what to type now, on a machine that has nothing of ours.

use std::fmt::Write as _;

use super::super::Member;
use super::super::model::BundleFile;

/// The text for a bundle with these other members.
pub(super) fn text(bundle: &BundleFile, members: &[Member]) -> String {
    let archs: Vec<_> = bundle.architectures.iter().map(|arch| format!("linux/{arch}")).collect();
    let profiles = match &bundle.profiles[..] {
        [] => String::new(),
        [one] => format!(", profile {one}"),
        several => format!(", profiles {}", several.join(", ")),
    };
    let mut text = format!("{} {} for {}{profiles}\n", bundle.name, bundle.version, archs.join(" and "));
    text.push_str(
        "\n\
         BUNDLE.tar.gz stands for the name of this archive. Nothing below needs the internet.\n\
         \n\
         Check it first\n\
         \n    \
             sha256sum -c BUNDLE.tar.gz.sha256        before unpacking\n    \
             bundler verify BUNDLE.tar.gz             every byte, nothing missing, nothing extra\n    \
             sha256sum -c SHA256SUMS                  after unpacking, in this directory\n",
    );
    let has = |prefix: &str| members.iter().any(|member| member.path.starts_with(prefix));
    if has("install.sh") {
        text.push_str(
            "\nInstall\n\n    mkdir bundle && tar xzf BUNDLE.tar.gz -C bundle && cd bundle\n    ./install.sh\n",
        );
    }
    if !bundle.lock.images.is_empty() {
        images(&mut text, bundle);
    }
    text.push_str("\nWhat is inside\n\n    bundle.yaml      every component with its version and digests\n");
    for (prefix, what) in [
        ("charts/", "charts/          Helm charts: helm install NAME charts/FILE.tgz -f components/NAME/values.yaml"),
        ("files/", "files/           programs and other files"),
        ("components/", "components/      the values and resources of each component"),
        (
            "sbom.cdx.json",
            "sbom.cdx.json    a CycloneDX list of all that; for the packages inside the images, scan the layout",
        ),
        ("blobs/", "blobs/           the images, as an OCI image layout with oci-layout and index.json"),
    ] {
        if has(prefix) {
            let _ = writeln!(text, "    {what}");
        }
    }
    text
}

/// How each runtime imports the archive as it is.
fn images(text: &mut String, bundle: &BundleFile) {
    text.push_str("\nImport the images, straight from the archive\n\n");
    for arch in &bundle.architectures {
        let _ = write!(
            text,
            "    gunzip -c BUNDLE.tar.gz | ctr -n k8s.io images import --platform linux/{arch} -\n    \
             gunzip -c BUNDLE.tar.gz | k3s ctr images import --platform linux/{arch} -\n"
        );
    }
    if let [_] = bundle.architectures[..] {
        text.push_str("    gunzip -c BUNDLE.tar.gz | docker load\n    gunzip -c BUNDLE.tar.gz | podman load\n");
    }
    for arch in &bundle.architectures {
        let _ = writeln!(text, "    skopeo inspect --override-arch {arch} oci-archive:BUNDLE.tar.gz:NAME");
    }
}
