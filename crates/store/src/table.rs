//! The tables, one line each.

macro_rules! tables {
    ($($(#[$doc:meta])* $variant:ident = $id:literal => $name:literal,)*) => {
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

            /// Returns the number under which backends with one table for all keep it; never
            /// changed, and never given to another.
            pub const fn id(self) -> i16 {
                match self {
                    $(Table::$variant => $id,)*
                }
            }

            /// Returns the table of a number.
            pub(crate) const fn of_id(id: i16) -> Option<Table> {
                match id {
                    $($id => Some(Table::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

impl Table {
    /// Returns whether the values of a table hold secrets: keys and passwords to be verified, seeds
    /// of one-time codes, tokens, and answers that gave any of them out. They are kept sealed.
    pub(crate) const fn holds_secrets(self) -> bool {
        matches!(
            self,
            Table::Credentials
                | Table::MfaDevices
                | Table::Sessions
                | Table::Connections
                | Table::Parameters
                | Table::Applied
                // Parameters of stacks may be passwords, and processes hold what they were given.
                | Table::Stacks
                | Table::StackOperations
                | Table::ChangeSets
                | Table::Snapshots
                | Table::Redrives
        )
    }
}

impl Table {
    /// Returns whether a table is only ever looked up by whoever asks for what is in it: nothing
    /// that is kept in memory depends on it.
    pub(crate) const fn is_a_record(self) -> bool {
        matches!(self, Table::Decisions | Table::LastUses | Table::LogEvents)
    }
}

tables! {
    /// IAM users by `account/lower-case name`.
    Users = 1 => "iam_users",
    /// IAM groups by `account/lower-case name`.
    Groups = 2 => "iam_groups",
    /// IAM roles by `account/lower-case name`.
    Roles = 3 => "iam_roles",
    /// Customer managed policies by ARN.
    Policies = 4 => "iam_policies",
    /// Credentials of IAM users: access keys, certificates, SSH keys … by `kind/id`.
    Credentials = 5 => "iam_credentials",
    /// Membership, attachments and other relations of IAM, by `relation/account/…`.
    Relations = 6 => "iam_relations",
    /// MFA devices by serial number.
    MfaDevices = 7 => "iam_mfa_devices",
    /// Account-wide settings of IAM, and instance profiles.
    IamSettings = 8 => "iam_settings",
    /// Temporary credentials of STS by access key id.
    Sessions = 9 => "sts_sessions",
    /// Texts of state machines and documents, and files attached to documents, by SHA-256; running
    /// processes refer to them.
    Definitions = 10 => "definitions",
    /// State machines by ARN.
    StateMachines = 11 => "states_machines",
    /// Executions (what DescribeExecution answers) by execution key.
    Executions = 12 => "states_executions",
    /// Executions by `state machine ARN/reversed start time/execution key`, for listing.
    ExecutionsByStart = 13 => "states_executions_by_start",
    /// History events by `execution key/first event id`.
    History = 14 => "states_history",
    /// Activities by ARN.
    Activities = 15 => "states_activities",
    /// SSM documents by `account/name`.
    Documents = 16 => "ssm_documents",
    /// Automation executions (what GetAutomationExecution answers) by id.
    Automations = 17 => "ssm_automations",
    /// Automation executions by `reversed start time/id`, for listing.
    AutomationsByStart = 18 => "ssm_automations_by_start",
    /// Event buses by ARN.
    EventBuses = 19 => "events_buses",
    /// Rules by `bus/name`.
    Rules = 20 => "events_rules",
    /// Targets by `bus/rule/id`.
    Targets = 21 => "events_targets",
    /// Events not yet matched against rules, by event id.
    EventOutbox = 22 => "events_outbox",
    /// Events on their way to targets, by delivery id.
    Deliveries = 23 => "events_deliveries",
    /// When each schedule runs next, by rule key.
    Schedules = 24 => "events_schedules",
    /// Stacks by `account/region/name/id`.
    Stacks = 25 => "cloudformation_stacks",
    /// Names of stacks by `account/region/name`.
    StacksByName = 26 => "cloudformation_stacks_by_name",
    /// Stack operations by `stack id/token`.
    StackOperations = 27 => "cloudformation_stack_operations",
    /// Stack events by `stack id/reversed time/number`.
    StackEvents = 28 => "cloudformation_stack_events",
    /// Tags of resources by ARN.
    Tags = 29 => "tags",
    /// Answers already given to effects, by effect id, so that a repeat changes nothing.
    Applied = 30 => "runtime_applied",
    /// State of unfinished processes as of their checkpoint, by `shard/process key`.
    Snapshots = 31 => "runtime_snapshots",
    /// Small settings of the runtime: checkpoint positions, virtual clock.
    RuntimeSettings = 32 => "runtime_settings",
    /// Tasks that wait for a worker, by `activity ARN/time asked/beginning of the token`.
    ActivityTasks = 33 => "states_activity_tasks",
    /// Map runs (what DescribeMapRun answers) by ARN.
    MapRuns = 35 => "states_map_runs",
    /// Map runs by `execution ARN/reversed start time/map run ARN`, for listing.
    MapRunsByExecution = 36 => "states_map_runs_by_execution",
    /// Items that a map run has read, by `map run ARN/piece`.
    MapRunItems = 37 => "states_map_run_items",
    /// Versions of state machines by `state machine ARN:reversed number`.
    StateMachineVersions = 40 => "states_versions",
    /// Aliases of state machines by ARN.
    StateMachineAliases = 41 => "states_aliases",
    /// Log groups by ARN.
    LogGroups = 42 => "logs_groups",
    /// Log streams by `group ARN:log-stream:name`.
    LogStreams = 43 => "logs_streams",
    /// Log events by `group ARN:time:stream:id`.
    LogEvents = 44 => "logs_events",
    /// Settings of Systems Manager that were changed, by `ssm/account/region/id`.
    ServiceSettings = 56 => "ssm_service_settings",
    /// Connections of EventBridge to APIs outside, with their secrets, by name.
    Connections = 64 => "events_connections",
    /// Parameters of Parameter Store by `account/name`.
    Parameters = 57 => "ssm_parameters",
    /// State of executions that have ended badly, for a redrive, by ARN.
    Redrives = 48 => "states_redrives",
    /// Child automation executions by `parent's id/reversed start time/id`, for listing.
    AutomationsByParent = 52 => "ssm_automations_by_parent",
    /// Calls that were allowed or refused: pages of them by `page/time/count/id`, and how many
    /// there are.
    Decisions = 60 => "decisions",
    /// Which state machines and versions use which definition, by `definition/ARN`.
    DefinitionUses = 70 => "definition_uses",
    /// Change sets by `stack id/name`.
    ChangeSets = 74 => "cloudformation_change_sets",
    /// When users and roles last used what, by `unique id/action`.
    LastUses = 61 => "iam_last_uses",
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_tables_share_a_number_or_a_name() {
        let ids: HashSet<i16> = Table::ALL.iter().map(|table| table.id()).collect();
        let names: HashSet<&str> = Table::ALL.iter().map(|table| table.name()).collect();
        assert_eq!((ids.len(), names.len()), (Table::ALL.len(), Table::ALL.len()));
    }
}
