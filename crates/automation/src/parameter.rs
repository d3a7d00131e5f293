//! Parameters and variables: their types, their limits and the values given at the start.

use value::{Map, Value};

use crate::pattern;

/// `StartAutomationExecution.Parameters` holds at most this many names.
pub const PARAMETERS_MAX: usize = 200;

/// The type of a parameter, variable or declared output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A text; resource types such as `AWS::IAM::Role::Arn` are texts with a picker in the console.
    String,
    /// A list of texts; also `List<AWS::EC2::Instance::Id>` and its like.
    StringList,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A list of maps.
    MapList,
    /// A map.
    StringMap,
}

impl Type {
    /// Returns the type of this name in a document; `None` when AWS has no such type.
    pub fn parse(name: &str) -> Option<Type> {
        match name {
            "String" => Some(Type::String),
            "StringList" => Some(Type::StringList),
            "Boolean" => Some(Type::Boolean),
            "Integer" => Some(Type::Integer),
            "MapList" => Some(Type::MapList),
            "StringMap" => Some(Type::StringMap),
            _ if is_resource_type(name) => Some(Type::String),
            _ => {
                let inner = name.strip_prefix("List<")?.strip_suffix('>')?;
                is_resource_type(inner).then_some(Type::StringList)
            }
        }
    }

    /// Returns the plain name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Type::String => "String",
            Type::StringList => "StringList",
            Type::Boolean => "Boolean",
            Type::Integer => "Integer",
            Type::MapList => "MapList",
            Type::StringMap => "StringMap",
        }
    }

    /// Returns whether a value is of this type, without any conversion.
    pub fn admits(self, value: &Value) -> bool {
        match self {
            Type::String => value.as_str().is_some(),
            Type::Boolean => value.as_bool().is_some(),
            Type::Integer => value.as_i64().is_some(),
            Type::StringMap => value.as_object().is_some(),
            Type::StringList => all(value, |item| item.as_str().is_some()),
            Type::MapList => all(value, |item| item.as_object().is_some()),
        }
    }
}

fn all(value: &Value, admits: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(admits))
}

fn is_resource_type(name: &str) -> bool {
    let mut parts = name.split("::");
    parts.next() == Some("AWS")
        && parts.clone().count() >= 2
        && parts.all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// One parameter of a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// What it is for.
    pub description: Option<String>,
    /// What it is when nothing is given; without one it must be given.
    pub default: Option<Value>,
    /// The only values it may have.
    pub allowed_values: Option<Vec<Value>>,
    /// The Java regular expression its values must match as a whole.
    pub allowed_pattern: Option<String>,
    /// Limits on the length of texts.
    pub chars: Bounds,
    /// Limits on the number of elements.
    pub items: Bounds,
    /// Limits on a number; in third-party documents only.
    pub value: Bounds,
}

/// A lower and an upper limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub min: Option<i64>,
    /// The most.
    pub max: Option<i64>,
}

impl Bounds {
    fn admit(self, amount: i64) -> bool {
        self.min.is_none_or(|min| min <= amount) && self.max.is_none_or(|max| amount <= max)
    }
}

/// One variable of a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// What it starts with.
    pub default: Option<Value>,
}

/// `InvalidAutomationExecutionParametersException`: the start values do not fit the runbook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter without a default was not given.
    #[error("Missing required parameter: {0} in user inputs.")]
    Missing(String),
    /// A name the runbook does not declare.
    // UNVERIFIED: the wording.
    #[error("Parameter \"{0}\" is not defined in document.")]
    Unknown(String),
    /// Not one of the allowed values.
    #[error("Parameter \"{name}\" has value \"{value}\" not found in [{allowed}].")]
    NotAllowed {
        /// The parameter.
        name: String,
        /// The value given.
        value: String,
        /// The allowed ones, separated by `, `.
        allowed: String,
    },
    /// Not what the pattern asks for.
    // UNVERIFIED: the wording.
    #[error("Parameter \"{name}\" has value \"{value}\" not matching \"{pattern}\".")]
    NotMatching {
        /// The parameter.
        name: String,
        /// The value given.
        value: String,
        /// The pattern.
        pattern: String,
    },
    /// Not of the declared type, or outside its limits.
    // UNVERIFIED: the wording.
    #[error("Parameter \"{name}\" has value \"{value}\" which is not a valid {expected}.")]
    Invalid {
        /// The parameter.
        name: String,
        /// The value given.
        value: String,
        /// What was expected.
        expected: String,
    },
}

/// Decodes `Map<String, List<String>>` into typed values, defaults filled in, in document order.
///
/// Defaults are taken as they are: 39 documents of AWS's own have a default that their own pattern
/// forbids.
pub(crate) fn decode_all(parameters: &[Parameter], supplied: &Value) -> Result<Value, Error> {
    let given = supplied.as_object().cloned().unwrap_or_default();
    for name in given.keys() {
        if !parameters.iter().any(|parameter| *parameter.name == **name) {
            return Err(Error::Unknown(name.to_string()));
        }
    }
    let mut values = Map::new();
    for parameter in parameters {
        let value = match (given.get(&parameter.name), &parameter.default) {
            (Some(texts), _) => parameter.decode(texts)?,
            (None, Some(default)) => parameter.typed_default(default),
            (None, None) => return Err(Error::Missing(parameter.name.clone())),
        };
        values.insert(parameter.name.as_str(), value);
    }
    Ok(Value::from(values))
}

/// Decodes the parameters that can be; the others are left out.
pub(crate) fn decode_some(parameters: &[Parameter], supplied: &Value) -> Value {
    let mut values = Map::new();
    for parameter in parameters {
        let value = match (supplied.get(&parameter.name), &parameter.default) {
            (Some(texts), _) => parameter.decode(texts).ok(),
            (None, Some(default)) => Some(parameter.typed_default(default)),
            (None, None) => None,
        };
        if let Some(value) = value {
            values.insert(parameter.name.as_str(), value);
        }
    }
    Value::from(values)
}

impl Parameter {
    /// Decodes the list of texts given for this parameter.
    fn decode(&self, texts: &Value) -> Result<Value, Error> {
        let texts: Vec<&str> = match texts.as_array() {
            Some(items) => items.iter().filter_map(Value::as_str).collect(),
            // A caller in the same process may hand over a bare text.
            None => texts.as_str().into_iter().collect(),
        };
        let first = texts.first().copied().unwrap_or_default();
        let value = match self.kind {
            Type::String => Value::from(first),
            Type::Boolean => match first {
                "true" | "True" | "TRUE" => Value::from(true),
                "false" | "False" | "FALSE" => Value::from(false),
                _ => return Err(self.invalid(first)),
            },
            Type::Integer => Value::from(first.parse::<i64>().map_err(|_err| self.invalid(first))?),
            Type::StringList => string_list(&texts),
            Type::StringMap => self.json(first)?,
            Type::MapList => self.map_list(&texts)?,
        };
        if !self.kind.admits(&value) {
            return Err(self.invalid(first));
        }
        self.check(&value)?;
        Ok(value)
    }

    /// Returns a default with its type: documents write `"True"` for a Boolean and `"5"` for an
    /// Integer.
    pub(crate) fn typed_default(&self, default: &Value) -> Value {
        typed(self.kind, default)
    }

    fn json(&self, text: &str) -> Result<Value, Error> {
        value::parse(text).map_err(|_err| self.invalid(text))
    }

    /// Each element is a map's JSON text; one element may hold the whole list.
    fn map_list(&self, texts: &[&str]) -> Result<Value, Error> {
        let maps = texts.iter().map(|text| self.json(text)).collect::<Result<Vec<_>, _>>()?;
        match maps.as_slice() {
            [whole @ Value::Array(_)] => Ok(whole.clone()),
            _ => Ok(Value::from(maps)),
        }
    }

    /// Checks a supplied value against the parameter's limits.
    fn check(&self, value: &Value) -> Result<(), Error> {
        let texts: Vec<String> = match value.as_array() {
            Some(items) => items.iter().map(text).collect(),
            None => vec![text(value)],
        };
        for text in &texts {
            self.check_text(text)?;
        }
        let items = value.as_array().map(<[Value]>::len).or(value.as_object().map(Map::len));
        if items.is_some_and(|count| !self.items.admit(count_of(count))) {
            return Err(self.invalid(&text(value)));
        }
        if value.as_i64().is_some_and(|number| !self.value.admit(number)) {
            return Err(self.invalid(&text(value)));
        }
        Ok(())
    }

    fn check_text(&self, given: &str) -> Result<(), Error> {
        if let Some(allowed) = &self.allowed_values {
            let allowed: Vec<String> = allowed.iter().map(text).collect();
            if !allowed.iter().any(|one| one == given) {
                let (name, value) = (self.name.clone(), given.to_owned());
                return Err(Error::NotAllowed { name, value, allowed: allowed.join(", ") });
            }
        }
        if let Some(java) = &self.allowed_pattern
            && !pattern::matches_whole(java, given)
        {
            let (name, value) = (self.name.clone(), given.to_owned());
            return Err(Error::NotMatching { name, value, pattern: java.clone() });
        }
        if !self.chars.admit(count_of(given.chars().count())) {
            return Err(self.invalid(given));
        }
        Ok(())
    }

    fn invalid(&self, value: &str) -> Error {
        let (name, expected) = (self.name.clone(), self.kind.name().to_owned());
        Error::Invalid { name, value: value.to_owned(), expected }
    }
}

/// Returns a value that a document writes for a type, with that type where its text has one.
pub(crate) fn typed(kind: Type, written: &Value) -> Value {
    match (kind, written.as_str()) {
        (Type::Boolean, Some(text)) if text.eq_ignore_ascii_case("true") => Value::from(true),
        (Type::Boolean, Some(text)) if text.eq_ignore_ascii_case("false") => Value::from(false),
        (Type::Integer, Some(text)) => text.parse::<i64>().map_or(written.clone(), Value::from),
        (Type::String, None) if !written.is_null() => Value::from(text(written)),
        (Type::StringList, Some(one)) if !one.is_empty() => Value::from(vec![one]),
        (Type::StringList | Type::MapList, Some(_)) => Value::from(Vec::<Value>::new()),
        (Type::StringMap, Some(text)) => value::parse(text).unwrap_or_else(|_| Value::object()),
        _ => written.clone(),
    }
}

fn string_list(texts: &[&str]) -> Value {
    if let [one] = texts
        && let Ok(whole @ Value::Array(_)) = value::parse(one)
        && Type::StringList.admits(&whole)
    {
        return whole;
    }
    texts.iter().copied().map(Value::from).collect()
}

/// Returns a value as text: texts bare, everything else as compact JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn count_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
