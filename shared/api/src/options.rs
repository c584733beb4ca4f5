//! What the host decides about the interface.

use ports::{DeadLetters, Uploads};
use std::sync::Arc;

/// Settings of the REST interface.
#[derive(Clone)]
pub struct ApiOptions {
    /// Bytes of a JSON, form or webhook body.
    pub body_limit: usize,
    /// Bytes of all files of an uploaded pack together.
    pub pack_limit: usize,
    /// The largest page that users who are no admins may ask for.
    pub max_page_size: usize,
    /// Origins of browsers that may call (CORS), such as `https://console.example.com`. None by default.
    pub allow_origins: Vec<String>,
    /// Where people look at executions; makes `web_url` where it is set.
    pub web_url: Option<String>,
    /// Takes packs that are too large for a body, where the host can.
    pub uploads: Option<Arc<dyn Uploads>>,
    /// Where messages end that could not be handled, where the host has such a place.
    pub dead_letters: Option<Arc<dyn DeadLetters>>,
}

impl Default for ApiOptions {
    fn default() -> ApiOptions {
        ApiOptions {
            body_limit: 1024 * 1024,
            pack_limit: 50 * 1024 * 1024,
            max_page_size: 100,
            allow_origins: Vec::new(),
            web_url: None,
            uploads: None,
            dead_letters: None,
        }
    }
}
