//! A world: nodes, a disk, a network, clients, and the scheduler that decides what comes next.
//!
//! Everything that happens is either one poll of one task of one node, or one event of the agenda.
//! The seed decides which of those that could come next does.

mod clients;
mod end;
mod faults;
mod nodes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use runtime::{Forward, Forwarded};
use store::Commit;

use crate::disk::{Disk, Unheard};
use crate::life::Life;
use crate::network::{Heard, Network};
use crate::plan::{Fault, Plan};
use crate::random::Random;
use crate::trace::Trace;
use crate::workload::Furniture;
use clients::{Ask, Client};

/// How many steps a world may take; beyond that something goes round in circles.
const STEPS_MAX: usize = 2_000_000;
/// How long a world may last after the last fault, in milliseconds, not counting jumps.
const CALM_MILLIS_MAX: i64 = 600_000;
/// Timers further away than this are reached by a jump of the clocks.
const JUMP_MILLIS_MIN: i64 = 2_000;

/// What will happen at a time.
enum Event {
    /// A node's disk gets to what waits.
    Disk { seat: usize, life: u64 },
    /// A node hears from its disk.
    Heard { seat: usize, life: u64 },
    /// A letter arrives.
    Letter { letter: u64, from: usize, to: usize, message: Box<Forwarded> },
    /// The answer to a letter arrives; no answer is one, too.
    Answer { letter: u64, answer: Forward },
    /// A client asks.
    Ask(Ask),
    /// Something goes wrong.
    Fault(Fault, i64),
    /// It goes right again.
    Mend { seat: usize, life: u64 },
    /// Two nodes reach each other again.
    Join(usize, usize),
    /// A node begins.
    Boot(usize),
    /// What a dead node had sent to the store arrives.
    Late(Box<Commit>),
}

/// A place for a node.
#[derive(Default)]
struct Seat {
    life: Option<Life>,
    /// What its disk has done and it has not heard.
    unheard: Vec<Unheard>,
    /// Whether its disk has an event in the agenda.
    is_disk_busy: bool,
    is_stopping: bool,
}

/// A world on its way.
pub(crate) struct World {
    trace: Trace,
    random: Random,
    plan: Plan,
    disk: Arc<Disk>,
    network: Arc<Network>,
    seats: Vec<Seat>,
    lives: u64,
    /// Time that has passed, in milliseconds.
    now: i64,
    /// How far the clocks are ahead of that, because nothing happened meanwhile.
    jumped: i64,
    agenda: BTreeMap<(i64, u64), Event>,
    appointments: u64,
    parted: BTreeSet<(usize, usize)>,
    clients: Vec<Client>,
    /// Who waits for which answer: the client, the node's life, and what was asked.
    asked: BTreeMap<u64, (Ask, usize, u64)>,
    is_calm: bool,
    steps: usize,
}

impl World {
    pub(crate) fn new(seed: u64, aloud: bool) -> Result<World> {
        let mut random = Random::new(seed);
        let plan = Plan::draw(seed, &mut random);
        let trace = Trace::new(aloud);
        trace.say(format_args!("{plan:?}"));
        let disk = Disk::new(&trace);
        disk.furnish(&Furniture::of_every_world()?.rows);
        let mut clients = Vec::new();
        for number in 0..plan.processes {
            clients.push(Client::draw(number + 1, &plan, &mut random)?);
        }
        let mut world = World {
            trace,
            random,
            disk,
            network: Arc::default(),
            seats: (0..plan.nodes).map(|_| Seat::default()).collect(),
            lives: 0,
            now: 0,
            jumped: 0,
            agenda: BTreeMap::new(),
            appointments: 0,
            parted: BTreeSet::new(),
            clients,
            asked: BTreeMap::new(),
            is_calm: false,
            steps: 0,
            plan,
        };
        world.prepare();
        Ok(world)
    }

    /// Fills the agenda: nodes begin, clients ask, things go wrong.
    fn prepare(&mut self) {
        for seat in 0..self.seats.len() {
            let after = if seat == 0 { 0 } else { self.random.between(0, 3_000) };
            self.plan_in(after, Event::Boot(seat));
        }
        for client in 0..self.clients.len() {
            let after = self.random.between(0, self.plan.chaos_millis * 3 / 4);
            self.plan_in(after, Event::Ask(Ask::Begin(client)));
        }
        for (fault, mean) in self.plan.faults.clone() {
            let after = self.random.between(1, 2 * mean);
            self.plan_in(after, Event::Fault(fault, mean));
        }
    }

    fn plan_in(&mut self, millis: i64, event: Event) {
        self.appointments += 1;
        self.agenda.insert((self.now + millis, self.appointments), event);
    }

    /// Runs the world to its end, or until something does not hold.
    pub(crate) fn run(&mut self) -> Result<()> {
        while self.trace.violation().is_none() {
            self.steps += 1;
            if STEPS_MAX < self.steps {
                self.trace.violated("the world goes round in circles");
                break;
            }
            if !self.is_calm && self.plan.chaos_millis <= self.now {
                self.calm_down();
            }
            if self.act()? {
                continue;
            }
            if self.is_calm && self.is_over() {
                self.check_end()?;
                break;
            }
            if self.plan.chaos_millis + CALM_MILLIS_MAX < self.now {
                self.trace.violated(self.what_hangs());
                break;
            }
            self.let_time_pass();
        }
        Ok(())
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Lets one thing happen; returns whether there was any.
    fn act(&mut self) -> Result<bool> {
        let awake: Vec<usize> = (0..self.seats.len()).filter(|seat| self.is_awake(*seat)).collect();
        let due: Vec<(i64, u64)> =
            self.agenda.range(..=(self.now, u64::MAX)).take(6).map(|(key, _)| *key).collect();
        // A node that is awake does several things while one thing happens to it.
        let weight = awake.len() * 6;
        if weight + due.len() == 0 {
            return Ok(false);
        }
        let drawn = self.random.below(weight + due.len());
        if let Some(seat) = awake.get(drawn / 6).filter(|_| drawn < weight) {
            let polls = if self.random.chance(300) { 1 } else { self.random.below(16) + 1 };
            self.trace.note((*seat as u64) << 8 | polls as u64);
            self.step(*seat, polls);
        } else if let Some(event) = due.get(drawn - weight).and_then(|at| self.agenda.remove(at)) {
            self.happen(event)?;
        }
        self.listen();
        Ok(true)
    }

    fn is_awake(&self, seat: usize) -> bool {
        let life = self.seats.get(seat).and_then(|seat| seat.life.as_ref());
        life.is_some_and(|life| life.is_awake && life.paused_until <= self.now)
    }

    fn happen(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Disk { seat, life } => self.disk_works(seat, life),
            Event::Heard { seat, life } => self.disk_heard(seat, life),
            Event::Letter { letter, from, to, message } => {
                self.letter_arrives(letter, from, to, *message);
            }
            Event::Answer { letter, answer } => self.answer_arrives(letter, answer),
            Event::Ask(ask) => self.ask(ask),
            Event::Fault(fault, mean) => self.fault(fault, mean),
            Event::Mend { seat, life } => self.mend(seat, life),
            Event::Join(one, other) => drop(self.parted.remove(&(one, other))),
            Event::Boot(seat) => self.boot(seat)?,
            // Whether it still fits is the store's to say.
            Event::Late(commit) => drop(self.disk.commit("a dead node", *commit)),
        }
        Ok(())
    }

    /// Takes in what nodes have said, and whether their disks have something to do.
    fn listen(&mut self) {
        for heard in self.network.heard() {
            match heard {
                Heard::Sent { letter, from, to, message } => self.send(letter, from, &to, message),
                Heard::Answered { letter, answer } => self.answer_sent(letter, answer),
                Heard::Client { asked, outcome } => self.client_heard(asked, outcome),
                Heard::Stopped { seat, life } => self.stopped(seat, life),
            }
        }
        for seat in 0..self.seats.len() {
            self.look_after_disk(seat);
        }
    }

    /// Lets time pass until something can happen again. A long time in which nothing would is
    /// jumped over.
    fn let_time_pass(&mut self) {
        let lives = self.seats.iter().filter_map(|seat| seat.life.as_ref());
        let timers = lives.clone().filter_map(|life| {
            let at = life.runtime.next_timer_millis()?;
            Some((at - life.clock.now_millis()).max(0))
        });
        let timer = timers.min();
        let wakings = lives.clone().filter_map(|life| {
            let pause = (life.paused_until - self.now).max(0);
            life.clock.next_waking_millis().map(|millis| millis.max(pause))
        });
        let waking = wakings.min();
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| at - self.now);
        // Whoever is cut off or stands still is waited for.
        let is_well =
            lives.clone().all(|life| !life.disk.is_cut() && life.paused_until <= self.now);
        let is_quiet = is_well && agenda.is_none_or(|agenda| JUMP_MILLIS_MIN < agenda);
        if let Some(timer) = timer.filter(|timer| is_quiet && JUMP_MILLIS_MIN < *timer) {
            self.jump(timer);
            return;
        }
        let next = [timer, waking, agenda].into_iter().flatten().min().unwrap_or(1_000);
        self.pass(next.max(1));
    }

    fn pass(&mut self, millis: i64) {
        self.now += millis;
        self.trace.at(self.now);
        self.disk.at(self.now);
        for life in self.seats.iter_mut().filter_map(|seat| seat.life.as_mut()) {
            life.clock.pass(millis);
            life.is_awake = true;
        }
    }

    fn jump(&mut self, millis: i64) {
        self.jumped += millis;
        self.trace.say(format_args!("nothing happens for {millis} ms"));
        for life in self.seats.iter_mut().filter_map(|seat| seat.life.as_mut()) {
            life.clock.advance(millis);
            life.is_awake = true;
        }
    }
}
