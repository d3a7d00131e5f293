//! Errors on their way up: facts first, the text is filled in once at the end.

use value::Value;

use crate::Error;
use crate::evaluate::is_light;
use crate::program::as_json;

/// What stops a compilation or an evaluation.
#[derive(Clone, Debug)]
pub(crate) struct Fault(Box<Facts>);

/// The facts that the texts are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) code: Option<&'static str>,
    pub(crate) position: Option<usize>,
    pub(crate) token: Option<Value>,
    pub(crate) value: Option<Value>,
    pub(crate) value2: Option<Value>,
    pub(crate) index: Option<usize>,
    pub(crate) kind: Option<&'static str>,
    /// The whole text, where it is not made from the code.
    pub(crate) message: Option<String>,
}

/// Values with more nodes than this are not written out in texts.
const SHOWN_NODES_MAX: usize = 1_000_000;

/// Shorthand for what every fallible step returns.
pub(crate) type Run<T> = Result<T, Fault>;

impl Fault {
    /// Returns a fault with a code of the reference.
    pub(crate) fn new(code: &'static str) -> Fault {
        Fault(Box::new(Facts { code: Some(code), ..Facts::default() }))
    }

    /// Returns a fault that has only a text.
    pub(crate) fn uncoded(message: impl Into<String>) -> Fault {
        Fault(Box::new(Facts { message: Some(message.into()), ..Facts::default() }))
    }

    /// Returns whether the reference has a code for it.
    pub(crate) fn has_code(&self) -> bool {
        self.0.code.is_some()
    }

    /// Sets the position, replacing an earlier one.
    pub(crate) fn at(mut self, position: usize) -> Fault {
        self.0.position = Some(position);
        self
    }

    /// Sets the position where none is known yet (zero counts as unknown, as in the reference).
    pub(crate) fn at_if_unknown(self, position: usize) -> Fault {
        if self.0.position.is_none_or(|known| known == 0) { self.at(position) } else { self }
    }

    /// Sets the token.
    pub(crate) fn token(mut self, token: impl Into<Value>) -> Fault {
        self.0.token = Some(token.into());
        self
    }

    /// Sets the token where none is known yet.
    pub(crate) fn token_if_unknown(mut self, token: Option<&Value>) -> Fault {
        if self.0.token.is_none() {
            self.0.token = token.cloned();
        }
        self
    }

    /// Sets the offending value.
    pub(crate) fn value(mut self, value: impl Into<Value>) -> Fault {
        self.0.value = Some(value.into());
        self
    }

    /// Sets the offending value where there is one.
    pub(crate) fn value_some(mut self, value: Option<Value>) -> Fault {
        self.0.value = value;
        self
    }

    /// Sets the second offending value where there is one.
    pub(crate) fn value2(mut self, value: Option<Value>) -> Fault {
        self.0.value2 = value;
        self
    }

    /// Sets the argument's number, counted from 1.
    pub(crate) fn index(mut self, index: usize) -> Fault {
        self.0.index = Some(index);
        self
    }

    /// Sets the name of the type that was wanted.
    pub(crate) fn kind(mut self, kind: &'static str) -> Fault {
        self.0.kind = Some(kind);
        self
    }

    /// Sets a text of its own.
    pub(crate) fn message(mut self, message: impl Into<String>) -> Fault {
        self.0.message = Some(message.into());
        self
    }

    /// Returns whether a budget ran out.
    pub(crate) fn is_uncoded(&self) -> bool {
        self.0.code.is_none()
    }

    /// Returns the finished error.
    pub(crate) fn finish(self) -> Error {
        let mut facts = *self.0;
        let message = match facts.message.take() {
            Some(message) => message,
            None => facts.code.map(|code| fill(template(code), &facts)).unwrap_or_default(),
        };
        Error {
            code: facts.code,
            position: facts.position,
            token: facts.token,
            value: facts.value.filter(|value| is_light(value, SHOWN_NODES_MAX)).map(as_json),
            index: facts.index,
            message,
        }
    }
}

/// Replaces `{{name}}` by JSON and `{{{name}}}` by plain text.
fn fill(template: &str, facts: &Facts) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (plain, after) = match after.strip_prefix('{') {
            Some(inner) => (true, inner),
            None => (false, after),
        };
        let close = if plain { "}}}" } else { "}}" };
        let (name, tail) = after.split_once(close).unwrap_or((after, ""));
        let value = match name {
            "token" => facts.token.clone(),
            "value" => facts.value.clone(),
            "value2" => facts.value2.clone(),
            "index" => facts.index.map(Value::from),
            "type" => facts.kind.map(Value::from),
            _ => None,
        };
        match value {
            None => out.push_str("undefined"),
            Some(value) if !is_light(&value, SHOWN_NODES_MAX) => out.push('…'),
            Some(Value::String(text)) if plain => out.push_str(&text),
            Some(value) => crate::json::write(&mut out, &value),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Returns the reference's text for a code.
fn template(code: &str) -> &'static str {
    TEMPLATES.iter().find(|(known, _)| *known == code).map_or("", |(_, text)| text)
}

const TEMPLATES: &[(&str, &str)] = &[
    ("S0101", "String literal must be terminated by a matching quote"),
    ("S0102", "Number out of range: {{token}}"),
    ("S0103", "Unsupported escape sequence: \\{{token}}"),
    ("S0104", "The escape sequence \\u must be followed by 4 hex digits"),
    ("S0105", "Quoted property name must be terminated with a backquote (`)"),
    ("S0106", "Comment has no closing tag"),
    ("S0201", "Syntax error: {{token}}"),
    ("S0202", "Expected {{value}}, got {{token}}"),
    ("S0203", "Expected {{value}} before end of expression"),
    ("S0204", "Unknown operator: {{token}}"),
    ("S0205", "Unexpected token: {{token}}"),
    ("S0206", "Unknown expression type: {{token}}"),
    ("S0207", "Unexpected end of expression"),
    ("S0208", "Parameter {{value}} of function definition must be a variable name (start with $)"),
    ("S0209", "A predicate cannot follow a grouping expression in a step"),
    ("S0210", "Each step can only have one grouping expression"),
    ("S0211", "The symbol {{token}} cannot be used as a unary operator"),
    ("S0212", "The left side of := must be a variable name (start with $)"),
    ("S0213", "The literal value {{value}} cannot be used as a step within a path expression"),
    ("S0214", "The right side of {{token}} must be a variable name (start with $)"),
    ("S0215", "A context variable binding must precede any predicates on a step"),
    ("S0216", "A context variable binding must precede the 'order-by' clause on a step"),
    ("S0217", "The object representing the 'parent' cannot be derived from this expression"),
    ("S0301", "Empty regular expressions are not allowed"),
    ("S0302", "No terminating / in regular expression"),
    ("S0401", "Type parameters can only be applied to functions and arrays"),
    ("S0402", "Choice groups containing parameterized types are not supported"),
    ("T0410", "Argument {{index}} of function {{token}} does not match function signature"),
    (
        "T0411",
        "Context value is not a compatible type with argument {{index}} of function {{token}}",
    ),
    ("T0412", "Argument {{index}} of function {{token}} must be an array of {{type}}"),
    ("D1001", "Number out of range: {{value}}"),
    ("D1002", "Cannot negate a non-numeric value: {{value}}"),
    ("T1003", "Key in object structure must evaluate to a string; got: {{value}}"),
    ("D1004", "Regular expression matches zero length string"),
    ("T1005", "Attempted to invoke a non-function. Did you mean ${{{token}}}?"),
    ("T1006", "Attempted to invoke a non-function"),
    ("T1007", "Attempted to partially apply a non-function. Did you mean ${{{token}}}?"),
    ("T1008", "Attempted to partially apply a non-function"),
    ("D1009", "Multiple key definitions evaluate to same key: {{value}}"),
    (
        "T1010",
        "The matcher function argument passed to function {{token}} does not return the correct \
         object structure",
    ),
    ("T2001", "The left side of the {{token}} operator must evaluate to a number"),
    ("T2002", "The right side of the {{token}} operator must evaluate to a number"),
    ("T2003", "The left side of the range operator (..) must evaluate to an integer"),
    ("T2004", "The right side of the range operator (..) must evaluate to an integer"),
    ("D2005", "The left side of := must be a variable name (start with $)"),
    ("T2006", "The right side of the function application operator ~> must be a function"),
    ("T2007", "Type mismatch when comparing values {{value}} and {{value2}} in order-by clause"),
    (
        "T2008",
        "The expressions within an order-by clause must evaluate to numeric or string values",
    ),
    (
        "T2009",
        "The values {{value}} and {{value2}} either side of operator {{token}} must be of the \
         same data type",
    ),
    (
        "T2010",
        "The expressions either side of operator {{token}} must evaluate to numeric or string \
         values",
    ),
    (
        "T2011",
        "The insert/update clause of the transform expression must evaluate to an object: \
         {{value}}",
    ),
    (
        "T2012",
        "The delete clause of the transform expression must evaluate to a string or array of \
         strings: {{value}}",
    ),
    (
        "D2014",
        "The size of the sequence allocated by the range operator (..) must not exceed 1e7.  \
         Attempted to allocate {{value}}.",
    ),
    ("D3001", "Attempting to invoke string function on Infinity or NaN"),
    ("D3010", "Second argument of replace function cannot be an empty string"),
    ("D3011", "Fourth argument of replace function must evaluate to a positive number"),
    ("D3012", "Attempted to replace a matched string with a non-string value"),
    ("D3020", "Third argument of split function must evaluate to a positive number"),
    ("D3030", "Unable to cast value to a number: {{value}}"),
    ("D3040", "Third argument of match function must evaluate to a positive number"),
    (
        "D3050",
        "The second argument of reduce function must be a function with at least two arguments",
    ),
    ("D3060", "The sqrt function cannot be applied to a negative number: {{value}}"),
    (
        "D3061",
        "The power function has resulted in a value that cannot be represented as a JSON number: \
         base={{value}}, exponent={{value2}}",
    ),
    (
        "D3070",
        "The single argument form of the sort function can only be applied to an array of \
         strings or an array of numbers.  Use the second argument to specify a comparison \
         function",
    ),
    ("D3080", "The picture string must only contain a maximum of two sub-pictures"),
    (
        "D3081",
        "The sub-picture must not contain more than one instance of the 'decimal-separator' \
         character",
    ),
    ("D3082", "The sub-picture must not contain more than one instance of the 'percent' character"),
    (
        "D3083",
        "The sub-picture must not contain more than one instance of the 'per-mille' character",
    ),
    ("D3084", "The sub-picture must not contain both a 'percent' and a 'per-mille' character"),
    (
        "D3085",
        "The mantissa part of a sub-picture must contain at least one character that is either \
         an 'optional digit character' or a member of the 'decimal digit family'",
    ),
    (
        "D3086",
        "The sub-picture must not contain a passive character that is preceded by an active \
         character and that is followed by another active character",
    ),
    (
        "D3087",
        "The sub-picture must not contain a 'grouping-separator' character that appears adjacent \
         to a 'decimal-separator' character",
    ),
    (
        "D3088",
        "The sub-picture must not contain a 'grouping-separator' at the end of the integer part",
    ),
    (
        "D3089",
        "The sub-picture must not contain two adjacent instances of the 'grouping-separator' \
         character",
    ),
    (
        "D3090",
        "The integer part of the sub-picture must not contain a member of the 'decimal digit \
         family' that is followed by an instance of the 'optional digit character'",
    ),
    (
        "D3091",
        "The fractional part of the sub-picture must not contain an instance of the 'optional \
         digit character' that is followed by a member of the 'decimal digit family'",
    ),
    (
        "D3092",
        "A sub-picture that contains a 'percent' or 'per-mille' character must not contain a \
         character treated as an 'exponent-separator'",
    ),
    (
        "D3093",
        "The exponent part of the sub-picture must comprise only of one or more characters that \
         are members of the 'decimal digit family'",
    ),
    (
        "D3100",
        "The radix of the formatBase function must be between 2 and 36.  It was given {{value}}",
    ),
    (
        "D3110",
        "The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given \
         {{value}}",
    ),
    ("D3120", "Syntax error in expression passed to function eval: {{value}}"),
    ("D3121", "Dynamic error evaluating the expression passed to function eval: {{value}}"),
    (
        "D3130",
        "Formatting or parsing an integer as a sequence starting with {{value}} is not supported \
         by this implementation",
    ),
    ("D3131", "In a decimal digit pattern, all digits must be from the same decimal group"),
    ("D3132", "Unknown component specifier {{value}} in date/time picture string"),
    (
        "D3133",
        "The 'name' modifier can only be applied to months and days in the date/time picture \
         string, not {{value}}",
    ),
    ("D3134", "The timezone integer format specifier cannot have more than four digits"),
    ("D3135", "No matching closing bracket ']' in date/time picture string"),
    ("D3136", "The date/time picture string is missing specifiers required to parse the timestamp"),
    (
        "D3138",
        "The $single() function expected exactly 1 matching result.  Instead it matched more.",
    ),
    ("D3139", "The $single() function expected exactly 1 matching result.  Instead it matched 0."),
    ("D3140", "Malformed URL passed to ${{{token}}}(): {{value}}"),
    ("D3141", "{{{message}}}"),
];
