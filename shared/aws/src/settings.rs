//! What the template tells a function by its environment.

use crate::{StateMachineSettings, Subscriptions};

/// The names of the platform's resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The table (`SQUALL_TABLE`).
    pub table: String,
    /// The event bus (`SQUALL_BUS`).
    pub bus: String,
    /// The bucket of blobs (`SQUALL_BUCKET`).
    pub bucket: String,
    /// The key that seals secrets (`SQUALL_KEY_ID`): an id, an ARN or an alias.
    pub key_id: String,
    /// The queue of executions to run (`SQUALL_ACTIONS_QUEUE_URL`).
    pub actions_queue_url: String,
    /// The queue of workflows to conduct (`SQUALL_WORKFLOWS_QUEUE_URL`).
    pub workflows_queue_url: String,
    /// The queue of everything else that is to be looked at (`SQUALL_ENGINE_QUEUE_URL`).
    pub engine_queue_url: String,
    /// How the bus is subscribed to events of AWS services; `None` for functions that don't change content.
    pub subscriptions: Option<Subscriptions>,
    /// Where state machines are; `None` for functions that have nothing to do with them.
    pub state_machines: Option<StateMachineSettings>,
}

/// The environment is not what the template makes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment lacks {}: set them as the template does", .0.join(", "))]
pub struct SettingsError(pub Vec<&'static str>);

impl Settings {
    /// From the environment; names every variable that is missing.
    pub fn from_env() -> Result<Settings, SettingsError> {
        Settings::from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from any table of variables; an empty value counts as missing.
    pub fn from_lookup(lookup: impl Fn(&'static str) -> Option<String>) -> Result<Settings, SettingsError> {
        let subscriptions = Subscriptions::from_lookup(&lookup);
        let state_machines = StateMachineSettings::from_lookup(&lookup);
        let mut missing = Vec::new();
        let mut take = |name: &'static str| {
            lookup(name).filter(|value| !value.is_empty()).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let settings = Settings {
            table: take("SQUALL_TABLE"),
            bus: take("SQUALL_BUS"),
            bucket: take("SQUALL_BUCKET"),
            key_id: take("SQUALL_KEY_ID"),
            actions_queue_url: take("SQUALL_ACTIONS_QUEUE_URL"),
            workflows_queue_url: take("SQUALL_WORKFLOWS_QUEUE_URL"),
            engine_queue_url: take("SQUALL_ENGINE_QUEUE_URL"),
            subscriptions,
            state_machines,
        };
        if missing.is_empty() { Ok(settings) } else { Err(SettingsError(missing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_variable_is_named() {
        let all = |name: &'static str| Some(name.to_lowercase());
        let settings = Settings::from_lookup(all).unwrap();
        assert_eq!(
            (settings.table.as_str(), settings.engine_queue_url.as_str()),
            ("squall_table", "squall_engine_queue_url")
        );
        let error = Settings::from_lookup(|name| all(name).filter(|_| name != "SQUALL_BUS" && name != "SQUALL_KEY_ID"));
        assert_eq!(error, Err(SettingsError(vec!["SQUALL_BUS", "SQUALL_KEY_ID"])));
        assert_eq!(
            SettingsError(vec!["SQUALL_BUS"]).to_string(),
            "the environment lacks SQUALL_BUS: set them as the template does"
        );
        let empty = Settings::from_lookup(|_| Some(String::new()));
        assert!(matches!(empty, Err(SettingsError(names)) if names.len() == 7));
    }
}
