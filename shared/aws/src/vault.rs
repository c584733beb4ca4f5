//! Secrets at rest, under data keys that KMS makes and opens.

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_sdk_kms::{Client, operation::decrypt::DecryptError, primitives::Blob, types::DataKeySpec};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use futures::lock::Mutex;
use model::{Secret, Timestamp};
use ports::{Vault, VaultError};
use std::{collections::VecDeque, ops::RangeInclusive, sync::Arc, time::Duration};

use crate::{Patience, retry};

/// The layout: this byte, the length of the sealed data key in two, the sealed data key, nonce, ciphertext with tag; in Base64.
const LAYOUT: u8 = 2;
const HEADER_BYTES: usize = 3;
/// What KMS takes to open.
const SEALED_KEY_BYTES: RangeInclusive<usize> = 1..=6_144;
/// What KMS binds data keys to, and a key policy can ask for.
const CONTEXT: (&str, &str) = ("squall", "vault");
/// A data key seals for so long, and opens for so long before KMS is asked again: by then a key that was disabled is of no use.
const KEY_LIFE: Duration = Duration::from_secs(300);
/// Secrets sealed by one data key.
const MAX_SEALED: u32 = 10_000;
/// Data keys kept for opening.
const MAX_KEYS: usize = 256;

/// A data key: in clear, and as KMS sealed it.
struct DataKey {
    key: RandomizedNonceKey,
    sealed: Vec<u8>,
    until: Timestamp,
}

/// AES-256-GCM under data keys of one KMS key. The place where a text is kept, the layout and the data key are authenticated with it.
pub struct KmsVault {
    client: Client,
    key_id: String,
    patience: Patience,
    sealing: Mutex<Option<(Arc<DataKey>, u32)>>,
    opening: Mutex<VecDeque<Arc<DataKey>>>,
}

impl KmsVault {
    /// Secrets under that key: an id, an ARN or an alias.
    pub fn new(client: Client, key_id: &str, patience: Patience) -> KmsVault {
        KmsVault { client, key_id: key_id.to_owned(), patience, sealing: Mutex::default(), opening: Mutex::default() }
    }

    /// The data key that seals now.
    async fn sealing_key(&self) -> Result<Arc<DataKey>, VaultError> {
        let mut current = self.sealing.lock().await;
        if let Some((key, sealed)) =
            current.as_mut().filter(|(key, sealed)| key.until > self.patience.now() && *sealed < MAX_SEALED)
        {
            *sealed += 1;
            return Ok(Arc::clone(key));
        }
        let request = self.client.generate_data_key().key_id(&self.key_id).key_spec(DataKeySpec::Aes256);
        let request = request.encryption_context(CONTEXT.0, CONTEXT.1);
        let made = self.patience.send(|| request.clone().send()).await;
        let made = made.map_err(|error| VaultError::Unavailable(retry::words(&error)))?;
        let (Some(plain), Some(sealed)) = (made.plaintext, made.ciphertext_blob) else {
            return Err(VaultError::Unavailable("KMS made no data key".to_owned()));
        };
        let key = Arc::new(self.data_key(plain.as_ref(), sealed.into_inner())?);
        *current = Some((Arc::clone(&key), 1));
        Ok(key)
    }

    /// The data key of that sealed form.
    async fn opening_key(&self, sealed: &[u8]) -> Result<Arc<DataKey>, VaultError> {
        let now = self.patience.now();
        {
            let mut known = self.opening.lock().await;
            known.retain(|key| key.until > now);
            if let Some(key) = known.iter().find(|key| key.sealed == sealed) {
                return Ok(Arc::clone(key));
            }
        }
        let request = self.client.decrypt().key_id(&self.key_id).ciphertext_blob(Blob::new(sealed));
        let request = request.encryption_context(CONTEXT.0, CONTEXT.1);
        let opened = self.patience.send(|| request.clone().send()).await.map_err(|error| {
            if error.as_service_error().is_some_and(is_refusal) {
                VaultError::Refused
            } else {
                VaultError::Unavailable(retry::words(&error))
            }
        })?;
        let plain = opened.plaintext.ok_or(VaultError::Refused)?;
        let key = Arc::new(self.data_key(plain.as_ref(), sealed.to_vec())?);
        let mut known = self.opening.lock().await;
        if known.len() >= MAX_KEYS {
            known.pop_front();
        }
        known.push_back(Arc::clone(&key));
        Ok(key)
    }

    fn data_key(&self, plain: &[u8], sealed: Vec<u8>) -> Result<DataKey, VaultError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, plain).map_err(|_| VaultError::Refused)?;
        Ok(DataKey { key, sealed, until: self.patience.now().after(KEY_LIFE) })
    }
}

/// KMS says that this never was a data key of ours; anything else may pass, or an operator may mend it.
fn is_refusal(error: &DecryptError) -> bool {
    error.is_invalid_ciphertext_exception() || error.is_incorrect_key_exception()
}

/// Layout, length and sealed data key.
fn header(sealed: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(sealed.len()).ok()?;
    Some([&[LAYOUT], length.to_be_bytes().as_slice(), sealed].concat())
}

fn bound_to(header: &[u8], context: &str) -> Aad<Vec<u8>> {
    Aad::from([header, context.as_bytes()].concat())
}

#[async_trait]
impl Vault for KmsVault {
    async fn seal(&self, context: &str, plain: &Secret<Vec<u8>>) -> Result<String, VaultError> {
        let broken = |what: &str| VaultError::Unavailable(what.to_owned());
        let key = self.sealing_key().await?;
        let header = header(&key.sealed).ok_or_else(|| broken("KMS made a data key that is too long"))?;
        let mut sealed = plain.expose().clone();
        let nonce = key.key.seal_in_place_append_tag(bound_to(&header, context), &mut sealed);
        let nonce = nonce.map_err(|_| broken("the system's cryptography does not work"))?;
        Ok(STANDARD_NO_PAD.encode([&header, nonce.as_ref().as_slice(), &sealed].concat()))
    }

    async fn open(&self, context: &str, sealed: &str) -> Result<Secret<Vec<u8>>, VaultError> {
        let bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| VaultError::Refused)?;
        let (&[layout, high, low], rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(VaultError::Refused)?;
        if layout != LAYOUT {
            return Err(VaultError::Refused);
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (sealed_key, rest) = rest.split_at_checked(length).ok_or(VaultError::Refused)?;
        if !SEALED_KEY_BYTES.contains(&length) {
            return Err(VaultError::Refused);
        }
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(VaultError::Refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Refused)?;
        let key = self.opening_key(sealed_key).await?;
        let header = header(&key.sealed).ok_or(VaultError::Refused)?;
        let mut sealed = sealed.to_vec();
        let plain = key.key.open_in_place(nonce, bound_to(&header, context), &mut sealed);
        Ok(Secret::new(plain.map_err(|_| VaultError::Refused)?.to_vec()))
    }
}
