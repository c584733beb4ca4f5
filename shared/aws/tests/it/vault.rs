//! The vault's contract, and how often KMS is asked.

use aws::{KmsVault, Patience};
use model::{Secret, Timestamp};
use ports::{Clock, Vault, VaultError};
use std::{sync::Arc, time::Duration};
use testkit::FakeClock;

use crate::fixture::{Place, patience, run};

async fn key(place: &Place) -> String {
    place.clients.kms().create_key().send().await.unwrap().key_metadata.unwrap().key_id
}

fn open() -> (Arc<dyn Vault>, Place) {
    run(async {
        let place = Place::new().await;
        let key = key(&place).await;
        (Arc::new(KmsVault::new(place.clients.kms().clone(), &key, patience())) as Arc<dyn Vault>, place)
    })
}

testkit::vault_contract!(run, open);

fn secret() -> Secret<Vec<u8>> {
    Secret::new(b"text".to_vec())
}

#[test]
fn a_data_key_serves_many_secrets_but_not_for_ever() {
    run(async {
        let place = Place::new().await;
        let key = key(&place).await;
        let clock = Arc::new(FakeClock::new(Timestamp::from_millis(0), 1));
        let vault = || {
            let patience = Patience::new(Arc::clone(&clock) as Arc<dyn Clock>);
            KmsVault::new(place.clients.kms().clone(), &key, patience)
        };
        let (writer, reader) = (vault(), vault());
        let asked = || place.requests.take().into_iter().collect::<Vec<_>>();
        asked();
        let mut sealed = Vec::new();
        for _ in 0..20 {
            sealed.push(writer.seal("place", &secret()).await.unwrap());
        }
        for text in &sealed {
            assert_eq!(reader.open("place", text).await, Ok(secret()));
        }
        let once = |operation: &str| (operation.to_owned(), 1);
        assert_eq!(asked(), [once("KMS.Decrypt"), once("KMS.GenerateDataKey")]);
        clock.advance(Duration::from_secs(3_600));
        let later = writer.seal("place", &secret()).await.unwrap();
        assert_eq!(reader.open("place", &sealed[0]).await, Ok(secret()));
        assert_eq!(reader.open("place", &later).await, Ok(secret()));
        assert_eq!(asked(), [("KMS.Decrypt".to_owned(), 2), once("KMS.GenerateDataKey")]);
    });
}

#[test]
fn another_key_is_refused_and_a_missing_one_is_no_reason_to_refuse() {
    run(async {
        let place = Place::new().await;
        let vault = |key: &str| KmsVault::new(place.clients.kms().clone(), key, patience());
        let (one, other) = (vault(&key(&place).await), vault(&key(&place).await));
        let sealed = one.seal("place", &secret()).await.unwrap();
        assert_eq!(other.open("place", &sealed).await, Err(VaultError::Refused));
        let none = vault("00000000-0000-0000-0000-000000000000");
        assert!(matches!(none.seal("place", &secret()).await, Err(VaultError::Unavailable(_))));
    });
}
