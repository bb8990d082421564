//! What `bundler images` says.

use schemars::JsonSchema;
use serde::Serialize;

use crate::chart::images::Image;
use crate::oci::Digest;
use crate::resolve::Why;

/// The images of one chart, one a line; with `why` every place below.
#[must_use]
pub fn of_chart(images: &[Image], why: bool) -> String {
    let mut text = String::new();
    for image in images {
        text.push_str(&image.image);
        text.push('\n');
        for find in image.found.iter().filter(|_| why) {
            text.push_str(&format!("  {}: {}\n", find.kind.name(), find.place));
        }
    }
    text
}

/// The images of a catalog, one a line; with `why` the digest, the components and every place below.
#[must_use]
pub fn of_catalog(images: &Why, why: bool) -> String {
    let mut text = String::new();
    for (image, carried) in &images.images {
        text.push_str(&format!("{image}\n"));
        if !why {
            continue;
        }
        let digest = carried.digest.map_or_else(|| "none in the lock".to_owned(), |digest| digest.to_string());
        text.push_str(&format!("  digest: {digest}\n"));
        for (component, origins) in &carried.components {
            text.push_str(&format!("  {component}\n"));
            origins.iter().for_each(|origin| text.push_str(&format!("    {origin}\n")));
        }
    }
    text
}

/// An image of a catalog.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Carried {
    /// Its full reference.
    image: String,
    /// Its digest in the lock; none where the lock has none.
    digest: Option<Digest>,
    /// Where it was found.
    found: Vec<Find>,
}

/// A place where an image was found.
#[derive(Debug, Serialize, JsonSchema)]
struct Find {
    /// The component that runs it.
    component: String,
    /// The kind of the place, such as `pod` or `custom-resource`; `declared` in the catalog.
    kind: &'static str,
    /// The place.
    #[serde(rename = "where")]
    place: String,
}

/// The images of a catalog with their finds, sorted.
#[must_use]
pub fn json(images: &Why) -> Vec<Carried> {
    let of_image = |(image, carried): (&crate::oci::Reference, &crate::resolve::Carried)| {
        let finds = carried.components.iter().flat_map(|(component, origins)| {
            let find = |origin: &crate::chart::images::Origin| Find {
                component: component.clone(),
                kind: origin.kind(),
                place: origin.place(),
            };
            origins.iter().map(find)
        });
        Carried { image: image.to_string(), digest: carried.digest, found: finds.collect() }
    };
    images.images.iter().map(of_image).collect()
}

/// Failures and warnings, for stderr.
#[must_use]
pub fn notes(images: &Why) -> Vec<String> {
    let warnings = images.warnings.iter().map(|warning| super::diagnostic::warning(warning));
    warnings.chain(super::resolved::failures(&images.failures, "was not looked at")).collect()
}
