//! Reference paths: the ones that name exactly one node.

use std::fmt;
use std::sync::Arc;

use value::Value;

use crate::token::{self, Token};
use crate::{Error, Miss, Path};

/// One step of a [`ReferencePath`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the member of an object.
    Member(Arc<str>),
    /// Into the element of an array.
    Element(usize),
}

/// A path of names and indices only, as `ResultPath`, `ItemsPath` and `Variable` demand.
///
/// ```
/// use jsonpath::ReferencePath;
///
/// assert!(ReferencePath::parse("$.a['b'][0]").is_ok());
/// assert!(ReferencePath::parse("$.a[*]").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct ReferencePath {
    path: Path,
    steps: Vec<Step>,
}

impl ReferencePath {
    /// Parses a reference path.
    pub fn parse(text: &str) -> Result<ReferencePath, Error> {
        let path = Path::parse(text)?;
        let steps = path.clone().into_tokens().into_iter().map(step).collect::<Option<Vec<_>>>();
        match steps {
            Some(steps) => Ok(ReferencePath { path, steps }),
            None => Err(Error::new("a reference path must name exactly one node", 0)),
        }
    }

    /// Returns the steps behind `$`.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns whether the path is `$` alone.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the text the path was parsed from.
    pub fn as_str(&self) -> &str {
        self.path.as_str()
    }

    /// Returns the value at this path.
    pub fn read(&self, root: &Value) -> Result<Value, Miss> {
        self.path.read(root)
    }

    /// Puts `value` at this path, as `ResultPath` does.
    ///
    /// Members that are not there are created, with the objects on the way. A step into a scalar,
    /// a name on an array and an index beyond the end of one fail, and then nothing has changed.
    ///
    /// ```
    /// use jsonpath::ReferencePath;
    /// use value::value;
    ///
    /// let path = ReferencePath::parse("$.a.b").unwrap();
    /// let mut state = value!({"a": 1});
    /// let miss = path.write(&mut state, value!(2)).unwrap_err();
    /// assert_eq!(miss.to_string(), "Missing property in path $['a']");
    /// ```
    pub fn write(&self, root: &mut Value, value: Value) -> Result<(), Miss> {
        self.check(root)?;
        let mut slot = root;
        for step in &self.steps {
            let next = match step {
                Step::Member(name) => {
                    let map = slot.object_mut();
                    if !map.contains_key(name) {
                        map.insert(name.clone(), Value::object());
                    }
                    map.get_mut(name)
                }
                Step::Element(index) => slot.array_mut().get_mut(*index),
            };
            match next {
                Some(next) => slot = next,
                None => return Err(self.miss(self.steps.len())),
            }
        }
        *slot = value;
        Ok(())
    }

    /// Checks that every step that exists can be taken.
    fn check(&self, root: &Value) -> Result<(), Miss> {
        let mut value = root;
        for (at, step) in self.steps.iter().enumerate() {
            let next = match (step, value) {
                (Step::Member(name), Value::Object(map)) => map.get(name),
                (Step::Element(index), Value::Array(items)) => {
                    Some(items.get(*index).ok_or_else(|| self.miss(at + 1))?)
                }
                (Step::Member(_) | Step::Element(_), _) => return Err(self.miss(at)),
            };
            match next {
                Some(next) => value = next,
                None => return self.check_created(at + 1),
            }
        }
        Ok(())
    }

    /// Behind a member that will be created only members can follow: there is no array to index.
    fn check_created(&self, from: usize) -> Result<(), Miss> {
        let rest = self.steps.iter().enumerate().skip(from);
        for (at, step) in rest {
            match step {
                Step::Member(_) => {}
                Step::Element(_) => return Err(self.miss(at + 1)),
            }
        }
        Ok(())
    }

    fn miss(&self, steps: usize) -> Miss {
        let tokens: Vec<Token> = self.steps.iter().take(steps).map(token_of).collect();
        Miss::MissingProperty(token::normalized(&tokens))
    }
}

impl fmt::Display for ReferencePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

fn step(token: Token) -> Option<Step> {
    match token {
        Token::Property(name) => Some(Step::Member(name)),
        Token::Index(index) => usize::try_from(index).ok().map(Step::Element),
        Token::Properties(_)
        | Token::Indices(_)
        | Token::Slice(_)
        | Token::Wildcard
        | Token::Scan
        | Token::Filter(_) => None,
    }
}

fn token_of(step: &Step) -> Token {
    match step {
        Step::Member(name) => Token::Property(name.clone()),
        Step::Element(index) => Token::Index(i64::try_from(*index).unwrap_or(i64::MAX)),
    }
}
