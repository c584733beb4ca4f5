//! A vault for tests.

use async_trait::async_trait;
use model::Secret;
use ports::{Vault, VaultError};
use sha2::{Digest, Sha256};

/// Hides what it seals well enough that no test finds the text by looking for it, always in the same way. Protects nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeVault;

const CHECK_BYTES: usize = 8;

#[async_trait]
impl Vault for FakeVault {
    async fn seal(&self, context: &str, plain: &Secret<Vec<u8>>) -> Result<String, VaultError> {
        let mut sealed = veil(context, plain.expose());
        sealed.extend(check(context, plain.expose()));
        Ok(hex::encode(sealed))
    }

    async fn open(&self, context: &str, sealed: &str) -> Result<Secret<Vec<u8>>, VaultError> {
        let bytes = hex::decode(sealed).map_err(|_| VaultError::Refused)?;
        let length = bytes.len().checked_sub(CHECK_BYTES).ok_or(VaultError::Refused)?;
        let (veiled, found) = bytes.split_at_checked(length).ok_or(VaultError::Refused)?;
        let plain = veil(context, veiled);
        if check(context, &plain) == found { Ok(Secret::new(plain)) } else { Err(VaultError::Refused) }
    }
}

/// Its own inverse: a stream that depends on the context is laid over the bytes.
fn veil(context: &str, bytes: &[u8]) -> Vec<u8> {
    let stream =
        (0u64..).flat_map(|block| Sha256::new().chain_update(context).chain_update(block.to_be_bytes()).finalize());
    bytes.iter().zip(stream).map(|(byte, veil)| byte ^ veil).collect()
}

fn check(context: &str, plain: &[u8]) -> Vec<u8> {
    let digest =
        Sha256::new().chain_update("check").chain_update(context).chain_update([0]).chain_update(plain).finalize();
    digest.iter().take(CHECK_BYTES).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::sync::Arc;

    fn run(case: impl Future<Output = ()>) {
        case.now_or_never().expect("nothing here waits");
    }

    fn open() -> (Arc<dyn Vault>, ()) {
        (Arc::new(FakeVault), ())
    }

    crate::vault_contract!(run, open);
}
