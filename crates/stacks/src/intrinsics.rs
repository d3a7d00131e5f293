//! Intrinsic functions, evaluated against parameters, conditions and resources.
//!
//! AWS page: "Intrinsic function reference" (read 2026-11-24).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use value::{Map, Value};

use crate::parameters::Parameters;
use crate::template::references::{Conditions, SubPiece, sub_pieces};
use crate::template::{intrinsic, scalar_text};
use crate::{ResourceRecord, Template};

/// The pseudo parameters that `Ref` knows.
pub(crate) const PSEUDO_PARAMETERS: &[&str] = &[
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// Where a stack lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name of the stack.
    pub stack_name: String,
    /// Its ARN.
    pub stack_id: String,
    /// Twelve digits.
    pub account: String,
    /// `us-east-1`.
    pub region: String,
    /// `aws`.
    pub partition: String,
}

/// What expressions can see.
pub(crate) struct Scope<'a> {
    pub(crate) template: &'a Template,
    pub(crate) identity: &'a Identity,
    pub(crate) parameters: &'a Parameters,
    pub(crate) conditions: &'a Conditions,
    /// The exports of other stacks by name.
    pub(crate) imports: &'a BTreeMap<String, String>,
    /// What Parameter Store holds by the names of dynamic references.
    pub(crate) held: &'a BTreeMap<String, String>,
    pub(crate) resources: &'a [ResourceRecord],
}

/// The text of a failure, in AWS's words.
pub(crate) type Failure = String;

/// Evaluates every condition of the template, each after the conditions it names.
pub(crate) fn conditions(scope: &Scope<'_>) -> Result<Conditions, Failure> {
    let mut waiting: Vec<(&str, &Value, Vec<String>)> = Vec::new();
    for (name, expression) in scope.template.section("Conditions") {
        let mut needs = Vec::new();
        named_conditions(expression, &mut needs);
        waiting.push((name, expression, needs));
    }
    let mut known = Conditions::new();
    // INVARIANT: each round evaluates at least one condition or ends.
    while !waiting.is_empty() {
        let (ready, rest): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(_, _, needs)| needs.iter().all(|need| known.contains_key(need)));
        if ready.is_empty() {
            let names: Vec<&str> = rest.iter().map(|(name, _, _)| *name).collect();
            return Err(format!(
                "Template format error: Unresolved condition dependency [{}] in the Conditions \
                 block of the template",
                names.join(", ")
            ));
        }
        for (name, expression, _) in ready {
            let here = Scope { conditions: &known, ..*scope };
            let holds = here.condition(expression)?;
            known.insert(name.to_owned(), holds);
        }
        waiting = rest;
    }
    Ok(known)
}

fn named_conditions(expression: &Value, found: &mut Vec<String>) {
    match expression {
        Value::Array(items) => items.iter().for_each(|item| named_conditions(item, found)),
        Value::Object(map) => {
            for (key, item) in map.iter() {
                match (&**key, item.as_str()) {
                    ("Condition", Some(name)) => found.push(name.to_owned()),
                    _ => named_conditions(item, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Scope<'_> {
    /// Evaluates a value; `None` is `AWS::NoValue`, which removes the property.
    pub(crate) fn evaluate(&self, value: &Value) -> Result<Option<Value>, Failure> {
        if let Some((name, argument)) = intrinsic(value) {
            return self.function(name, argument);
        }
        match value {
            Value::Array(items) => {
                let mut evaluated = Vec::new();
                for item in items.iter() {
                    evaluated.extend(self.evaluate(item)?);
                }
                Ok(Some(Value::from(evaluated)))
            }
            Value::Object(map) => {
                let mut evaluated = Map::new();
                for (key, item) in map.iter() {
                    if let Some(item) = self.evaluate(item)? {
                        evaluated.insert(key.clone(), item);
                    }
                }
                Ok(Some(Value::from(evaluated)))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(Some(value.clone()))
            }
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Result<Option<Value>, Failure> {
        match name {
            "Ref" => self.reference(argument.as_str().unwrap_or("")),
            "Fn::GetAtt" => self.get_att(argument).map(Some),
            "Fn::Sub" => self.sub(argument).map(Some),
            "Fn::Join" => self.join(argument).map(Some),
            "Fn::If" => self.if_else(argument),
            "Fn::Select" => self.select(argument).map(Some),
            "Fn::Split" => self.split(argument).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument).map(Some),
            "Fn::Base64" => self.text(argument).map(|text| Some(Value::from(base64(&text)))),
            "Fn::ImportValue" => self.import_value(argument).map(Some),
            "Fn::GetAZs" => self.availability_zones(argument).map(Some),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                let expression = Value::object().with(name, argument.clone());
                self.condition(&expression).map(|holds| Some(Value::Bool(holds)))
            }
            // DIFFERS: Fn::Cidr, Fn::Transform and the functions of AWS::LanguageExtensions.
            _ => Err(format!("Template error: {name} is not available here")),
        }
    }

    /// Evaluates to a text; numbers and booleans are spelled out.
    fn text(&self, value: &Value) -> Result<String, Failure> {
        match self.evaluate(value)? {
            Some(Value::String(text)) => Ok(text.to_string()),
            Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Ok(scalar_text(&scalar)),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => {
                Err("Template error: a function that needs a string was given none".to_owned())
            }
        }
    }

    fn reference(&self, name: &str) -> Result<Option<Value>, Failure> {
        let identity = self.identity;
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::NotificationARNs" => return Ok(Some(Value::from(Vec::<Value>::new()))),
            "AWS::AccountId" => Some(identity.account.as_str()),
            "AWS::Partition" => Some(identity.partition.as_str()),
            "AWS::Region" => Some(identity.region.as_str()),
            "AWS::StackId" => Some(identity.stack_id.as_str()),
            "AWS::StackName" => Some(identity.stack_name.as_str()),
            "AWS::URLSuffix" if identity.partition == "aws-cn" => Some("amazonaws.com.cn"),
            "AWS::URLSuffix" => Some("amazonaws.com"),
            _ => None,
        };
        if let Some(text) = pseudo {
            return Ok(Some(Value::from(text)));
        }
        if let Some(parameter) = self.parameters.get(name) {
            return Ok(Some(parameter.value.clone()));
        }
        match self.resource(name) {
            Some(resource) => Ok(Some(Value::from(&resource.physical_id))),
            None => Err(format!(
                "Template format error: Unresolved resource dependencies [{name}] in the \
                 Resources block of the template"
            )),
        }
    }

    fn resource(&self, name: &str) -> Option<&ResourceRecord> {
        self.resources.iter().find(|resource| resource.logical_id == name)
    }

    fn get_att(&self, argument: &Value) -> Result<Value, Failure> {
        if let Some((resource, attribute)) = argument.as_str().and_then(|t| t.split_once('.')) {
            return self.attribute(resource, attribute);
        }
        let resource = argument.at(0).and_then(Value::as_str).unwrap_or("");
        let attribute = self.text(argument.at(1).unwrap_or(&Value::Null))?;
        self.attribute(resource, &attribute)
    }

    fn attribute(&self, name: &str, attribute: &str) -> Result<Value, Failure> {
        let Some(resource) = self.resource(name) else {
            return Err(format!(
                "Template error: instance of Fn::GetAtt references undefined resource {name}"
            ));
        };
        resource.attributes.get(attribute).cloned().ok_or_else(|| {
            format!(
                "Requested attribute {attribute} does not exist in schema for {}",
                resource.resource_type
            )
        })
    }

    fn sub(&self, argument: &Value) -> Result<Value, Failure> {
        let variables = argument.at(1);
        let text = argument.as_str().or_else(|| argument.at(0).and_then(Value::as_str));
        let mut result = String::new();
        for piece in sub_pieces(text.unwrap_or("")) {
            match piece {
                SubPiece::Text(text) => result.push_str(text),
                SubPiece::Literal(name) => {
                    result.push_str("${");
                    result.push_str(name);
                    result.push('}');
                }
                SubPiece::Variable(name) => {
                    let given = variables.and_then(|variables| variables.get(name));
                    result.push_str(&match (given, name.split_once('.')) {
                        (Some(value), _) => self.text(value)?,
                        (None, Some((resource, attribute))) => {
                            scalar_text(&self.attribute(resource, attribute)?)
                        }
                        (None, None) => {
                            self.reference(name)?.map(|v| scalar_text(&v)).unwrap_or_default()
                        }
                    });
                }
            }
        }
        Ok(Value::from(result))
    }

    fn join(&self, argument: &Value) -> Result<Value, Failure> {
        let delimiter = self.text(argument.at(0).unwrap_or(&Value::Null))?;
        let items = argument.at(1).map(|items| self.evaluate(items)).transpose()?.flatten();
        let Some(Value::Array(items)) = items else {
            return Err("Template error: every Fn::Join object requires two parameters, (1) a \
                        string delimiter and (2) a list of strings to be joined or a function \
                        that returns a list of strings (such as Fn::GetAZs) to be joined."
                .to_owned());
        };
        let texts: Vec<String> = items.iter().map(scalar_text).collect();
        Ok(Value::from(texts.join(&delimiter)))
    }

    fn if_else(&self, argument: &Value) -> Result<Option<Value>, Failure> {
        let name = argument.at(0).and_then(Value::as_str).unwrap_or("");
        let Some(holds) = self.conditions.get(name) else {
            return Err(format!("Template error: unresolved condition dependency: {name}"));
        };
        let branch = argument.at(if *holds { 1 } else { 2 });
        branch.map_or(Ok(None), |branch| self.evaluate(branch))
    }

    fn select(&self, argument: &Value) -> Result<Value, Failure> {
        let index = self.text(argument.at(0).unwrap_or(&Value::Null))?;
        let items = argument.at(1).map(|items| self.evaluate(items)).transpose()?.flatten();
        let Some(Value::Array(items)) = items else {
            return Err("Template error: Fn::Select requires a list argument with two elements: \
                        an integer index and a list"
                .to_owned());
        };
        let item = index.parse::<usize>().ok().and_then(|index| items.get(index)).cloned();
        item.ok_or_else(|| {
            format!("Template error: Fn::Select cannot select nonexistent value at index {index}")
        })
    }

    fn split(&self, argument: &Value) -> Result<Value, Failure> {
        let delimiter = self.text(argument.at(0).unwrap_or(&Value::Null))?;
        let text = self.text(argument.at(1).unwrap_or(&Value::Null))?;
        if delimiter.is_empty() {
            return Err("Template error: Fn::Split needs a delimiter".to_owned());
        }
        Ok(text.split(delimiter.as_str()).collect())
    }

    fn find_in_map(&self, argument: &Value) -> Result<Value, Failure> {
        let part = |at: usize| self.text(argument.at(at).unwrap_or(&Value::Null));
        let (map, first, second) = (part(0)?, part(1)?, part(2)?);
        let body = self.template.body();
        if body.path(&["Mappings", &map]).is_none() {
            return Err(format!(
                "Template error: Mapping named '{map}' is not present in the 'Mappings' section \
                 of template."
            ));
        }
        if let Some(found) = body.path(&["Mappings", &map, &first, &second]) {
            return Ok(found.clone());
        }
        if let Some(default) = argument.at(3).and_then(|options| options.get("DefaultValue")) {
            return self.evaluate(default).map(Option::unwrap_or_default);
        }
        Err(format!("Template error: Unable to get mapping for {map}::{first}::{second}"))
    }

    fn import_value(&self, argument: &Value) -> Result<Value, Failure> {
        let name = self.text(argument)?;
        match self.imports.get(&name) {
            Some(value) => Ok(Value::from(value)),
            None => Err(format!("No export named {name} found.")),
        }
    }

    fn availability_zones(&self, argument: &Value) -> Result<Value, Failure> {
        let region = self.text(argument)?;
        let region = if region.is_empty() { self.identity.region.clone() } else { region };
        Ok(["a", "b", "c"].iter().map(|zone| format!("{region}{zone}")).collect())
    }

    /// Evaluates a condition expression.
    pub(crate) fn condition(&self, expression: &Value) -> Result<bool, Failure> {
        let member = expression.as_object().and_then(|map| map.iter().next());
        let Some((function, argument)) = member else {
            return match expression {
                Value::Bool(flag) => Ok(*flag),
                Value::String(text) => Ok(&**text == "true"),
                _ => {
                    Err("Template format error: Every Condition member must be a string."
                        .to_owned())
                }
            };
        };
        let operands = argument.as_array().unwrap_or(&[]);
        match &**function {
            "Condition" => {
                let name = argument.as_str().unwrap_or("");
                self.conditions.get(name).copied().ok_or_else(|| {
                    format!(
                        "Template format error: Unresolved condition dependency [{name}] in the \
                         Conditions block of the template"
                    )
                })
            }
            "Fn::Equals" => {
                let side = |at: usize| self.evaluate(argument.at(at).unwrap_or(&Value::Null));
                let (left, right) = (side(0)?, side(1)?);
                let text = |value: Option<Value>| value.as_ref().map(scalar_text);
                Ok(text(left) == text(right))
            }
            "Fn::Not" => {
                self.condition(operands.first().unwrap_or(&Value::Null)).map(|holds| !holds)
            }
            "Fn::And" => self.all(operands).map(|holds| !holds.contains(&false)),
            "Fn::Or" => self.all(operands).map(|holds| holds.contains(&true)),
            // The functions of rules: members of the first list, and what they must be.
            "Fn::Contains" => {
                let (list, wanted) =
                    (self.member_texts(operands, 0)?, self.member_texts(operands, 1)?);
                Ok(wanted.iter().all(|item| list.contains(item)))
            }
            "Fn::EachMemberIn" => {
                let (items, list) =
                    (self.member_texts(operands, 0)?, self.member_texts(operands, 1)?);
                Ok(items.iter().all(|item| list.contains(item)))
            }
            "Fn::EachMemberEquals" => {
                let (items, wanted) =
                    (self.member_texts(operands, 0)?, self.member_texts(operands, 1)?);
                Ok(items.iter().all(|item| wanted.first() == Some(item)))
            }
            _ => Err(format!("Template error: {function} is no condition function")),
        }
    }

    /// Evaluates an operand to texts; a scalar is a list of one.
    fn member_texts(&self, operands: &[Value], at: usize) -> Result<Vec<String>, Failure> {
        let operand = operands.get(at).unwrap_or(&Value::Null);
        Ok(match self.evaluate(operand)? {
            Some(Value::Array(items)) => items.iter().map(scalar_text).collect(),
            Some(scalar) => vec![scalar_text(&scalar)],
            None => Vec::new(),
        })
    }

    fn all(&self, operands: &[Value]) -> Result<Vec<bool>, Failure> {
        operands.iter().map(|operand| self.condition(operand)).collect()
    }
}

/// Returns the standard Base64 of a text's UTF-8.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = (0..3)
            .fold(0_usize, |bits, at| bits << 8 | chunk.get(at).copied().map_or(0, usize::from));
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 63;
            let letter = ALPHABET.get(index).copied().unwrap_or(b'A');
            encoded.push(if digit <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    encoded
}
