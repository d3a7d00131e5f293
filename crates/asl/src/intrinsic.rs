//! Intrinsic functions: `States.Format('{}', $.name)` and its seventeen siblings.

use value::Value;

use crate::failure::{Failure, Field};
use crate::scope::Evaluation;

/// A parsed call of an intrinsic function.
#[derive(Clone, Debug)]
pub struct Intrinsic {
    text: String,
}

impl Intrinsic {
    /// Reads a call; `None` when it is none.
    pub(crate) fn parse(_text: &str) -> Option<Intrinsic> {
        None
    }

    /// Returns the variables that the call reads.
    pub(crate) fn variables(&self) -> Vec<String> {
        Vec::new()
    }

    /// Calls the function.
    ///
    /// # Errors
    /// `States.IntrinsicFailure`.
    pub fn evaluate(
        &self,
        _evaluation: &mut Evaluation<'_>,
        _field: Field<'_>,
    ) -> Result<Value, Failure> {
        Err(Failure::runtime(self.text.clone()))
    }
}
