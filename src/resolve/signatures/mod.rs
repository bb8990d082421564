//! Whether upstream's artifacts are signed by whom the catalog names: images told by the `cosign` program, charts by
//! Helm.
//!
//! Only these know all forms of signatures, and cosign its own trust root. A digest that was found good stays good, so
//! each is asked about once; what the lock says of the same digests and signer is kept where nothing can be asked.

mod cosign;
mod provenance;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Failure;
use super::charts::Fetched;
use super::sources::Sources;
use crate::catalog::Catalog;
use crate::catalog::model::Cosign;
use crate::catalog::names::Names;
use crate::chart::Helm;
use crate::lock::Lock;
use crate::lock::model::{Image, Signature};
use crate::oci::{Digest, Reference};

pub(super) use cosign::find;

/// What to do about the signers that components name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureCheck {
    /// Check where the programs are there, and say where they are not.
    #[default]
    IfPossible,
    /// What cannot be checked is a failure.
    Required,
    /// Ask nobody: for stand-ins and mirrors that carry no signatures.
    Skipped,
}

/// Checks the signatures of one run.
pub(super) struct Signatures<'a> {
    pub(super) policy: SignatureCheck,
    /// The cosign program, if there is one.
    pub(super) program: Option<PathBuf>,
    pub(super) sources: &'a Sources,
    pub(super) catalog: &'a Catalog,
    pub(super) before: Option<&'a Lock>,
}

/// What there is of one component to be signed.
pub(super) struct Signed<'a> {
    pub(super) name: &'a str,
    pub(super) names: Names<'a>,
    pub(super) images: &'a BTreeMap<Reference, Image>,
    pub(super) charts: &'a [Fetched],
    /// The Helm that renders them, where there are charts.
    pub(super) helm: Option<&'a Helm>,
}

/// What came out for a component.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) signatures: Vec<Signature>,
    /// Why something was not checked, a sentence each.
    pub(super) unchecked: Vec<&'static str>,
}

impl Signatures<'_> {
    /// Checks the images and charts of a component against the signers that it names.
    pub(super) async fn check(&self, signed: &Signed<'_>) -> Result<Checked, Failure> {
        let mut checked = Checked::default();
        let Some(verify) = &self.catalog.components[signed.name].verify else { return Ok(checked) };
        for signer in verify.signers() {
            let key = signer.key.as_ref().and_then(|key| self.file(signed.name, &key.value));
            let signature = Signature {
                checked: true,
                identity: signer.identity.as_deref().map(|identity| signed.names.fill(identity)).transpose()?,
                issuer: signer.issuer.clone(),
                key: key.map(Digest::of),
                images: signed.images.keys().filter(|image| signs(signer, image)).cloned().collect(),
                charts: Vec::new(),
            };
            let program = self.program.as_deref();
            let hurdle = match program {
                _ if signature.images.is_empty() => Some("`verify.cosign.images` names none of its images"),
                None => Some("its signatures are not checked: there is no `cosign` program"),
                Some(_) => None,
            };
            if let (Some(program), true) = (program, self.may_ask(signed, &signature, hurdle, &mut checked)?) {
                for image in &signature.images {
                    let digest = signed.images[image].digest;
                    self.image(program, signer, &signature, key, image, digest).await?;
                }
                checked.signatures.push(signature);
            }
        }
        if let Some(provenance) = &verify.provenance {
            let keyring = self.file(signed.name, &provenance.keyring.value).unwrap_or_default();
            let mut charts: Vec<String> = signed.charts.iter().map(|c| c.archive.chart.name.clone()).collect();
            charts.sort();
            let signature = Signature {
                checked: true,
                identity: None,
                issuer: None,
                key: Some(Digest::of(keyring)),
                images: Vec::new(),
                charts,
            };
            let hurdle = signed.charts.is_empty().then_some("`verify.provenance` is there, and it has no chart");
            if let (Some(helm), true) = (signed.helm, self.may_ask(signed, &signature, hurdle, &mut checked)?) {
                for chart in signed.charts {
                    self.chart(helm, chart, keyring).await?;
                }
                checked.signatures.push(signature);
            }
        }
        Ok(checked)
    }

    /// Whether somebody has to be asked about a signature. Where nobody can be or shall be, it is settled here: from
    /// the lock, else as not checked.
    fn may_ask(
        &self,
        signed: &Signed<'_>,
        signature: &Signature,
        hurdle: Option<&'static str>,
        checked: &mut Checked,
    ) -> Result<bool, Failure> {
        let hurdle = hurdle.or(self.sources.offline.then_some("its signatures cannot be checked offline"));
        if hurdle.is_none() && self.policy != SignatureCheck::Skipped {
            return Ok(true);
        }
        let known = self.is_locked(signed, signature);
        if let (Some(hurdle), false) = (hurdle, known) {
            match self.policy {
                SignatureCheck::IfPossible => checked.unchecked.push(hurdle),
                SignatureCheck::Skipped => {}
                SignatureCheck::Required => {
                    return Err(Failure::Signature { what: signed.name.to_owned(), problem: hurdle.to_owned() });
                }
            }
        }
        checked.signatures.push(Signature { checked: known, ..signature.clone() });
        Ok(false)
    }

    /// Whether the lock says that the same signatures of the same bytes were good.
    fn is_locked(&self, signed: &Signed<'_>, signature: &Signature) -> bool {
        let Some((lock, component)) = self.before.and_then(|lock| Some((lock, lock.components.get(signed.name)?)))
        else {
            return false;
        };
        let same_image =
            |image: &Reference| lock.images.get(image).is_some_and(|old| old.digest == signed.images[image].digest);
        let same_chart =
            |chart: &Fetched| component.chart.iter().chain(component.charts.values()).any(|c| c.sha256 == chart.sha256);
        component.signatures.contains(signature)
            && signature.images.iter().all(same_image)
            && (signature.charts.is_empty() || signed.charts.iter().all(same_chart))
    }

    /// A file of a component.
    fn file(&self, name: &str, file: &str) -> Option<&[u8]> {
        self.catalog.inputs.get(name)?.get(file).map(Vec::as_slice)
    }
}

/// Whether the signer is said to sign this image.
fn signs(signer: &Cosign, image: &Reference) -> bool {
    let name = image.name();
    let named = |rule: &str| match rule.strip_suffix('/') {
        Some(_) => name.starts_with(rule),
        None => rule.parse::<Reference>().is_ok_and(|rule| rule.name() == name),
    };
    signer.images.is_empty() || signer.images.iter().any(|rule| named(&rule.value))
}
