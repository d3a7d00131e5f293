//! The variables that an evaluation can read.

use std::sync::Arc;

use value::{Key, Map, Value};

/// Variables by name (without the `$`); values are shared, never copied.
///
/// ```
/// use jsonata::Bindings;
/// use value::value;
///
/// let bindings = Bindings::new().with("states", value!({"input": 1}));
/// assert!(bindings.get("states").is_some());
/// assert!(bindings.get("other").is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    base: Option<Arc<Map>>,
    own: Vec<(Key, Value)>,
}

impl Bindings {
    /// Returns bindings without variables.
    pub fn new() -> Bindings {
        Bindings::default()
    }

    /// Returns bindings that read the members of `base` as variables, e.g. a state machine's
    /// variables; what is bound later hides them.
    pub fn over(base: Arc<Map>) -> Bindings {
        Bindings { base: Some(base), own: Vec::new() }
    }

    /// Binds `name` to `value`, hiding an earlier binding.
    pub fn bind(&mut self, name: impl Into<Key>, value: impl Into<Value>) {
        self.own.push((name.into(), value.into()));
    }

    /// Returns these bindings with `name` bound too.
    #[must_use]
    pub fn with(mut self, name: impl Into<Key>, value: impl Into<Value>) -> Bindings {
        self.bind(name, value);
        self
    }

    /// Returns what `name` is bound to.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let own = self.own.iter().rev().find(|(key, _)| &**key == name).map(|(_, value)| value);
        own.or_else(|| self.base.as_ref()?.get(name))
    }
}
