//! AWS Identity and Access Management.
//!
//! Names are how callers find things, unique ids are how things refer to each other: a credential,
//! a membership or an attachment knows the id of its entity, so renaming moves one row and a name
//! used again inherits nothing.

mod access_advisor;
mod access_keys;
mod account;
mod account_details;
mod attachments;
mod aws_managed;
mod boundaries;
mod context_keys;
mod credential_report;
mod credentials;
mod entity;
mod error;
mod granted_services;
mod groups;
mod inline_policies;
mod instance_profiles;
mod linked_services;
mod login_profiles;
mod managed_policies;
mod memberships;
mod mfa_devices;
mod names;
mod oidc_providers;
mod paging;
mod password_policy;
mod policy_text;
mod policy_versions;
mod principals;
mod private_key;
mod providers;
mod qr_code;
mod roles;
mod rsa_public_key;
mod saml_metadata;
mod saml_providers;
mod server_certificates;
mod service_linked_roles;
mod service_specific_credentials;
mod signing_certificates;
mod simulation;
mod ssh_public_keys;
mod tags;
mod totp;
mod trust;
mod users;
mod virtual_mfa_devices;

use crate::Operation;

pub use access_keys::{KeyStatus, StoredKey, find_access_key, note_key_use};
pub use oidc_providers::{OidcProvider, find_oidc_provider};
pub use principals::{IdentityPolicies, is_live, policies_of_principal, policy_document};
pub use roles::{Role, find_role};
pub use saml_metadata::SamlMetadata;
pub use saml_providers::{SamlProvider, find_saml_provider};

pub(crate) use access_keys::{ACCESS_KEYS, SECRET_CHARACTERS};
pub(crate) use entity::is_entity;
pub(crate) use instance_profiles::role_in_profile;
pub(crate) use mfa_devices::{accept_token_code, no_such_device};
pub(crate) use policy_text::validate_policy;
pub(crate) use principals::policies_of_arn;

/// Every operation, one line per file.
pub const OPERATIONS: &[&[Operation]] = &[
    access_advisor::OPERATIONS,
    access_keys::OPERATIONS,
    account::OPERATIONS,
    account_details::OPERATIONS,
    attachments::OPERATIONS,
    boundaries::OPERATIONS,
    context_keys::OPERATIONS,
    credential_report::OPERATIONS,
    groups::OPERATIONS,
    inline_policies::OPERATIONS,
    instance_profiles::OPERATIONS,
    login_profiles::OPERATIONS,
    managed_policies::OPERATIONS,
    memberships::OPERATIONS,
    mfa_devices::OPERATIONS,
    oidc_providers::OPERATIONS,
    password_policy::OPERATIONS,
    policy_versions::OPERATIONS,
    roles::OPERATIONS,
    saml_providers::OPERATIONS,
    server_certificates::OPERATIONS,
    service_linked_roles::OPERATIONS,
    service_specific_credentials::OPERATIONS,
    signing_certificates::OPERATIONS,
    simulation::OPERATIONS,
    ssh_public_keys::OPERATIONS,
    tags::OPERATIONS,
    users::OPERATIONS,
    virtual_mfa_devices::OPERATIONS,
];
