//! A pack on its way to the host.

use model::PackFiles;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
    multipart::{Form, Part},
};
use serde_json::Value;

use super::Client;
use crate::failure::Failure;

/// The header of a part that is executable.
const EXECUTABLE: HeaderName = HeaderName::from_static("x-executable");

impl Client {
    /// Registers a pack: all of its files in one request.
    pub(crate) async fn register_pack(&self, files: &PackFiles) -> Result<Value, Failure> {
        // Paths go as they are: `/` is no more special in a part's name than any letter.
        let mut form = Form::new().percent_encode_noop();
        for file in files.files() {
            let mut part = Part::bytes(file.bytes.clone()).file_name(file.path.clone());
            if file.executable {
                part = part.headers(HeaderMap::from_iter([(EXECUTABLE, HeaderValue::from_static("1"))]));
            }
            form = form.part("file", part);
        }
        Ok(self.send(self.request(Method::POST, &["packs", "versions"])?.multipart(form)).await?.body)
    }
}
