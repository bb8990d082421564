//! What GitHub says of a repository itself (REST API, "Get a repository").

use jiff::Timestamp;
use serde::Deserialize;

use super::{Error, Freshness, GitHub, Repository, parse};

/// A repository as GitHub describes it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Whether its owner made it read-only.
    pub archived: bool,
    /// When something was last pushed to it.
    pub pushed_at: Option<Timestamp>,
    /// The SPDX identifier of the licence that GitHub sees; `NOASSERTION` where it sees none that it knows.
    pub licence: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    pushed_at: Option<Timestamp>,
    #[serde(default)]
    license: Option<License>,
}

#[derive(Deserialize)]
struct License {
    spdx_id: Option<String>,
}

impl GitHub {
    /// What a repository is like; none where GitHub knows no such repository.
    pub async fn about(&self, repository: &Repository) -> Result<Option<About>, Error> {
        let what = format!("the repository {repository}");
        let Some(value) = self.ask(&what, &format!("/repos/{repository}"), Freshness::Week).await? else {
            return Ok(None);
        };
        let Answer { archived, pushed_at, license } = parse(&what, value)?;
        Ok(Some(About { archived, pushed_at, licence: license.and_then(|license| license.spdx_id) }))
    }
}
