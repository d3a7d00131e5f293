//! Resolving `{{ … }}` when a step runs.

use std::collections::HashMap;

use value::Value;

use crate::clock;
use crate::fact::Started;
use crate::parameter;
use crate::reference::{self, Piece, Reference, System};

/// What stands where an output has no value.
pub(crate) const NO_OUTPUT: &str =
    "No output available yet because the step is not successfully executed";

/// Everything that references can name at one moment.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    pub(crate) parameters: Value,
    pub(crate) variables: Value,
    /// The outputs of the steps, by step name.
    pub(crate) outputs: HashMap<&'a str, Value>,
    pub(crate) started: Option<&'a Started>,
    pub(crate) millis: i64,
}

impl Scope<'_> {
    /// Returns a scope that holds parameters only.
    pub(crate) fn of_parameters(parameters: Value) -> Scope<'static> {
        Scope { parameters, ..Scope::default() }
    }

    /// Resolves all references inside a value.
    pub(crate) fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => items.iter().flat_map(|item| self.elements(item)).collect(),
            Value::Object(members) => {
                let mut resolved = value::Map::with_capacity(members.len());
                for (key, member) in members.iter() {
                    resolved.insert(key.clone(), self.value(member));
                }
                Value::from(resolved)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// Returns what an element of a list becomes: a reference to a list stands for its elements.
    ///
    /// UNVERIFIED: published documents that run on AWS need it
    /// (adhorn/chaos-ssm-documents: `InstanceIds: ["{{ listInstances.InstanceIds }}"]`).
    fn elements(&self, element: &Value) -> Vec<Value> {
        let is_reference = element.as_str().is_some_and(|text| reference::whole(text).is_some());
        match self.value(element) {
            Value::Array(items) if is_reference => items.to_vec(),
            resolved => vec![resolved],
        }
    }

    /// Resolves a text; one that is a single reference takes the referenced value with its type.
    pub(crate) fn string(&self, text: &str) -> Value {
        match reference::whole(text) {
            Some(reference) => self.look_up(&reference),
            None => Value::from(self.text(text)),
        }
    }

    /// Resolves the references inside a longer text; lists and maps become compact JSON.
    pub(crate) fn text(&self, text: &str) -> String {
        let pieces = reference::pieces(text);
        pieces.iter().fold(String::new(), |mut out, piece| {
            match piece {
                Piece::Literal(literal) => out.push_str(literal),
                Piece::Reference(reference, _) => {
                    out.push_str(&parameter::text(&self.look_up(reference)));
                }
            }
            out
        })
    }

    fn look_up(&self, reference: &Reference) -> Value {
        match reference {
            Reference::Parameter(name) => {
                self.parameters.get(name).cloned().unwrap_or_else(|| Value::from(""))
            }
            Reference::Variable(name) => {
                self.variables.get(name).cloned().unwrap_or_else(|| Value::from(""))
            }
            Reference::Output { step, output } => self
                .outputs
                .get(step.as_str())
                .and_then(|outputs| outputs.get(output))
                .cloned()
                .unwrap_or_else(|| Value::from(NO_OUTPUT)),
            Reference::System(system) => Value::from(self.system(*system)),
            Reference::ParameterStore(path) => Value::from(format!("{{{{ssm:{path}}}}}")),
        }
    }

    /// Returns the text of a system variable.
    pub(crate) fn system(&self, system: System) -> String {
        let started =
            |pick: fn(&Started) -> &String| self.started.map(pick).cloned().unwrap_or_default();
        match system {
            System::AccountId => started(|started| &started.account),
            System::Region => started(|started| &started.region),
            System::Partition => started(|started| &started.partition),
            System::ExecutionId => started(|started| &started.execution_id),
            System::Date => clock::date(self.millis),
            System::DateTime => clock::date_time(self.millis),
        }
    }
}
