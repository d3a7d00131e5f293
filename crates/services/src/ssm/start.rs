//! StartAutomationExecution: from a request to a running runbook.
//!
//! AWS Systems Manager API reference, "StartAutomationExecution" (read 2026-11).

use std::sync::Arc;

use automation::{Mode, Runbook, Started as Facts, catalogue};
use runtime::{Begin, BeginAutomation, Caller, Kind, ProcessId, definition_key};
use store::{Load, SHARDS, Table};
use value::{Value, value};

use super::document::{DocumentVersion, Found, bare_name, find, text_of};
use super::{error, locations, lookup, parameter_defaults, tags, targets};
use crate::{Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, roles, states};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "StartAutomationExecution", checks: may_start, run: Run::Workflow(start) }];

/// The service that assumes the roles of runbooks.
pub(crate) const SERVICE: &str = "ssm.amazonaws.com";

/// Members that ask for what is not there yet: refused by name, never ignored.
const NOT_AVAILABLE: [&str; 2] = ["TargetLocationsURL", "AlarmConfiguration"];

/// How deep automations may be nested in each other.
// UNVERIFIED: that the fifth level is the last, and what is said beyond it.
const DEPTH_MAX: u32 = 5;

/// Returns the document version that a request means.
fn found(on: &Reading<'_>, input: &Value) -> Result<Found, Error> {
    let name = bare_name(input.text("DocumentName")?);
    let document = find(on, name)?.ok_or_else(|| error::definition_not_found(name))?;
    let wanted = input.maybe_text("DocumentVersion");
    let number = document
        .number(wanted)
        .ok_or_else(|| error::definition_version_not_found(name, wanted.unwrap_or("$DEFAULT")))?;
    text_of(on, document, number)
}

fn definition_arn(on: &Reading<'_>, name: &str, version: &str) -> String {
    let (partition, region) = (&on.call.settings.partition, &on.call.region);
    // Amazon's documents belong to no account.
    let account = if catalogue::find(name).is_some() { "" } else { on.call.account() };
    format!("arn:{partition}:ssm:{region}:{account}:automation-definition/{name}:{version}")
}

/// The caller needs the definition, and must be allowed to pass the role that the runbook assumes.
fn may_start(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let name = bare_name(input.text("DocumentName")?);
    let Ok(found) = found(on, input) else {
        let version = input.maybe_text("DocumentVersion").unwrap_or("$DEFAULT");
        let arn = definition_arn(on, name, version);
        return Ok(vec![Check::new("ssm:StartAutomationExecution", arn)]);
    };
    let arn = definition_arn(on, name, &found.number.to_string());
    let mut checks = vec![Check::new("ssm:StartAutomationExecution", arn)];
    if let Ok(runbook) = found.runbook()
        && let Some(role) = role_of(on, input, &runbook).filter(|role| role.starts_with("arn:"))
    {
        checks.push(Check::pass_role(role, SERVICE));
    }
    Ok(checks)
}

/// Returns the role that the steps act as: the runbook's, else that of the location.
fn role_of(on: &Reading<'_>, input: &Value, runbook: &Runbook) -> Option<String> {
    let given = targets::parameters_of_first(input);
    runbook.assume_role(&given).or_else(|| locations::role(on, input))
}

fn start(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        if let Some(member) = NOT_AVAILABLE.iter().find(|member| input.get(member).is_some()) {
            let text = format!("Stepwell does not start automations with {member} yet.");
            return Err(Error::new("ValidationException", text));
        }
        let id = execution_id(&call, &input);
        // What has begun is not planned again: its document may be gone, its targets elsewhere.
        if services.store().read(|store| store.get(Table::Automations, &id))?.is_some() {
            check_same_request(&services, &id, &input)?;
            return Ok(value!({ "AutomationExecutionId": id }));
        }
        check_open(&services, &id)?;
        let resources = resources(&services, &call, &input).await?;
        let plan = services.store().read(|store| {
            plan(&services, &Reading { store, call: &call }, &input, &id, &resources)
        })?;
        if plan.is_amazons {
            keep_definition(&services, &plan.text).await?;
        }
        let process = ProcessId::new(Kind::Automation, &id);
        let begun = services.runtime().begin(process, Begin::Automation(plan.begin)).await?;
        if !matches!(begun, runtime::Started::New { .. }) {
            check_same_request(&services, &id, &input)?;
        }
        Ok(value!({ "AutomationExecutionId": id }))
    })
}

/// Refuses a further automation when as many as may be are open, unless it is known. A node knows
/// its own shards only and refuses at its share, so that several nodes may open a few more or less.
fn check_open(services: &Services, id: &str) -> Result<(), Error> {
    let open_max = services.settings().limits.open_automations;
    let (held, _) = services.runtime().shards_and_nodes();
    let share = open_max.saturating_mul(held) / SHARDS as usize;
    // Without a shard it only hands on to the nodes that have some.
    if held == 0 || services.runtime().automations_open() < share {
        return Ok(());
    }
    match services.store().read(|store| store.get(Table::Automations, id))? {
        Some(_) => Ok(()),
        None => Err(error::execution_limit_exceeded(format!(
            "The number of simultaneously running Automation executions exceeded the allowable \
             limit: {open_max}."
        ))),
    }
}

/// The same client token is the same execution; so is the same effect repeated after a crash.
fn execution_id(call: &Call, input: &Value) -> String {
    match input.maybe_text("ClientToken") {
        Some(token) => call.uuid_of(&format!("automation/{}", token.to_lowercase())),
        None => call.stable_uuid("automation"),
    }
}

/// Returns the resources that the request's targets stand for, where they have to be looked up.
async fn resources(
    services: &Arc<Services>,
    call: &Call,
    input: &Value,
) -> Result<Vec<String>, Error> {
    let Some(sought) = targets::sought(input)? else { return Ok(Vec::new()) };
    let found = services.store().read(|store| found(&Reading { store, call }, input))?;
    lookup::find(services, call, &sought, found.document.target_type.as_deref()).await
}

struct Plan {
    begin: BeginAutomation,
    text: String,
    is_amazons: bool,
}

fn plan(
    services: &Services,
    on: &Reading<'_>,
    input: &Value,
    id: &str,
    resources: &[String],
) -> Result<Plan, Error> {
    let found = found(on, input)?;
    if let Some(failure) = found.version().and_then(|version| version.failure.as_deref()) {
        return Err(error::definition_failed(&found.document.name, found.number, failure));
    }
    let runbook = found.runbook()?;
    locations::check(on, input)?;
    let rate = targets::rate_control(input, &runbook, resources)?;
    let parameters = input.get("Parameters").cloned().unwrap_or_else(Value::object);
    let checked = |parameters: &Value| {
        let decoded = runbook.start_parameters(parameters);
        decoded.map(drop).map_err(|err| error::invalid_parameters(err.to_string()))
    };
    if rate.is_none() {
        checked(&parameters)?;
    }
    let given = targets::parameters_of_first(input);
    let role = role_of(on, input, &runbook);
    check_role(on, role.as_deref(), id)?;
    let stored = parameter_defaults::found(services, on, &runbook, role.as_deref(), &given)?;
    let parameters = parameter_defaults::with(parameters, &stored);
    let rate = if rate.is_some() {
        let filled = input.clone().with("Parameters", &parameters);
        targets::rate_control(&filled, &runbook, resources)?.map(Box::new)
    } else {
        checked(&parameters)?;
        None
    };
    let mode = match input.maybe_text("Mode") {
        Some("Interactive") => Mode::Interactive,
        Some(_) | None => Mode::Auto,
    };
    let depth = depth(on)?;
    let begin = BeginAutomation {
        definition: definition_key(&found.text),
        format: found.format().to_string(),
        caller: caller(on, role.as_deref(), id),
        started: Facts {
            execution_id: id.to_owned(),
            document_name: found.document.name.clone(),
            document_version: found.number.to_string(),
            parameters,
            executed_by: on.call.principal.arn(),
            assume_role: role.clone(),
            account: on.call.account().to_owned(),
            region: on.call.region.clone(),
            partition: on.call.settings.partition.clone(),
            mode,
            parent_execution_id: on.call.nested_in.clone(),
            target: None,
            rate,
        },
        request: request(input),
        attachments: found.version().map(DocumentVersion::attached).unwrap_or_default(),
        // Without a role the caller is the starter.
        starter: role.is_some().then(|| Box::new((*on.call.principal).clone())),
        depth,
        tags: tags::of_start(input.list("Tags"))?,
    };
    let is_amazons = found.document.is_amazons();
    Ok(Plan { begin, text: found.text, is_amazons })
}

/// Refuses a role that cannot be assumed.
fn check_role(on: &Reading<'_>, role: Option<&str>, id: &str) -> Result<(), Error> {
    let Some(role) = role else { return Ok(()) };
    if !role.starts_with("arn:") || !role.contains(":role/") {
        let text = "The format of the supplied assume role ARN isn't valid.";
        return Err(error::invalid_parameters(text));
    }
    roles::check_assumable(on, role, SERVICE, &execution_arn(on, id))
        .map_err(|_| error::invalid_parameters("The defined assume role is unable to be assumed."))
}

/// Returns how many executions the new one is nested in.
fn depth(on: &Reading<'_>) -> Result<u32, Error> {
    let Some(parent) = &on.call.nested_in else { return Ok(0) };
    let record: Option<Value> = on.store.load(Table::Automations, parent)?;
    let above = record.and_then(|record| record.integer("$depth")).unwrap_or(0);
    match u32::try_from(above).unwrap_or(u32::MAX).saturating_add(1) {
        depth if depth < DEPTH_MAX => Ok(depth),
        _ => Err(error::execution_limit_exceeded(format!(
            "Automations are nested at most {DEPTH_MAX} levels deep."
        ))),
    }
}

/// Whom the steps act as: the role, or whoever started the execution.
fn caller(on: &Reading<'_>, role: Option<&str>, id: &str) -> Caller {
    match role {
        Some(role) => Caller::Role {
            role_arn: role.to_owned(),
            service: SERVICE.into(),
            session_name: id.to_owned(),
            source_arn: execution_arn(on, id),
        },
        None => Caller::Principal(Box::new((*on.call.principal).clone())),
    }
}

fn execution_arn(on: &Reading<'_>, id: &str) -> String {
    on.call.regional_arn("ssm", &format!("automation-execution/{id}"))
}

/// What makes two requests with one client token the same request.
fn request(input: &Value) -> Value {
    let mut request = input.clone();
    request.object_mut().remove("ClientToken");
    request
}

fn check_same_request(services: &Services, id: &str, input: &Value) -> Result<(), Error> {
    let record: Option<Value> =
        services.store().read(|store| store.load(Table::Automations, id))?;
    let known = record.as_ref().and_then(|record| record.get("$request"));
    if known.is_none_or(|known| *known == request(input)) {
        return Ok(());
    }
    Err(Error::new(
        "IdempotentParameterMismatch",
        "Error returned when an idempotent operation is retried and the parameters don't match the \
         original call to the API with the same idempotency token.",
    ))
}

/// Amazon's documents are compiled in; a running process refers to its text in the store, so that a
/// newer Stepwell finishes what an older one began.
async fn keep_definition(services: &Services, text: &str) -> Result<(), Error> {
    let key = definition_key(text);
    let text = text.to_owned();
    let known = services.store().read(|store| store.get(Table::Definitions, &key))?;
    if known.is_some() {
        return Ok(());
    }
    services.store().write(move |tx| states::keep_content(tx, &key, text.as_bytes())).await??;
    Ok(())
}
