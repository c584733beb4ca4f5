//! A part of a JSON payload.

use std::sync::Arc;

use serde_json::Value as Json;
use yoke::Yoke;

/// A value within a payload. It keeps the payload alive and copies nothing of it.
#[derive(Clone, Debug)]
pub struct Part(Yoke<&'static Json, Arc<Json>>);

#[derive(Clone, Copy)]
enum Step<'k> {
    Key(&'k str),
    Index(usize),
}

fn step<'a>(json: &'a Json, to: Step<'_>) -> Option<&'a Json> {
    match to {
        Step::Key(key) => json.get(key),
        Step::Index(index) => json.get(index),
    }
}

impl Part {
    /// The value.
    pub fn get(&self) -> &Json {
        self.0.get()
    }

    /// The value under a key of this object.
    pub fn key(&self, key: &str) -> Option<Part> {
        self.child(Step::Key(key))
    }

    /// An item of this array.
    pub fn item(&self, index: usize) -> Option<Part> {
        self.child(Step::Index(index))
    }

    fn child(&self, to: Step<'_>) -> Option<Part> {
        self.0.try_map_project_cloned(|whole, _| step(whole, to).ok_or(())).ok().map(Part)
    }
}

impl From<Arc<Json>> for Part {
    fn from(whole: Arc<Json>) -> Part {
        Part(Yoke::attach_to_cart(whole, |whole| whole))
    }
}

impl From<Json> for Part {
    fn from(whole: Json) -> Part {
        Part::from(Arc::new(whole))
    }
}
