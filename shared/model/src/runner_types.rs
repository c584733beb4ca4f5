//! The runner types, as `runner_types.yaml` has them.

use std::sync::OnceLock;

use crate::RunnerType;

const FILE: &str = include_str!("runner_types.yaml");

/// All runner types, in the order of the file.
pub fn runner_types() -> &'static [RunnerType] {
    static TYPES: OnceLock<Vec<RunnerType>> = OnceLock::new();
    TYPES.get_or_init(|| {
        let read = || serde_json::from_value(yaml::read(FILE).ok()?.to_json()).ok();
        // The file is part of the program, and a test reads it.
        read().unwrap_or_default()
    })
}

/// The runner type of that name or alias.
pub fn runner_type(name: &str) -> Option<&'static RunnerType> {
    runner_types().iter().find(|kind| kind.name == name || kind.aliases.iter().any(|alias| alias == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SchemaValidator;

    #[test]
    fn the_file_is_read_whole() {
        let document = yaml::read(FILE).unwrap();
        assert_eq!(runner_types().len(), document.as_list().unwrap().len());
        assert_eq!(runner_types().len(), 15);
        for kind in runner_types() {
            assert!(!kind.description.is_empty(), "{}", kind.name);
            let validator = SchemaValidator::for_parameters(&kind.runner_parameters).unwrap();
            let defaults = kind
                .runner_parameters
                .iter()
                .filter_map(|(name, parameter)| Some((name.clone(), parameter.default.clone()?)));
            let mut values: serde_json::Map<_, _> = defaults.collect();
            for (name, parameter) in kind.runner_parameters.iter().filter(|(_, parameter)| parameter.required) {
                values.entry(name.clone()).or_insert_with(|| parameter.kind.name().into());
            }
            assert_eq!(validator.validate(&values.into()), Ok(()), "{}", kind.name);
        }
    }

    #[test]
    fn aliases_find_their_runner() {
        assert_eq!(runner_type("orchestra").unwrap().name, "orquesta");
        assert_eq!(runner_type("local-shell-cmd").unwrap().runner_parameters["timeout"].default, Some(60.into()));
        assert!(runner_type("mistral-v2").is_none());
        let enabled: Vec<_> =
            runner_types().iter().filter(|kind| kind.enabled).map(|kind| kind.name.as_str()).collect();
        let wanted = [
            "action-chain",
            "announcement",
            "http-request",
            "inject-trigger",
            "inquirer",
            "local-shell-cmd",
            "local-shell-script",
            "noop",
            "orquesta",
        ];
        assert_eq!(enabled, wanted);
    }
}
