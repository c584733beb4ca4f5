//! Compiled templates.

use minijinja::{Environment, Template};

use crate::jinja::guard::Guarded;

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
