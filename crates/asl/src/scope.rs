//! What a state's expressions can read.

use std::cell::OnceCell;
use std::sync::Arc;

use jsonata::{Bindings, Moment};
use value::{Key, Map, Value};

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

thread_local! {
    /// The keys of `$states`: made once per thread, so that threads do not count references to the
    /// same ones.
    static KEYS: Keys = Keys {
        input: Arc::from("input"),
        result: Arc::from("result"),
        error_output: Arc::from("errorOutput"),
        context: Arc::from("context"),
        states: Arc::from("states"),
    };
}

struct Keys {
    input: Key,
    result: Key,
    error_output: Key,
    context: Key,
    states: Key,
}

/// How many members `$states` has at most.
const STATES_MEMBERS_MAX: usize = 4;

impl Scope {
    /// Returns the bindings of JSONata: `$states` and the variables.
    pub(crate) fn bindings(&self) -> Bindings {
        KEYS.with(|keys| {
            let mut states = Map::with_capacity(STATES_MEMBERS_MAX);
            states.insert(keys.input.clone(), self.input.clone());
            if let Some(result) = &self.result {
                states.insert(keys.result.clone(), result.clone());
            }
            if let Some(error_output) = &self.error_output {
                states.insert(keys.error_output.clone(), error_output.clone());
            }
            states.insert(keys.context.clone(), self.context.clone());
            Bindings::over(self.variables.clone()).with(keys.states.clone(), states)
        })
    }
}

/// A scope with its JSONata bindings made once, by the first expression that needs them.
#[derive(Debug)]
pub struct Evaluation<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) bindings: OnceCell<Bindings>,
    pub(crate) moment: &'a mut Moment,
}

impl<'a> Evaluation<'a> {
    /// Starts evaluating over `scope`; random numbers and the time come from `moment`.
    pub fn new(scope: &'a Scope, moment: &'a mut Moment) -> Evaluation<'a> {
        Evaluation { scope, bindings: OnceCell::new(), moment }
    }

    /// Returns what is being evaluated over.
    pub fn scope(&self) -> &'a Scope {
        self.scope
    }
}
