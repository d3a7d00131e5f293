//! What a target receives: `InputPath` and `InputTransformer`.
//!
//! AWS page: "Amazon EventBridge input transformation" (read 2026-11-24).

use jsonpath::Path;
use value::Value;

/// How many entries `InputPathsMap` may have.
pub const INPUT_PATHS_MAX: usize = 100;
/// The longest `InputTemplate`, in characters.
pub const INPUT_TEMPLATE_CHARACTERS_MAX: usize = 8_192;

/// Why an input path or transformer was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `InputPathsMap` has too many entries.
    #[error("InputPathsMap has more than {INPUT_PATHS_MAX} entries")]
    TooManyPaths,
    /// `InputTemplate` is too long.
    #[error("InputTemplate is longer than {INPUT_TEMPLATE_CHARACTERS_MAX} characters")]
    TemplateTooLong,
    /// A variable has a name that AWS keeps for itself.
    #[error("InputPathsMap key `{0}` is reserved: keys cannot start with AWS")]
    ReservedName(String),
    /// A path is no JSONPath.
    #[error("invalid path `{path}`: {reason}")]
    Path {
        /// The path as it was given.
        path: String,
        /// What is wrong with it.
        reason: jsonpath::Error,
    },
    /// The template names a variable that `InputPathsMap` does not have.
    // UNVERIFIED: AWS's words, which also name the target.
    #[error("InputTemplate contains invalid placeholder <{0}>.")]
    UnknownPlaceholder(String),
    /// The template is no JSON once its placeholders are filled.
    #[error("InputTemplate is not valid JSON: {0}")]
    Template(String),
}

/// An `InputPath`: the part of the event that a target receives.
#[derive(Clone, Debug)]
pub struct InputPath(Path);

impl InputPath {
    /// Parses an input path.
    pub fn parse(text: &str) -> Result<InputPath, Error> {
        let refused = |reason| Error::Path { path: text.to_owned(), reason };
        Path::parse(text).map(InputPath).map_err(refused)
    }

    /// Returns the part of `event` that the path names.
    // UNVERIFIED: a path that names nothing gives `null`.
    pub fn apply(&self, event: &Value) -> Value {
        self.0.read(event).unwrap_or_default()
    }
}

/// What the reserved variables of a template stand for.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// `<aws.events.rule-arn>`.
    pub rule_arn: &'a str,
    /// `<aws.events.rule-name>`.
    pub rule_name: &'a str,
    /// `<aws.events.event.ingestion-time>`.
    pub ingestion_millis: i64,
    /// `<aws.events.event.json>`, and without `detail` `<aws.events.event>`.
    pub event: &'a Value,
}

/// A compiled `InputTransformer`.
///
/// ```
/// use events::InputTransformer;
/// use events::transform::Context;
/// use value::value;
///
/// let transformer = InputTransformer::parse(
///     [("who", "$.detail.name")],
///     r#"{"name": <who>, "text": "<who> さん by <aws.events.rule-name>"}"#,
/// ).unwrap();
/// let event = value!({"detail": {"name": "花子"}});
/// let context =
///     Context { rule_arn: "arn:…", rule_name: "r", ingestion_millis: 0, event: &event };
/// assert_eq!(transformer.apply(&context), r#"{"name":"花子","text":"花子 さん by r"}"#);
/// ```
#[derive(Clone, Debug)]
pub struct InputTransformer {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Variable { source: Source, place: Place },
}

/// Where the value of a variable comes from.
#[derive(Clone, Debug)]
enum Source {
    Path(Path),
    RuleArn,
    RuleName,
    IngestionTime,
    /// The event without `detail`.
    Event,
    EventJson,
}

/// Whether a placeholder stands within a JSON string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    InsideString,
    OutsideString,
}

const RESERVED: &[(&str, Source)] = &[
    ("aws.events.rule-arn", Source::RuleArn),
    ("aws.events.rule-name", Source::RuleName),
    ("aws.events.event.ingestion-time", Source::IngestionTime),
    ("aws.events.event", Source::Event),
    ("aws.events.event.json", Source::EventJson),
];

impl InputTransformer {
    /// Compiles `InputPathsMap` and `InputTemplate`.
    pub fn parse<'a>(
        paths: impl IntoIterator<Item = (&'a str, &'a str)>,
        template: &str,
    ) -> Result<InputTransformer, Error> {
        if INPUT_TEMPLATE_CHARACTERS_MAX < template.chars().count() {
            return Err(Error::TemplateTooLong);
        }
        let mut variables: Vec<(&str, Source)> = RESERVED.to_vec();
        for (name, text) in paths {
            if name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("aws")) {
                return Err(Error::ReservedName(name.to_owned()));
            }
            let refused = |reason| Error::Path { path: text.to_owned(), reason };
            variables.push((name, Source::Path(Path::parse(text).map_err(refused)?)));
        }
        if INPUT_PATHS_MAX + RESERVED.len() < variables.len() {
            return Err(Error::TooManyPaths);
        }
        let pieces = split(template, &variables)?;
        let probe: String = pieces.iter().map(Piece::probe).collect();
        value::parse(&probe).map_err(|err| Error::Template(err.to_string()))?;
        Ok(InputTransformer { pieces })
    }

    /// Returns the input of the target: JSON without spare blanks.
    pub fn apply(&self, context: &Context<'_>) -> String {
        let filled: String = self.pieces.iter().map(|piece| piece.fill(context)).collect();
        match value::parse(&filled) {
            Ok(value) => value.to_string(),
            Err(_) => filled,
        }
    }
}

impl Piece {
    /// Returns text that keeps the template well-formed for the check.
    fn probe(&self) -> String {
        match self {
            Piece::Text(text) => text.clone(),
            Piece::Variable { place: Place::InsideString, .. } => "x".to_owned(),
            Piece::Variable { place: Place::OutsideString, .. } => "0".to_owned(),
        }
    }

    fn fill(&self, context: &Context<'_>) -> String {
        match self {
            Piece::Text(text) => text.clone(),
            Piece::Variable { source, place: Place::OutsideString } => {
                // UNVERIFIED: a variable whose path names nothing is an empty text in JSON.
                source.value(context).unwrap_or_else(|| Value::from("")).to_string()
            }
            Piece::Variable { source, place: Place::InsideString } => {
                source.value(context).map(|value| inside_string(&value)).unwrap_or_default()
            }
        }
    }
}

/// Returns a value as it appears within a JSON string: a text as it is, and anything else as JSON
/// without its quotes.
// DIFFERS: AWS does not escape the text, so a quote in it breaks the input; here it is escaped.
// UNVERIFIED: that objects and arrays lose their quotes.
fn inside_string(value: &Value) -> String {
    let quoted = match value {
        Value::String(_) => value.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Value::from(value.to_string().replace('"', "")).to_string()
        }
    };
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or("").to_owned()
}

impl Source {
    fn value(&self, context: &Context<'_>) -> Option<Value> {
        match self {
            Source::Path(path) => path.read(context.event).ok(),
            Source::RuleArn => Some(Value::from(context.rule_arn)),
            Source::RuleName => Some(Value::from(context.rule_name)),
            Source::IngestionTime => {
                Some(Value::from(crate::envelope::timestamp_text(context.ingestion_millis)))
            }
            Source::Event => {
                let mut event = context.event.clone();
                event.object_mut().remove("detail");
                Some(event)
            }
            Source::EventJson => Some(context.event.clone()),
        }
    }
}

/// Splits a template at its placeholders, knowing for each whether it stands within a string.
fn split(template: &str, variables: &[(&str, Source)]) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut place = Place::OutsideString;
    let mut rest = template;
    while let Some(character) = rest.chars().next() {
        if let Some((name, after)) = placeholder(rest) {
            let found = variables.iter().find(|(known, _)| *known == name);
            let Some((_, source)) = found else {
                return Err(Error::UnknownPlaceholder(name.to_owned()));
            };
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Variable { source: source.clone(), place });
            rest = after;
            continue;
        }
        let mut taken = character.len_utf8();
        match character {
            '"' if place == Place::OutsideString => place = Place::InsideString,
            '"' => place = Place::OutsideString,
            '\\' => {
                taken += rest.chars().nth(1).map_or(0, char::len_utf8);
            }
            _ => {}
        }
        let (head, tail) = rest.split_at(taken);
        text.push_str(head);
        rest = tail;
    }
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

/// Returns the name of the placeholder that `text` starts with, and what follows it.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('<')?.split_once('>')?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!name.is_empty() && name.chars().all(allowed)).then_some((name, after))
}
