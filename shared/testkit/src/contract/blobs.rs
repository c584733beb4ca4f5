//! What every blob store does.
#![expect(clippy::unwrap_used, reason = "a case fails by panicking")]

use bytes::Bytes;
use ports::{BlobError, Blobs};
use std::sync::Arc;

/// The SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Any bytes, none at all and many, come back as they were.
pub async fn content_comes_back(blobs: Arc<dyn Blobs>) {
    for content in [Bytes::new(), Bytes::from_static(b"\0\xff text"), Bytes::from(vec![7; 3 << 20])] {
        let digest = blobs.put(content.clone()).await.unwrap();
        assert_eq!(blobs.get(&digest).await, Ok(content));
    }
}

/// Equal bytes have one address, the SHA-256 in hex; other bytes another.
pub async fn the_digest_is_the_address(blobs: Arc<dyn Blobs>) {
    assert_eq!(blobs.put(Bytes::new()).await.unwrap(), EMPTY);
    let [one, again, other] = ["a", "a", "b"].map(|text| blobs.put(Bytes::from_static(text.as_bytes())));
    let (one, again, other) = futures::join!(one, again, other);
    assert_eq!(one, again);
    assert_ne!(one, other);
}

/// What was never stored is missing, and says which it is.
pub async fn what_is_missing_is_named(blobs: Arc<dyn Blobs>) {
    assert_eq!(blobs.get(EMPTY).await, Err(BlobError::Missing(EMPTY.to_owned())));
}

/// A text that is no digest finds nothing, whatever else it might name.
pub async fn digests_are_not_paths(blobs: Arc<dyn Blobs>) {
    let digest = blobs.put(Bytes::from_static(b"x")).await.unwrap();
    let inside = format!("../{digest}");
    for text in ["", ".", "é", "../vault.key", "/etc/hostname", &inside, &digest.to_uppercase()] {
        assert_eq!(blobs.get(text).await, Err(BlobError::Missing(text.to_owned())));
    }
}
