//! Packs.

use engine::InstalledPack;
use model::Id;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::attributes::Resource;

/// A pack in the version that is live.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PackResource<'a> {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: &'a str,
    name: &'a str,
    description: &'a str,
    version: &'a str,
    author: &'a str,
    /// The version's content address.
    digest: &'a str,
    files: Vec<&'a str>,
    /// The other keys of `pack.yaml`; those above are taken out of them.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl<'a> From<&'a InstalledPack> for PackResource<'a> {
    fn from(pack: &'a InstalledPack) -> PackResource<'a> {
        const TAKEN: [&str; 9] = ["id", "uid", "ref", "name", "description", "version", "author", "digest", "files"];
        let metadata = &pack.metadata;
        let mut rest: Map<String, Value> = ["keywords", "dependencies", "contributors"]
            .map(|name| (name.to_owned(), Value::Array(Vec::new())))
            .into_iter()
            .collect();
        let written = metadata.extra.iter().filter(|(name, _)| !TAKEN.contains(&name.as_str()));
        rest.extend(written.map(|(name, value)| (name.clone(), value.clone())));
        PackResource {
            id: metadata.id(),
            uid: format!("pack:{}", metadata.reference),
            reference: &metadata.reference,
            name: &metadata.name,
            description: &metadata.description,
            version: &metadata.version,
            author: &metadata.author,
            digest: &pack.digest,
            files: pack.files.iter().map(|file| file.path.as_str()).collect(),
            rest,
        }
    }
}

impl Resource for PackResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "uid",
        "ref",
        "name",
        "description",
        "version",
        "author",
        "digest",
        "files",
        "keywords",
        "dependencies",
        "contributors",
        "email",
        "stackstorm_version",
        "python_versions",
        "system",
    ];
    const MANDATORY: &'static [&'static str] = &["id", "name", "ref"];
}
