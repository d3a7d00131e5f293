//! Pass: hands its input on, shaped. AWS page: "Pass workflow state".

use asl::{Failure, Pass, State};

use crate::run::Run;
use crate::state::ThreadId;

pub(crate) fn begin(
    run: &mut Run<'_>,
    id: ThreadId,
    definition: &State,
    pass: &Pass,
) -> Result<(), Failure> {
    let scope = run.scope(id);
    let effective = run.evaluate(&scope, |evaluation| definition.effective_input(evaluation))?;
    let result = match &pass.result {
        Some(result) => result.clone(),
        None => effective,
    };
    run.complete_pass(id, result)
}
