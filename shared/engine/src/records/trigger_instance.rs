use model::{TriggerInstance, TriggerInstanceStatus};
use ports::{IndexEntry, Key, Slot};

use super::{Stored, entry, place, trigger_instance_key};

impl Stored for TriggerInstance {
    fn key(&self) -> Key {
        trigger_instance_key(self.id)
    }

    fn index(&self) -> Vec<IndexEntry> {
        let place = place(self.occurrence_time, self.id);
        let mut entries = vec![
            entry(Slot::Kind, "trigger_instance", &place),
            entry(Slot::Action, format!("trigger_instance/{}", self.trigger.kind), &place),
            entry(Slot::Trace, format!("trace/{}", self.trace.id), &place),
        ];
        // Nearly all are processed: who asks for those looks through them all.
        if self.status != TriggerInstanceStatus::Processed {
            entries.push(entry(Slot::Status, format!("trigger_instance/{}", self.status.name()), &place));
        }
        if !self.trace.is_tagged_by_id() {
            entries.push(entry(Slot::User, format!("trace/{}", self.trace.tag), &place));
        }
        if !self.trigger.parameters.is_empty() {
            entries.push(entry(Slot::Trigger, format!("trigger_instance/{}", self.trigger.id()), &place));
        }
        // The event that a trace began with.
        if self.trace.id == self.id {
            entries.push(entry(Slot::Parent, "trace", &place));
        }
        entries
    }
}
