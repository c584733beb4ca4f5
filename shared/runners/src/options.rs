//! What the host decides about actions.

use crate::{HttpPolicy, environment};
use std::path::PathBuf;

/// What the host decides about actions. Not printable: the environment may hold secrets.
#[derive(Clone)]
pub struct RunnerOptions {
    /// Where the files of pack versions are laid out for scripts; made when first needed. Must be on a file system that runs programs.
    pub cache: PathBuf,
    /// The environment that every process starts from; the action's own variables come on top.
    pub environment: Vec<(String, String)>,
    /// How many bytes are kept of a process's stdout, and as many of its stderr; what comes after is read and dropped, and the result
    /// says so. An HTTP response that has more fails.
    pub output_limit: usize,
    /// What the `http-request` runner may reach.
    pub http: HttpPolicy,
}

impl RunnerOptions {
    /// 16 MiB.
    pub const OUTPUT_LIMIT: usize = 16 * 1024 * 1024;

    /// The defaults: from the server's environment only what says where programs, the home and temporary files are and what language
    /// and time zone to use; 16 MiB of each stream; public addresses only.
    pub fn new(cache: PathBuf) -> RunnerOptions {
        RunnerOptions {
            cache,
            environment: environment::inherited(),
            output_limit: RunnerOptions::OUTPUT_LIMIT,
            http: HttpPolicy::default(),
        }
    }
}
