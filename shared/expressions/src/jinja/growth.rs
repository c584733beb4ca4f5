//! Templates that can put a value into itself again and again, and so nest it deeper than a stack of usual size can drop or compare it.

use std::thread;

use crate::error::{ErrorKind, ExpressionError, Limit, limit_message};

/// Enough for as many levels as `Limits::growing_fuel` can pay for. It is reserved, not used, until a template nests that deep.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// What can come back to its own value: these feed what they made into what they make next.
const SELF_FEEDING: [&str; 4] = ["namespace", "macro", "recursive", "call"];

/// With fewer brackets than this, a chain of `set`s can't nest deep.
const FEW_BRACKETS: usize = 400;

/// Whether the template has the means for it. Most have none.
pub(super) fn can_grow(text: &str) -> bool {
    if !text.contains("{%") {
        return false;
    }
    let brackets = || text.bytes().filter(|byte| matches!(byte, b'[' | b'(' | b'{')).count();
    SELF_FEEDING.iter().any(|word| text.contains(word)) || brackets() > FEW_BRACKETS
}

/// Evaluates, on a stack of its own where the template can grow values.
pub(super) fn run<T: Send>(
    grows: bool,
    evaluate: impl FnOnce() -> Result<T, ExpressionError> + Send,
) -> Result<T, ExpressionError> {
    if !grows {
        return evaluate();
    }
    let gone = |_| ExpressionError::new(ErrorKind::Limit(Limit::Depth), limit_message(Limit::Depth));
    thread::scope(|scope| {
        let spawned =
            thread::Builder::new().name("template".to_owned()).stack_size(STACK_BYTES).spawn_scoped(scope, evaluate);
        match spawned {
            Ok(running) => running.join().unwrap_or_else(|_| Err(gone(()))),
            Err(_) => Err(gone(())),
        }
    })
}
