//! Payload templates: JSON with holes, compiled once.

use std::sync::Arc;

use value::{Map, Value};

use crate::expression::Expression;
use crate::failure::{Failure, Field};
use crate::intrinsic::Intrinsic;
use crate::path::Path;
use crate::scope::Evaluation;

/// A JSON text whose holes are filled in when a state runs: `Arguments`, `Output`, `Assign`,
/// `Parameters`, `ResultSelector`, `ItemSelector`.
#[derive(Clone, Debug)]
pub enum Template {
    /// Nothing to fill in.
    Constant(Value),
    /// A JSONata expression.
    Jsonata(Expression),
    /// A JSONPath (a member whose key ends in `.$`).
    Path(Path),
    /// An intrinsic function (likewise).
    Intrinsic(Arc<Intrinsic>),
    /// An array with holes.
    Array(Vec<Template>),
    /// An object with holes, its keys without `.$`.
    Object(Vec<(Arc<str>, Template)>),
}

impl Template {
    /// Fills the template in.
    ///
    /// # Errors
    /// The failure of the first hole that cannot be filled.
    pub fn evaluate(
        &self,
        evaluation: &mut Evaluation<'_>,
        field: Field<'_>,
    ) -> Result<Value, Failure> {
        match self {
            Template::Constant(constant) => Ok(constant.clone()),
            Template::Jsonata(expression) => expression.evaluate(evaluation, field),
            Template::Path(path) => path.evaluate_in_template(evaluation.scope(), field),
            Template::Intrinsic(intrinsic) => intrinsic.evaluate(evaluation, field),
            Template::Array(items) => {
                let mut filled = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    filled.push(item.evaluate(evaluation, Field::Index(&field, index))?);
                }
                Ok(filled.into())
            }
            Template::Object(members) => {
                let mut filled = Map::with_capacity(members.len());
                for (key, member) in members {
                    let found = member.evaluate(evaluation, Field::Key(&field, key))?;
                    filled.insert(key.clone(), found);
                }
                Ok(filled.into())
            }
        }
    }

    /// Makes an array template, constant when all its elements are.
    pub(crate) fn array(items: Vec<Template>) -> Template {
        let constants: Option<Vec<Value>> = items.iter().map(Template::constant).collect();
        constants.map_or(Template::Array(items), |constants| Template::Constant(constants.into()))
    }

    /// Makes an object template, constant when all its members are.
    pub(crate) fn object(members: Vec<(Arc<str>, Template)>) -> Template {
        let constants: Option<Map> = members
            .iter()
            .map(|(key, member)| Some((key.clone(), member.constant()?)))
            .collect::<Option<Vec<_>>>()
            .map(|members| {
                let mut map = Map::with_capacity(members.len());
                for (key, constant) in members {
                    map.insert(key, constant);
                }
                map
            });
        constants.map_or(Template::Object(members), |map| Template::Constant(map.into()))
    }

    fn constant(&self) -> Option<Value> {
        match self {
            Template::Constant(constant) => Some(constant.clone()),
            Template::Jsonata(_)
            | Template::Path(_)
            | Template::Intrinsic(_)
            | Template::Array(_)
            | Template::Object(_) => None,
        }
    }
}
