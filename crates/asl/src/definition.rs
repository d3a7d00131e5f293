//! The validated definition: immutable, compiled, shared by every execution.

use std::sync::Arc;

use value::Value;

use crate::choice::Rule;
use crate::distributed::Distributed;
use crate::expression::Scalar;
use crate::path::{Path, Placement};
use crate::resource::Resource;
use crate::retry::{Catcher, Retrier};
use crate::template::Template;

/// Which language a state's expressions are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryLanguage {
    /// JSONPath, the default.
    #[default]
    JsonPath,
    /// JSONata.
    Jsonata,
}

/// What a state machine promises about its executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateMachineType {
    /// Durable, exactly once.
    #[default]
    Standard,
    /// Short and many.
    Express,
}

/// A validated definition. There is no way to make one but [`Definition::parse`].
#[derive(Debug)]
pub struct Definition {
    pub(crate) text: Arc<str>,
    pub(crate) query_language: QueryLanguage,
    pub(crate) machine_type: StateMachineType,
    pub(crate) timeout_seconds: Option<i64>,
    pub(crate) start: StateId,
    pub(crate) states: Vec<State>,
}

/// The place of a state within its definition: the same for the same text, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId(pub u32);

impl Definition {
    /// Returns the text that was parsed.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns the query language of the whole machine.
    pub fn query_language(&self) -> QueryLanguage {
        self.query_language
    }

    /// Returns how long an execution may take.
    pub fn timeout_seconds(&self) -> Option<i64> {
        self.timeout_seconds
    }

    /// Returns the state with this name, wherever it stands.
    pub fn find(&self, name: &str) -> Option<StateId> {
        let index = self.states.iter().position(|state| &*state.name == name)?;
        u32::try_from(index).ok().map(StateId)
    }

    /// Returns the state that an execution starts at.
    pub fn start(&self) -> StateId {
        self.start
    }

    /// Returns a state; `None` for an id of another definition.
    pub fn state(&self, id: StateId) -> Option<&State> {
        self.states.get(id.0 as usize)
    }

    /// Returns the kind of state machine that the definition was validated for.
    pub fn machine_type(&self) -> StateMachineType {
        self.machine_type
    }

    /// Returns the names of the states that read variables, each with the variables in order, as
    /// `DescribeStateMachine` shows them.
    pub fn variable_references(&self) -> impl Iterator<Item = (&str, &[String])> {
        let reading = self.states.iter().filter(|state| !state.variable_references.is_empty());
        reading.map(|state| (&*state.name, state.variable_references.as_slice()))
    }

    /// Returns every state, those of branches and iterations included.
    pub fn states(&self) -> &[State] {
        &self.states
    }
}

/// One state.
#[derive(Debug)]
pub struct State {
    /// Its name.
    pub name: Arc<str>,
    /// The language of its expressions.
    pub query_language: QueryLanguage,
    /// How data flows into and out of it.
    pub flow: Flow,
    /// What `Assign` sets.
    pub assign: Option<Template>,
    /// Where it goes when it is done; Choice, Succeed and Fail go nowhere by themselves.
    pub transition: Transition,
    /// What it does.
    pub kind: StateKind,
    /// The variables its expressions read, sorted.
    pub variable_references: Vec<String>,
    /// Whether its expressions may read the context object; false is certain.
    pub reads_context: bool,
}

/// Where a state goes when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// To another state.
    Next(StateId),
    /// To the end of the machine, branch or iteration.
    End,
}

/// How data flows through a state, by query language.
#[derive(Debug)]
pub enum Flow {
    /// `Arguments` and `Output`.
    Jsonata {
        /// What a Task or Parallel is given; the state's input when absent.
        arguments: Option<Template>,
        /// What the state hands on; its result or input when absent.
        output: Option<Template>,
    },
    /// The five paths.
    JsonPath(Box<JsonPathFlow>),
}

/// The fields of data flow in JSONPath.
#[derive(Debug)]
pub struct JsonPathFlow {
    /// Selects from the state's input.
    pub input_path: Selection,
    /// Builds the effective input.
    pub parameters: Option<Template>,
    /// Builds the effective result.
    pub result_selector: Option<Template>,
    /// Where the result is placed in the input.
    pub result_path: ResultPath,
    /// Selects from the output.
    pub output_path: Selection,
}

/// InputPath and OutputPath.
#[derive(Clone, Debug)]
pub enum Selection {
    /// `$`, the default.
    Whole,
    /// `null`: an empty object.
    Nothing,
    /// A path.
    Path(Path),
}

/// ResultPath.
#[derive(Clone, Debug)]
pub enum ResultPath {
    /// `$`, the default: the result replaces the input.
    Replace,
    /// `null`: the result is discarded.
    Discard,
    /// A reference path.
    Place(Placement),
}

/// What a state does.
#[derive(Debug)]
pub enum StateKind {
    /// Hands data on.
    Pass(Pass),
    /// Asks something of a service.
    Task(Box<Task>),
    /// Decides.
    Choice(Choice),
    /// Waits.
    Wait(Wait),
    /// Ends well.
    Succeed,
    /// Ends badly.
    Fail(Fail),
    /// Runs branches at the same time.
    Parallel(Parallel),
    /// Runs an item processor for every item.
    Map(Box<Map>),
}

impl StateKind {
    /// Returns the `Type`, as history events spell it (`Pass` of `PassStateEntered`).
    pub fn type_name(&self) -> &'static str {
        match self {
            StateKind::Pass(_) => "Pass",
            StateKind::Task(_) => "Task",
            StateKind::Choice(_) => "Choice",
            StateKind::Wait(_) => "Wait",
            StateKind::Succeed => "Succeed",
            StateKind::Fail(_) => "Fail",
            StateKind::Parallel(_) => "Parallel",
            StateKind::Map(_) => "Map",
        }
    }
}

/// A Pass state.
#[derive(Debug)]
pub struct Pass {
    /// The fixed result (JSONPath only).
    pub result: Option<Value>,
}

/// A Task state.
#[derive(Debug)]
pub struct Task {
    /// What is asked.
    pub resource: Resource,
    /// `TimeoutSeconds` or `TimeoutSecondsPath`.
    pub timeout_seconds: Option<Scalar<i64>>,
    /// `HeartbeatSeconds` or `HeartbeatSecondsPath`.
    pub heartbeat_seconds: Option<Scalar<i64>>,
    /// `Credentials`: the role to act as.
    pub credentials: Option<Template>,
    /// What is tried again.
    pub retry: Vec<Retrier>,
    /// What is caught.
    pub catch: Vec<Catcher>,
}

/// A Choice state.
#[derive(Debug)]
pub struct Choice {
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// Where to go when no rule matches.
    pub default: Option<StateId>,
}

/// A Wait state.
#[derive(Debug)]
pub enum Wait {
    /// `Seconds` or `SecondsPath`.
    Seconds(Scalar<i64>),
    /// `Timestamp` or `TimestampPath`; constants are checked when the definition is.
    Timestamp(Scalar<String>),
}

/// A Fail state.
#[derive(Debug)]
pub struct Fail {
    /// `Error` or `ErrorPath`.
    pub error: Option<Scalar<String>>,
    /// `Cause` or `CausePath`.
    pub cause: Option<Scalar<String>>,
}

/// A Parallel state.
#[derive(Debug)]
pub struct Parallel {
    /// Where each branch starts.
    pub branches: Vec<StateId>,
    /// What is tried again.
    pub retry: Vec<Retrier>,
    /// What is caught.
    pub catch: Vec<Catcher>,
}

/// How a [`Map`] runs its iterations.
#[derive(Debug)]
pub enum MapMode {
    /// Within the execution, shown in its history.
    Inline,
    /// As a map run, whose iterations are executions of their own.
    Distributed(Box<Distributed>),
}

/// A Map state.
#[derive(Debug)]
pub struct Map {
    /// Inline or distributed.
    pub mode: MapMode,
    /// Where each iteration starts.
    pub processor: StateId,
    /// Which items there are.
    pub items: Items,
    /// `ItemSelector` (or `Parameters`, its old name): the input of an iteration.
    pub item_selector: Option<Template>,
    /// How many iterations run at the same time; 0 is no bound of its own.
    pub max_concurrency: Option<Scalar<i64>>,
    /// `ToleratedFailureCount`.
    pub tolerated_failure_count: Option<Scalar<i64>>,
    /// `ToleratedFailurePercentage`.
    pub tolerated_failure_percentage: Option<Scalar<f64>>,
    /// What is tried again.
    pub retry: Vec<Retrier>,
    /// What is caught.
    pub catch: Vec<Catcher>,
}

/// Which items a [`Map`] runs over.
#[derive(Debug)]
pub enum Items {
    /// The state's effective input.
    Input,
    /// `Items` as a template (JSONata).
    Template(Template),
    /// `ItemsPath` (JSONPath).
    Path(Path),
}
