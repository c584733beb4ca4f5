//! Cursors as opaque text.

use ports::Cursor;

use crate::Error;

pub(crate) fn encode(cursor: &Cursor) -> String {
    hex::encode(serde_json::to_vec(cursor).unwrap_or_default())
}

pub(crate) fn decode(text: &str) -> Result<Cursor, Error> {
    let bytes = hex::decode(text).ok();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| Error::invalid("the cursor is not one that a listing gave; begin without one"))
}
