//! Settings of an account: GetServiceSetting and its kin, for what concerns Automation and
//! documents.
//!
//! AWS Systems Manager API reference, "UpdateServiceSetting" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Save, Table};
use value::{Value, value};

use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "GetServiceSetting", checks: may_get, run: Run::Read(get) },
    Operation { name: "UpdateServiceSetting", checks: may_update, run: Run::Write(update) },
    Operation { name: "ResetServiceSetting", checks: may_reset, run: Run::Write(reset) },
];

/// A setting that can be looked at and changed.
struct Setting {
    /// Its id, `/ssm/…`.
    id: &'static str,
    /// What it is until somebody changes it.
    default: &'static str,
    allows: fn(&str) -> bool,
}

/// The settings kept here.
// DIFFERS: they are kept and given back; nothing here acts on them. Scripts log to the step's
// output, adaptive concurrency is a quota that this server does not have, and documents are shared
// with nobody outside of it.
const SETTINGS: &[Setting] = &[
    Setting {
        id: "/ssm/automation/customer-script-log-destination",
        default: "None",
        allows: |value| matches!(value, "None" | "CloudWatch"),
    },
    Setting {
        id: "/ssm/automation/customer-script-log-group-name",
        default: "/aws/ssm/automation/executeScript",
        allows: is_log_group,
    },
    Setting {
        id: "/ssm/automation/enable-adaptive-concurrency",
        default: "False",
        allows: |value| matches!(value, "True" | "False"),
    },
    Setting {
        id: "/ssm/documents/console/public-sharing-permission",
        default: "Enable",
        allows: |value| matches!(value, "Enable" | "Disable"),
    },
];

fn is_log_group(name: &str) -> bool {
    (1..=512).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_/.#-".contains(c))
}

/// A setting that somebody has changed.
#[derive(Serialize, Deserialize)]
struct Changed {
    value: String,
    by: String,
    at_millis: i64,
}

/// Returns the setting that a request means: by its id, or by its ARN.
fn setting(input: &Value) -> Result<&'static Setting, Error> {
    let given = input.text("SettingId")?;
    let id = given.split_once(":servicesetting").map_or(given, |(_, id)| id);
    SETTINGS.iter().find(|setting| setting.id == id).ok_or_else(|| {
        Error::new(
            "ServiceSettingNotFound",
            format!("The specified service setting {given} wasn't found."),
        )
    })
}

impl Setting {
    fn arn(&self, call: &Call) -> String {
        call.regional_arn("ssm", &format!("servicesetting{}", self.id))
    }

    fn key(&self, call: &Call) -> String {
        format!("ssm/{}/{}{}", call.account(), call.region, self.id)
    }

    fn described(&self, call: &Call, changed: Option<&Changed>) -> Value {
        let setting = value!({
            "SettingId": self.id,
            "SettingValue": changed.map_or(self.default, |changed| &changed.value),
            "ARN": self.arn(call),
            "Status": if changed.is_some() { "Customized" } else { "Default" },
        });
        match changed {
            Some(changed) => setting
                .with("LastModifiedDate", changed.at_millis as f64 / 1000.0)
                .with("LastModifiedUser", &*changed.by),
            None => setting.with("LastModifiedUser", "System"),
        }
    }
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new(format!("ssm:{action}"), setting(input)?.arn(on.call))])
}

fn may_get(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "GetServiceSetting", input)
}

fn may_update(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "UpdateServiceSetting", input)
}

fn may_reset(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "ResetServiceSetting", input)
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let setting = setting(input)?;
    let changed: Option<Changed> = on.store.load(Table::ServiceSettings, &setting.key(on.call))?;
    Ok(value!({ "ServiceSetting": setting.described(on.call, changed.as_ref()) }))
}

fn update(on: &mut Writing<'_>, input: &Value) -> Answer {
    let (setting, value) = (setting(input)?, input.text("SettingValue")?);
    if !(setting.allows)(value) {
        let text = format!("{value} is not a value of the setting {}.", setting.id);
        return Err(Error::new("ValidationException", text));
    }
    let changed = Changed {
        value: value.to_owned(),
        by: on.call.principal.arn(),
        at_millis: on.call.now_millis,
    };
    on.store.save(Table::ServiceSettings, &setting.key(on.call), &changed)?;
    Ok(Value::object())
}

fn reset(on: &mut Writing<'_>, input: &Value) -> Answer {
    let setting = setting(input)?;
    on.store.delete(Table::ServiceSettings, &setting.key(on.call))?;
    Ok(value!({ "ServiceSetting": setting.described(on.call, None) }))
}
