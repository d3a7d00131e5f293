//! AWS Security Token Service: who one is, and temporary credentials.

mod assume_role;
mod authorization_messages;
mod federated;
mod federation_tokens;
mod identity;
mod packed_policy;
mod restrictions;
mod saml;
mod service_roles;
mod session_policies;
mod session_tags;
mod session_tokens;
mod sessions;
mod texts;
mod web_identity;

use crate::Operation;

pub use service_roles::assume_for_service;
pub use sessions::{Credentials, Session, credentials_for, find_session};
pub use web_identity::Issuers;

pub(crate) use authorization_messages::Messages;
pub(crate) use restrictions::check as check_restrictions;

/// Every operation, one line per file.
pub const OPERATIONS: &[&[Operation]] = &[
    assume_role::OPERATIONS,
    authorization_messages::OPERATIONS,
    federation_tokens::OPERATIONS,
    identity::OPERATIONS,
    saml::OPERATIONS,
    session_tokens::OPERATIONS,
    web_identity::OPERATIONS,
];
