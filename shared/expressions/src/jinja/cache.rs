//! Compiled templates, by text.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::{Environment, Template};

use crate::jinja::guard::Guarded;

/// The texts of kept templates, in bytes: long ones crowd out many short ones.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// The name of a template within its environment.
const NAME: &str = "template";

/// A compiled template, in an environment of its own, so that templates can't include one another.
pub(super) struct Compiled {
    environment: Environment<'static>,
    /// Where the compiled text has more than the template: see `Origin`.
    pub(super) added: Vec<(usize, usize)>,
}

impl Compiled {
    pub(super) fn new(base: &Environment<'static>, guarded: Guarded) -> Result<Compiled, minijinja::Error> {
        let mut environment = base.clone();
        environment.add_template_owned(NAME, guarded.text)?;
        Ok(Compiled { environment, added: guarded.added })
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

    pub(super) fn get_or_compile<E>(
        &self,
        text: &str,
        compile: impl FnOnce() -> Result<Compiled, E>,
    ) -> Result<Arc<Compiled>, E> {
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
