//! Static facts: what a program reads from outside.

use std::sync::Arc;

/// What a program reads from outside: for refusing bad references when a definition is created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Free variables in order of appearance, with the path read from each.
    pub variables: Vec<VariableReference>,
    /// References to the context item at the top level.
    pub context: Vec<ContextReference>,
}

/// A read of a variable that the program does not bind itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableReference {
    /// The name without `$`, then the field names that follow directly:
    /// `$states.result.User[0]` gives `["states", "result", "User"]`.
    pub path: Vec<Arc<str>>,
    /// End of the variable's token in UTF-16 units.
    pub position: usize,
}

impl VariableReference {
    /// Returns the variable's name without `$`.
    pub fn name(&self) -> &str {
        self.path.first().map_or("", |name| name)
    }
}

/// A reference to the context item where none is set: `$`, `$$`, a bare field name, `*` or `**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextReference {
    /// The reference as written, e.g. `phone` or `$$`.
    pub text: Arc<str>,
    /// End of its token in UTF-16 units.
    pub position: usize,
}
