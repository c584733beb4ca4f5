//! What a route asks of the one who calls it.

use engine::Principal;

macro_rules! permissions {
    ($($variant:ident $name:literal $(($admin:ident))?,)*) => {
        /// StackStorm's permission types, as far as there are routes for them, and ours for the routes that it has not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names say all")]
        pub enum Permission {
            $($variant,)*
        }

        impl Permission {
            /// The name on the wire and in roles.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Permission::$variant => $name,)*
                }
            }

            const fn needs_admin(self) -> bool {
                match self {
                    $(Permission::$variant => permissions!(@admin $($admin)?),)*
                }
            }
        }
    };
    (@admin) => { false };
    (@admin admin) => { true };
}

permissions! {
    ActionList "action_list",
    ActionView "action_view",
    ActionCreate "action_create" (admin),
    ActionModify "action_modify" (admin),
    ActionDelete "action_delete" (admin),
    ActionExecute "action_execute",
    ActionAliasList "action_alias_list",
    ActionAliasView "action_alias_view",
    DeadLetterList "dead_letter_list" (admin),
    DeadLetterRedrive "dead_letter_redrive" (admin),
    ExecutionList "execution_list",
    ExecutionView "execution_view",
    ExecutionRerun "execution_rerun",
    ExecutionStop "execution_stop",
    ExecutionViewsFiltersList "execution_views_filters_list",
    InquiryList "inquiry_list",
    InquiryView "inquiry_view",
    InquiryRespond "inquiry_respond",
    KeyValuePairList "key_value_pair_list",
    KeyValuePairView "key_value_pair_view",
    KeyValuePairSet "key_value_pair_set",
    KeyValuePairDelete "key_value_pair_delete",
    PackList "pack_list",
    PackView "pack_view",
    PackRegister "pack_register" (admin),
    PolicyList "policy_list",
    PolicyView "policy_view",
    PolicyCreate "policy_create" (admin),
    PolicyModify "policy_modify" (admin),
    PolicyDelete "policy_delete" (admin),
    PolicyTypeList "policy_type_list",
    PolicyTypeView "policy_type_view",
    RuleList "rule_list",
    RuleView "rule_view",
    RuleCreate "rule_create" (admin),
    RuleModify "rule_modify" (admin),
    RuleDelete "rule_delete" (admin),
    RuleEnforcementList "rule_enforcement_list",
    RuleEnforcementView "rule_enforcement_view",
    RunnerTypeList "runner_type_list",
    RunnerTypeView "runner_type_view",
    SensorTypeList "sensor_type_list",
    SensorTypeView "sensor_type_view",
    TimerList "timer_list",
    TimerView "timer_view",
    TraceList "trace_list",
    TraceView "trace_view",
    TriggerList "trigger_list",
    TriggerView "trigger_view",
    TriggerAll "trigger_all" (admin),
    WebhookList "webhook_list",
    WebhookView "webhook_view",
    WebhookSend "webhook_send",
}

impl Permission {
    /// Is it granted? Admins have all; users read, run and send, but don't change content, for content decides what runs.
    pub const fn is_granted_to(self, principal: &Principal) -> bool {
        principal.admin || !self.needs_admin()
    }
}

/// Who may call a route. There is no default: a route that says nothing can't be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, without a credential: nothing but signs of life.
    Open,
    /// Whoever has a credential.
    Authenticated,
    /// Whoever has a credential and this permission.
    Needs(Permission),
}

impl From<Permission> for Access {
    fn from(permission: Permission) -> Access {
        Access::Needs(permission)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_run_actions_but_do_not_change_content() {
        let principal = |admin| Principal { user: "ann".into(), admin };
        assert!(Permission::ActionExecute.is_granted_to(&principal(false)));
        assert!(!Permission::RuleCreate.is_granted_to(&principal(false)));
        assert!(Permission::RuleCreate.is_granted_to(&principal(true)));
        assert_eq!(Permission::ExecutionViewsFiltersList.name(), "execution_views_filters_list");
    }
}
