//! Secrets at rest, under a key in a file.

use async_trait::async_trait;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use model::Secret;
use ports::{Vault, VaultError};
use sha2::{Digest, Sha256};
use std::{fs, io, path::Path};

use crate::private_file;

/// The layout: this byte, key id, nonce, ciphertext with tag; in Base64.
const LAYOUT: u8 = 1;
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES;

/// AES-256-GCM. The place where a text is kept, the layout and the key id are authenticated with it.
pub struct LocalVault {
    key: RandomizedNonceKey,
    header: Vec<u8>,
}

/// The key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be read or written.
    #[error("{0}")]
    File(#[from] io::Error),
    /// It holds something else.
    #[error("it does not hold a key of 64 hex digits: put it back from a backup")]
    NoKey,
    /// No randomness, or no cipher.
    #[error("the system's cryptography does not work")]
    Cryptography,
}

impl LocalVault {
    /// Makes a key and writes it to the file, which only the owner may read. It does not replace one.
    pub fn create_key(path: &Path) -> Result<(), KeyError> {
        if path.try_exists()? {
            return Err(KeyError::File(io::ErrorKind::AlreadyExists.into()));
        }
        let mut key = [0; KEY_BYTES];
        rand::fill(&mut key).map_err(|_| KeyError::Cryptography)?;
        private_file::replace(path, &path.with_extension("new"), format!("{}\n", hex::encode(key)).as_bytes())?;
        Ok(())
    }

    /// The vault whose key is in that file.
    pub fn open(path: &Path) -> Result<LocalVault, KeyError> {
        let text = fs::read(path)?;
        let mut key = [0; KEY_BYTES];
        hex::decode_to_slice(text.trim_ascii(), &mut key).map_err(|_| KeyError::NoKey)?;
        let id = Sha256::new().chain_update("key id").chain_update(key).finalize();
        let header = [LAYOUT].into_iter().chain(id.into_iter().take(KEY_ID_BYTES)).collect();
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| KeyError::Cryptography)?;
        Ok(LocalVault { key, header })
    }

    fn bound_to(&self, context: &str) -> Aad<Vec<u8>> {
        Aad::from([&self.header, context.as_bytes()].concat())
    }
}

#[async_trait]
impl Vault for LocalVault {
    async fn seal(&self, context: &str, plain: &Secret<Vec<u8>>) -> Result<String, VaultError> {
        let mut sealed = plain.expose().clone();
        let nonce = self.key.seal_in_place_append_tag(self.bound_to(context), &mut sealed);
        let nonce = nonce.map_err(|_| VaultError::Unavailable("the system's cryptography does not work".to_owned()))?;
        Ok(STANDARD_NO_PAD.encode([&self.header, nonce.as_ref().as_slice(), &sealed].concat()))
    }

    async fn open(&self, context: &str, sealed: &str) -> Result<Secret<Vec<u8>>, VaultError> {
        let bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| VaultError::Refused)?;
        let (header, rest) = bytes.split_at_checked(HEADER_BYTES).ok_or(VaultError::Refused)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(VaultError::Refused)?;
        if header != self.header {
            return Err(VaultError::Refused);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Refused)?;
        let mut sealed = sealed.to_vec();
        let plain =
            self.key.open_in_place(nonce, self.bound_to(context), &mut sealed).map_err(|_| VaultError::Refused)?;
        Ok(Secret::new(plain.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::fs::PermissionsExt, sync::Arc};
    use tempfile::TempDir;

    fn run(case: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(case);
    }

    fn open() -> (Arc<dyn Vault>, TempDir) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("vault.key");
        LocalVault::create_key(&path).unwrap();
        (Arc::new(LocalVault::open(&path).unwrap()), directory)
    }

    testkit::vault_contract!(run, open);

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        run(async {
            let (vault, _kept) = open();
            let secret = Secret::new(b"text".to_vec());
            assert_ne!(vault.seal("place", &secret).await, vault.seal("place", &secret).await);
        });
    }

    #[test]
    fn another_key_is_refused() {
        run(async {
            let ((vault, _kept), (other, _kept_too)) = (open(), open());
            let sealed = vault.seal("place", &Secret::new(b"text".to_vec())).await.unwrap();
            assert_eq!(other.open("place", &sealed).await, Err(VaultError::Refused));
        });
    }

    #[test]
    fn a_key_is_private_stays_and_must_be_one() {
        let (_, directory) = open();
        let path = directory.path().join("vault.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let before = fs::read(&path).unwrap();
        assert!(LocalVault::create_key(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::write(&path, "no key").unwrap();
        assert!(matches!(LocalVault::open(&path), Err(KeyError::NoKey)));
        assert!(matches!(LocalVault::open(&directory.path().join("none")), Err(KeyError::File(_))));
    }
}
