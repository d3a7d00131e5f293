//! The tables, one line each.

macro_rules! tables {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// A named, ordered map from text keys to bytes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table {
            $($(#[$doc])* $variant,)*
        }

        impl Table {
            /// Every table.
            pub const ALL: &'static [Table] = &[$(Table::$variant,)*];

            /// Returns the name under which the table is stored; never changed once released.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Table::$variant => $name,)*
                }
            }
        }
    };
}

tables! {
    /// IAM users by `account/lower-case name`.
    Users => "iam_users",
    /// IAM groups by `account/lower-case name`.
    Groups => "iam_groups",
    /// IAM roles by `account/lower-case name`.
    Roles => "iam_roles",
    /// Customer managed policies by ARN.
    Policies => "iam_policies",
    /// Credentials of IAM users: access keys, certificates, SSH keys … by `kind/id`.
    Credentials => "iam_credentials",
    /// Membership, attachments and other relations of IAM, by `relation/account/…`.
    Relations => "iam_relations",
    /// MFA devices by serial number.
    MfaDevices => "iam_mfa_devices",
    /// Account-wide settings of IAM, and instance profiles.
    IamSettings => "iam_settings",
    /// Temporary credentials of STS by access key id.
    Sessions => "sts_sessions",
    /// Texts of state machines and documents by SHA-256; running processes refer to them.
    Definitions => "definitions",
    /// State machines by ARN.
    StateMachines => "states_machines",
    /// Executions (what DescribeExecution answers) by execution key.
    Executions => "states_executions",
    /// Executions by `state machine ARN/reversed start time/execution key`, for listing.
    ExecutionsByStart => "states_executions_by_start",
    /// History events by `execution key/first event id`.
    History => "states_history",
    /// Activities by ARN.
    Activities => "states_activities",
    /// SSM documents by `account/name`.
    Documents => "ssm_documents",
    /// Automation executions (what GetAutomationExecution answers) by id.
    Automations => "ssm_automations",
    /// Automation executions by `reversed start time/id`, for listing.
    AutomationsByStart => "ssm_automations_by_start",
    /// Event buses by ARN.
    EventBuses => "events_buses",
    /// Rules by `bus/name`.
    Rules => "events_rules",
    /// Targets by `bus/rule/id`.
    Targets => "events_targets",
    /// Events not yet matched against rules, by event id.
    EventOutbox => "events_outbox",
    /// Events on their way to targets, by delivery id.
    Deliveries => "events_deliveries",
    /// When each schedule runs next, by rule key.
    Schedules => "events_schedules",
    /// Stacks by `account/region/name/id`.
    Stacks => "cloudformation_stacks",
    /// Names of stacks by `account/region/name`.
    StacksByName => "cloudformation_stacks_by_name",
    /// Stack operations by `stack id/token`.
    StackOperations => "cloudformation_stack_operations",
    /// Stack events by `stack id/reversed time/number`.
    StackEvents => "cloudformation_stack_events",
    /// Tags of resources by ARN.
    Tags => "tags",
    /// Answers already given to effects, by effect id, so that a repeat changes nothing.
    Applied => "runtime_applied",
    /// State of unfinished processes as of their checkpoint, by `shard/process key`.
    Snapshots => "runtime_snapshots",
    /// Small settings of the runtime: checkpoint positions, virtual clock.
    RuntimeSettings => "runtime_settings",
}
