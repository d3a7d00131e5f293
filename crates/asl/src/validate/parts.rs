//! Parts that several state types share: data flow, Retry, Catch.

use super::Validator;
use super::fields::Fields;
use super::machine::Targets;
use super::templates::Place;
use crate::definition::{Flow, JsonPathFlow, QueryLanguage, ResultPath, Selection};
use crate::expression::StatesMembers;
use crate::json::Node;
use crate::retry::{
    BACKOFF_RATE_DEFAULT, Catcher, INTERVAL_SECONDS_DEFAULT, JitterStrategy, MAX_ATTEMPTS_DEFAULT,
    MAX_ATTEMPTS_MAX, MAX_DELAY_SECONDS_MAX, Retrier,
};

use super::SECONDS_MAX;

impl Validator<'_> {
    /// Reads the fields of data flow; the ones that a state type does not have are absent.
    pub(super) fn flow(
        &mut self,
        fields: &Fields<'_>,
        members: StatesMembers,
        place: &mut Place,
    ) -> Flow {
        match place.language {
            QueryLanguage::Jsonata => Flow::Jsonata {
                arguments: self.template_field(fields, "Arguments", StatesMembers::Input, place),
                output: self.template_field(fields, "Output", members, place),
            },
            QueryLanguage::JsonPath => Flow::JsonPath(Box::new(JsonPathFlow {
                input_path: self.selection(fields, "InputPath", place),
                parameters: self.template_field(fields, "Parameters", StatesMembers::Input, place),
                result_selector: self.template_field(
                    fields,
                    "ResultSelector",
                    StatesMembers::Input,
                    place,
                ),
                result_path: self.result_path(fields),
                output_path: self.selection(fields, "OutputPath", place),
            })),
        }
    }

    /// Reads the data flow of a Map, whose Parameters belong to its iterations.
    pub(super) fn flow_of_map(&mut self, fields: &Fields<'_>, place: &mut Place) -> Flow {
        let mut flow = self.flow(fields, StatesMembers::Result, place);
        if let Flow::JsonPath(flow) = &mut flow {
            flow.parameters = None;
        }
        flow
    }

    /// The data flow of a state that only selects.
    pub(super) fn no_flow(language: QueryLanguage) -> Flow {
        match language {
            QueryLanguage::Jsonata => Flow::Jsonata { arguments: None, output: None },
            QueryLanguage::JsonPath => Flow::JsonPath(Box::new(JsonPathFlow {
                input_path: Selection::Whole,
                parameters: None,
                result_selector: None,
                result_path: ResultPath::Replace,
                output_path: Selection::Whole,
            })),
        }
    }

    /// Reads `Retry`.
    pub(super) fn retry(&mut self, fields: &Fields<'_>) -> Vec<Retrier> {
        let mut retriers = Vec::new();
        for (index, node) in self.entries(fields, "Retry").iter().enumerate() {
            let location = format!("{}[{index}]", fields.at("Retry"));
            let Some(entry) = Fields::of(self, node, &location) else { continue };
            self.only(
                &entry,
                &[
                    "Comment",
                    "ErrorEquals",
                    "IntervalSeconds",
                    "MaxAttempts",
                    "BackoffRate",
                    "MaxDelaySeconds",
                    "JitterStrategy",
                ],
            );
            retriers.push(Retrier {
                error_equals: self.error_equals(&entry),
                interval_seconds: self
                    .integer(&entry, "IntervalSeconds", 1, SECONDS_MAX)
                    .unwrap_or(INTERVAL_SECONDS_DEFAULT),
                max_attempts: self
                    .integer(&entry, "MaxAttempts", 0, MAX_ATTEMPTS_MAX)
                    .unwrap_or(MAX_ATTEMPTS_DEFAULT),
                backoff_rate: self
                    .number(&entry, "BackoffRate", |rate| rate >= 1.0)
                    .unwrap_or(BACKOFF_RATE_DEFAULT),
                max_delay_seconds: self.integer(
                    &entry,
                    "MaxDelaySeconds",
                    1,
                    MAX_DELAY_SECONDS_MAX,
                ),
                jitter: self.jitter(&entry),
            });
        }
        retriers
    }

    fn jitter(&mut self, fields: &Fields<'_>) -> JitterStrategy {
        match self.string(fields, "JitterStrategy").map(|text| &**text) {
            None | Some("NONE") => JitterStrategy::None,
            Some("FULL") => JitterStrategy::Full,
            Some(_) => {
                // UNVERIFIED: AWS's wording.
                let message = "Value must be one of: [FULL, NONE]";
                self.schema(message, fields.at("JitterStrategy"), fields.span);
                JitterStrategy::None
            }
        }
    }

    /// Reads `Catch`.
    pub(super) fn catch(
        &mut self,
        fields: &Fields<'_>,
        targets: &mut Targets,
        place: &mut Place,
    ) -> Vec<Catcher> {
        let mut catchers = Vec::new();
        for (index, node) in self.entries(fields, "Catch").iter().enumerate() {
            let location = format!("{}[{index}]", fields.at("Catch"));
            let Some(entry) = Fields::of(self, node, &location) else { continue };
            let by_language: &[&str] = match place.language {
                QueryLanguage::Jsonata => &["Output"],
                QueryLanguage::JsonPath => &["ResultPath"],
            };
            let known = [&["Comment", "ErrorEquals", "Next", "Assign"], by_language].concat();
            self.only(&entry, &known);
            let error_equals = self.error_equals(&entry);
            let assign = self.assign(&entry, StatesMembers::ErrorOutput, place);
            let output = match place.language {
                QueryLanguage::Jsonata => {
                    self.template_field(&entry, "Output", StatesMembers::ErrorOutput, place)
                }
                QueryLanguage::JsonPath => None,
            };
            let result_path = match place.language {
                QueryLanguage::Jsonata => ResultPath::Replace,
                QueryLanguage::JsonPath => self.result_path(&entry),
            };
            if self.required(&entry, &["Next"])
                && let Some(node) = entry.get("Next")
                && let Some(next) = self.target(node, "Next", entry.at("Next"), targets)
            {
                catchers.push(Catcher { error_equals, next, assign, output, result_path });
            }
        }
        catchers
    }

    /// Returns the elements of an array field; anything but an array is reported.
    pub(super) fn entries<'n>(&mut self, fields: &Fields<'n>, name: &str) -> &'n [Node] {
        let Some(node) = fields.get(name) else { return &[] };
        node.as_array().unwrap_or_else(|| {
            self.wrong_type("Array", fields.at(name), node.span);
            &[]
        })
    }

    fn error_equals(&mut self, fields: &Fields<'_>) -> Vec<String> {
        self.required(fields, &["ErrorEquals"]);
        let mut names = Vec::new();
        let entries = self.entries(fields, "ErrorEquals");
        if entries.is_empty()
            && let Some(node) = fields.get("ErrorEquals").filter(|node| node.as_array().is_some())
        {
            // UNVERIFIED: AWS's wording.
            self.schema("ErrorEquals must not be empty", fields.at("ErrorEquals"), node.span);
        }
        for (index, node) in entries.iter().enumerate() {
            if let Some(name) = node.as_str() {
                names.push(name.to_string());
            } else {
                let location = format!("{}[{index}]", fields.at("ErrorEquals"));
                self.wrong_type("String", location, node.span);
            }
        }
        names
    }
}
