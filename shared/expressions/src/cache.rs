//! What was compiled, by text.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The texts of what is kept, in bytes: long ones crowd out many short ones.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

struct Kept<T> {
    compiled: HashMap<Arc<str>, Arc<T>>,
    bytes: usize,
}

/// Compiled templates or expressions. When it is full it begins anew.
pub(crate) struct Cache<T> {
    kept: RwLock<Kept<T>>,
    most: usize,
}

impl<T> Cache<T> {
    pub(crate) fn new(most: usize) -> Cache<T> {
        Cache { kept: RwLock::new(Kept { compiled: HashMap::new(), bytes: 0 }), most }
    }

    pub(crate) fn get_or_compile<E>(&self, text: &str, compile: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(found) = self.kept.read().unwrap_or_else(PoisonError::into_inner).compiled.get(text) {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(compile()?);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.compiled.len() >= self.most || kept.bytes.saturating_add(text.len()) > KEPT_BYTES {
            *kept = Kept { compiled: HashMap::new(), bytes: 0 };
        }
        if kept.compiled.insert(Arc::from(text), Arc::clone(&compiled)).is_none() {
            kept.bytes += text.len();
        }
        Ok(compiled)
    }
}
