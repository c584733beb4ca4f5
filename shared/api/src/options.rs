//! What the host decides about the interface.

/// Settings of the REST interface.
#[derive(Clone, Debug)]
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
}

impl Default for ApiOptions {
    fn default() -> ApiOptions {
        ApiOptions {
            body_limit: 1024 * 1024,
            pack_limit: 50 * 1024 * 1024,
            max_page_size: 100,
            allow_origins: Vec::new(),
            web_url: None,
        }
    }
}
