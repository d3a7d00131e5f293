//! `{{ … }}`: finding references in texts and telling which form they have.

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// `{{ Name }}`.
    Parameter(String),
    /// `{{ step.Output }}`, also `{{ Loop.CurrentIteratorValue }}`.
    Output {
        /// The step.
        step: String,
        /// Its output.
        output: String,
    },
    /// `{{ variable:Name }}`.
    Variable(String),
    /// `{{ global:REGION }}`, `{{ automation:EXECUTION_ID }}`: the whole text.
    System(System),
    /// `{{ssm:/path}}`.
    ParameterStore(String),
}

/// A system variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// `global:ACCOUNT_ID`.
    AccountId,
    /// `global:DATE`.
    Date,
    /// `global:DATE_TIME`.
    DateTime,
    /// `global:AWS_PARTITION`.
    Partition,
    /// `global:REGION`.
    Region,
    /// `automation:EXECUTION_ID`.
    ExecutionId,
}

/// Every system variable with its name.
pub(crate) const SYSTEM: [(&str, System); 6] = [
    ("global:ACCOUNT_ID", System::AccountId),
    ("global:DATE", System::Date),
    ("global:DATE_TIME", System::DateTime),
    ("global:AWS_PARTITION", System::Partition),
    ("global:REGION", System::Region),
    ("automation:EXECUTION_ID", System::ExecutionId),
];

/// Parameters that Run Command and maintenance windows fill in; here they stay as they are.
const PSEUDO_PARAMETERS: [&str; 3] = ["RESOURCE_ID", "TARGET_ID", "TARGETS"];

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text that stays as it is.
    Literal(&'a str),
    /// A reference, with its text including the braces.
    Reference(Reference, &'a str),
}

/// Splits a text into literals and references.
///
/// What stands in braces without having a reference's form (`{{ODBC Driver 18 for SQL Server}}`)
/// is literal text.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(open) = rest.get(from..).and_then(|tail| tail.find("{{")).map(|at| at + from) {
        let Some((reference, whole)) = rest.get(open..).and_then(reference_at) else {
            from = open + 1;
            continue;
        };
        let (before, tail) = rest.split_at(open);
        if !before.is_empty() {
            pieces.push(Piece::Literal(before));
        }
        pieces.push(Piece::Reference(reference, whole));
        rest = tail.get(whole.len()..).unwrap_or_default();
        from = 0;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

/// Returns the reference that a text consists of, if it is nothing else.
pub(crate) fn whole(text: &str) -> Option<Reference> {
    match pieces(text).as_slice() {
        [Piece::Reference(reference, _)] => Some(reference.clone()),
        _ => None,
    }
}

/// Returns the reference at the start of a text that begins with `{{`.
fn reference_at(text: &str) -> Option<(Reference, &str)> {
    let end = text.find("}}")? + 2;
    let whole = text.get(..end)?;
    let name = whole.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    Some((parse(name)?, whole))
}

/// Parses what stands between the braces.
fn parse(name: &str) -> Option<Reference> {
    if let Some(path) = name.strip_prefix("ssm:") {
        let legal = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c);
        return (!path.is_empty() && path.chars().all(legal))
            .then(|| Reference::ParameterStore(path.to_owned()));
    }
    if let Some(variable) = name.strip_prefix("variable:") {
        return is_name(variable).then(|| Reference::Variable(variable.to_owned()));
    }
    if let Some((_, system)) = SYSTEM.iter().find(|(known, _)| *known == name) {
        return Some(Reference::System(*system));
    }
    match name.split_once('.') {
        Some((step, output)) if is_name(step) && is_name(output) => {
            Some(Reference::Output { step: step.to_owned(), output: output.to_owned() })
        }
        Some(_) => None,
        None if PSEUDO_PARAMETERS.contains(&name) => None,
        None => is_name(name).then(|| Reference::Parameter(name.to_owned())),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}
