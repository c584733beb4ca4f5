//! The blobs' contract, and what S3 can do.

use aws::S3Blobs;
use bytes::Bytes;
use ports::{BlobError, Blobs};
use std::sync::Arc;

use crate::fixture::{Place, patience, run};

async fn blobs() -> (S3Blobs, Place) {
    let place = Place::new().await;
    place.create_bucket().await;
    (S3Blobs::new(place.clients.s3().clone(), &place.settings.bucket, patience()), place)
}

fn open() -> (Arc<dyn Blobs>, Place) {
    run(async {
        let (blobs, place) = blobs().await;
        (Arc::new(blobs) as Arc<dyn Blobs>, place)
    })
}

testkit::blobs_contract!(run, open);

#[test]
fn a_damaged_blob_is_found_out() {
    run(async {
        let (blobs, place) = blobs().await;
        let digest = blobs.put(Bytes::from_static(b"content")).await.unwrap();
        let damage = place.clients.s3().put_object().bucket(&place.settings.bucket).key(format!("blobs/{digest}"));
        damage.body(Bytes::from_static(b"damaged").into()).send().await.unwrap();
        assert_eq!(blobs.get(&digest).await, Err(BlobError::Damaged(digest)));
    });
}

#[test]
fn what_is_there_is_not_written_again() {
    run(async {
        let (blobs, place) = blobs().await;
        let content = Bytes::from_static(b"content");
        let digest = blobs.put(content.clone()).await.unwrap();
        let written = || async {
            let head = place.clients.s3().head_object().bucket(&place.settings.bucket).key(format!("blobs/{digest}"));
            head.send().await.unwrap().e_tag.unwrap()
        };
        let before = written().await;
        assert_eq!(blobs.put(content).await, Ok(digest.clone()));
        assert_eq!(written().await, before);
    });
}

#[test]
fn a_bucket_that_is_not_there_is_no_missing_blob() {
    run(async {
        let place = Place::new().await;
        let blobs = S3Blobs::new(place.clients.s3().clone(), "none", patience());
        let digest = "0".repeat(64);
        assert!(matches!(blobs.get(&digest).await, Err(BlobError::Unavailable(_))));
        assert!(matches!(blobs.put(Bytes::new()).await, Err(BlobError::Unavailable(_))));
    });
}
