//! The eight state types.

use std::sync::Arc;

use value::Value;

use super::fields::Fields;
use super::hints::did_you_mean;
use super::machine::Targets;
use super::templates::Place;
use super::{SECONDS_MAX, Validator};
use crate::definition::{
    Choice, Fail, Items, Map, Parallel, Pass, QueryLanguage, State, StateKind, Task, Transition,
    Wait,
};
use crate::expression::{Scalar, StatesMembers};
use crate::json::{Node, NodeKind};
use crate::resource::{IntegrationPattern, Resource};
use crate::template::Template;
use crate::timestamp::Timestamp;

/// The fields of a state type: for both languages, for JSONPath, for JSONata.
struct Known {
    both: &'static [&'static str],
    json_path: &'static [&'static str],
    jsonata: &'static [&'static str],
}

const EVERY_STATE: &[&str] = &["Type", "Comment", "QueryLanguage"];

/// `Type`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StateType {
    Pass,
    Task,
    Choice,
    Wait,
    Succeed,
    Fail,
    Parallel,
    Map,
}

impl StateType {
    fn parse(name: &str) -> Option<StateType> {
        Some(match name {
            "Pass" => StateType::Pass,
            "Task" => StateType::Task,
            "Choice" => StateType::Choice,
            "Wait" => StateType::Wait,
            "Succeed" => StateType::Succeed,
            "Fail" => StateType::Fail,
            "Parallel" => StateType::Parallel,
            "Map" => StateType::Map,
            _ => return None,
        })
    }
}

/// Returns the fields of a state type.
fn known(state_type: StateType) -> Known {
    match state_type {
        StateType::Pass => Known {
            both: &["Next", "End", "Assign"],
            json_path: &["InputPath", "OutputPath", "ResultPath", "Parameters", "Result"],
            jsonata: &["Output"],
        },
        StateType::Task => Known {
            both: &[
                "Resource",
                "Next",
                "End",
                "Retry",
                "Catch",
                "TimeoutSeconds",
                "HeartbeatSeconds",
                "Credentials",
                "Assign",
            ],
            json_path: &[
                "InputPath",
                "OutputPath",
                "ResultPath",
                "Parameters",
                "ResultSelector",
                "TimeoutSecondsPath",
                "HeartbeatSecondsPath",
            ],
            jsonata: &["Arguments", "Output"],
        },
        StateType::Choice => Known {
            both: &["Choices", "Default", "Assign"],
            json_path: &["InputPath", "OutputPath"],
            jsonata: &["Output"],
        },
        StateType::Wait => Known {
            both: &["Seconds", "Timestamp", "Next", "End", "Assign"],
            json_path: &["SecondsPath", "TimestampPath", "InputPath", "OutputPath"],
            jsonata: &["Output"],
        },
        StateType::Succeed => {
            Known { both: &[], json_path: &["InputPath", "OutputPath"], jsonata: &["Output"] }
        }
        StateType::Fail => Known {
            both: &["Error", "Cause"],
            json_path: &["ErrorPath", "CausePath"],
            jsonata: &[],
        },
        StateType::Parallel => Known {
            both: &["Branches", "Next", "End", "Retry", "Catch", "Assign"],
            json_path: &["InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector"],
            jsonata: &["Arguments", "Output"],
        },
        StateType::Map => MAP,
    }
}

const MAP: Known = Known {
    both: &[
        "ItemProcessor",
        "Iterator",
        "ItemReader",
        "ItemSelector",
        "ItemBatcher",
        "ResultWriter",
        "Label",
        "MaxConcurrency",
        "ToleratedFailureCount",
        "ToleratedFailurePercentage",
        "Next",
        "End",
        "Retry",
        "Catch",
        "Assign",
    ],
    json_path: &[
        "InputPath",
        "OutputPath",
        "ResultPath",
        "Parameters",
        "ResultSelector",
        "ItemsPath",
        "MaxConcurrencyPath",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentagePath",
    ],
    jsonata: &["Items", "Output"],
};

/// Fields of which a state has one at most, whatever its type.
const EXCLUSIVE: &[(&str, &str)] = &[
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
    ("Iterator", "ItemProcessor"),
    ("ItemSelector", "Parameters"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
];

/// Returns what a state's own Output and Assign can read: only these types have a result.
fn members(state_type: StateType) -> StatesMembers {
    match state_type {
        StateType::Task | StateType::Parallel | StateType::Map => StatesMembers::Result,
        StateType::Pass
        | StateType::Choice
        | StateType::Wait
        | StateType::Succeed
        | StateType::Fail => StatesMembers::Input,
    }
}

impl Validator<'_> {
    /// Reads one state.
    pub(super) fn state(
        &mut self,
        name: &Arc<str>,
        node: &Node,
        location: &str,
        targets: &mut Targets,
    ) -> Option<State> {
        let fields = Fields::of(self, node, location)?;
        if !self.required(&fields, &["Type"]) {
            return None;
        }
        let type_name = self.string(&fields, "Type")?.clone();
        let Some(state_type) = StateType::parse(&type_name) else {
            // UNVERIFIED: AWS's wording for an unknown type.
            let message = "Value must be one of: [Pass, Task, Choice, Wait, Succeed, Fail, \
                           Parallel, Map]";
            self.schema(message, fields.at("Type"), node.span);
            return None;
        };
        let language = self
            .query_language(&fields, Some(targets.query_language))
            .unwrap_or(targets.query_language);
        self.state_fields(&fields, &known(state_type), language);
        for pair in EXCLUSIVE {
            self.exclusive(&fields, *pair);
        }
        let place = &mut Place::new(language);
        let members = members(state_type);
        let assign = self.assign(&fields, members, place);
        let flow = match state_type {
            StateType::Fail => Self::no_flow(language),
            StateType::Map => self.flow_of_map(&fields, place),
            StateType::Pass
            | StateType::Task
            | StateType::Choice
            | StateType::Wait
            | StateType::Succeed
            | StateType::Parallel => self.flow(&fields, members, place),
        };
        let transition = match state_type {
            StateType::Choice | StateType::Succeed | StateType::Fail => Some(Transition::End),
            StateType::Pass
            | StateType::Task
            | StateType::Wait
            | StateType::Parallel
            | StateType::Map => self.transition(&fields, targets),
        };
        let kind = self.kind(state_type, &fields, targets, place);
        Some(State {
            name: name.clone(),
            query_language: language,
            flow,
            assign,
            transition: transition?,
            kind: kind?,
            variable_references: std::mem::take(&mut place.variables).into_iter().collect(),
            reads_context: place.reads_context,
        })
    }

    fn kind(
        &mut self,
        state_type: StateType,
        fields: &Fields<'_>,
        targets: &mut Targets,
        place: &mut Place,
    ) -> Option<StateKind> {
        match state_type {
            StateType::Pass => {
                let result = fields.get("Result");
                if let Some(result) = result {
                    self.static_result(result, &fields.at("Result"));
                }
                Some(StateKind::Pass(Pass { result: result.map(Node::to_value) }))
            }
            StateType::Task => self.task(fields, targets, place),
            StateType::Choice => Some(self.choice(fields, targets, place)),
            StateType::Wait => self.wait(fields, place),
            StateType::Succeed => Some(StateKind::Succeed),
            StateType::Fail => Some(StateKind::Fail(Fail {
                error: self.text_scalar(fields, "Error", place),
                cause: self.text_scalar(fields, "Cause", place),
            })),
            StateType::Parallel => Some(self.parallel(fields, targets, place)),
            StateType::Map => self.map(fields, targets, place),
        }
    }

    /// Reports the fields that the state type has not, or not in this language.
    fn state_fields(&mut self, fields: &Fields<'_>, known: &Known, language: QueryLanguage) {
        let (own, other, other_name) = match language {
            QueryLanguage::JsonPath => (known.json_path, known.jsonata, "JSONata"),
            QueryLanguage::Jsonata => (known.jsonata, known.json_path, "JSONPath"),
        };
        for member in fields.members() {
            let name = &*member.key;
            let location = fields.at(name);
            if EVERY_STATE.contains(&name) || known.both.contains(&name) || own.contains(&name) {
                continue;
            }
            if other.contains(&name) {
                // UNVERIFIED: AWS's wording for a field of the other language.
                let message =
                    format!("Field '{name}' is only supported with query language {other_name}");
                self.schema(message, location, member.key_span);
            } else {
                // UNVERIFIED: AWS's wording for a field that does not exist.
                self.schema("Field is not supported", location, member.key_span);
                let names = EVERY_STATE.iter().chain(known.both).chain(own);
                self.hint(did_you_mean(name, names.copied()));
            }
        }
    }

    fn task(
        &mut self,
        fields: &Fields<'_>,
        targets: &mut Targets,
        place: &mut Place,
    ) -> Option<StateKind> {
        self.required(fields, &["Resource"]);
        let resource = self.resource(fields);
        let timeout_seconds =
            self.integer_scalar(fields, "TimeoutSeconds", (1, SECONDS_MAX), place);
        let heartbeat_seconds =
            self.integer_scalar(fields, "HeartbeatSeconds", (1, SECONDS_MAX), place);
        if let (Some(Scalar::Constant(timeout)), Some(Scalar::Constant(heartbeat))) =
            (&timeout_seconds, &heartbeat_seconds)
            && heartbeat >= timeout
        {
            // UNVERIFIED: AWS's wording.
            let message = "HeartbeatSeconds must be smaller than TimeoutSeconds";
            self.schema(message, fields.at("HeartbeatSeconds"), fields.span);
        }
        let credentials = self.credentials(fields, place);
        let retry = self.retry(fields);
        let catch = self.catch(fields, targets, place);
        Some(StateKind::Task(Box::new(Task {
            resource: resource?,
            timeout_seconds,
            heartbeat_seconds,
            credentials,
            retry,
            catch,
        })))
    }

    fn resource(&mut self, fields: &Fields<'_>) -> Option<Resource> {
        let text = self.string(fields, "Resource")?;
        let span = fields.get("Resource").map_or(fields.span, |node| node.span);
        let Some(resource) = Resource::parse(text) else {
            self.schema("Value is not a valid resource ARN", fields.at("Resource"), span);
            return None;
        };
        if let Resource::Integration(integration) = &resource
            && self.runs_express()
            && integration.pattern != IntegrationPattern::RequestResponse
        {
            let pattern = match integration.pattern {
                IntegrationPattern::WaitForTaskToken => ".waitForTaskToken",
                IntegrationPattern::RequestResponse
                | IntegrationPattern::Sync
                | IntegrationPattern::Sync2 => ".sync",
            };
            let message =
                format!("Express state machine does not support '{pattern}' service integration");
            self.schema(message, fields.at("Resource"), span);
        }
        if let Resource::Activity(_) = resource
            && self.runs_express()
        {
            // UNVERIFIED: AWS's wording; that activities are refused stands in its documentation.
            let message = "Express state machine does not support Activity ARN";
            self.schema(message, fields.at("Resource"), span);
        }
        if let Some(refusal) = self.options.resources.refusal(&resource) {
            self.schema(refusal, fields.at("Resource"), span);
        }
        Some(resource)
    }

    fn credentials(&mut self, fields: &Fields<'_>, place: &mut Place) -> Option<Template> {
        let location = fields.at("Credentials");
        let credentials = Fields::of(self, fields.get("Credentials")?, &location)?;
        if !credentials.has("RoleArn") && !credentials.has("RoleArn.$") {
            let message = "The field 'RoleArn' is required but was missing";
            self.schema(message, location.as_str(), credentials.span);
        }
        self.template_field(fields, "Credentials", StatesMembers::Input, place)
    }

    fn choice(
        &mut self,
        fields: &Fields<'_>,
        targets: &mut Targets,
        place: &mut Place,
    ) -> StateKind {
        let complete = self.required(fields, &["Choices"]);
        let default = fields
            .get("Default")
            .and_then(|node| self.target(node, "Default", fields.at("Default"), targets));
        let entries = self.entries(fields, "Choices");
        if complete && entries.is_empty() {
            // UNVERIFIED: AWS's wording.
            self.schema("Choices must not be empty", fields.at("Choices"), fields.span);
        }
        let mut rules = Vec::with_capacity(entries.len());
        for (index, node) in entries.iter().enumerate() {
            let location = format!("{}[{index}]", fields.at("Choices"));
            rules.extend(self.rule(node, &location, targets, place));
        }
        StateKind::Choice(Choice { rules, default })
    }

    fn wait(&mut self, fields: &Fields<'_>, place: &mut Place) -> Option<StateKind> {
        let ways = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        if ways.iter().filter(|name| fields.has(name)).count() != 1 {
            // UNVERIFIED: AWS's wording for a Wait with no or several durations.
            let message = "Exactly one of the fields [Seconds, SecondsPath, Timestamp, \
                           TimestampPath] is required";
            self.schema(message, fields.here(), fields.span);
            return None;
        }
        if fields.has("Seconds") || fields.has("SecondsPath") {
            let seconds = self.integer_scalar(fields, "Seconds", (0, SECONDS_MAX), place)?;
            return Some(StateKind::Wait(Wait::Seconds(seconds)));
        }
        let timestamp = self.text_scalar(fields, "Timestamp", place)?;
        if let Scalar::Constant(text) = &timestamp
            && Timestamp::parse(text).is_none()
        {
            let span = fields.get("Timestamp").map_or(fields.span, |node| node.span);
            let message = "String does not match RFC3339 timestamp";
            self.schema(message, fields.at("Timestamp"), span);
        }
        Some(StateKind::Wait(Wait::Timestamp(timestamp)))
    }

    fn parallel(
        &mut self,
        fields: &Fields<'_>,
        targets: &mut Targets,
        place: &mut Place,
    ) -> StateKind {
        let complete = self.required(fields, &["Branches"]);
        let entries = self.entries(fields, "Branches");
        if complete && entries.is_empty() {
            // UNVERIFIED: AWS's wording.
            self.schema("Branches must not be empty", fields.at("Branches"), fields.span);
        }
        let mut branches = Vec::with_capacity(entries.len());
        for (index, node) in entries.iter().enumerate() {
            let location = format!("{}[{index}]", fields.at("Branches"));
            let Some(branch) = Fields::of(self, node, &location) else { continue };
            self.only(&branch, &["Comment", "StartAt", "States"]);
            branches.extend(self.inner_machine(&branch, targets));
        }
        let retry = self.retry(fields);
        let catch = self.catch(fields, targets, place);
        StateKind::Parallel(Parallel { branches, retry, catch })
    }

    fn map(
        &mut self,
        fields: &Fields<'_>,
        targets: &mut Targets,
        place: &mut Place,
    ) -> Option<StateKind> {
        let processor_name = if fields.has("Iterator") { "Iterator" } else { "ItemProcessor" };
        self.required(fields, &[processor_name]);
        let processor = self.processor(fields, processor_name, targets);
        let items = self.items(fields, place);
        // `Parameters` is what ItemSelector was called before.
        let selector_name = if fields.has("ItemSelector") { "ItemSelector" } else { "Parameters" };
        let item_selector = self.template_field(fields, selector_name, StatesMembers::Input, place);
        let retry = self.retry(fields);
        let catch = self.catch(fields, targets, place);
        Some(StateKind::Map(Box::new(Map {
            mode: self.map_mode(fields, processor_name, place),
            items,
            item_selector,
            max_concurrency: self.integer_scalar(fields, "MaxConcurrency", (0, SECONDS_MAX), place),
            tolerated_failure_count: self.integer_scalar(
                fields,
                "ToleratedFailureCount",
                (0, SECONDS_MAX),
                place,
            ),
            tolerated_failure_percentage: self.percentage(fields, place),
            retry,
            catch,
            processor: processor?,
        })))
    }

    fn percentage(&mut self, fields: &Fields<'_>, place: &mut Place) -> Option<Scalar<f64>> {
        let name = "ToleratedFailurePercentage";
        if Self::is_computed(fields, name, place) {
            return self.computed(fields, name, place);
        }
        self.path_in(fields, name, place);
        self.number(fields, name, |percent| (0.0..=100.0).contains(&percent)).map(Scalar::Constant)
    }

    fn items(&mut self, fields: &Fields<'_>, place: &mut Place) -> Items {
        match place.language {
            QueryLanguage::Jsonata => self
                .template_field(fields, "Items", StatesMembers::Input, place)
                .map_or(Items::Input, Items::Template),
            QueryLanguage::JsonPath => {
                self.path(fields, "ItemsPath", place).map_or(Items::Input, Items::Path)
            }
        }
    }

    fn processor(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        targets: &mut Targets,
    ) -> Option<crate::definition::StateId> {
        let location = fields.at(name);
        let processor = Fields::of(self, fields.get(name)?, &location)?;
        self.only(&processor, &["Comment", "StartAt", "States", "ProcessorConfig"]);
        self.inner_machine(&processor, targets)
    }
}

/// Returns whether a node is `true` or `false`.
pub(super) fn boolean(node: &Node) -> Option<bool> {
    match &node.kind {
        NodeKind::Scalar(Value::Bool(flag)) => Some(*flag),
        NodeKind::Scalar(_) | NodeKind::String(_) | NodeKind::Array(_) | NodeKind::Object(_) => {
            None
        }
    }
}
