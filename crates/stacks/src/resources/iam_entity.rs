//! What IAM roles, users and groups share: attached and inline policies.

use value::{Value, value};

use super::{Call, Work, document_text, items, removed, tag_keys, texts};
use crate::template::scalar_text;

/// What is to be deleted is gone already.
pub(super) const GONE: &[&str] = &["NoSuchEntity", "NoSuchEntityException"];

/// `Role`, `User` or `Group`, as the operations spell it.
#[derive(Clone, Copy)]
pub(super) enum Entity {
    Role,
    User,
    Group,
}

impl Entity {
    pub(super) fn word(self) -> &'static str {
        match self {
            Entity::Role => "Role",
            Entity::User => "User",
            Entity::Group => "Group",
        }
    }

    fn key(self) -> String {
        format!("{}Name", self.word())
    }

    /// Returns `{"RoleName": name}` and the like.
    pub(super) fn named(self, name: &str) -> Value {
        Value::object().with(self.key(), name)
    }

    pub(super) fn attach(self, name: &str, policy_arn: &str) -> Call {
        let input = self.named(name).with("PolicyArn", policy_arn);
        Call::new("iam", format!("Attach{}Policy", self.word()), input)
    }

    pub(super) fn detach(self, name: &str, policy_arn: &str) -> Call {
        let input = self.named(name).with("PolicyArn", policy_arn);
        Call::new("iam", format!("Detach{}Policy", self.word()), input).tolerating(GONE)
    }

    pub(super) fn put_inline(self, name: &str, policy_name: &str, document: String) -> Call {
        let input =
            self.named(name).with("PolicyName", policy_name).with("PolicyDocument", document);
        Call::new("iam", format!("Put{}Policy", self.word()), input)
    }

    pub(super) fn delete_inline(self, name: &str, policy_name: &str) -> Call {
        let input = self.named(name).with("PolicyName", policy_name);
        Call::new("iam", format!("Delete{}Policy", self.word()), input).tolerating(GONE)
    }

    /// Returns the calls that give a new entity its policies.
    pub(super) fn add_policies(self, work: &Work) -> Vec<Call> {
        let arns = texts(work.get("ManagedPolicyArns"));
        let attached = arns.iter().map(|arn| self.attach(&work.name, arn));
        let inline = items(work.get("Policies"))
            .into_iter()
            .map(|policy| self.put_policy(&work.name, &policy));
        attached.chain(inline).collect()
    }

    fn put_policy(self, name: &str, policy: &Value) -> Call {
        let document = document_text(policy.get("PolicyDocument")).unwrap_or_default();
        self.put_inline(name, &policy_name(policy), document)
    }

    /// Returns the calls that change the policies of an entity.
    pub(super) fn change_policies(self, work: &Work) -> Vec<Call> {
        let name = &work.physical_id;
        let before = texts(work.previous.get("ManagedPolicyArns"));
        let after = texts(work.get("ManagedPolicyArns"));
        let mut calls: Vec<Call> = Vec::new();
        calls.extend(removed(&after, &before).iter().map(|arn| self.attach(name, arn)));
        calls.extend(removed(&before, &after).iter().map(|arn| self.detach(name, arn)));
        let before = items(work.previous.get("Policies"));
        let after = items(work.get("Policies"));
        let changed = after.iter().filter(|policy| !before.contains(policy));
        calls.extend(changed.map(|policy| self.put_policy(name, policy)));
        let names = |policies: &[Value]| policies.iter().map(policy_name).collect::<Vec<_>>();
        let gone = removed(&names(&before), &names(&after));
        calls.extend(gone.iter().map(|policy| self.delete_inline(name, policy)));
        calls
    }

    /// Returns the calls that take the policies of an entity away, before it is deleted.
    pub(super) fn remove_policies(self, work: &Work) -> Vec<Call> {
        let name = &work.physical_id;
        let arns = texts(work.get("ManagedPolicyArns"));
        let attached = arns.iter().map(|arn| self.detach(name, arn));
        let inline = items(work.get("Policies"))
            .into_iter()
            .map(|policy| self.delete_inline(name, &policy_name(&policy)));
        attached.chain(inline).collect()
    }

    /// Returns the calls that change the tags.
    pub(super) fn change_tags(self, work: &Work) -> Vec<Call> {
        let mut calls = Vec::new();
        if !work.changes("Tags") {
            return calls;
        }
        let name = self.named(&work.physical_id);
        let gone = removed(&tag_keys(work.previous.get("Tags")), &tag_keys(work.get("Tags")));
        if !gone.is_empty() {
            let input = name.clone().with("TagKeys", gone);
            calls.push(Call::new("iam", format!("Untag{}", self.word()), input));
        }
        let tags = items(work.get("Tags"));
        if !tags.is_empty() {
            let input = name.with("Tags", tags);
            calls.push(Call::new("iam", format!("Tag{}", self.word()), input));
        }
        calls
    }

    /// Returns the calls that change the permissions boundary.
    pub(super) fn change_boundary(self, work: &Work) -> Vec<Call> {
        if !work.changes("PermissionsBoundary") {
            return Vec::new();
        }
        let name = self.named(&work.physical_id);
        let Some(arn) = work.text("PermissionsBoundary") else {
            let operation = format!("Delete{}PermissionsBoundary", self.word());
            return vec![Call::new("iam", operation, name).tolerating(GONE)];
        };
        let operation = format!("Put{}PermissionsBoundary", self.word());
        vec![Call::new("iam", operation, name.with("PermissionsBoundary", arn))]
    }

    /// Returns the call that deletes the entity itself.
    pub(super) fn delete(self, work: &Work) -> Call {
        let operation = format!("Delete{}", self.word());
        Call::new("iam", operation, self.named(&work.physical_id)).tolerating(GONE)
    }
}

fn policy_name(policy: &Value) -> String {
    policy.get("PolicyName").map(scalar_text).unwrap_or_default()
}

/// Returns the membership call of a user.
pub(super) fn membership(operation: &str, user: &str, group: &str) -> Call {
    Call::new("iam", operation, value!({"UserName": user, "GroupName": group}))
}
