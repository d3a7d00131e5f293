//! Who makes a call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Arn;

/// The path of roles that AWS services make for themselves.
const SERVICE_LINKED_PATH: &str = "/aws-service-role/";

/// Who makes a call: the caller as every part of Stepwell knows it.
///
/// ```
/// use policy::Principal;
///
/// let session = Principal::assumed_role("123456789012", "/ops/", "Deleter", "AROA1", "run-1");
/// assert_eq!(session.arn(), "arn:aws:sts::123456789012:assumed-role/Deleter/run-1");
/// assert_eq!(session.user_id(), "AROA1:run-1");
/// assert_eq!(session.iam_arn(), "arn:aws:iam::123456789012:role/ops/Deleter");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// The account the principal belongs to; empty for services and anonymous callers.
    pub account: String,
    /// The partition of its ARNs: `aws` unless it is said otherwise.
    #[serde(default = "aws", skip_serializing_if = "is_aws")]
    pub partition: String,
    /// What kind of principal it is.
    pub kind: PrincipalKind,
    /// The tags of the user or role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What temporary credentials add; absent for long-term credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
}

/// The kinds of principals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum PrincipalKind {
    /// The account's root user.
    Root,
    /// An IAM user.
    User {
        /// The name.
        name: String,
        /// The unique id, `AIDA…`.
        id: String,
        /// The path, `/` or `/…/`.
        path: String,
    },
    /// A session of a role.
    AssumedRole {
        /// The name of the role.
        role_name: String,
        /// The unique id of the role, `AROA…`.
        role_id: String,
        /// The path of the role, `/` or `/…/`.
        role_path: String,
        /// The name of the session.
        session_name: String,
    },
    /// A session of `GetFederationToken`.
    FederatedUser {
        /// The name.
        name: String,
    },
    /// An AWS service acting for itself, e.g. `states.amazonaws.com`.
    Service {
        /// The service principal.
        name: String,
    },
    /// Nobody in particular.
    Anonymous,
}

/// What temporary credentials add to a principal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// When the credentials were issued.
    pub issued_at_millis: i64,
    /// The session tags; they win over the principal's own tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The keys of the session tags that pass on to further sessions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitive_tag_keys: Vec<String>,
    /// The source identity, which no later session can change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// When the caller proved possession of an MFA device, if that was part of getting them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_at_millis: Option<i64>,
    /// The user that gave out a federated user's session; absent when the root user did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federating_user: Option<FederatingUser>,
    /// The identity provider whose token opened the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<IdentityProvider>,
    /// Policies that the session was opened with; they can only take away. They go wherever the
    /// caller goes: to whatever a process does in its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<SessionPolicy>>,
}

/// A policy of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionPolicy {
    /// Its ARN, or a word for an inline one.
    pub label: String,
    /// Its text.
    pub document: String,
}

/// The user that stands behind a federated user: its permissions are the most that one can have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FederatingUser {
    /// The name.
    pub name: String,
    /// The unique id, `AIDA…`.
    pub id: String,
}

/// The identity provider that vouches for a caller, and what it says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityProvider {
    /// The ARN of the provider, the value of `aws:FederatedProvider`.
    pub arn: String,
    /// What it says, as condition keys: `token.example.com:sub`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, Vec<String>>,
}

fn aws() -> String {
    "aws".to_owned()
}

fn is_aws(partition: &String) -> bool {
    partition == "aws"
}

impl Principal {
    /// Makes a principal without tags and session.
    pub fn new(account: &str, kind: PrincipalKind) -> Principal {
        let account = account.to_owned();
        Principal { account, partition: aws(), kind, tags: BTreeMap::new(), session: None }
    }

    /// Makes the root user of an account.
    pub fn root(account: &str) -> Principal {
        Principal::new(account, PrincipalKind::Root)
    }

    /// Makes an IAM user with long-term credentials.
    pub fn user(account: &str, path: &str, name: &str, id: &str) -> Principal {
        let (name, id, path) = (name.to_owned(), id.to_owned(), path.to_owned());
        Principal::new(account, PrincipalKind::User { name, id, path })
    }

    /// Makes a session of a role.
    pub fn assumed_role(
        account: &str,
        role_path: &str,
        role_name: &str,
        role_id: &str,
        session_name: &str,
    ) -> Principal {
        let kind = PrincipalKind::AssumedRole {
            role_name: role_name.to_owned(),
            role_id: role_id.to_owned(),
            role_path: role_path.to_owned(),
            session_name: session_name.to_owned(),
        };
        Principal { session: Some(Session::default()), ..Principal::new(account, kind) }
    }

    /// Makes a session of `GetFederationToken`.
    pub fn federated_user(account: &str, name: &str) -> Principal {
        let kind = PrincipalKind::FederatedUser { name: name.to_owned() };
        Principal { session: Some(Session::default()), ..Principal::new(account, kind) }
    }

    /// Makes an AWS service, e.g. `states.amazonaws.com`.
    pub fn service(name: &str) -> Principal {
        Principal::new("", PrincipalKind::Service { name: name.to_owned() })
    }

    /// Makes the caller who gave no credentials.
    pub fn anonymous() -> Principal {
        Principal::new("", PrincipalKind::Anonymous)
    }

    /// Makes the caller whom an identity provider vouches for, before a role lets it in.
    pub fn vouched_for(provider: IdentityProvider) -> Principal {
        let identity_provider = Some(provider);
        Principal::anonymous().with_session(Session { identity_provider, ..Session::default() })
    }

    /// Returns the policies that the caller's session was opened with, if there were any.
    pub fn session_policies(&self) -> Option<&[SessionPolicy]> {
        self.session.as_ref()?.policies.as_deref()
    }

    /// Returns the ARN of the identity provider that vouches for the caller, if one does.
    pub fn provider_arn(&self) -> Option<&str> {
        let provider = self.session.as_ref()?.identity_provider.as_ref()?;
        Some(&provider.arn)
    }

    /// Returns this principal in a partition: `aws-cn`, `aws-us-gov`.
    #[must_use]
    pub fn in_partition(mut self, partition: &str) -> Principal {
        partition.clone_into(&mut self.partition);
        self
    }

    fn own_arn(&self, service: &str, resource: &str) -> String {
        Arn::new(service, "", &self.account, resource).in_partition(&self.partition).to_string()
    }

    /// Returns this principal with a session.
    #[must_use]
    pub fn with_session(mut self, session: Session) -> Principal {
        self.session = Some(session);
        self
    }

    /// Returns whether this is a session of a service-linked role, which organisations leave alone.
    pub fn is_service_linked(&self) -> bool {
        match &self.kind {
            PrincipalKind::AssumedRole { role_path, .. } => {
                role_path.starts_with(SERVICE_LINKED_PATH)
            }
            PrincipalKind::Root
            | PrincipalKind::User { .. }
            | PrincipalKind::FederatedUser { .. }
            | PrincipalKind::Service { .. }
            | PrincipalKind::Anonymous => false,
        }
    }

    /// Returns the ARN that `sts:GetCallerIdentity` shows and that error texts name; for a service
    /// its service principal.
    pub fn arn(&self) -> String {
        let sts = |resource: &str| self.own_arn("sts", resource);
        match &self.kind {
            PrincipalKind::Root | PrincipalKind::User { .. } => self.iam_arn(),
            PrincipalKind::AssumedRole { role_name, session_name, .. } => {
                sts(&format!("assumed-role/{role_name}/{session_name}"))
            }
            PrincipalKind::FederatedUser { name } => sts(&format!("federated-user/{name}")),
            PrincipalKind::Service { name } => name.clone(),
            PrincipalKind::Anonymous => "anonymous".to_owned(),
        }
    }

    /// Returns the ARN of the IAM entity: the role behind a session, else as [`Principal::arn`].
    ///
    /// This is the value of `aws:PrincipalArn`.
    pub fn iam_arn(&self) -> String {
        let iam = |resource: &str| self.own_arn("iam", resource);
        match &self.kind {
            PrincipalKind::Root => iam("root"),
            PrincipalKind::User { name, path, .. } => iam(&format!("user{path}{name}")),
            PrincipalKind::AssumedRole { role_name, role_path, .. } => {
                iam(&format!("role{role_path}{role_name}"))
            }
            PrincipalKind::FederatedUser { .. }
            | PrincipalKind::Service { .. }
            | PrincipalKind::Anonymous => self.arn(),
        }
    }

    /// Returns the unique id, the value of `aws:userid`.
    pub fn user_id(&self) -> String {
        match &self.kind {
            PrincipalKind::Root => self.account.clone(),
            PrincipalKind::User { id, .. } => id.clone(),
            PrincipalKind::AssumedRole { role_id, session_name, .. } => {
                format!("{role_id}:{session_name}")
            }
            PrincipalKind::FederatedUser { name } => format!("{}:{name}", self.account),
            PrincipalKind::Service { name } => name.clone(),
            PrincipalKind::Anonymous => "anonymous".to_owned(),
        }
    }

    /// Returns the principal's tags as policies see them: session tags win over tags of the entity,
    /// and keys that differ in case only are one key.
    pub fn effective_tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.tags.clone();
        for (key, value) in self.session.iter().flat_map(|session| &session.tags) {
            tags.retain(|known, _| known.to_lowercase() != key.to_lowercase());
            tags.insert(key.clone(), value.clone());
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";

    #[test]
    fn names_of_every_kind() {
        for (principal, arn, iam_arn, user_id) in [
            (
                Principal::root(ACCOUNT),
                "arn:aws:iam::123456789012:root",
                "arn:aws:iam::123456789012:root",
                "123456789012",
            ),
            (
                Principal::user(ACCOUNT, "/div/", "bob", "AIDA1"),
                "arn:aws:iam::123456789012:user/div/bob",
                "arn:aws:iam::123456789012:user/div/bob",
                "AIDA1",
            ),
            (
                Principal::assumed_role(ACCOUNT, "/x/", "R", "AROA1", "s"),
                "arn:aws:sts::123456789012:assumed-role/R/s",
                "arn:aws:iam::123456789012:role/x/R",
                "AROA1:s",
            ),
            (
                Principal::federated_user(ACCOUNT, "bob"),
                "arn:aws:sts::123456789012:federated-user/bob",
                "arn:aws:sts::123456789012:federated-user/bob",
                "123456789012:bob",
            ),
            (
                Principal::service("ssm.amazonaws.com"),
                "ssm.amazonaws.com",
                "ssm.amazonaws.com",
                "ssm.amazonaws.com",
            ),
        ] {
            let found = (principal.arn(), principal.iam_arn(), principal.user_id());
            assert_eq!(found, (arn.to_owned(), iam_arn.to_owned(), user_id.to_owned()));
        }
    }

    /// Principals stand in stored executions, so their JSON form must not change unawares.
    #[test]
    fn the_stored_form_stays() {
        let session = Session {
            issued_at_millis: 5,
            tags: [("team".to_owned(), "日本".to_owned())].into(),
            transitive_tag_keys: vec!["team".to_owned()],
            source_identity: Some("alice".to_owned()),
            ..Session::default()
        };
        let role = Principal::assumed_role(ACCOUNT, "/", "R", "AROA1", "s").with_session(session);
        let stored = concat!(
            r#"{"account":"123456789012","kind":{"type":"AssumedRole","roleName":"R","#,
            r#""roleId":"AROA1","rolePath":"/","sessionName":"s"},"#,
            r#""session":{"issuedAtMillis":5,"tags":{"team":"日本"},"#,
            r#""transitiveTagKeys":["team"],"sourceIdentity":"alice"}}"#,
        );
        assert_eq!(value::to_value(&role).unwrap().to_string(), stored);
        let back: Principal = value::from_value(value::parse(stored).unwrap()).unwrap();
        assert_eq!(back, role);
        let user = r#"{"account":"1","kind":{"type":"Root"}}"#;
        let back: Principal = value::from_value(value::parse(user).unwrap()).unwrap();
        assert_eq!(back, Principal::root("1"));
    }
}
