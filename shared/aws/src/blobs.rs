//! Blobs in S3, each under its digest.

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::ProvideErrorMetadata,
    primitives::{AggregatedBytes, ByteStream},
};
use bytes::Bytes;
use ports::{BlobError, Blobs};
use sha2::{Digest, Sha256};

use crate::{Patience, retry};

/// What the keys of blobs begin with.
const PREFIX: &str = "blobs/";
/// Hex digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// An object per blob: `blobs/<digest>`. A blob is in memory as a whole when it is written or read: whoever takes content from outside
/// bounds it there.
#[derive(Clone)]
pub struct S3Blobs {
    client: Client,
    bucket: String,
    patience: Patience,
}

impl S3Blobs {
    /// Blobs in that bucket.
    pub fn new(client: Client, bucket: &str, patience: Patience) -> S3Blobs {
        S3Blobs { client, bucket: bucket.to_owned(), patience }
    }

    async fn read(&self, digest: &str) -> Result<Bytes, BlobError> {
        let request = self.client.get_object().bucket(&self.bucket).key(format!("{PREFIX}{digest}"));
        let mut pauses = self.patience.begin();
        loop {
            let answer = self.patience.send(|| request.clone().send()).await.map_err(|error| {
                match error.as_service_error() {
                    Some(refusal) if refusal.is_no_such_key() => BlobError::Missing(digest.to_owned()),
                    _ => BlobError::Unavailable(retry::words(&error)),
                }
            })?;
            match answer.body.collect().await {
                Ok(content) => return Ok(AggregatedBytes::into_bytes(content)),
                // The connection broke in the middle.
                Err(error) if !pauses.pause().await => return Err(BlobError::Unavailable(error.to_string())),
                Err(_) => {}
            }
        }
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, content: Bytes) -> Result<String, BlobError> {
        let digest = hex::encode(Sha256::digest(&content));
        let send = || {
            let request = self.client.put_object().bucket(&self.bucket).key(format!("{PREFIX}{digest}"));
            request.if_none_match("*").body(ByteStream::from(content.clone())).send()
        };
        match self.patience.send(send).await {
            Ok(_) => Ok(digest),
            Err(error) => match error.as_service_error().and_then(ProvideErrorMetadata::code) {
                // It is there already.
                Some("PreconditionFailed") => Ok(digest),
                _ => Err(BlobError::Unavailable(retry::words(&error))),
            },
        }
    }

    async fn get(&self, digest: &str) -> Result<Bytes, BlobError> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        // No other text becomes a key.
        if digest.len() != DIGEST_DIGITS || !digest.bytes().all(digit) {
            return Err(BlobError::Missing(digest.to_owned()));
        }
        let content = self.read(digest).await?;
        if hex::encode(Sha256::digest(&content)) != digest {
            return Err(BlobError::Damaged(digest.to_owned()));
        }
        Ok(content)
    }
}
