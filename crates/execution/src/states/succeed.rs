//! Succeed: the end of the machine, branch or iteration. AWS page: "Succeed workflow state".

use asl::{Failure, State};

use crate::run::Run;
use crate::state::ThreadId;

pub(crate) fn begin(run: &mut Run<'_>, id: ThreadId, definition: &State) -> Result<(), Failure> {
    let effective = run.effective(id, definition)?;
    run.complete(id, effective)
}
