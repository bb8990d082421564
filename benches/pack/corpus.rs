//! The images: real layouts with layers that do not compress, the same bytes on every machine.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bundler::oci::{Digest, Hasher, media_type};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Result;

/// Changes when the bytes of a corpus do, so that an older one is not used.
const VERSION: u32 = 1;
/// Images by the weight of what only they have: many small ones, some large, as in a real catalog.
const WEIGHTS: [u64; 5] = [1, 1, 2, 4, 12];
/// An image's own layers in hundredths.
const LAYERS: [u64; 4] = [60, 25, 12, 3];
/// The part of the whole that is in base layers, each shared by the images of one round of the weights, in hundredths.
const BASES: u64 = 15;
/// The tag of every image.
pub(crate) const TAG: &str = "1.0.0";

/// A directory with `blobs/HEX` and what is in it.
#[derive(Debug)]
pub(crate) struct Corpus {
    pub(crate) directory: PathBuf,
    pub(crate) contents: Contents,
}

/// `contents.json`, written last: a corpus without it is not whole.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) images: Vec<Image>,
    /// Every blob once, manifests too, in the order in which they are fetched.
    pub(crate) blobs: Vec<Blob>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) index: String,
    pub(crate) manifest: Blob,
    /// Config and layers.
    pub(crate) layers_size: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blob {
    pub(crate) digest: String,
    pub(crate) size: u64,
}

impl Blob {
    /// The digest without `sha256:`.
    pub(crate) fn hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").unwrap_or(&self.digest)
    }
}

impl Corpus {
    /// Reads a corpus that is there.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let contents = serde_json::from_slice(&fs::read(directory.join("contents.json"))?)?;
        Ok(Self { directory: directory.to_owned(), contents })
    }

    /// The corpus of so many images and bytes, built unless an earlier run left it.
    pub(crate) fn build(work: &Path, images: u32, size: u64) -> Result<Self> {
        let directory = work.join(format!("corpus-{VERSION}-{images}-{size}"));
        if let Ok(corpus) = Self::open(&directory) {
            return Ok(corpus);
        }
        writeln!(io::stderr(), "  building {}", directory.display())?;
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(directory.join("blobs"))?;
        let mut corpus = Self { directory, contents: Contents::default() };
        corpus.fill(u64::from(images), size)?;
        fs::write(corpus.directory.join("contents.json"), serde_json::to_vec(&corpus.contents)?)?;
        Ok(corpus)
    }

    fn fill(&mut self, images: u64, size: u64) -> Result<()> {
        let weight = |image: u64| WEIGHTS[usize::try_from(image).unwrap_or_default() % WEIGHTS.len()];
        let weights: u64 = (0..images).map(weight).sum();
        let group = WEIGHTS.len() as u64;
        let base_size = size * BASES / 100 / images.div_ceil(group);
        let mut base = None;
        for image in 0..images {
            if image % group == 0 {
                base = Some(self.layer(1_000_000 + image, base_size)?);
            }
            let own = size * (100 - BASES) / 100 * weight(image) / weights;
            let mut layers: Vec<Layer> = base.iter().cloned().collect();
            for (number, hundredths) in (0_u64..).zip(LAYERS) {
                layers.push(self.layer(image * 10 + number, own * hundredths / 100)?);
            }
            self.image(format!("image-{image:03}"), &layers)?;
        }
        self.contents.blobs.sort_by(|a, b| a.digest.cmp(&b.digest));
        Ok(())
    }

    fn image(&mut self, name: String, layers: &[Layer]) -> Result<()> {
        let diff_ids: Vec<_> = layers.iter().map(|layer| &layer.diff_id).collect();
        let config = self.json(&json!({
            "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
            "config": {"Cmd": ["/data"], "Labels": {"name": name}},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }))?;
        let descriptors: Vec<_> = layers
            .iter()
            .map(|layer| {
                let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
                json!({"mediaType": media_type, "digest": layer.blob.digest, "size": layer.blob.size})
            })
            .collect();
        let manifest = self.json(&json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.digest, "size": config.size,
            },
            "layers": descriptors,
        }))?;
        let index = self.json(&json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_INDEX,
            "manifests": [{
                "mediaType": media_type::OCI_MANIFEST, "digest": manifest.digest, "size": manifest.size,
                "platform": {"architecture": "amd64", "os": "linux"},
            }],
        }))?;
        let layers_size = config.size + layers.iter().map(|layer| layer.blob.size).sum::<u64>();
        self.contents.images.push(Image { name, index: index.digest, manifest, layers_size });
        Ok(())
    }

    fn json(&mut self, value: &serde_json::Value) -> Result<Blob> {
        let bytes = serde_json::to_vec(value)?;
        let blob = Blob { digest: Digest::of(&bytes).to_string(), size: bytes.len() as u64 };
        fs::write(self.directory.join("blobs").join(blob.hex()), bytes)?;
        self.contents.blobs.push(blob.clone());
        Ok(blob)
    }

    /// A gzipped tar with one file; about `size` bytes, because noise takes as much compressed.
    fn layer(&mut self, seed: u64, size: u64) -> Result<Layer> {
        let building = self.directory.join("blobs/layer");
        let file = Hashing::new(BufWriter::new(File::create(&building)?));
        // Stored: what a compressor makes of noise, without waiting for it.
        let tar = Hashing::new(GzEncoder::new(file, Compression::none()));
        let mut tar = tar::Builder::new(tar);
        let mut header = tar::Header::new_ustar();
        header.set_size(size);
        header.set_mode(0o755);
        tar.append_data(&mut header, "data", Noise(seed).take(size))?;
        let tar = tar.into_inner()?;
        let diff_id = tar.hasher.finish().to_string();
        let mut file = tar.inner.finish()?;
        file.inner.flush()?;
        let blob = Blob { digest: file.hasher.finish().to_string(), size: file.size };
        fs::rename(building, self.directory.join("blobs").join(blob.hex()))?;
        self.contents.blobs.push(blob.clone());
        Ok(Layer { blob, diff_id })
    }
}

#[derive(Clone, Debug)]
struct Layer {
    blob: Blob,
    /// The digest of the tar that is in it.
    diff_id: String,
}

/// Hashes and counts what passes through.
struct Hashing<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::new(), size: 0 }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Bytes that no compressor makes smaller: splitmix64 from a seed.
struct Noise(u64);

impl Read for Noise {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
        Ok(bytes.len())
    }
}
