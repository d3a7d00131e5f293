//! Executions: StartExecution and its kin.
//!
//! AWS Step Functions API reference, "StartExecution" (read 2026-11).

use std::sync::Arc;

use execution::Payload;
use runtime::{Begin, BeginExecution, Fact, Kind, ProcessId, Started};
use store::{Load, Read, SHARDS, Scan, Table};
use value::{Value, value};

use super::arn::Qualifier;
use super::known::Routed;
use super::state_machines::{StateMachine, check_name, find, page_of};
use super::{arn, error, express, map_runs, redrive};
use crate::page::{cut, marker};
use crate::{
    Answer, Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, traces,
};

/// How many executions are looked at in one go for those of a status.
const FILTERED_ROWS: usize = 256;
/// How many records are read at once at least.
const RECORDS_READ_MIN: usize = 32;
/// How many are looked at for one page at most; a page may then have fewer than were asked for, and
/// the token goes on behind the last one looked at, as AWS reserves.
const LOOKED_AT_MAX: usize = 20 * FILTERED_ROWS;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "StartExecution", checks: may_start, run: Run::Workflow(start) },
    Operation { name: "StopExecution", checks: may_stop, run: Run::Workflow(stop) },
    Operation { name: "DescribeExecution", checks: may_describe, run: Run::Read(describe) },
    Operation {
        name: "DescribeStateMachineForExecution",
        checks: may_describe_machine,
        run: Run::Read(describe_machine),
    },
    Operation { name: "ListExecutions", checks: may_list, run: Run::Read(list) },
];

/// Returns the record of an execution, as the runtime wrote it.
pub(super) fn find_execution(store: &dyn Read, execution_arn: &str) -> Result<Value, Error> {
    arn::resource(execution_arn, arn::Named::Execution)?;
    store
        .load(Table::Executions, execution_arn)?
        .ok_or_else(|| error::execution_does_not_exist(execution_arn))
}

fn may_start(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![arn::check("states:StartExecution", input.text("stateMachineArn")?)])
}

fn start(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let asked = Asked::read(&services, &call, &input)?;
        if asked.is_express() {
            return express::start(&services, &call, &asked);
        }
        let (execution_arn, mut begin) = plan(&call, asked);
        begin.trace = traces::of_start(&call, input.maybe_text("traceHeader"));
        tracing::Span::current().record("execution", &*execution_arn);
        let id = ProcessId::new(Kind::Execution, &execution_arn);
        let asked_input = begin.input.clone();
        let begin = Begin::Execution(begin);
        // A name made here and now is nobody else's; one made for an effect may be a repetition.
        let is_fresh = input.get("name").is_none() && call.effect_id.is_none();
        check_open(&services, Some(&execution_arn).filter(|_| !is_fresh))?;
        let started = if is_fresh {
            services.runtime().begin_fresh(id, begin).await?
        } else {
            services.runtime().begin(id, begin).await?
        };
        let start_date = match started {
            Started::New { at_millis } => (at_millis as f64 / 1000.0).into(),
            // The same name with the same input, while it runs, is the same request.
            // So is one that this request may have begun itself, on a node that died before it
            // could say so; it may have ended meanwhile.
            Started::AlreadyKnown | Started::AskedBefore => {
                let record: Value =
                    services.store().read(|store| find_execution(store, &execution_arn))?;
                let running = record.maybe_text("status") == Some("RUNNING");
                let same = record.maybe_text("input") == Some(&*asked_input);
                let repeated = call.effect_id.is_some() || started == Started::AskedBefore;
                if !(same && (running || repeated)) {
                    return Err(error::execution_already_exists(&execution_arn));
                }
                record.get("startDate").cloned().unwrap_or_default()
            }
        };
        Ok(value!({ "executionArn": execution_arn, "startDate": start_date }))
    })
}

/// Refuses a further execution when as many as may be are open; `repeated` is the ARN where it may
/// be no further one. A node knows its own shards only and refuses at its share, so that several
/// nodes may open a few more or less.
pub(super) fn check_open(services: &Services, repeated: Option<&String>) -> Result<(), Error> {
    let open_max = services.settings().limits.open_executions;
    let (held, _) = services.runtime().shards_and_nodes();
    let share = open_max.saturating_mul(held) / SHARDS as usize;
    // Without a shard it only hands on to the nodes that have some.
    if held == 0 || services.runtime().executions_open() < share {
        return Ok(());
    }
    let known = match repeated {
        Some(arn) => services.store().read(|store| store.get(Table::Executions, arn))?,
        None => None,
    };
    match known {
        Some(_) => Ok(()),
        None => Err(error::execution_limit_exceeded(&format!("{open_max} executions are open"))),
    }
}

/// What StartExecution and StartSyncExecution are asked for, checked.
pub(super) struct Asked {
    pub(super) routed: Routed,
    pub(super) name: String,
    pub(super) input: Payload,
}

impl Asked {
    /// Checks a request.
    pub(super) fn read(services: &Services, call: &Call, input: &Value) -> Result<Asked, Error> {
        let state_machine_arn = input.text("stateMachineArn")?;
        let draw = call.stable_draw("route");
        let routed = services.machines.find(services.store(), state_machine_arn, draw)?;
        let name = match input.maybe_text("name") {
            Some(name) => {
                check_name(name)?;
                name.to_owned()
            }
            None => call.stable_uuid_at("execution"),
        };
        let text = input.maybe_text("input").unwrap_or("{}");
        let bytes_max = call.settings.limits.execution_input_bytes;
        if text.len() > bytes_max {
            let limit =
                format!("exceeded the maximum number of characters service limit of {bytes_max}");
            return Err(error::invalid_execution_input(&limit));
        }
        let input = Payload::parse(text).map_err(|err| error::unreadable_input(text, &err))?;
        Ok(Asked { routed, name, input })
    }

    pub(super) fn is_express(&self) -> bool {
        self.routed.known.machine.r#type == "EXPRESS"
    }
}

/// Returns the ARN of a STANDARD execution, and what the runtime is to begin.
fn plan(call: &Call, asked: Asked) -> (String, BeginExecution) {
    let Asked { routed: Routed { known, version_arn, alias_arn }, name, input } = asked;
    let machine = &known.machine;
    let execution_arn = call.regional_arn("states", &format!("execution:{}:{name}", machine.name));
    let begin = BeginExecution {
        name,
        state_machine_arn: machine.arn.clone(),
        state_machine_name: machine.name.clone(),
        definition: machine.definition.clone(),
        role_arn: machine.role_arn.clone(),
        region: call.region.clone(),
        input: input.text(),
        machine: known.record.clone(),
        state_machine_version_arn: version_arn,
        state_machine_alias_arn: alias_arn,
        child: None,
        trace: None,
    };
    (execution_arn, begin)
}

fn may_stop(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:StopExecution", input.text("executionArn")?)])
}

fn stop(services: Arc<Services>, _call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let execution_arn = input.text("executionArn")?;
        services.store().read(|store| find_execution(store, execution_arn))?;
        let fact = execution::Fact::StopRequested {
            error: input.maybe_text("error").map(str::to_owned),
            cause: input.maybe_text("cause").map(str::to_owned),
        };
        let id = ProcessId::new(Kind::Execution, execution_arn);
        match services.runtime().request(id, Fact::Execution(fact)).await {
            // Stopping what has ended succeeds and changes nothing.
            Ok(()) | Err(runtime::Error::NotRunning) => {}
            Err(err) => return Err(err.into()),
        }
        let record = services.store().read(|store| find_execution(store, execution_arn))?;
        Ok(value!({ "stopDate": record.get("stopDate") }))
    })
}

fn may_describe(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:DescribeExecution", input.text("executionArn")?)])
}

/// What DescribeExecution answers beyond the members that the runtime keeps for itself.
fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let record = find_execution(on.store, input.text("executionArn")?)?;
    let members = [
        "executionArn",
        "stateMachineArn",
        "stateMachineVersionArn",
        "stateMachineAliasArn",
        "mapRunArn",
        "name",
        "status",
        "startDate",
        "stopDate",
        "error",
        "cause",
    ];
    let mut answer = Value::object();
    for member in members {
        if let Some(found) = record.get(member) {
            answer.set(member, found);
        }
    }
    answer.set("status", redrive::status(on.store, &record, on.call.now_millis)?);
    let with_data = input.maybe_text("includedData") != Some("METADATA_ONLY");
    for (member, details) in [("input", "inputDetails"), ("output", "outputDetails")] {
        let Some(found) = record.get(member) else { continue };
        if with_data {
            answer.set(member, found);
        }
        // UNVERIFIED: that metadata alone says so.
        answer.set(details, value!({ "included": with_data }));
    }
    redrive::described(on, &record, answer)
}

fn may_describe_machine(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:DescribeStateMachineForExecution", input.text("executionArn")?)])
}

/// The machine as it was when the execution started.
fn describe_machine(on: &Reading<'_>, input: &Value) -> Answer {
    let record = find_execution(on.store, input.text("executionArn")?)?;
    if let Some(map_run_arn) = record.maybe_text("mapRunArn") {
        return map_runs::describe_machine(on, input, &record, map_run_arn);
    }
    let machine = machine_of(&record)?;
    let described = machine.described(on, input)?;
    Ok(described.with("updateDate", machine.update_millis as f64 / 1000.0))
}

/// Returns the machine that the record of an execution holds.
pub(super) fn machine_of(record: &Value) -> Result<StateMachine, Error> {
    let machine = record.get("machine").cloned().unwrap_or_default();
    value::from_value(machine).map_err(|err| Error::internal(&err))
}

fn may_list(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![arn::check("states:ListExecutions", input.text(listed_of(input)?)?)])
}

/// Returns which of the two members says whose executions are wanted.
fn listed_of(input: &Value) -> Result<&'static str, Error> {
    match (input.get("stateMachineArn"), input.get("mapRunArn")) {
        (Some(_), None) => Ok("stateMachineArn"),
        (None, Some(_)) => Ok("mapRunArn"),
        // UNVERIFIED: AWS's wording.
        _ => Err(error::validation("Specify either a stateMachineArn or a mapRunArn")),
    }
}

/// Whose executions are to be listed.
struct Listed<'a> {
    /// What their keys begin with.
    of: &'a str,
    /// Which member of their records says so, where keys do not.
    member: Option<&'static str>,
    whole: &'a str,
}

impl Listed<'_> {
    fn read<'a>(on: &Reading<'_>, input: &'a Value) -> Result<Listed<'a>, Error> {
        let whole = input.text(listed_of(input)?)?;
        if input.get("mapRunArn").is_some() {
            map_runs::find(on.store, whole)?;
            return Ok(Listed { of: whole, member: None, whole });
        }
        let asked = arn::qualified(whole)?;
        if find(on.store, asked.machine)?.r#type == "EXPRESS" {
            return Err(error::state_machine_type_not_supported());
        }
        let member = match asked.qualifier {
            None => None,
            Some(Qualifier::Version(_)) => Some("stateMachineVersionArn"),
            Some(Qualifier::Alias(_)) => Some("stateMachineAliasArn"),
        };
        Ok(Listed { of: asked.machine, member, whole })
    }
}

/// Newest first; the filter is applied while paging, as on AWS. A version or an alias has the
/// executions that were started by its ARN.
fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let Listed { of, member, whole } = Listed::read(on, input)?;
    let (after, limit) = page_of(input)?;
    let wanted = input.maybe_text("statusFilter");
    let redriven = input.maybe_text("redriveFilter");
    if wanted == Some("PENDING_REDRIVE") && input.get("stateMachineArn").is_some() {
        // UNVERIFIED: AWS's wording.
        return Err(error::validation("PENDING_REDRIVE can only be asked for with a mapRunArn"));
    }
    let prefix = format!("{of}/");
    // Whoever has no member with this status is not worth reading as a whole.
    let sign = wanted.filter(|status| *status != "PENDING_REDRIVE");
    let sign = sign.map(|status| format!("\"status\":\"{status}\""));
    let rows_max = if wanted.is_some() { FILTERED_ROWS } else { limit + 1 };
    let mut found = Vec::new();
    let mut behind = after.clone();
    let mut looked_at = 0;
    while found.len() <= limit {
        if LOOKED_AT_MAX <= looked_at {
            let items: Value = found.iter().map(|(_, record)| listed(record)).collect();
            return Ok(value!({ "executions": items })
                .with_some("nextToken", behind.as_deref().map(marker)));
        }
        let scan = Scan::prefix(&prefix).after(behind.as_deref()).limit(rows_max);
        let rows: Vec<(String, String)> = on.store.load_all(Table::ExecutionsByStart, scan)?;
        let Some((last, _)) = rows.last() else { break };
        behind = Some(last.clone());
        looked_at += rows.len();
        for rows in rows.chunks((limit + 1 - found.len()).max(RECORDS_READ_MIN)) {
            if limit < found.len() {
                break;
            }
            for (key, mut record) in records(on.store, rows, sign.as_deref())? {
                let status = redrive::status(on.store, &record, on.call.now_millis)?.to_owned();
                record.set("status", status);
                let of_asked = member.is_none_or(|member| record.maybe_text(member) == Some(whole));
                let of_status = wanted.is_none_or(|it| record.maybe_text("status") == Some(it));
                if of_asked && of_status && redrive::is_wanted(&record, redriven) {
                    found.push((key, record));
                }
            }
        }
    }
    let page = cut(found, after.as_deref(), limit);
    let items = page.items.iter().map(listed);
    Ok(value!({ "executions": items.collect::<Value>() }).with_some("nextToken", page.next))
}

/// Returns the records of executions whose text contains a sign: cheaper than reading all whole.
fn records(
    store: &dyn Read,
    rows: &[(String, String)],
    sign: Option<&str>,
) -> Result<Vec<(String, Value)>, Error> {
    let bears =
        |record: &[u8]| sign.is_none_or(|sign| String::from_utf8_lossy(record).contains(sign));
    let arns: Vec<&str> = rows.iter().map(|(_, execution_arn)| &**execution_arn).collect();
    let records: Vec<Option<Value>> = store.load_each(Table::Executions, &arns, bears)?;
    let keyed = rows.iter().zip(records);
    Ok(keyed.filter_map(|((key, _), record)| Some((key.clone(), record?))).collect())
}

fn listed(record: &Value) -> Value {
    let mut item = Value::object();
    let members = [
        "executionArn",
        "stateMachineArn",
        "stateMachineVersionArn",
        "stateMachineAliasArn",
        "mapRunArn",
        "itemCount",
        "name",
        "status",
        "startDate",
        "stopDate",
    ];
    for member in members {
        if let Some(found) = record.get(member) {
            item.set(member, found);
        }
    }
    redrive::counted(record, item)
}
