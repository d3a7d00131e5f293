//! From an operation's name to its answer: find, validate, authorise, run.

use std::sync::Arc;

use store::{Load, Save, Table};
use value::Value;

use crate::decisions::Noting;
use crate::{
    Answer, Call, Error, Notice, Operation, Reading, Run, Services, Writing, cloudformation,
    events, iam, logs, ssm, states, sts,
};

/// The services, one line each: botocore's name and the operations.
const SERVICES: &[(&str, &[&[Operation]])] = &[
    ("cloudformation", cloudformation::OPERATIONS),
    ("events", events::OPERATIONS),
    ("iam", iam::OPERATIONS),
    ("logs", logs::OPERATIONS),
    ("ssm", ssm::OPERATIONS),
    ("stepfunctions", states::OPERATIONS),
    ("sts", sts::OPERATIONS),
];

/// The names of the services served here, botocore's.
pub const SERVICE_NAMES: &[&str] =
    &["cloudformation", "events", "iam", "logs", "ssm", "stepfunctions", "sts"];

/// Returns the operations served of a service.
pub fn operations(service: &str) -> impl Iterator<Item = &'static Operation> {
    let lists = SERVICES.iter().find(|(name, _)| *name == service).map(|(_, lists)| *lists);
    lists.unwrap_or_default().iter().flat_map(|list| list.iter())
}

/// Returns an operation, or the error that names the one that is not there.
pub(crate) fn find(service: &str, operation: &str) -> Result<&'static Operation, Error> {
    operations(service).find(|known| known.name == operation).ok_or_else(|| {
        Error::new(
            "NotImplemented",
            format!(
                "Stepwell does not implement {service}:{operation}. COMPAT.md lists what it does."
            ),
        )
    })
}

impl Services {
    /// Runs one operation for an authenticated caller.
    ///
    /// # Errors
    /// The operation's own, AccessDenied, or that it is not implemented.
    pub async fn dispatch(
        self: &Arc<Services>,
        service: &'static str,
        operation: &'static Operation,
        call: Call,
        input: Value,
    ) -> Answer {
        sts::check_restrictions(&call.principal, service, operation.name)?;
        let noting = Noting::of(&call, service, operation.name);
        let answer = self.perform(service, operation, call, input).await;
        if let Some(record) = noting.answered(&answer) {
            self.decisions.note(record);
        }
        answer
    }

    async fn perform(
        self: &Arc<Services>,
        service: &'static str,
        operation: &'static Operation,
        call: Call,
        input: Value,
    ) -> Answer {
        match operation.run {
            Run::Read(run) => self.store().read(|store| {
                let on = Reading { store, call: &call };
                let checks = (operation.checks)(&on, &input)?;
                self.policies.authorize_committed(self.store(), &on, service, &checks)?;
                run(&on, &input)
            }),
            Run::Write(run) => self.write(service, operation, run, call, input).await,
            Run::Fetched { fetch, write } => {
                self.allow(service, operation, &call, &input)?;
                let input = fetch(self.clone(), call.clone(), input).await?;
                self.write(service, operation, write, call, input).await
            }
            Run::Workflow(run) => {
                self.allow(service, operation, &call, &input)?;
                run(self.clone(), call, input).await
            }
        }
    }

    /// Allows an operation on what is committed.
    fn allow(
        &self,
        service: &'static str,
        operation: &'static Operation,
        call: &Call,
        input: &Value,
    ) -> Result<(), Error> {
        self.store().read(|store| {
            let on = Reading { store, call };
            let checks = (operation.checks)(&on, input)?;
            self.policies.authorize_committed(self.store(), &on, service, &checks)
        })
    }

    /// Runs a changing operation in one transaction. An effect that was answered before is answered
    /// again from memory; its answer is remembered with the change. An effect of a process that
    /// another node has taken over changes nothing: it may have been answered there, and the answer
    /// forgotten.
    async fn write(
        self: &Arc<Services>,
        service: &'static str,
        operation: &'static Operation,
        run: fn(&mut Writing<'_>, &Value) -> Answer,
        call: Call,
        input: Value,
    ) -> Answer {
        let services = self.clone();
        // What is logged on the store's thread belongs to the request too.
        let span = tracing::Span::current();
        let written = self.store().write(move |store| -> Result<(Value, Vec<Notice>), Error> {
            let _in_span = span.enter();
            let known: Option<Value> = match &call.effect_id {
                Some(effect) => store.load(Table::Applied, effect)?,
                None => None,
            };
            if let Some(answer) = known {
                return Ok((answer, Vec::new()));
            }
            // INVARIANT: an effect of a deposed owner changes nothing. Its heir may have had the
            // answer and forgotten it, so that it would not be known here.
            if let Some(lease) = call.lease {
                store.expect_owner(lease)?;
            }
            let on = Reading { store: store.as_read(), call: &call };
            let checks = (operation.checks)(&on, &input)?;
            services.policies.authorize(&on, service, &checks)?;
            let mut on = Writing { store, call: &call, notices: Vec::new() };
            let answer = run(&mut on, &input)?;
            let notices = on.notices;
            if let Some(effect) = &call.effect_id {
                store.save(Table::Applied, effect, &answer)?;
            }
            Ok((answer, notices))
        });
        let (answer, notices) = written.await??;
        for notice in notices {
            match notice {
                Notice::Events | Notice::Schedules => self.pump.wake(),
                Notice::Connections => self.authorize_connections(),
            }
        }
        Ok(answer)
    }
}
