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
    // A path that finds nothing is a failure even where its result is not used.
    let effective = run.effective(id, definition)?;
    let result = match &pass.result {
        Some(result) => run.as_input(id, result.clone()),
        None => effective,
    };
    run.complete(id, result)
}
