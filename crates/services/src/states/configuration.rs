//! The configuration of a state machine: logging, tracing, encryption.
//!
//! AWS Step Functions API reference, "LoggingConfiguration", "TracingConfiguration",
//! "EncryptionConfiguration" (read 2026-11).

use store::Read;
use value::{Value, value};

use super::error;
use crate::{Error, Input, logs};

/// For how long a data key is used when the caller does not say, in seconds.
const DATA_KEY_SECONDS_DEFAULT: i64 = 300;

/// Returns the configuration of a machine that does not log.
pub(super) fn no_logging() -> Value {
    value!({ "level": "OFF", "includeExecutionData": false })
}

/// Returns the configuration of a machine that is not traced.
pub(super) fn no_tracing() -> Value {
    value!({ "enabled": false })
}

/// Returns the configuration of a machine whose data nobody's own key encrypts.
pub(super) fn own_key() -> Value {
    value!({ "type": "AWS_OWNED_KEY" })
}

pub(super) fn is_no_logging(configuration: &Value) -> bool {
    *configuration == no_logging()
}

pub(super) fn is_no_tracing(configuration: &Value) -> bool {
    *configuration == no_tracing()
}

pub(super) fn is_own_key(configuration: &Value) -> bool {
    *configuration == own_key()
}

/// Returns whether a number says nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Reads the logging configuration of a request.
// DIFFERS: AWS also refuses a role that may not deliver logs; here the server delivers them itself.
pub(super) fn logging(store: &dyn Read, input: &Value) -> Result<Value, Error> {
    let asked = input.get("loggingConfiguration").cloned().unwrap_or_default();
    let level = asked.maybe_text("level").unwrap_or("OFF");
    let destinations = asked.list("destinations");
    if (level != "OFF" || !destinations.is_empty()) && destinations.len() != 1 {
        return Err(error::invalid_logging("Must specify exactly one Log Destination."));
    }
    for destination in destinations {
        let arn = destination.path(&["cloudWatchLogsLogGroup", "logGroupArn"]);
        if !logs::exists(store, arn.and_then(Value::as_str).unwrap_or_default())? {
            return Err(error::invalid_logging("Log Destination not found."));
        }
    }
    Ok(value!({
        "level": level,
        "includeExecutionData": asked.flag("includeExecutionData"),
    })
    .with_some("destinations", asked.get("destinations")))
}

/// Reads the tracing configuration of a request.
pub(super) fn tracing(input: &Value) -> Value {
    let enabled = input.get("tracingConfiguration").is_some_and(|asked| asked.flag("enabled"));
    value!({ "enabled": enabled })
}

/// Reads the encryption configuration of a request.
// DIFFERS: keys of KMS are stored and shown; nothing is encrypted with them, and nobody looks
// whether they exist.
// UNVERIFIED: AWS's wording for what does not go together.
pub(super) fn encryption(input: &Value) -> Result<Value, Error> {
    let Some(asked) = input.get("encryptionConfiguration") else {
        return Ok(own_key());
    };
    let key = asked.maybe_text("kmsKeyId");
    let seconds = asked.integer("kmsDataKeyReusePeriodSeconds");
    match (asked.maybe_text("type"), key) {
        (Some("CUSTOMER_MANAGED_KMS_KEY"), Some(key)) => Ok(value!({
            "type": "CUSTOMER_MANAGED_KMS_KEY",
            "kmsKeyId": key,
            "kmsDataKeyReusePeriodSeconds": seconds.unwrap_or(DATA_KEY_SECONDS_DEFAULT),
        })),
        (Some("CUSTOMER_MANAGED_KMS_KEY"), None) => Err(error::invalid_encryption(
            "kmsKeyId must be specified for the type CUSTOMER_MANAGED_KMS_KEY",
        )),
        (_, None) if seconds.is_none() => Ok(own_key()),
        (_, _) => Err(error::invalid_encryption(
            "kmsKeyId and kmsDataKeyReusePeriodSeconds must not be specified for the type \
             AWS_OWNED_KEY",
        )),
    }
}
