//! The services through their operations: found by name, checked and run on a store in memory.

#![cfg(test)]

mod authorization;
mod decisions;
mod http_tasks;
mod iam_credentials;
mod iam_deletion;
mod iam_entities;
mod iam_mfa;
mod iam_pages;
mod iam_passwords;
mod iam_policies;
mod iam_providers;
mod iam_quotas;
mod iam_reports;
mod iam_server_certificates;
mod iam_service_linked_roles;
mod iam_simulation;
mod limits;
mod logs;
mod metrics;
mod outward;
mod outward_rights;
mod relay;
mod retention;
mod served;
mod server;
mod signatures;
mod ssm_actions;
mod ssm_authority;
mod ssm_automations;
mod ssm_documents;
mod ssm_events;
mod ssm_parameters;
mod states_callbacks;
mod states_events;
mod states_express;
mod states_history;
mod states_map_runs;
mod states_redrive;
mod states_test_state;
mod states_validation;
mod states_versions;
mod sts;
mod sts_sessions;
mod sts_web_identity;
