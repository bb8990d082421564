//! Locking files: the sha256 that the publisher gives, the size, and the member that is shipped.

use std::collections::BTreeMap;

use url::Url;

use super::Failure;
use super::download::{self, Fetched};
use super::sources::{Patience, Sources};
use super::versions::parse_url;
use crate::catalog::model::{self, Algorithm, Component, PerArch};
use crate::catalog::names::Names;
use crate::lock::model as lock;
use crate::oci::{Arch, Digest};
use crate::source::{self, checksum, checksum::Checksums};

/// Locks the files of one component.
pub(super) struct Files<'a> {
    pub(super) sources: &'a Sources,
    pub(super) component: &'a Component,
    pub(super) architectures: &'a [Arch],
    /// The version and tag of the component.
    pub(super) names: Names<'a>,
    /// The component as the lock has it.
    pub(super) locked: Option<&'a lock::Component>,
    pub(super) patience: Patience,
}

/// What the publisher says about a file.
enum Published {
    Sha256(Digest),
    /// GitHub's digest of the asset, with its size.
    Asset(Digest, u64),
    /// A sha512 in hex: the file has to be read for its sha256.
    Sha512(String),
    Nothing,
}

impl Files<'_> {
    pub(super) async fn lock(&self) -> Result<BTreeMap<String, BTreeMap<Arch, lock::File>>, Failure> {
        let mut files = BTreeMap::new();
        for file in &self.component.files {
            let mut by_arch = BTreeMap::new();
            for arch in self.architectures {
                by_arch.insert(*arch, self.file(file, *arch).await?);
            }
            files.insert(file.name.value.clone(), by_arch);
        }
        Ok(files)
    }

    async fn file(&self, file: &model::File, arch: Arch) -> Result<lock::File, Failure> {
        let locked = self.locked.and_then(|locked| locked.files.get(&file.name.value)?.get(&arch));
        let found = self.find(file, arch, locked).await?;
        if let Some(locked) = locked.filter(|locked| locked.url == found.url) {
            self.sources.unreplaced(&found.url, locked.sha256, found.sha256, self.patience)?;
        }
        Ok(found)
    }

    async fn find(&self, file: &model::File, arch: Arch, locked: Option<&lock::File>) -> Result<lock::File, Failure> {
        let upstream = self.component.arch.get(&arch).map_or(arch.as_str(), String::as_str);
        let names = Names { arch: Some(upstream), ..self.names };
        let missing = || Failure::MissingArch { artifact: file.name.value.clone(), arch, present: given(&file.url) };
        let text = names.fill_url(file.url.get(arch).ok_or_else(missing)?)?;
        let url = parse_url("files.url", &text)?;
        let member = match &file.extract {
            Some(extract) => Some(names.fill(extract.get(arch).ok_or_else(missing)?)?),
            None => None,
        };
        let locked = locked.filter(|locked| locked.url == text && is_whole(locked, member.as_deref()));
        let published = self.published(&file.checksum.value, &names, arch, &url).await?;
        let (question, from) = match &published {
            Published::Sha256(digest) => (digest.to_string(), lock::From::ChecksumFile),
            Published::Asset(digest, _) => (digest.to_string(), lock::From::GithubAsset),
            Published::Sha512(hex) => (format!("sha512:{hex}"), lock::From::ChecksumFile),
            Published::Nothing => (String::new(), lock::From::Download),
        };
        match (&published, locked) {
            (Published::Sha256(digest) | Published::Asset(digest, _), Some(locked)) if locked.sha256 == *digest => {
                return Ok(lock::File { from, ..locked.clone() });
            }
            // Nobody says what it should be but the lock itself.
            (Published::Nothing, Some(locked)) => return Ok(lock::File { from, ..locked.clone() }),
            _ => {}
        }
        // What bytes with a digest are never changes; without one only an offline run takes what was learned.
        let question = format!("file {text} {question} {}", member.as_deref().unwrap_or_default());
        if let Some(known) = self.sources.kept.read::<lock::File>(&question)
            && (self.sources.offline || !matches!(published, Published::Nothing))
        {
            return Ok(lock::File { from, ..known });
        }
        let known = self.learn(&url, text, published, from, member).await?;
        self.sources.kept.write(&question, &known);
        Ok(known)
    }

    /// Asks for the size, or downloads what has to be read.
    async fn learn(
        &self,
        url: &Url,
        text: String,
        published: Published,
        from: lock::From,
        member: Option<String>,
    ) -> Result<lock::File, Failure> {
        let known = match &published {
            Published::Asset(digest, size) => Some((*digest, *size)),
            Published::Sha256(digest) if member.is_none() => self.size(url).await?.map(|size| (*digest, size)),
            _ => None,
        };
        if let (Some((sha256, size)), None) = (known, &member) {
            return Ok(lock::File { url: text, sha256, size: Some(size), from, member: None });
        }
        let (fetched, file) = download::to_file(self.sources, url).await?;
        check(&text, &published, &fetched)?;
        let member = match member {
            Some(path) => {
                let (sha256, size) = download::member(file, &text, &path, std::io::sink()).await?;
                Some(lock::Member { path, sha256: Some(sha256), size: Some(size) })
            }
            None => None,
        };
        Ok(lock::File { url: text, sha256: fetched.sha256, size: Some(fetched.size), from, member })
    }

    /// The size that HEAD tells; none where the server does not tell.
    async fn size(&self, url: &Url) -> Result<Option<u64>, Failure> {
        match self.sources.http.head(url).await {
            Ok(head) => Ok(head.length),
            Err(error) if error.refuses_head() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn published(
        &self,
        checksum: &model::Checksum,
        names: &Names<'_>,
        arch: Arch,
        url: &Url,
    ) -> Result<Published, Failure> {
        if checksum.github_asset == Some(true) {
            return self.asset(url).await;
        }
        let Some(place) = &checksum.url else { return Ok(Published::Nothing) };
        let missing = || Failure::MissingArch { artifact: "checksum.url".to_owned(), arch, present: given(place) };
        let place = parse_url("checksum.url", &names.fill_url(place.get(arch).ok_or_else(missing)?)?)?;
        let entry = match &checksum.entry {
            Some(entry) => entry.get(arch).map(|entry| names.fill(entry)).transpose()?,
            None => None,
        };
        let algorithm = checksum.algorithm.unwrap_or(Algorithm::Sha256);
        let text = self.text(&place).await?;
        let mut sums = Checksums::parse(&text, None);
        if sums.is_unordered() {
            // yq's convention: the order of the hashes stands in a file beside.
            let order = parse_url("checksum.url", &format!("{place}_hashes_order"))?;
            match self.text(&order).await {
                Ok(order) => sums = Checksums::parse(&text, Some(&order)),
                // Then the error is that nothing tells the order.
                Err(Failure::Source(error)) if error.status().is_some_and(|s| s.as_u16() == 404) => {}
                Err(error) => return Err(error),
            }
        }
        let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
        let picked = sums.pick(algorithm, entry.as_deref().unwrap_or(&path), entry.is_some());
        let hex =
            picked.map_err(|source| Failure::Checksum { file: url.to_string(), url: place.to_string(), source })?;
        Ok(match algorithm {
            Algorithm::Sha512 => Published::Sha512(hex.to_owned()),
            Algorithm::Sha256 => Published::Sha256(Digest::from_hex(hex).map_err(|_| Failure::Checksum {
                file: url.to_string(),
                url: place.to_string(),
                source: checksum::Error::Unordered { wanted: path },
            })?),
        })
    }

    async fn text(&self, url: &Url) -> Result<String, Failure> {
        let bytes = self.sources.document(url, checksum::MAX_CHECKSUM_FILE).await?;
        String::from_utf8(bytes.to_vec())
            .map_err(|_| source::Error::Malformed { url: url.to_string(), reason: "no text".to_owned() }.into())
    }

    /// GitHub's digest of a release's asset.
    async fn asset(&self, url: &Url) -> Result<Published, Failure> {
        let unknown = || Failure::NoAssetDigest { url: url.to_string() };
        let github = &self.sources.github;
        let (repository, tag) = github.release_of(url.as_str()).ok_or_else(unknown)?;
        let listing = github.tags(&repository, &tag).await?;
        let release = github.release(&repository, &tag, listing.fingerprint).await?.ok_or_else(unknown)?;
        let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let name = plain(url.path().rsplit('/').next().unwrap_or_default());
        let asset = release.assets.iter().find(|asset| asset.name == name).ok_or_else(unknown)?;
        Ok(Published::Asset(asset.sha256().ok_or_else(unknown)?, asset.size))
    }
}

/// Whether the bytes are what the publisher says.
fn check(url: &str, published: &Published, fetched: &Fetched) -> Result<(), Failure> {
    match published {
        Published::Sha256(digest) | Published::Asset(digest, _) if *digest != fetched.sha256 => {
            Err(Failure::mismatch(url, *digest, fetched.sha256))
        }
        Published::Sha512(hex) if *hex != fetched.sha512 => Err(Failure::Mismatch {
            url: url.to_owned(),
            expected: format!("sha512:{hex}"),
            found: format!("sha512:{}", fetched.sha512),
        }),
        _ => Ok(()),
    }
}

/// Whether a lock's entry says everything that is wanted of it.
fn is_whole(file: &lock::File, member: Option<&str>) -> bool {
    let member_known = match (&file.member, member) {
        (None, None) => true,
        (Some(locked), Some(path)) => locked.path == path && locked.sha256.is_some() && locked.size.is_some(),
        _ => false,
    };
    file.size.is_some() && member_known
}

/// The architectures that a text is given for.
fn given(text: &PerArch) -> Vec<String> {
    match text {
        PerArch::One(_) => Vec::new(),
        PerArch::Each(map) => map.keys().map(ToString::to_string).collect(),
    }
}
