//! `/packs`

use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Multipart, Request, State, multipart::Field},
    response::IntoResponse,
};
use http::StatusCode;
use model::{PackFiles, SourceFile};
use std::sync::Arc;

use super::{Answer, Segment, one};
use crate::{
    archive::is_inside,
    attributes::Selection,
    auth::Caller,
    body::read,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::PackResource,
    router::Api,
};

/// Files of one uploaded pack.
const MAX_FILES: usize = 5_000;

/// GET /packs
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<PackResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let ids = params.list("id")?;
    let holds = |name: &str, value: &str| params.get(name).is_none_or(|wanted| wanted == value);
    let catalog = api.engine.catalog().await?;
    let packs = catalog.packs.values().filter(|pack| {
        let metadata = &pack.metadata;
        (ids.is_empty() || ids.contains(&metadata.id().to_string().as_str()))
            && holds("ref", &metadata.reference)
            && holds("name", &metadata.name)
    });
    Page::slice(packs.map(|pack| PackResource::from(&**pack)).collect(), &paging).answer(&selection)
}

/// GET /packs/{ref_or_id}
pub(crate) async fn get(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    let pack = catalog.pack(&name).ok_or_else(|| ApiError::unknown("pack", &name))?;
    one(&PackResource::from(&**pack), &params)
}

/// POST /packs/versions: the files of a pack, one part each; the file name of a part is the path inside the pack. A file that may be
/// executed has the part header `X-Executable: 1` or the content type `application/x-executable`.
pub(crate) async fn register(State(api): State<Arc<Api>>, caller: Caller, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body, api.options.pack_limit).await?;
    let request = Request::from_parts(parts, Body::from(bytes));
    let mut upload = Multipart::from_request(request, &())
        .await
        .map_err(|error| ApiError::bad_request(format!("send the pack's files as multipart/form-data: {error}")))?;
    let mut files = Vec::new();
    while let Some(field) = upload.next_field().await.map_err(|error| unreadable(&error.body_text()))? {
        if files.len() >= MAX_FILES {
            return Err(ApiError::too_large(format!("the pack has more than {MAX_FILES} files")));
        }
        files.push(file(field).await?);
    }
    if files.is_empty() {
        return Err(ApiError::bad_request(
            "the upload has no files: send each file of the pack as a part with a file name",
        ));
    }
    let registered = api.engine.register_pack(&caller.principal, PackFiles::new(files)).await?;
    Ok((StatusCode::CREATED, Json(registered)).into_response())
}

async fn file(field: Field<'_>) -> Result<SourceFile, ApiError> {
    let path = field.file_name().unwrap_or_default().to_owned();
    if !is_inside(&path) {
        let shown: String = path.chars().take(200).collect();
        return Err(ApiError::bad_request(format!(
            "\"{shown}\" is not the path of a file inside a pack: write it as actions/run.sh, from the pack's own directory"
        )));
    }
    let marked = field.headers().get("x-executable").is_some_and(|value| value == "1");
    let executable = marked || field.content_type() == Some("application/x-executable");
    let bytes = field.bytes().await.map_err(|error| unreadable(&error.body_text()))?;
    Ok(SourceFile { path, bytes: bytes.to_vec(), executable })
}

fn unreadable(problem: &str) -> ApiError {
    ApiError::bad_request(format!("the upload can't be read: {problem}"))
}

/// POST /packs/register: StackStorm reads packs from its own disk here; this interface has none.
pub(crate) async fn register_by_name() -> ApiError {
    ApiError::bad_request(
        "packs are registered from their files: run `squall pack register DIR`, or send the files to POST /packs/versions",
    )
}
