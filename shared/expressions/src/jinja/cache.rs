//! Compiled templates, by text.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::{Environment, Template};

use crate::error::ExpressionError;
use crate::jinja::growth;
use crate::limits::Limits;

/// The texts of kept templates, in bytes: long ones crowd out many short ones.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// The name of a template within its environment.
const NAME: &str = "template";

/// A compiled template, in an environment of its own, so that templates can't include one another.
pub(super) struct Compiled {
    environment: Environment<'static>,
    /// Whether it can grow values out of themselves.
    pub(super) grows: bool,
}

impl Compiled {
    pub(super) fn new(base: &Environment<'static>, limits: &Limits, text: &str) -> Result<Compiled, ExpressionError> {
        let mut environment = base.clone();
        let grows = growth::can_grow(text);
        if grows {
            environment.set_fuel(Some(limits.growing_fuel));
        }
        match environment.add_template_owned(NAME, text.to_owned()) {
            Ok(()) => Ok(Compiled { environment, grows }),
            Err(error) => Err(ExpressionError::from_engine(&error, text)),
        }
    }

    /// The template. It was compiled by `new`, so it is there.
    pub(super) fn template(&self) -> Result<Template<'_, '_>, minijinja::Error> {
        self.environment.get_template(NAME)
    }
}

#[derive(Default)]
struct Kept {
    templates: HashMap<Arc<str>, Arc<Compiled>>,
    bytes: usize,
}

pub(super) struct Cache {
    kept: RwLock<Kept>,
    most: usize,
}

impl Cache {
    pub(super) fn new(most: usize) -> Cache {
        Cache { kept: RwLock::default(), most }
    }

    pub(super) fn get_or_compile(
        &self,
        text: &str,
        compile: impl FnOnce() -> Result<Compiled, ExpressionError>,
    ) -> Result<Arc<Compiled>, ExpressionError> {
        if let Some(found) = self.kept.read().unwrap_or_else(PoisonError::into_inner).templates.get(text) {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(compile()?);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.templates.len() >= self.most || kept.bytes.saturating_add(text.len()) > KEPT_BYTES {
            *kept = Kept::default();
        }
        if kept.templates.insert(Arc::from(text), Arc::clone(&compiled)).is_none() {
            kept.bytes += text.len();
        }
        Ok(compiled)
    }
}
