//! The actions of Automation: one file each, and one line in [`ACTIONS`].

mod approve;
mod assert_aws_resource_property;
pub(crate) mod branch;
mod change_instance_state;
mod copy_image;
mod create_image;
mod create_stack;
mod create_tags;
mod delete_image;
mod delete_stack;
mod execute_automation;
mod execute_aws_api;
mod execute_script;
mod execute_state_machine;
mod image;
pub(crate) mod inputs;
mod invoke_lambda_function;
mod invoke_webhook;
mod r#loop;
mod pause;
mod poll;
mod property;
mod run_command;
mod run_instances;
mod sleep;
mod unknown;
mod update_variable;
mod wait_for_aws_resource_property;

use value::Value;

use crate::effect::{Call, Effect, Identity};
use crate::engine::Run;
use crate::fact::{CallError, Signal};
use crate::failure::Failure;
use crate::runbook::Step;

pub use approve::is_approver;
pub use invoke_webhook::WEBHOOK;
pub(crate) use unknown::UNKNOWN;

/// The action whose input `Script` is code.
pub(crate) const EXECUTE_SCRIPT: &str = "aws:executeScript";

/// The action that runs another runbook.
pub(crate) const EXECUTE_AUTOMATION: &str = "aws:executeAutomation";

/// The action whose input `Steps` holds steps.
pub(crate) const LOOP: &str = "aws:loop";

/// The name that stands for the surrounding loop in references.
pub(crate) const LOOP_SCOPE: &str = "Loop";

/// What an attempt remembers under this name is there in the next one.
pub(crate) const FOR_NEXT_ATTEMPT: &str = "next";

/// Every action that runbooks may name.
pub static ACTIONS: &[&Action] = &[
    &approve::ACTION,
    &assert_aws_resource_property::ACTION,
    &branch::ACTION,
    &change_instance_state::ACTION,
    &copy_image::ACTION,
    &create_image::ACTION,
    &create_stack::ACTION,
    &create_tags::ACTION,
    &delete_image::ACTION,
    &delete_stack::ACTION,
    &execute_automation::ACTION,
    &execute_aws_api::ACTION,
    &execute_script::ACTION,
    &execute_state_machine::ACTION,
    &invoke_lambda_function::ACTION,
    &invoke_webhook::ACTION,
    &r#loop::ACTION,
    &pause::ACTION,
    &run_command::ACTION,
    &run_instances::ACTION,
    &sleep::ACTION,
    &update_variable::ACTION,
    &wait_for_aws_resource_property::ACTION,
];

/// What is known of one action.
#[derive(Debug)]
pub struct Action {
    /// Its name, `aws:executeScript`.
    pub name: &'static str,
    /// The inputs without which `CreateDocument` refuses a step.
    pub required: &'static [&'static str],
    /// How long an attempt may take when the step does not say.
    pub timeout_seconds: Option<u64>,
    /// Whether it may be the target of `onCancel`.
    pub may_follow_cancel: bool,
    /// What it is busy with, in the words of failure messages.
    pub(crate) phrase: &'static str,
    pub(crate) work: Work,
}

/// How an action works.
#[derive(Debug)]
pub(crate) enum Work {
    /// It begins, and goes on with every answer to what it has asked for.
    Available {
        /// Begins an attempt.
        begin: fn(&mut Turn<'_, '_>) -> Outcome,
        /// Goes on.
        resume: fn(&mut Turn<'_, '_>, &Answer) -> Outcome,
        /// Stops what it has started elsewhere.
        cancel: fn(&mut Turn<'_, '_>),
    },
    /// It lets the steps of its body run, again and again.
    Loop {
        /// Begins an attempt.
        begin: fn(&mut Turn<'_, '_>) -> Outcome,
        /// Goes on when the body has run.
        body_over: fn(&mut Turn<'_, '_>) -> Outcome,
    },
    /// Nobody knows the action; no runbook is accepted with it.
    Unknown,
}

/// What an action says when it stops for now.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It has asked for something and waits for the answer.
    InProgress,
    /// It waits for somebody's signal.
    Waiting,
    /// The body of the loop is to run.
    Body,
    /// It has succeeded with these outputs (typed).
    Done(Value),
    /// It has succeeded, and the flow goes on at the step of this name; none means the end.
    Jump(String),
    /// The attempt has failed.
    Failed(Failure),
}

/// What an action hears.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A call's answer.
    Output {
        /// The answer.
        output: Value,
        /// Its request id.
        request_id: Option<String>,
    },
    /// A call's failure.
    Error(CallError),
    /// A script's result.
    Returned {
        /// What the handler returned.
        payload: Value,
        /// What it printed.
        log: String,
    },
    /// A script's traceback.
    Raised(String),
    /// A timer is due.
    Timer,
    /// Somebody signals.
    Signal(Signal),
}

/// One action's access to the running execution.
pub(crate) struct Turn<'a, 'b> {
    pub(crate) run: &'a mut Run<'b>,
    pub(crate) index: usize,
    pub(crate) step: &'b Step,
}

impl Turn<'_, '_> {
    /// Returns the resolved input of this name.
    pub(crate) fn input(&self, name: &str) -> Option<Value> {
        self.run.state.steps.get(self.index)?.inputs.get(name).cloned()
    }

    /// Returns the resolved input of this name as text; nothing for an absent or empty one.
    pub(crate) fn text_input(&self, name: &str) -> Option<String> {
        let text = crate::parameter::text(&self.input(name)?);
        (!text.is_empty()).then_some(text)
    }

    /// Returns all resolved inputs.
    pub(crate) fn inputs(&self) -> Value {
        self.run.state.steps.get(self.index).map(|it| it.inputs.clone()).unwrap_or_default()
    }

    /// Returns what was last remembered in this attempt.
    pub(crate) fn memory(&self) -> Value {
        self.run.state.steps.get(self.index).map(|it| it.memory.clone()).unwrap_or_default()
    }

    /// Keeps a value until the attempt is over.
    pub(crate) fn remember(&mut self, memory: Value) {
        if let Some(execution) = self.run.state.steps.get_mut(self.index) {
            execution.memory = memory;
        }
    }

    /// Shows outputs while the step still runs.
    pub(crate) fn show_outputs(&mut self, outputs: Value) {
        if let Some(execution) = self.run.state.steps.get_mut(self.index) {
            execution.outputs = outputs;
        }
    }

    /// Calls an AWS operation.
    pub(crate) fn call(&mut self, service: &str, operation: &str, input: Value) {
        let (service, operation) = (service.to_ascii_lowercase(), operation.to_owned());
        let identity = self.identity();
        self.run.ask(|id| Effect::Call(Call { id, service, operation, input, identity }));
    }

    /// Calls an AWS operation whose answer nobody waits for.
    pub(crate) fn tell(&mut self, service: &str, operation: &str, input: Value) {
        let (service, operation) = (service.to_owned(), operation.to_owned());
        let identity = self.identity();
        self.run.tell(|id| Effect::Call(Call { id, service, operation, input, identity }));
    }

    /// Returns as whom the action calls: another runbook is run as whoever started this one.
    fn identity(&self) -> Identity {
        if self.step.action.name == EXECUTE_AUTOMATION {
            Identity::Starter
        } else {
            Identity::Worker
        }
    }

    /// Asks to be woken.
    pub(crate) fn wake_at(&mut self, at_millis: i64) {
        self.run.timer_at(at_millis);
    }

    /// Returns the time of the fact.
    pub(crate) fn now_millis(&self) -> i64 {
        self.run.stamp.millis
    }
}

/// What an action does on cancellation that has started nothing elsewhere.
pub(crate) fn nothing_to_cancel(_turn: &mut Turn<'_, '_>) {}

/// Returns the inputs that an action knows; none of one that passes any on.
pub fn inputs_of(action: &str) -> &'static [&'static str] {
    inputs::known(action).unwrap_or_default()
}

/// Returns the action of this name.
pub fn find(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().copied().find(|action| action.name == name)
}

/// Returns the name of an action that differs in upper and lower case or by a common confusion.
pub(crate) fn similar(name: &str) -> Option<&'static str> {
    let key = |name: &str| name.to_ascii_lowercase().replace("awsapi", "api");
    ACTIONS.iter().map(|action| action.name).find(|known| key(known) == key(name))
}
