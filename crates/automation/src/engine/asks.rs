//! What a run asks for, takes back and tells.

use sha2::{Digest, Sha256};
use value::Value;

use super::Run;
use crate::effect::Effect;
use crate::notification;
use crate::state::Status;

impl Run<'_> {
    /// Sets the execution's status and tells of it, if it is another one.
    pub(super) fn execution_status(&mut self, status: Status) {
        if self.state.status == status {
            return;
        }
        self.state.status = status;
        self.changed();
        let event = notification::of_execution(self.state, self.stamp.millis);
        self.effects.push(Effect::Event(event));
    }

    /// Takes the execution out of Waiting when the step it waited for is over.
    pub(super) fn resume_execution_status(&mut self) {
        if self.state.status == Status::Waiting {
            self.execution_status(Status::InProgress);
        }
    }

    /// Sets a step's status and tells of it, if it is another one.
    pub(super) fn step_status(&mut self, index: usize, status: Status) {
        let Some(execution) = self.state.steps.get_mut(index) else { return };
        if execution.status == status {
            return;
        }
        execution.status = status;
        if status.is_terminal() {
            execution.end_millis = Some(self.stamp.millis);
            execution.memory = Value::Null;
            execution.timeout_id = None;
        }
        let execution = execution.clone();
        self.changed();
        if let Some(step) = self.runbook.steps.get(index) {
            let event = notification::of_step(self.state, step, &execution);
            self.effects.push(Effect::Event(event));
        }
    }

    /// Tells that the record is another one; once is enough.
    pub(super) fn changed(&mut self) {
        if !self.effects.contains(&Effect::Record) {
            self.effects.push(Effect::Record);
        }
    }

    /// Asks for something that will be answered.
    pub(crate) fn ask(&mut self, effect: impl FnOnce(u64) -> Effect) -> u64 {
        self.state.last_id += 1;
        let id = self.state.last_id;
        let effect = effect(id);
        self.state.outstanding.insert(id, effect.clone());
        self.effects.push(effect);
        id
    }

    /// Asks for something whose answer nobody waits for.
    pub(crate) fn tell(&mut self, effect: impl FnOnce(u64) -> Effect) {
        self.state.last_id += 1;
        let effect = effect(self.state.last_id);
        self.effects.push(effect);
    }

    pub(crate) fn timer_at(&mut self, at_millis: i64) -> u64 {
        self.ask(|id| Effect::Timer { id, at_millis })
    }

    /// Notes that a script that is still wanted is being started.
    pub(super) fn script_begun(&mut self, id: u64) {
        if let Some(Effect::Script(script)) = self.state.outstanding.get_mut(&id) {
            script.begun = true;
        }
    }

    /// Withdraws everything the step at `index` has asked for, its timeout included; the timeouts
    /// of the loops around it stay.
    pub(super) fn withdraw_step(&mut self, index: usize) {
        let loops = self.runbook.with_loops(index).skip(1);
        let timeouts = loops.filter_map(|at| self.state.steps.get(at)?.timeout_id);
        let keep: Vec<u64> = timeouts.chain(self.state.cancel_deadline_id).collect();
        let ids: Vec<u64> = self.state.outstanding.keys().copied().collect();
        for id in ids.into_iter().filter(|id| !keep.contains(id)) {
            self.withdraw(id);
        }
    }

    pub(super) fn withdraw_all(&mut self) {
        self.state.cancel_deadline_id = None;
        while let Some(id) = self.state.outstanding.keys().next().copied() {
            self.withdraw(id);
        }
    }

    fn withdraw(&mut self, id: u64) {
        match self.state.outstanding.remove(&id) {
            Some(Effect::Timer { .. }) => self.effects.push(Effect::CancelTimer { id }),
            Some(Effect::Call(_) | Effect::Script(_)) => self.effects.push(Effect::Cancel { id }),
            // Children are stopped, never forgotten: whoever finishes has none that runs.
            Some(
                Effect::Child(_)
                | Effect::CancelTimer { .. }
                | Effect::Cancel { .. }
                | Effect::Record
                | Effect::Event(_)
                | Effect::Finish { .. },
            )
            | None => {}
        }
    }

    /// Draws a version 4 UUID from the stamp.
    pub(crate) fn draw_uuid(&mut self) -> String {
        self.drawn += 1;
        let mut hash = Sha256::new();
        hash.update(self.stamp.entropy);
        hash.update(self.drawn.to_be_bytes());
        let digest = hash.finalize();
        let mut bits = [0_u8; 16];
        for (bit, drawn) in bits.iter_mut().zip(digest.iter()) {
            *bit = *drawn;
        }
        let number = u128::from_be_bytes(bits);
        let number = number & !(0xf << 76) | (0x4 << 76);
        let number = number & !(0x3 << 62) | (0x2 << 62);
        let hex = format!("{number:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }
}
