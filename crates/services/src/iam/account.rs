//! What is said of the account as a whole: its alias and its summary.
//!
//! IAM API reference, "GetAccountSummary", "CreateAccountAlias" (read 2026-11).

use store::{Load, Save, Scan, Table};
use value::Value;

use super::credentials::{self, CredentialKind};
use super::entity::{self, Kind};
use super::{
    OidcProvider, SamlProvider, error, managed_policies, paging, providers, server_certificates,
};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// Quotas that the summary tells and nothing here counts against.
const FIXED: &[(&str, i64)] = &[
    ("AccessKeysPerUserQuota", 2),
    ("AccountAccessKeysPresent", 0),
    ("AccountMFAEnabled", 0),
    ("AccountPasswordPresent", 1),
    ("AccountSigningCertificatesPresent", 0),
    ("AssumeRolePolicySizeQuota", 2048),
    ("AttachedPoliciesPerGroupQuota", 10),
    ("AttachedPoliciesPerRoleQuota", 10),
    ("AttachedPoliciesPerUserQuota", 10),
    ("GroupPolicySizeQuota", 5120),
    ("GroupsPerUserQuota", 10),
    ("GroupsQuota", 300),
    ("InstanceProfilesQuota", 1000),
    ("PoliciesQuota", 1500),
    ("PolicySizeQuota", 6144),
    ("PolicyVersionsInUseQuota", 10_000),
    ("RolePolicySizeQuota", 10_240),
    ("RolesQuota", 1000),
    ("ServerCertificatesQuota", 20),
    ("SigningCertificatesPerUserQuota", 2),
    ("UserPolicySizeQuota", 2048),
    ("UsersQuota", 5000),
    ("VersionsPerPolicyQuota", 5),
];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "GetAccountSummary",
        checks: |_, _| Ok(vec![Check::any("iam:GetAccountSummary")]),
        run: Run::Read(summary),
    },
    Operation {
        name: "CreateAccountAlias",
        checks: |_, _| Ok(vec![Check::any("iam:CreateAccountAlias")]),
        run: Run::Write(create_alias),
    },
    Operation {
        name: "DeleteAccountAlias",
        checks: |_, _| Ok(vec![Check::any("iam:DeleteAccountAlias")]),
        run: Run::Write(delete_alias),
    },
    Operation {
        name: "ListAccountAliases",
        checks: |_, _| Ok(vec![Check::any("iam:ListAccountAliases")]),
        run: Run::Read(list_aliases),
    },
    Operation {
        name: "SetSecurityTokenServicePreferences",
        checks: |_, _| Ok(vec![Check::any("iam:SetSecurityTokenServicePreferences")]),
        run: Run::Write(set_token_version),
    },
];

fn summary(on: &Reading<'_>, _: &Value) -> Answer {
    let account = on.call.account();
    let users = entity::all(on.store, account, Kind::User)?;
    let mut devices_in_use = 0;
    for (_, user) in &users {
        let kind = CredentialKind::MfaDevice;
        devices_in_use += credentials::owned_ids(on.store, account, &user.id, kind)?.len();
    }
    let policies = managed_policies::customers(on)?;
    let versions: usize = policies.iter().map(|(_, policy)| policy.versions.len()).sum();
    let profiles = format!("instance-profile/{account}/");
    let devices = on.store.scan(Table::MfaDevices, Scan::prefix(""))?.len();
    let providers = providers::count::<OidcProvider>(on.store, account)?
        + providers::count::<SamlProvider>(on.store, account)?;
    let counted = [
        ("Users", users.len()),
        ("Groups", entity::all(on.store, account, Kind::Group)?.len()),
        ("Roles", entity::all(on.store, account, Kind::Role)?.len()),
        ("Policies", policies.len()),
        ("PolicyVersionsInUse", versions),
        ("InstanceProfiles", on.store.scan(Table::IamSettings, Scan::prefix(&profiles))?.len()),
        ("Providers", providers),
        ("ServerCertificates", server_certificates::count(on.store, account)?),
        ("GlobalEndpointTokenVersion", token_version(on)?),
        ("MFADevices", devices),
        ("MFADevicesInUse", devices_in_use),
    ];
    let mut map = Value::object();
    for (name, count) in counted {
        map.set(name, count);
    }
    for (name, fixed) in FIXED {
        map.set(*name, *fixed);
    }
    Ok(Value::object().with("SummaryMap", map))
}

fn token_version_key(account: &str) -> String {
    format!("global-endpoint-token-version/{account}")
}

/// Returns which tokens the global endpoint of STS gives: 1, valid in regions enabled by default,
/// or 2, valid everywhere. Here every token is valid in every region.
fn token_version(on: &Reading<'_>) -> Result<usize, Error> {
    let set: Option<usize> =
        on.store.load(Table::IamSettings, &token_version_key(on.call.account()))?;
    Ok(set.unwrap_or(1))
}

fn set_token_version(w: &mut Writing<'_>, input: &Value) -> Answer {
    let version: usize = match input.text("GlobalEndpointTokenVersion")? {
        "v1Token" => 1,
        "v2Token" => 2,
        other => {
            let values = "Member must satisfy enum value set: [v1Token, v2Token]";
            return Err(error::constraint("globalEndpointTokenVersion", Some(other), values));
        }
    };
    w.store.save(Table::IamSettings, &token_version_key(w.call.account()), &version)?;
    Ok(Value::object())
}

fn alias_key(account: &str) -> String {
    format!("account-alias/{account}")
}

fn create_alias(w: &mut Writing<'_>, input: &Value) -> Answer {
    let alias = input.text("AccountAlias")?;
    let letters = alias.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let framed = !alias.starts_with('-') && !alias.ends_with('-') && !alias.contains("--");
    if !(3..=63).contains(&alias.len()) || !letters || !framed {
        let pattern = "Member must satisfy regular expression pattern: \
                       ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
        return Err(error::constraint("accountAlias", Some(alias), pattern));
    }
    let key = alias_key(w.call.account());
    w.store.save(Table::IamSettings, &key, alias)?;
    Ok(Value::object())
}

fn alias_of(on: &Reading<'_>) -> Result<Option<String>, Error> {
    Ok(on.store.load(Table::IamSettings, &alias_key(on.call.account()))?)
}

fn delete_alias(w: &mut Writing<'_>, input: &Value) -> Answer {
    let alias = input.text("AccountAlias")?;
    if alias_of(&w.reading())?.as_deref() != Some(alias) {
        return Err(error::no_such_entity(format!("The account alias {alias} cannot be found.")));
    }
    w.store.delete(Table::IamSettings, &alias_key(w.call.account()))?;
    Ok(Value::object())
}

fn list_aliases(on: &Reading<'_>, input: &Value) -> Answer {
    let rows = alias_of(on)?.into_iter().map(|alias| (alias.clone(), alias));
    paging::page(input, "AccountAliases", rows)
}
