//! What a world is made of and what goes wrong in it, drawn from its seed.
//!
//! Every fault is left out of about half the worlds: bugs that need one fault hide behind another.

use crate::disk::Troubles;
use crate::endpoint::Chances;
use crate::random::Random;

/// What goes wrong again and again; each with its own mean pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A node loses its power.
    Crash,
    /// A node is told to end, in order.
    Stop,
    /// A node stands still for a while.
    Pause,
    /// A node and the store do not reach each other for a while.
    Cut,
    /// A node gets no turn at the leases for a while, and goes on as if it still had them.
    Depose,
    /// Two nodes do not reach each other for a while.
    Part,
    /// The clock of a node jumps ahead.
    Jump,
}

/// In how many worlds of a thousand executions are redriven.
const REDRIVES: usize = 300;
/// Which worlds that are: not those of `sim/seeds`, which stay what they were.
const REDRIVES_APART: u64 = 4_937 << 32;

/// In how many worlds of a thousand runbooks run over many targets.
const FLEETS: usize = 250;
/// Which worlds that are: none of `sim/seeds` either.
const FLEETS_APART: u64 = 2_308 << 32;

/// In how many worlds of a thousand executions are stopped at the moment of their redrive.
const TOGETHER: usize = 100;
/// Which worlds that are: none of `sim/seeds` but those that need it.
const TOGETHER_APART: u64 = 7_454 << 32;

/// A world.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) nodes: usize,
    pub(crate) processes: usize,
    /// After this, nothing goes wrong any more.
    pub(crate) chaos_millis: i64,
    /// Faults and their mean pauses in milliseconds.
    pub(crate) faults: Vec<(Fault, i64)>,
    /// How many rounds of the disk in a thousand fail.
    pub(crate) failed: usize,
    /// How many are kept and said to have failed.
    pub(crate) unheard: usize,
    /// How many are slow.
    pub(crate) slow: usize,
    /// How slow they are at most, in milliseconds.
    pub(crate) slow_millis_max: i64,
    pub(crate) troubles: Troubles,
    pub(crate) chances: Chances,
    /// How many letters in a thousand are lost.
    pub(crate) lost: usize,
    /// How many arrive when their sender may have given up.
    pub(crate) late: usize,
    pub(crate) checkpoint_lines: usize,
    /// Whether clients redrive executions.
    pub(crate) redrives: bool,
    /// Whether some of them are stopped at that moment.
    pub(crate) together: bool,
    /// Whether runbooks run over many targets.
    pub(crate) fleets: bool,
}

impl Plan {
    pub(crate) fn draw(seed: u64, random: &mut Random) -> Plan {
        let mut faults = Vec::new();
        let all = [
            Fault::Crash,
            Fault::Stop,
            Fault::Pause,
            Fault::Cut,
            Fault::Depose,
            Fault::Part,
            Fault::Jump,
        ];
        for fault in all {
            if random.chance(500) {
                faults.push((fault, random.between(2_000, 20_000)));
            }
        }
        let mut sometimes = |most: i64| {
            if random.chance(500) {
                usize::try_from(random.between(1, most)).unwrap_or(0)
            } else {
                0
            }
        };
        let (failed, unheard, slow) = (sometimes(40), sometimes(40), sometimes(200));
        let (lost, late) = (sometimes(200), sometimes(200));
        let troubles = Troubles { read: sometimes(10), lease: sometimes(200) };
        let (doubled, slow_calls) = (sometimes(300), sometimes(500));
        let chances = Chances {
            doubled,
            slow: slow_calls,
            slow_millis_max: random.pick(&[50, 1_500, 9_000]).copied().unwrap_or(50),
        };
        Plan {
            nodes: random.pick(&[1, 2, 2, 3]).copied().unwrap_or(1),
            processes: usize::try_from(random.between(2, 14)).unwrap_or(2),
            chaos_millis: random.between(4_000, 30_000),
            faults,
            failed,
            unheard,
            slow,
            slow_millis_max: random.pick(&[50, 900, 8_000]).copied().unwrap_or(50),
            troubles,
            chances,
            lost,
            late,
            checkpoint_lines: random.pick(&[1, 3, 20, 1_000]).copied().unwrap_or(1_000),
            redrives: Random::new(seed ^ REDRIVES_APART).chance(REDRIVES),
            together: Random::new(seed ^ TOGETHER_APART).chance(TOGETHER),
            fleets: Random::new(seed ^ FLEETS_APART).chance(FLEETS),
        }
    }
}
