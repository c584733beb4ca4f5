//! Where a host is, and with what key it is spoken to.

use reqwest::Url;
use std::path::PathBuf;

use crate::failure::Failure;

/// An address and a key.
pub(crate) struct Access {
    base: Url,
    address: String,
    /// The API key, where one was found.
    pub(crate) key: Option<String>,
    /// Where the data directory has its key.
    pub(crate) key_file: Option<PathBuf>,
}

impl Access {
    /// Reads an address: with or without a scheme, with or without the API's path, as st2 clients have it.
    pub(crate) fn new(text: &str) -> Result<Access, Failure> {
        let text = text.trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let wrong = || {
            Failure::usage(format!("\"{text}\" is not the address of a host"))
                .hint("an address looks like http://127.0.0.1:9101")
        };
        let mut base: Url = with_scheme.parse().map_err(|_| wrong())?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(wrong());
        }
        let path = base.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path);
        let path = path.strip_suffix("/api").unwrap_or(path).to_owned();
        base.set_path(&path);
        base.set_query(None);
        base.set_fragment(None);
        let address = base.as_str().trim_end_matches('/').to_owned();
        Ok(Access { base, address, key: None, key_file: None })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The URL of a path below `/api/v1`; each segment is escaped where it must be.
    pub(crate) fn endpoint(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => segments.pop_if_empty().extend(["api", "v1"]).extend(path),
            Err(()) => return Err(Failure::usage(format!("\"{}\" is not the address of a host", self.address))),
        };
        Ok(url)
    }

    /// Is it this machine?
    pub(crate) fn is_loopback(&self) -> bool {
        match self.base.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// No TLS.
    pub(crate) fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }

    /// What to do where the host does not take the key.
    pub(crate) fn key_hint(&self) -> String {
        let file = self.key_file.as_ref().map(|file| format!(", or the file {}", file.display())).unwrap_or_default();
        let state = if self.key.is_some() { "the host does not know this key" } else { "no key was found" };
        format!("{state}: it is looked for in --api-key-file, SQUALL_API_KEY, ST2_API_KEY{file}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_and_st2_write_them() {
        let endpoint =
            |text: &str| Access::new(text).map(|access| access.endpoint(&["keys", "a/b c"]).unwrap().to_string());
        for (text, wanted) in [
            ("127.0.0.1:9101", "http://127.0.0.1:9101/api/v1/keys/a%2Fb%20c"),
            ("http://127.0.0.1:9101/", "http://127.0.0.1:9101/api/v1/keys/a%2Fb%20c"),
            ("http://127.0.0.1:9101/v1", "http://127.0.0.1:9101/api/v1/keys/a%2Fb%20c"),
            ("https://st2.example.org/api/v1/", "https://st2.example.org/api/v1/keys/a%2Fb%20c"),
            ("https://example.org/squall/api", "https://example.org/squall/api/v1/keys/a%2Fb%20c"),
        ] {
            assert_eq!(endpoint(text).unwrap(), wanted, "{text}");
        }
        assert!(endpoint("ftp://example.org").is_err());
        assert!(endpoint("http://").is_err());
    }
}
