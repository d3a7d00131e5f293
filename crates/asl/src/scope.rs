//! What a state's expressions can read.

use std::sync::Arc;

use jsonata::{Bindings, Moment};
use value::{Map, Value};

/// The values that the expressions of one state see at one moment of its life.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The state's input: `$states.input`, and `$` in JSONPath.
    pub input: Value,
    /// The context object: `$states.context`, and `$$` in JSONPath.
    pub context: Value,
    /// The result of a task, of branches or of iterations, once there is one.
    pub result: Option<Value>,
    /// The error that a Catch handles.
    pub error_output: Option<Value>,
    /// The variables as they were when the state was entered.
    pub variables: Arc<Map>,
}

impl Scope {
    /// Returns the bindings of JSONata: `$states` and the variables.
    pub(crate) fn bindings(&self) -> Bindings {
        let states = Value::object()
            .with("input", self.input.clone())
            .with_some("result", self.result.clone())
            .with_some("errorOutput", self.error_output.clone())
            .with("context", self.context.clone());
        Bindings::over(self.variables.clone()).with("states", states)
    }
}

/// A scope with its JSONata bindings made once, for all expressions of one step.
#[derive(Debug)]
pub struct Evaluation<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) bindings: Bindings,
    pub(crate) moment: &'a mut Moment,
}

impl<'a> Evaluation<'a> {
    /// Starts evaluating over `scope`; random numbers and the time come from `moment`.
    pub fn new(scope: &'a Scope, moment: &'a mut Moment) -> Evaluation<'a> {
        Evaluation { scope, bindings: scope.bindings(), moment }
    }

    /// Returns what is being evaluated over.
    pub fn scope(&self) -> &'a Scope {
        self.scope
    }
}
