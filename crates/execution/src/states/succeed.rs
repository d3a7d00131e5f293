//! Succeed: the end of the machine, branch or iteration. AWS page: "Succeed workflow state".

use asl::{Failure, State};

use crate::run::Run;
use crate::state::ThreadId;

pub(crate) fn begin(run: &mut Run<'_>, id: ThreadId, definition: &State) -> Result<(), Failure> {
    let scope = run.scope(id);
    let effective = run.evaluate(&scope, |evaluation| definition.effective_input(evaluation))?;
    run.complete_pass(id, effective)
}
