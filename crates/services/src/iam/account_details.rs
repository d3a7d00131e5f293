//! Everything about users, groups, roles and policies in one list.
//!
//! IAM API reference, "GetAccountAuthorizationDetails" (read 2026-11).

use value::Value;

use super::attachments::Use;
use super::entity::{self, Entity, Kind};
use super::managed_policies::{self, ManagedPolicy};
use super::policy_text::encoded;
use super::{
    attachments, aws_managed, instance_profiles, memberships, paging, policy_versions, roles,
};
use crate::{Answer, Check, Input, Operation, Reading, Run};

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "GetAccountAuthorizationDetails",
    checks: |_, _| Ok(vec![Check::any("iam:GetAccountAuthorizationDetails")]),
    run: Run::Read(get),
}];

/// One item of the list, not yet shown: only those of one page are.
enum Item {
    Entity(Entity),
    Policy(ManagedPolicy),
}

/// The lists of the answer, in the order in which pages go through them.
const LISTS: [&str; 4] = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let filters: Vec<&str> = input.list("Filter").iter().filter_map(Value::as_str).collect();
    let wanted = |filter: &str| filters.is_empty() || filters.contains(&filter);
    let account = on.call.account();
    let mut rows: Vec<(String, (usize, Item))> = Vec::new();
    let mut add =
        |list: usize, key: String, item| rows.push((format!("{list}/{key}"), (list, item)));
    for (list, kind) in [(0, Kind::User), (1, Kind::Group), (2, Kind::Role)] {
        if wanted(kind.title()) {
            for (key, entity) in entity::all(on.store, account, kind)? {
                add(list, key, Item::Entity(entity));
            }
        }
    }
    if wanted("LocalManagedPolicy") {
        for (key, policy) in managed_policies::customers(on)? {
            add(3, key, Item::Policy(policy));
        }
    }
    if wanted("AWSManagedPolicy") {
        // UNVERIFIED: of AWS's own policies those that are in use.
        let mut used = attachments::used(on.store, Use::Attached, account)?;
        used.extend(attachments::used(on.store, Use::Boundary, account)?);
        for policy in used.iter().filter_map(|arn| aws_managed::find(arn)) {
            add(3, policy.arn.clone(), Item::Policy(policy));
        }
    }
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    let page = paging::slice(input, rows)?;
    let mut lists: [Vec<Value>; LISTS.len()] = Default::default();
    for (list, item) in page.items {
        let shown = match item {
            Item::Entity(entity) => entity_detail(on, &entity)?,
            Item::Policy(policy) => policy_detail(on, &policy)?,
        };
        if let Some(list) = lists.get_mut(list) {
            list.push(shown);
        }
    }
    let mut answer = Value::object();
    for (name, list) in LISTS.into_iter().zip(lists) {
        answer.set(name, list);
    }
    Ok(paging::close(answer, page.next))
}

fn inline(entity: &Entity) -> Vec<Value> {
    let policies = entity.inline_policies.iter();
    let shown = |(name, text): (&String, &String)| {
        Value::object().with("PolicyName", &**name).with("PolicyDocument", encoded(text))
    };
    policies.map(shown).collect()
}

fn entity_detail(on: &Reading<'_>, entity: &Entity) -> Answer {
    let account = on.call.account();
    let attached: Vec<Value> =
        entity.attached_policies.iter().map(|arn| attachments::shown_one(arn)).collect();
    let detail = match entity.kind() {
        Kind::User => {
            let groups = memberships::groups_of(on.store, account, &entity.id)?;
            let mut names: Vec<String> = groups.into_iter().map(|group| group.name).collect();
            names.sort_unstable();
            let inline = Some(inline(entity)).filter(|inline| !inline.is_empty());
            entity.shown_whole(on.call).with("GroupList", names).with_some("UserPolicyList", inline)
        }
        Kind::Group => entity.shown(on.call).with("GroupPolicyList", inline(entity)),
        Kind::Role => roles::detail_shown(on.store, on.call, entity)?
            .with("InstanceProfileList", instance_profiles::shown_of_role(on, &entity.id)?)
            .with("RolePolicyList", inline(entity)),
    };
    Ok(detail.with("AttachedManagedPolicies", attached))
}

fn policy_detail(on: &Reading<'_>, policy: &ManagedPolicy) -> Answer {
    let versions = policy.versions.iter().rev();
    let versions: Vec<Value> = versions
        .map(|version| {
            policy_versions::shown(policy, version).with("Document", encoded(&version.document))
        })
        .collect();
    Ok(managed_policies::shown(on, policy)?
        .with_some("Description", policy.description.as_deref())
        .with("PolicyVersionList", versions))
}
