use model::RuleEnforcement;
use ports::{IndexEntry, Key, Slot};

use super::{Stored, enforcement_key, entry, place};

impl Stored for RuleEnforcement {
    fn key(&self) -> Key {
        enforcement_key(self.id)
    }

    fn index(&self) -> Vec<IndexEntry> {
        let place = place(self.enforced_at, self.id);
        vec![
            entry(Slot::Kind, "enforcement", &place),
            entry(Slot::Rule, format!("enforcement/{}", self.rule), &place),
            entry(Slot::Trigger, format!("enforcement/{}", self.trigger_instance), &place),
        ]
    }
}
