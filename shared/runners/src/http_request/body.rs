//! What a request carries.

use super::request::pairs;
use crate::parameters::Parameters;
use bytes::Bytes;
use expressions::python;
use reqwest::{
    RequestBuilder,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    multipart::{Form, Part},
};
use serde_json::{Map, Value};
use url::form_urlencoded;

/// The one content type under which a body is made JSON.
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The body of a request.
pub(super) enum Body {
    Empty,
    /// As it is.
    Raw(Bytes),
    /// A file and the fields beside it.
    File(FileUpload),
}

/// A file to upload.
pub(super) struct FileUpload {
    name: String,
    content: String,
    content_type: Option<String>,
    fields: Map<String, Value>,
}

impl Body {
    /// Reads `body` and the `file_` parameters, and sees to the content type: what the caller has given decides how a body is sent, a form
    /// has its own, and everything else goes without one.
    pub(super) fn read(action: Parameters<'_>, headers: &mut HeaderMap) -> Result<Body, String> {
        let body = action.value("body").filter(|body| body.as_str() != Some(""));
        let name = action.text("file_name")?.filter(|name| !name.is_empty());
        let content = action.text("file_content")?.filter(|content| !content.is_empty());
        if let (Some(name), Some(content)) = (name, content) {
            headers.remove(CONTENT_TYPE);
            return Ok(Body::File(FileUpload {
                name: name.to_owned(),
                content: content.to_owned(),
                content_type: action.text("file_content_type")?.map(str::to_owned),
                fields: fields_beside_a_file(body)?,
            }));
        }
        let Some(body) = body else { return Ok(Body::Empty) };
        if headers.get(CONTENT_TYPE).is_some_and(|value| value == JSON) {
            return Ok(Body::Raw(Bytes::from(json(body)?.to_string())));
        }
        Ok(match body {
            Value::Object(fields) => {
                let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs(fields)).finish();
                headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(FORM));
                Body::Raw(Bytes::from(form))
            }
            other => Body::Raw(Bytes::from(python::plain_text(other))),
        })
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Body::Empty)
    }

    /// Puts it into a request.
    pub(super) fn attach(&self, request: RequestBuilder) -> Result<RequestBuilder, String> {
        Ok(match self {
            Body::Empty => request,
            Body::Raw(bytes) => request.body(bytes.clone()),
            Body::File(file) => request.multipart(file.form()?),
        })
    }
}

/// A text is JSON, or else a Python literal; every other value is itself.
fn json(body: &Value) -> Result<Value, String> {
    match body {
        Value::String(_) => expressions::casts::cast(body.clone(), "object")
            .map_err(|_| format!("parameter \"body\" is no JSON, which Content-Type {JSON} says it is")),
        other => Ok(other.clone()),
    }
}

fn fields_beside_a_file(body: Option<&Value>) -> Result<Map<String, Value>, String> {
    match body {
        None => Ok(Map::new()),
        Some(Value::Object(fields)) => Ok(fields.clone()),
        Some(_) => Err("parameter \"body\" must be an object of form fields where a file is sent".to_owned()),
    }
}

impl FileUpload {
    /// The file is a field of its own name.
    fn form(&self) -> Result<Form, String> {
        let mut part = Part::text(self.content.clone()).file_name(self.name.clone());
        if let Some(content_type) = &self.content_type {
            part = part
                .mime_str(content_type)
                .map_err(|_| "parameter \"file_content_type\" is not a media type".to_owned())?;
        }
        let fields = pairs(&self.fields).into_iter().map(|(name, value)| (name.to_owned(), value));
        let form = fields.fold(Form::new(), |form, (name, value)| form.text(name, value));
        Ok(form.part(self.name.clone(), part))
    }
}
