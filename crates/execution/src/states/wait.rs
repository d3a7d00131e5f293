//! Wait: until a time, or for some seconds. AWS page: "Wait workflow state".

use asl::{Computed, Failure, Field, Scalar, Timestamp, Wait};
use value::Value;

use crate::run::Run;
use crate::state::{Doing, Purpose, ThreadId};

/// The longest wait in seconds; one more is "too long" (recorded: 24,856 days are refused).
const WAIT_SECONDS_MAX: i64 = i32::MAX as i64;

pub(crate) fn begin(run: &mut Run<'_>, id: ThreadId, wait: &Wait) -> Result<(), Failure> {
    let at_millis = match wait {
        Wait::Seconds(seconds) => {
            run.millis.saturating_add(self::seconds(run, id, seconds)?.saturating_mul(1_000))
        }
        Wait::Timestamp(timestamp) => self::timestamp(run, id, timestamp)?,
    };
    if at_millis.saturating_sub(run.millis) / 1_000 > WAIT_SECONDS_MAX {
        return Err(Failure::runtime("Wait state delay is too long."));
    }
    let timer = run.timer(at_millis.max(run.millis), Purpose::Wait(id));
    run.doing(id, Doing::Waiting(timer));
    Ok(())
}

/// The wait is over.
pub(crate) fn over(run: &mut Run<'_>, id: ThreadId) {
    let Some(definition) = run.visited(id) else { return };
    let outcome = run.effective(id, definition).and_then(|effective| run.complete(id, effective));
    if let Err(failure) = outcome {
        run.evaluation_failed(id, failure);
    }
}

fn seconds(run: &mut Run<'_>, id: ThreadId, scalar: &Scalar<i64>) -> Result<i64, Failure> {
    let scope = run.scope(id);
    if let Scalar::Path(path) = scalar {
        let text = path.text();
        let found = path.find(&scope).map_err(|_miss| {
            Failure::runtime(format!(
                "The SecondsPath parameter does not reference an input value: {text}"
            ))
        })?;
        let whole = match &found {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        };
        return whole.filter(|seconds| *seconds >= 0).ok_or_else(|| {
            Failure::runtime(format!(
                "The SecondsPath parameter cannot be parsed as a long value: {text} == {}",
                plain(&found)
            ))
        });
    }
    match run.evaluate(&scope, |evaluation| scalar.value(evaluation, "Seconds"))? {
        Computed::Constant(seconds) => Ok(seconds),
        Computed::Value(found) => found
            .as_i64()
            .filter(|seconds| *seconds >= 0)
            // UNVERIFIED: AWS's wording for seconds that are no whole number.
            .ok_or_else(|| scalar.wrong_type(Field::Top("Seconds"), "integer", &found)),
    }
}

fn timestamp(run: &mut Run<'_>, id: ThreadId, scalar: &Scalar<String>) -> Result<i64, Failure> {
    let scope = run.scope(id);
    if let Scalar::Path(path) = scalar {
        let text = path.text();
        let found = path.find(&scope).map_err(|_miss| {
            Failure::runtime(format!(
                "The TimestampPath parameter does not reference an input value: {text}"
            ))
        })?;
        let parsed = found.as_str().and_then(Timestamp::parse);
        return parsed.map(Timestamp::millis).ok_or_else(|| {
            Failure::runtime(format!(
                "The TimestampPath parameter does not reference a valid ISO-8601 extended offset \
                 date-time format string: {text} == {}",
                plain(&found)
            ))
        });
    }
    let text = match run.evaluate(&scope, |evaluation| scalar.value(evaluation, "Timestamp"))? {
        Computed::Constant(text) => text,
        Computed::Value(Value::String(text)) => text.to_string(),
        Computed::Value(other) => {
            return Err(scalar.wrong_type(Field::Top("Timestamp"), "string", &other));
        }
    };
    Timestamp::parse(&text).map(Timestamp::millis).ok_or_else(|| {
        Failure::query(
            format!(
                "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time \
                 format string: {text}"
            ),
            Some("Timestamp".to_owned()),
        )
    })
}

/// Strings are shown without quotes here.
fn plain(found: &Value) -> String {
    found.as_str().map_or_else(|| found.to_string(), str::to_owned)
}
