//! Nodes, their disks and what they write to each other.

use anyhow::Result;
use runtime::{Clock, Forward, Forwarded};

use super::{Event, World};
use crate::disk::{Ending, NodeDisk, Troubles, Unit};
use crate::endpoint::Chances;
use crate::life::{Birth, Life, address};
use crate::network::Heard;
use crate::workload::BEGINNING_MILLIS;

/// How long a node waits for another's answer, in milliseconds.
const ANSWER_MILLIS_MAX: i64 = 10_000;
/// How late a letter arrives at most, in milliseconds: its sender has given up and asked again.
const LATE_MILLIS_MAX: i64 = 20_000;

impl World {
    pub(super) fn step(&mut self, seat: usize, polls: usize) {
        let Some(life) = self.seats.get_mut(seat).and_then(|seat| seat.life.as_mut()) else {
            return;
        };
        for _ in 0..polls {
            if life.is_awake {
                life.step();
            }
        }
    }

    /// Returns a node, if it is still in the life that is meant.
    pub(super) fn life(&mut self, seat: usize, number: u64) -> Option<&mut Life> {
        let life = self.seats.get_mut(seat)?.life.as_mut()?;
        (life.number == number).then_some(life)
    }

    /// Begins a node; one that cannot read its store tries again later, as a supervisor would.
    pub(super) fn boot(&mut self, seat: usize) -> Result<()> {
        self.lives += 1;
        let number = self.lives;
        let (troubles, chances) = if self.is_calm {
            (Troubles::default(), Chances::default())
        } else {
            (self.plan.troubles, self.plan.chances)
        };
        let clock = Clock::simulated(BEGINNING_MILLIS + self.now, self.random.next());
        clock.advance(self.jumped);
        let name = format!("n{seat}");
        let disk = NodeDisk::new(&self.disk, &name, self.random.fork(), troubles);
        let birth = Birth {
            seat,
            number,
            clock,
            disk,
            network: &self.network,
            trace: &self.trace,
            chances,
            random: self.random.fork(),
            checkpoint_lines: self.plan.checkpoint_lines,
        };
        self.trace.say(format_args!("{name} begins life {number}"));
        match Life::begin(birth) {
            Ok(life) => {
                if let Some(place) = self.seats.get_mut(seat) {
                    place.life = Some(life);
                }
            }
            Err(err) if err.to_string().contains("simulated") => {
                self.trace.say(format_args!("{name} cannot begin"));
                let after = self.random.between(100, 2_000);
                self.plan_in(after, Event::Boot(seat));
            }
            Err(err) => self.trace.violated(format_args!("{name} cannot begin: {err:#}")),
        }
        Ok(())
    }

    /// Plans the next round of a node's disk, if it has something to do.
    pub(super) fn look_after_disk(&mut self, number: usize) {
        let Some(seat) = self.seats.get(number) else { return };
        let Some(life) = &seat.life else { return };
        if seat.is_disk_busy || life.disk.waiting() == 0 || life.disk.is_cut() {
            return;
        }
        let life = life.number;
        let after = if !self.is_calm && self.random.chance(self.plan.slow) {
            self.random.between(1, self.plan.slow_millis_max)
        } else {
            self.random.between(0, 2)
        };
        if let Some(seat) = self.seats.get_mut(number) {
            seat.is_disk_busy = true;
        }
        self.plan_in(after, Event::Disk { seat: number, life });
    }

    pub(super) fn disk_works(&mut self, seat: usize, life: u64) {
        let ending = self.draw_ending();
        let some = self.random.below(6) + 1;
        let Some(disk) = self.life(seat, life).map(|life| life.disk.clone()) else { return };
        if disk.is_cut() {
            // It goes on when the way is open again.
            if let Some(seat) = self.seats.get_mut(seat) {
                seat.is_disk_busy = false;
            }
            return;
        }
        let unheard = disk.perform(disk.take(some), ending);
        if let Some(seat) = self.seats.get_mut(seat) {
            seat.unheard = unheard;
        }
        let after = self.random.between(0, 1);
        self.plan_in(after, Event::Heard { seat, life });
    }

    fn draw_ending(&mut self) -> Ending {
        if self.is_calm {
            return Ending::Kept;
        }
        let drawn = self.random.below(1_000);
        if drawn < self.plan.failed {
            Ending::Failed
        } else if drawn < self.plan.failed + self.plan.unheard {
            Ending::KeptUnheard
        } else {
            Ending::Kept
        }
    }

    pub(super) fn disk_heard(&mut self, seat: usize, life: u64) {
        if self.life(seat, life).is_none() {
            return;
        }
        let Some(seat) = self.seats.get_mut(seat) else { return };
        for unheard in std::mem::take(&mut seat.unheard) {
            unheard.tell();
        }
        seat.is_disk_busy = false;
        if let Some(life) = &mut seat.life {
            life.is_awake = true;
        }
    }

    /// Ends a node as a power cut does. What it had sent to the store and not heard of may be kept,
    /// be lost, or arrive later.
    pub(super) fn crash(&mut self, number: usize) {
        let Some(seat) = self.seats.get_mut(number) else { return };
        let Some(life) = seat.life.take() else { return };
        self.trace.say(format_args!("n{number} crashes"));
        seat.unheard.clear();
        (seat.is_disk_busy, seat.is_stopping) = (false, false);
        let disk = life.disk.clone();
        life.die();
        let kept = self.random.below(disk.waiting() + 1);
        if self.random.chance(400) && !disk.is_cut() {
            drop(disk.perform(disk.take(kept), Ending::Kept));
        }
        for unit in disk.take(usize::MAX) {
            if let Unit::Commit(commit, _) = unit
                && self.random.chance(200)
            {
                let after = self.random.between(0, 9_000);
                self.plan_in(after, Event::Late(commit));
            }
        }
        self.forget_asked(number);
        #[cfg(feature = "planted-bugs")]
        self.disk.memory.crash();
    }

    /// Sends a letter on its way, if there is one.
    pub(super) fn send(&mut self, letter: u64, from: usize, to: &str, message: Box<Forwarded>) {
        let to = (0..self.seats.len()).find(|seat| address(*seat) == to);
        // Whether it arrives or not, its sender waits only so long.
        self.no_answer(letter);
        if let Some(to) = to.filter(|_| !self.loses()) {
            let after = self.letter_millis();
            self.plan_in(after, Event::Letter { letter, from, to, message });
        }
    }

    fn loses(&mut self) -> bool {
        !self.is_calm && self.random.chance(self.plan.lost)
    }

    /// Returns how long a letter takes.
    fn letter_millis(&mut self) -> i64 {
        let is_late = !self.is_calm && self.random.chance(self.plan.late);
        self.random.between(0, if is_late { LATE_MILLIS_MAX } else { 5 })
    }

    /// Whoever waits gives up after a while.
    fn no_answer(&mut self, letter: u64) {
        let answer = Forward::NotThere;
        self.plan_in(ANSWER_MILLIS_MAX, Event::Answer { letter, answer });
    }

    pub(super) fn letter_arrives(
        &mut self,
        letter: u64,
        from: usize,
        to: usize,
        message: Forwarded,
    ) {
        if self.parted.contains(&(from.min(to), from.max(to))) {
            return;
        }
        let network = self.network.clone();
        match self.seats.get_mut(to).and_then(|seat| seat.life.as_mut()) {
            Some(life) => {
                let runtime = life.runtime.clone();
                life.spawn(async move {
                    let answer = Forward::of(runtime.take(message).await);
                    network.tell(Heard::Answered { letter, answer });
                });
            }
            // Nobody listens there.
            None => self.plan_in(1, Event::Answer { letter, answer: Forward::NotThere }),
        }
    }

    pub(super) fn answer_sent(&mut self, letter: u64, answer: Forward) {
        if !self.loses() {
            let after = self.random.between(0, 5);
            self.plan_in(after, Event::Answer { letter, answer });
        }
    }

    pub(super) fn answer_arrives(&mut self, letter: u64, answer: Forward) {
        if let Some((seat, number)) = self.network.deliver(letter, answer)
            && let Some(life) = self.life(seat, number)
        {
            life.is_awake = true;
        }
    }

    /// A node has put everything down and ends.
    pub(super) fn stopped(&mut self, seat: usize, number: u64) {
        if self.life(seat, number).is_some() {
            self.trace.say(format_args!("n{seat} has stopped"));
            self.crash(seat);
            let after = self.random.between(10, 4_000);
            self.plan_in(after, Event::Boot(seat));
        }
    }
}
