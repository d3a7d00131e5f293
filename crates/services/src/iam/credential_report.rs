//! The credential report: a table of all users and the state of their credentials.
//!
//! IAM user guide, "Generate credential reports for your AWS account"; IAM API reference,
//! "GenerateCredentialReport", "GetCredentialReport" (read 2026-11).

use asl::format_millis;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use store::{Load, Save, Table};
use value::{Value, value};

use super::credentials::{self, CredentialKind};
use super::entity::{self, Detail, Entity, Kind};
use super::{access_keys, login_profiles, password_policy, signing_certificates, users};
use crate::{Answer, Check, Error, Operation, Reading, Run, Writing};

/// How long a report is good for, on the server's clock: four hours.
const GOOD_FOR_MILLIS: i64 = 4 * 3_600_000;
/// How many keys and certificates have columns.
const KEYS: usize = 2;
const CERTIFICATES: usize = 2;
/// A day.
const DAY_MILLIS: i64 = 86_400_000;

/// What stands where there is nothing to tell.
const NOT_APPLICABLE: &str = "N/A";
/// What stands where something was never used.
const NO_INFORMATION: &str = "no_information";
/// What stands where the root user has other rules.
const NOT_SUPPORTED: &str = "not_supported";

const HEAD: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
    password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
    access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
    cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "GenerateCredentialReport",
        checks: |_, _| Ok(vec![Check::any("iam:GenerateCredentialReport")]),
        run: Run::Write(generate),
    },
    Operation {
        name: "GetCredentialReport",
        checks: |_, _| Ok(vec![Check::any("iam:GetCredentialReport")]),
        run: Run::Read(get),
    },
];

/// The latest report, stored by `credential-report/account`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    generated_millis: i64,
    text: String,
}

impl Report {
    fn is_good(&self, now_millis: i64) -> bool {
        (self.generated_millis..self.generated_millis + GOOD_FOR_MILLIS).contains(&now_millis)
    }
}

fn key(account: &str) -> String {
    format!("credential-report/{account}")
}

fn latest(on: &Reading<'_>) -> Result<Option<Report>, Error> {
    Ok(on.store.load(Table::IamSettings, &key(on.call.account()))?)
}

/// The report is made at once; AWS says so at the second call, which is answered COMPLETE here too.
fn generate(w: &mut Writing<'_>, _: &Value) -> Answer {
    let now_millis = w.call.now_millis;
    let known = latest(&w.reading())?;
    if known.as_ref().is_some_and(|report| report.is_good(now_millis)) {
        return Ok(value!({ "State": "COMPLETE" }));
    }
    let report = Report { generated_millis: now_millis, text: table(&w.reading())? };
    w.store.save(Table::IamSettings, &key(w.call.account()), &report)?;
    let first = "No report exists. Starting a new report generation task";
    let description = Some(first).filter(|_| known.is_none());
    Ok(value!({ "State": "STARTED" }).with_some("Description", description))
}

fn get(on: &Reading<'_>, _: &Value) -> Answer {
    // UNVERIFIED: AWS's texts of both.
    let report = latest(on)?.ok_or_else(|| {
        let text = "The credential report does not exist. Use GenerateCredentialReport to \
                    generate one.";
        Error::new("ReportNotPresent", text)
    })?;
    if !report.is_good(on.call.now_millis) {
        let text = "The most recent credential report has expired. Use GenerateCredentialReport \
                    to generate a new one.";
        return Err(Error::new("ReportExpired", text));
    }
    Ok(value!({
        "Content": BASE64_STANDARD.encode(&report.text),
        "ReportFormat": "text/csv",
        "GeneratedTime": (entity::seconds(report.generated_millis)),
    }))
}

fn table(on: &Reading<'_>) -> Result<String, Error> {
    let policy = password_policy::of(on.store, on.call.account())?;
    let max_age_days = policy.and_then(|policy| policy.max_age_days);
    let mut rows = vec![HEAD.to_owned(), root_row(on)];
    for (_, user) in entity::all(on.store, on.call.account(), Kind::User)? {
        rows.push(user_row(on, &user, max_age_days)?);
    }
    Ok(rows.join("\n"))
}

/// The root user has no keys and no certificates here.
fn root_row(on: &Reading<'_>) -> String {
    let mut row = vec![
        "<root_account>".to_owned(),
        on.call.global_arn("iam", "root"),
        time(users::ROOT_CREATED_MILLIS),
        NOT_SUPPORTED.to_owned(),
        NO_INFORMATION.to_owned(),
        NOT_SUPPORTED.to_owned(),
        NOT_SUPPORTED.to_owned(),
        "false".to_owned(),
    ];
    key_columns(&mut row, &[]);
    certificate_columns(&mut row, &[]);
    line(&row)
}

fn user_row(on: &Reading<'_>, user: &Entity, max_age_days: Option<i64>) -> Result<String, Error> {
    let account = on.call.account();
    let changed = login_profiles::password_changed_millis(on.store, &user.id)?;
    let last_used = match &user.detail {
        Detail::User { password_last_used_millis } => *password_last_used_millis,
        Detail::Group | Detail::Role(_) => None,
    };
    let last_used = match changed {
        Some(_) => last_used.map_or_else(|| NO_INFORMATION.to_owned(), time),
        None => NOT_APPLICABLE.to_owned(),
    };
    let due = changed.zip(max_age_days).map(|(changed, days)| changed + days * DAY_MILLIS);
    let devices = credentials::owned_ids(on.store, account, &user.id, CredentialKind::MfaDevice)?;
    let mut row = vec![
        user.name.clone(),
        user.arn(on.call),
        time(user.created_millis),
        changed.is_some().to_string(),
        last_used,
        time_or_not(changed),
        time_or_not(due),
        (!devices.is_empty()).to_string(),
    ];
    key_columns(&mut row, &access_keys::reported(on.store, account, &user.id)?);
    certificate_columns(&mut row, &signing_certificates::reported(on.store, account, &user.id)?);
    Ok(line(&row))
}

fn key_columns(row: &mut Vec<String>, keys: &[access_keys::ReportedKey]) {
    for number in 0..KEYS {
        let key = keys.get(number);
        let used = key.and_then(|key| key.last_used.as_ref());
        let text =
            |text: Option<&String>| text.map_or_else(|| NOT_APPLICABLE.to_owned(), String::clone);
        row.push(key.is_some_and(|key| key.is_active).to_string());
        row.push(time_or_not(key.map(|key| key.created_millis)));
        row.push(time_or_not(used.map(|(millis, _, _)| *millis)));
        row.push(text(used.map(|(_, region, _)| region)));
        row.push(text(used.map(|(_, _, service)| service)));
    }
}

fn certificate_columns(row: &mut Vec<String>, certificates: &[(bool, i64)]) {
    for number in 0..CERTIFICATES {
        let certificate = certificates.get(number);
        row.push(certificate.is_some_and(|(is_active, _)| *is_active).to_string());
        row.push(time_or_not(certificate.map(|(_, uploaded)| *uploaded)));
    }
}

fn time_or_not(millis: Option<i64>) -> String {
    millis.map_or_else(|| NOT_APPLICABLE.to_owned(), time)
}

/// Returns a time as reports have it: `2026-11-25T17:00:00+00:00`.
fn time(millis: i64) -> String {
    let text = format_millis(millis);
    let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
    format!("{seconds}+00:00")
}

/// Names of users may have commas.
fn line(row: &[String]) -> String {
    let quoted = row.iter().map(|text| {
        if text.contains([',', '"']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.clone()
        }
    });
    quoted.collect::<Vec<String>>().join(",")
}
