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
    /// A value that asks for what is not there, and why: refused, for nothing would come of it.
    lacks: Option<(&'static str, &'static str)>,
}

/// The setting that forbids sharing with everybody.
const PUBLIC_SHARING: &str = "/ssm/documents/console/public-sharing-permission";

/// The settings kept here.
// DIFFERS: scripts log to the step's output only, and adaptive concurrency is a quota that this
// server does not have; to ask for either is refused.
const SETTINGS: &[Setting] = &[
    Setting {
        id: "/ssm/automation/customer-script-log-destination",
        default: "None",
        allows: |value| matches!(value, "None" | "CloudWatch"),
        lacks: Some(("CloudWatch", "what scripts print is the ExecutionLog of their steps only")),
    },
    Setting {
        id: "/ssm/automation/customer-script-log-group-name",
        default: "/aws/ssm/automation/executeScript",
        allows: is_log_group,
        lacks: None,
    },
    Setting {
        id: "/ssm/automation/enable-adaptive-concurrency",
        default: "False",
        allows: |value| matches!(value, "True" | "False"),
        lacks: Some(("True", "there is no quota of concurrent automations that could adapt")),
    },
    Setting {
        id: PUBLIC_SHARING,
        default: "Enable",
        allows: |value| matches!(value, "Enable" | "Disable"),
        lacks: None,
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
            format!(
                "The specified service setting {given} wasn't found. Stepwell has those of \
                 Automation and of sharing documents."
            ),
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
    if let Some((_, why)) = setting.lacks.filter(|(lacking, _)| *lacking == value) {
        let text = format!("Stepwell does not set {} to {value}: {why}.", setting.id);
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

/// Returns whether documents may be shared with everybody.
pub(super) fn may_share_with_everybody(on: &Reading<'_>) -> Result<bool, Error> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.id == PUBLIC_SHARING) else {
        return Ok(true);
    };
    let changed: Option<Changed> = on.store.load(Table::ServiceSettings, &setting.key(on.call))?;
    Ok(changed.is_none_or(|changed| changed.value != "Disable"))
}
