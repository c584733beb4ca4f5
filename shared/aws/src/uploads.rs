//! Packs on their way in: a signed URL to one object of the bucket, whose arrival S3 tells of.

use async_trait::async_trait;
use aws_sdk_s3::{Client, presigning::PresigningConfig};
use bytes::Bytes;
use model::{Id, content::MAX_PACK_BYTES};
use ports::{Clock, UploadError, UploadUrl, Uploads};
use std::time::Duration;

use crate::{SystemClock, retry};

/// How long there is time to upload.
const VALID: Duration = Duration::from_secs(15 * 60);
const PREFIX: &str = "uploads/";
const SUFFIX: &str = ".zip";

/// The upload that lies under a key of the bucket.
pub fn upload_of(key: &str) -> Option<Id> {
    key.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

/// Uploads lie in the bucket under `uploads/`; the bucket removes them after a day.
pub struct S3Uploads {
    client: Client,
    bucket: String,
}

impl S3Uploads {
    /// Uploads to that bucket.
    pub fn new(client: Client, bucket: &str) -> S3Uploads {
        S3Uploads { client, bucket: bucket.to_owned() }
    }

    /// What was uploaded; `None` where it is more than a pack may be.
    pub async fn content(&self, key: &str) -> Result<Option<Bytes>, UploadError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = request.send().await.map_err(|error| UploadError(retry::words(&error)))?;
        let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
        if length.is_none_or(|length| length > MAX_PACK_BYTES) {
            return Ok(None);
        }
        let content = answer.body.collect().await.map_err(|error| UploadError(error.to_string()))?;
        Ok(Some(content.into_bytes()))
    }
}

#[async_trait]
impl Uploads for S3Uploads {
    async fn place(&self, id: Id, bytes: u64) -> Result<UploadUrl, UploadError> {
        let wrong = |error: &dyn std::fmt::Display| UploadError(error.to_string());
        let expires_at = SystemClock.now().after(VALID);
        let valid = PresigningConfig::expires_in(VALID).map_err(|error| wrong(&error))?;
        let request = self.client.put_object().bucket(&self.bucket).key(format!("{PREFIX}{id}{SUFFIX}"));
        // The length is part of what is signed: no more can be uploaded than was announced.
        let request = request.content_length(i64::try_from(bytes).map_err(|error| wrong(&error))?);
        let signed = request.presigned(valid).await.map_err(|error| UploadError(retry::words(&error)))?;
        Ok(UploadUrl { url: signed.uri().to_owned(), expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_of_uploads_name_one() {
        let id = Id::named(&["x"]);
        assert_eq!(upload_of(&format!("uploads/{id}.zip")), Some(id));
        for key in ["uploads/.zip", "uploads/../x.zip", "blobs/x", "uploads/zzz.zip"] {
            assert_eq!(upload_of(key), None, "{key}");
        }
    }
}
