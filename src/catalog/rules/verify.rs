//! The rules of signers.

use super::component::check_url;
use crate::catalog::model::{Cosign, Verify};
use crate::catalog::template;
use crate::oci::Reference;
use crate::yaml::{Place, Report};

/// The placeholders of a signer's identity, which often names the tag that was built.
const IDENTITY: [&str; 3] = ["version", "tag", "app_version"];

pub(super) fn check(verify: &Verify, report: &mut Report<'_>) {
    let signers = verify.signers();
    if signers.is_empty() && verify.provenance.is_none() {
        report.wrong_at(&["verify"], "it names no signer", "add `cosign` or `provenance`".to_owned());
    }
    let Some(place) = verify.cosign.as_ref().map(Place::from) else { return };
    for signer in signers {
        check_signer(signer, place, report);
        if signers.len() > 1 && signer.images.is_empty() {
            let hint = "add `images` to each".to_owned();
            report.wrong(place, "which images each of several signers signs is not said", hint);
        }
    }
}

fn check_signer(cosign: &Cosign, place: Place, report: &mut Report<'_>) {
    let keyless = match (&cosign.identity, &cosign.issuer) {
        (None, None) => false,
        (Some(identity), Some(issuer)) => {
            check_url(issuer, &["https"], &["verify", "cosign", "issuer"], report);
            let names = template::placeholders(identity);
            if let Some(unknown) = names.iter().find(|name| !IDENTITY.contains(name)) {
                let hint = "known here: `{version}`, `{tag}`, `{app_version}`".to_owned();
                report.wrong(place, format!("`{{{unknown}}}` in `{identity}` means nothing here"), hint);
            }
            true
        }
        _ => {
            let message = "an identity counts only with its issuer, and an issuer only with an identity";
            report.wrong(place, message, "name both".to_owned());
            return;
        }
    };
    if keyless == cosign.key.is_some() {
        let hint = "name `identity` and `issuer`, or a `key`".to_owned();
        report.wrong(place, "a signer is either an identity or a key", hint);
    }
    if cosign.transparency_log.is_some() && cosign.key.is_none() {
        let hint = "leave `transparency_log` out: a certificate without it proves nothing".to_owned();
        report.wrong(place, "only signatures made with a key can do without the transparency log", hint);
    }
    for image in &cosign.images {
        let reference = image.value.trim_end_matches('/').parse::<Reference>();
        if !reference.is_ok_and(|reference| reference.tag().is_none() && reference.digest().is_none()) {
            let message = format!("`{}` is no repository of images", image.value);
            report.wrong(image, message, "write it as `registry.k8s.io/` or `quay.io/org/name`".to_owned());
        }
    }
}
