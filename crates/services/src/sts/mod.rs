//! AWS Security Token Service: who one is, and temporary credentials.

mod assume_role;
mod identity;
mod service_roles;
mod session_policies;
mod session_tokens;
mod sessions;

use crate::Operation;

pub use service_roles::assume_for_service;
pub use sessions::{Credentials, Session, credentials_for, find_session};

/// Every operation, one line per file.
pub const OPERATIONS: &[&[Operation]] =
    &[assume_role::OPERATIONS, identity::OPERATIONS, session_tokens::OPERATIONS];
