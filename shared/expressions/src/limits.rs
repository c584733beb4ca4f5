//! The bounds of evaluation.

/// What one evaluation may take. Each bound has its own [`Limit`](crate::Limit) in the error.
///
/// The context has no bound of its size: nothing of it is copied until an expression reads it, and what is read is charged as fuel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest template, in bytes.
    pub template_bytes: usize,
    /// Steps, where 64 bytes of data made or read count as one.
    pub fuel: u64,
    /// How many values a name that a template binds may hold, those within it counted as often as they are in it.
    pub bound_values: usize,
    /// The longest rendered text, and the longest text on the way, in bytes.
    pub output_bytes: usize,
    /// How deep values that are printed or given back may be nested.
    pub depth: usize,
    /// How deep blocks, macros and loops may be nested.
    pub recursion: usize,
    /// How many compiled templates are kept.
    pub cached_templates: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            template_bytes: 256 * 1024,
            fuel: 1_000_000,
            bound_values: 250_000,
            output_bytes: 16 * 1024 * 1024,
            depth: 128,
            recursion: 200,
            cached_templates: 4096,
        }
    }
}
