//! The calls of an example, made as the account's root user on a server in this process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jsonata::Bindings;
use runtime::{AwsEndpoint, CallError, Caller};
use services::{Endpoint, Services};
use value::{Map, Value, value};

use super::expression;
use super::manifest::{Call, Stack};
use super::one_time_code::two_codes;

/// How often something that is under way is looked at.
pub(super) const LOOK_MILLIS: u64 = 5;
/// How long a stack may take.
const STACK_LOOKS_MAX: usize = 12_000;

/// One example being run.
pub(crate) struct Session {
    services: Arc<Services>,
    endpoint: Endpoint,
    known: Bindings,
    calls_made: usize,
    stacks: Map,
}

impl Session {
    /// Returns a session in which `$input` is known.
    pub(crate) fn new(services: Arc<Services>, input: &Value) -> Session {
        let settings = services.settings();
        let known = Bindings::new()
            .with("input", input.clone())
            .with("account", Value::from(&settings.account))
            .with("region", Value::from(&settings.region));
        Session {
            endpoint: Endpoint::new(services.clone()),
            services,
            known,
            calls_made: 0,
            stacks: Map::new(),
        }
    }

    /// Returns the account.
    pub(crate) fn account(&self) -> &str {
        &self.services.settings().account
    }

    /// Returns the server's time, in milliseconds since the epoch.
    pub(crate) fn now_millis(&self) -> i64 {
        self.services.runtime().clock().now_millis()
    }

    /// Makes a value known to later expressions.
    pub(super) fn remember(&mut self, name: &str, value: Value) {
        self.known.bind(name, value);
    }

    /// Replaces the expressions in a template.
    ///
    /// # Errors
    /// When one is wrong or gives nothing.
    pub(super) fn fill(&self, template: &Value) -> Result<Value> {
        expression::fill(template, &self.known)
    }

    /// Makes a call of the manifest and remembers its answer.
    ///
    /// # Errors
    /// When its input cannot be filled in; what the service answers is inside.
    pub(super) async fn call(&mut self, call: &Call) -> Result<Result<Value, CallError>> {
        let mut input = self.fill(&call.input).with_context(|| call.label())?;
        if let Some(seed) = &call.one_time_codes_of {
            let seed = self.fill(seed).with_context(|| call.label())?;
            let seed = seed.as_str().context("`oneTimeCodesOf` is not a seed")?;
            let (first, second) = two_codes(seed, runtime::wall_millis() / 1_000)?;
            input = input.with("AuthenticationCode1", first).with("AuthenticationCode2", second);
        }
        let answer = self.ask(&call.service, &call.operation, input).await;
        if let (Some(name), Ok(answer)) = (&call.remembered_as, &answer) {
            self.remember(name, answer.clone());
        }
        Ok(answer)
    }

    /// Calls an operation.
    pub(crate) async fn ask(
        &mut self,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, CallError> {
        self.calls_made += 1;
        let principal = policy::Principal::root(&self.services.settings().account);
        let caller = Caller::Principal(Box::new(principal));
        let call = runtime::Call::new(caller, service, operation, input)
            .of_effect(Some(format!("example/{}", self.calls_made)));
        self.endpoint.call(call).await
    }

    /// Creates a stack and waits for it; its outputs become `$stacks.<name>`.
    ///
    /// # Errors
    /// When it is refused or fails, with the first reason.
    pub(super) async fn deploy(&mut self, stack: &Stack) -> Result<()> {
        let name = stack.name.as_str();
        let parameters = stack.parameters.iter().map(|(key, value)| {
            let value = self.fill(value)?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Ok(value!({"ParameterKey": key, "ParameterValue": text}))
        });
        let input = value!({
            "StackName": name,
            "TemplateBody": &stack.template,
            "Parameters": parameters.collect::<Result<Vec<Value>>>()?,
            "Capabilities": stack.capabilities.clone()
        });
        let created = self.ask("cloudformation", "CreateStack", input).await;
        created.map_err(|err| anyhow::anyhow!("stack {name}: {}: {}", err.code, err.message))?;
        for _ in 0..STACK_LOOKS_MAX {
            let found = self.ask("cloudformation", "DescribeStacks", value!({"StackName": name}));
            let found = found.await.map_err(|err| anyhow::anyhow!("{}", err.message))?;
            let found = found.get("Stacks").and_then(|list| list.at(0)).cloned();
            let found = found.with_context(|| format!("stack {name} is not there"))?;
            match found.get("StackStatus").and_then(Value::as_str).unwrap_or_default() {
                "CREATE_COMPLETE" => {
                    self.keep_outputs(name, &found);
                    return Ok(());
                }
                busy if busy.ends_with("IN_PROGRESS") => {
                    tokio::time::sleep(Duration::from_millis(LOOK_MILLIS)).await;
                }
                status => {
                    let status = status.to_owned();
                    bail!("stack {name} ended as {status}: {}", self.first_failure(name).await)
                }
            }
        }
        bail!("stack {name} did not complete")
    }

    fn keep_outputs(&mut self, name: &str, stack: &Value) {
        let outputs = stack.get("Outputs").and_then(Value::as_array).unwrap_or_default();
        let mut kept = value!({});
        for output in outputs {
            let key = output.get("OutputKey").and_then(Value::as_str).unwrap_or_default();
            kept = kept.with_some(key, output.get("OutputValue").cloned());
        }
        self.stacks.insert(name, kept);
        self.remember("stacks", Value::from(self.stacks.clone()));
    }

    async fn first_failure(&mut self, name: &str) -> String {
        let input = value!({ "StackName": name });
        let answer = self.ask("cloudformation", "DescribeStackEvents", input).await;
        let answer = answer.unwrap_or_default();
        let events = answer.get("StackEvents").and_then(Value::as_array).unwrap_or_default();
        let text = |event: &Value, member: &str| {
            event.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let failed = events.iter().rev().find(|event| {
            text(event, "ResourceStatus").ends_with("FAILED")
                && event.get("ResourceStatusReason").is_some()
        });
        failed.map_or_else(
            || "no reason is given".to_owned(),
            |event| {
                let (id, reason) =
                    (text(event, "LogicalResourceId"), text(event, "ResourceStatusReason"));
                format!("{id}: {reason}")
            },
        )
    }
}
