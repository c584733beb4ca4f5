//! A pack on its way to the host.

use model::PackFiles;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::{Client, Query};
use crate::failure::Failure;

/// How long an upload may take.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// How long a host may take to look at what was uploaded.
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// How often to ask whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(500);
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

    /// Uploads a pack as one archive, and waits until the host has looked at it; `say` hears how far it is. A host that takes no uploads
    /// gets the files in one request. The answer is that of [`Client::register_pack`].
    pub(crate) async fn upload_pack(
        &self,
        files: &PackFiles,
        mut say: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<Value, Failure> {
        let archive = api::pack_archive(files).map_err(|error| Failure::new(error.to_string()))?;
        let announced = self.call(Method::POST, &["packuploads"], Some(&json!({"bytes": archive.len()}))).await;
        let upload = match announced {
            Err(failure) if failure.is_not_found() => return self.register_pack(files).await,
            other => other?,
        };
        let text = |pointer: &str| {
            let found = upload.pointer(pointer).and_then(Value::as_str);
            found.ok_or_else(|| Failure::new(format!("the host's answer lacks {pointer}")))
        };
        let (id, url) = (text("/id")?, text("/put/url")?);
        say(&format!("uploading {} kB", archive.len().div_ceil(1_000)))?;
        // The URL is the credential here; the key is for the API alone.
        let put = self.http.put(url).timeout(UPLOAD_TIMEOUT).body(archive);
        self.send(put).await?;
        say("waiting for its registration")?;
        self.outcome(id).await
    }

    async fn outcome(&self, id: &str) -> Result<Value, Failure> {
        let until = Instant::now() + REGISTRATION_TIMEOUT;
        loop {
            let upload = self.get(&["packuploads", id], &Query::new()).await?;
            let outcome = upload.get("outcome").cloned().unwrap_or_default();
            match upload.get("state").and_then(Value::as_str) {
                Some("registered") => return Ok(outcome),
                Some("refused") => {
                    let fault = outcome.get("faultstring").and_then(Value::as_str).unwrap_or("the pack is refused");
                    return Err(Failure::new(fault).with_answer(outcome));
                }
                _ if Instant::now() > until => {
                    return Err(Failure::new(format!("upload {id} was not looked at in time"))
                        .hint("see whether it was given up: squall dlq show uploads"));
                }
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }
}
