//! What every vault does.
#![expect(clippy::unwrap_used, reason = "a case fails by panicking")]

use model::Secret;
use ports::{Vault, VaultError};
use std::sync::Arc;

fn secret(text: &[u8]) -> Secret<Vec<u8>> {
    Secret::new(text.to_vec())
}

/// Any bytes, none at all and many, come back as they were.
pub async fn what_was_sealed_opens(vault: Arc<dyn Vault>) {
    for plain in [secret(b""), secret(b"\0\xff text"), secret(&[7; 100_000])] {
        let sealed = vault.seal("place", &plain).await.unwrap();
        assert_eq!(vault.open("place", &sealed).await, Ok(plain));
    }
}

/// The sealed text is printable and shows nothing of the secret.
pub async fn sealed_text_hides_the_secret(vault: Arc<dyn Vault>) {
    let sealed = vault.seal("place", &secret(b"canary-canary")).await.unwrap();
    assert!(sealed.is_ascii() && !sealed.contains(char::is_whitespace));
    let hex = "63616e6172792d63616e617279";
    let base64 = "Y2FuYXJ5LWNhbmFyeQ";
    assert!(![hex, base64, "canary"].iter().any(|text| sealed.contains(text)), "{sealed}");
}

/// What was sealed for one place does not open at another.
pub async fn another_context_is_refused(vault: Arc<dyn Vault>) {
    let sealed = vault.seal("one", &secret(b"text")).await.unwrap();
    assert_eq!(vault.open("other", &sealed).await, Err(VaultError::Refused));
    assert_eq!(vault.open("", &sealed).await, Err(VaultError::Refused));
}

/// Whatever was changed, cut off or made up is refused.
pub async fn damaged_text_is_refused(vault: Arc<dyn Vault>) {
    let sealed = vault.seal("place", &secret(b"text")).await.unwrap();
    for place in 0..sealed.len() {
        let flipped = sealed.char_indices().map(|(at, digit)| match digit {
            _ if at != place => digit,
            '0' => '1',
            _ => '0',
        });
        assert_eq!(
            vault.open("place", &flipped.collect::<String>()).await,
            Err(VaultError::Refused),
            "changed at {place}"
        );
        let cut: String = sealed.chars().take(place).collect();
        assert_eq!(vault.open("place", &cut).await, Err(VaultError::Refused), "cut at {place}");
    }
    assert_eq!(vault.open("place", "not sealed at all é").await, Err(VaultError::Refused));
}
