//! With whom documents are shared: DescribeDocumentPermission and ModifyDocumentPermission.
//!
//! The server is one account, so sharing shows nowhere but here, in lists by Owner, and in that a
//! shared document cannot be deleted.

use store::{Save, Table};
use value::{Value, value};

use super::document::{Document, arn, bare_name, find, key};
use super::{error, service_settings};
use crate::page::{cut, open_marker};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many accounts one request may name.
const ACCOUNTS_PER_REQUEST_MAX: usize = 20;
/// With how many accounts a document may be shared.
const ACCOUNTS_MAX: usize = 1_000;
/// How many documents may be shared with everybody.
const PUBLIC_DOCUMENTS_MAX: usize = 5;
/// How many items a page has when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 50;
/// What stands for every account.
const EVERYBODY: &str = "all";
/// Which versions are shared when the caller does not say.
const VERSIONS_DEFAULT: &str = "$DEFAULT";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "DescribeDocumentPermission",
        checks: may_describe,
        run: Run::Read(describe),
    },
    Operation { name: "ModifyDocumentPermission", checks: may_modify, run: Run::Write(modify) },
];

/// Returns the document that a request means; Amazon's are nobody's to share.
fn document(on: &Reading<'_>, input: &Value) -> Result<Document, Error> {
    match input.text("PermissionType")? {
        "Share" => {}
        other => return Err(error::invalid_permission_type(other)),
    }
    let name = bare_name(input.text("Name")?);
    let document = find(on, name)?.ok_or_else(|| error::invalid_document(name))?;
    document.check_changeable()?;
    Ok(document)
}

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("ssm:DescribeDocumentPermission", arn(on, input)?)])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let document = document(on, input)?;
    let after = match input.maybe_text("NextToken") {
        Some(token) => Some(open_marker(token).ok_or_else(error::invalid_next_token)?),
        None => None,
    };
    let limit = input.integer("MaxResults").and_then(|asked| usize::try_from(asked).ok());
    let rows = document.shared.into_iter().map(|(account, versions)| {
        let info = value!({ "AccountId": &account, "SharedDocumentVersion": versions });
        (account.clone(), (account, info))
    });
    let page = cut(rows, after.as_deref(), limit.unwrap_or(PAGE_ITEMS_DEFAULT));
    let (accounts, infos): (Vec<String>, Vec<Value>) = page.items.into_iter().unzip();
    Ok(value!({ "AccountIds": accounts, "AccountSharingInfoList": infos })
        .with_some("NextToken", page.next))
}

fn may_modify(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("ssm:ModifyDocumentPermission", arn(on, input)?)])
}

fn modify(on: &mut Writing<'_>, input: &Value) -> Answer {
    let mut document = document(&on.reading(), input)?;
    let accounts = |member: &str| -> Vec<String> {
        let given = input.list(member).iter().filter_map(Value::as_str);
        // `all` may be written in any case.
        given.map(str::to_ascii_lowercase).collect()
    };
    let (added, removed) = (accounts("AccountIdsToAdd"), accounts("AccountIdsToRemove"));
    if ACCOUNTS_PER_REQUEST_MAX < added.len() || ACCOUNTS_PER_REQUEST_MAX < removed.len() {
        return Err(error::permission_limit());
    }
    let versions = input.maybe_text("SharedDocumentVersion").unwrap_or(VERSIONS_DEFAULT);
    if added.iter().any(|account| account == EVERYBODY)
        && !service_settings::may_share_with_everybody(&on.reading())?
    {
        return Err(error::public_sharing_blocked());
    }
    for account in removed {
        document.shared.remove(&account);
    }
    for account in added {
        document.shared.insert(account, versions.to_owned());
    }
    if ACCOUNTS_MAX < document.shared.len() {
        return Err(error::permission_limit());
    }
    if document.shared.contains_key(EVERYBODY)
        && PUBLIC_DOCUMENTS_MAX <= public_documents_beside(on, &document.name)?
    {
        return Err(error::permission_limit());
    }
    on.store.save(Table::Documents, &key(on.call.account(), &document.name), &document)?;
    Ok(Value::object())
}

/// Returns how many documents other than this one are shared with everybody.
fn public_documents_beside(on: &Writing<'_>, name: &str) -> Result<usize, Error> {
    let own = super::document::own(&on.reading())?;
    let is_public =
        |document: &Document| document.name != name && document.shared.contains_key(EVERYBODY);
    Ok(own.iter().filter(|document| is_public(document)).count())
}
