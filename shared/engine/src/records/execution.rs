use model::Execution;
use ports::{IndexEntry, Key, Slot};

use super::{Stored, entry, execution_key, place};

impl Stored for Execution {
    fn key(&self) -> Key {
        execution_key(self.id)
    }

    fn index(&self) -> Vec<IndexEntry> {
        let place = place(self.start, self.id);
        let mut entries = vec![
            entry(Slot::Kind, "execution", &place),
            entry(Slot::Action, format!("execution/{}", self.action), &place),
            entry(Slot::Status, format!("execution/{}", self.status), &place),
            entry(Slot::User, format!("execution/{}", self.user), &place),
            entry(Slot::Trace, format!("trace/{}", self.trace.id), &place),
        ];
        if let Some(rule) = &self.rule {
            entries.push(entry(Slot::Rule, format!("execution/{}", rule.reference), &place));
        }
        match (self.parent, &self.trigger) {
            (Some(parent), _) => entries.push(entry(Slot::Parent, format!("execution/{parent}"), &place)),
            (None, Some(trigger)) => {
                entries.push(entry(Slot::Trigger, format!("execution/{}", trigger.instance), &place))
            }
            // The root of a trace stands in the list of traces, and can be found by the trace's tag.
            (None, None) => {
                entries.push(entry(Slot::Parent, "trace", &place));
                if !self.trace.is_tagged_by_id() {
                    entries.push(entry(Slot::Trigger, format!("trace/{}", self.trace.tag), &place));
                }
            }
        }
        entries
    }
}
