//! `cargo bench -p bench --bench jsonata`: our JSONata beside `jsonata-core` and jsonata-js, by
//! turns in one run. docs/bench.md says what the figures mean.
//!
//! `rows.rs` has the expressions, `engine.rs` who evaluates them, `node.rs` the process of one.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench reports, and may fail loudly"
)]

mod engine;
mod node;
mod rows;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use comfy_table::{CellAlignment, Table, presets};

use engine::{Core, Engine, JavaScript, Ours};
use rows::{ROWS, Row, SMALL};

/// How long an engine works on one row in one round.
const TURN: Duration = Duration::from_millis(60);
/// How often everything is measured; medians count.
const ROUNDS: usize = 5;
/// How long a small row may take.
const SMALL_NANOSECONDS_MAX: f64 = 150.0;
/// Goals: how many times faster than each peer, in the geometric mean.
const CORE_GOAL: f64 = 2.0;
const JAVASCRIPT_GOAL: f64 = 10.0;
/// How many times `jsonata-core`'s time compiling may take.
const COMPILE_GOAL: f64 = 1.5;

/// The nanoseconds of every round, by engine.
type Turns = Vec<Vec<f64>>;

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let chosen = |row: &&Row| wanted.is_empty() || wanted.iter().any(|part| row.0.contains(part));
    let rows: Vec<&Row> = ROWS.iter().filter(chosen).collect();
    if rows.is_empty() {
        bail!("no row has such a name");
    }
    let variables = rows::variables();
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(Ours::new(&variables))];
    if !std::env::args().any(|argument| argument == "--ours") {
        engines.push(Box::new(Core::new(&variables)?));
        match JavaScript::new(&variables) {
            Ok(javascript) => engines.push(Box::new(javascript)),
            Err(err) => println!("jsonata-js is not measured: {err:#}"),
        }
    }
    for (name, text) in &rows {
        same_answers(&mut engines, name, text)?;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}; {ROUNDS} rounds", load.trim());
    let evaluate = measured(&mut engines, &rows, |e, text| e.evaluate(text, TURN))?;
    report("evaluate", &engines, &rows, &evaluate);
    let compile = measured(&mut engines, &rows, |e, text| e.compile(text, TURN / 2))?;
    report("parse and compile", &engines, &rows, &compile);
    verdict(&engines, &rows, &evaluate, &compile);
    Ok(())
}

/// Checks that all engines do the same work.
fn same_answers(engines: &mut [Box<dyn Engine>], name: &str, text: &str) -> Result<()> {
    let mut answers = Vec::new();
    for engine in engines {
        let answer = engine.answer(text);
        answers.push(answer.with_context(|| format!("{name} by {}", engine.name()))?);
    }
    if answers.windows(2).any(|pair| pair[0] != pair[1]) {
        bail!("{name}: the engines differ: {answers:?}");
    }
    Ok(())
}

/// Measures every row with every engine, one after another, round by round.
fn measured(
    engines: &mut [Box<dyn Engine>],
    rows: &[&Row],
    work: impl Fn(&mut dyn Engine, &str) -> Result<f64>,
) -> Result<Vec<Turns>> {
    let mut all = vec![vec![Vec::new(); engines.len()]; rows.len()];
    for _ in 0..ROUNDS {
        for ((_, text), turns) in rows.iter().zip(&mut all) {
            for (engine, figures) in engines.iter_mut().zip(turns) {
                figures.push(work(engine.as_mut(), text)?);
            }
        }
    }
    Ok(all)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns how many times faster we are than `peer`: the median of the rounds' ratios.
fn faster(turns: &Turns, peer: usize) -> f64 {
    median(turns[0].iter().zip(&turns[peer]).map(|(ours, theirs)| theirs / ours).collect())
}

fn geometric_mean(ratios: impl Iterator<Item = f64> + Clone) -> f64 {
    (ratios.clone().map(f64::ln).sum::<f64>() / ratios.count() as f64).exp()
}

fn report(what: &str, engines: &[Box<dyn Engine>], rows: &[&Row], all: &[Turns]) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let mut head = vec![format!("{what}, ns")];
    head.extend(engines.iter().map(|engine| engine.name()));
    head.extend(engines.iter().skip(1).map(|engine| format!("{} / ours", engine.name())));
    table.set_header(head);
    for ((name, _), turns) in rows.iter().zip(all) {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(turns.iter().map(|figures| format!("{:.0}", median(figures.clone()))));
        cells.extend((1..engines.len()).map(|peer| format!("{:.2}", faster(turns, peer))));
        table.add_row(cells);
    }
    let mut last = vec!["geometric mean".to_owned()];
    last.extend(engines.iter().map(|_| String::new()));
    last.extend(
        (1..engines.len()).map(|peer| {
            format!("{:.2}", geometric_mean(all.iter().map(|turns| faster(turns, peer))))
        }),
    );
    table.add_row(last);
    table.column_iter_mut().skip(1).for_each(|c| c.set_cell_alignment(CellAlignment::Right));
    println!("\n{table}");
}

/// Says which goals are met.
fn verdict(engines: &[Box<dyn Engine>], rows: &[&Row], evaluate: &[Turns], compile: &[Turns]) {
    println!();
    let say = |goal: String, met: bool| println!("{} {goal}", if met { "yes" } else { "NO " });
    for (peer, goal) in [(1, CORE_GOAL), (2, JAVASCRIPT_GOAL)] {
        let Some(engine) = engines.get(peer) else { continue };
        let mean = geometric_mean(evaluate.iter().map(|turns| faster(turns, peer)));
        say(format!("{goal} times as fast as {}: {mean:.2}", engine.name()), mean >= goal);
        let slower = rows.iter().zip(evaluate).filter(|(_, turns)| faster(turns, peer) < 1.0);
        let slower: Vec<&str> = slower.map(|(row, _)| row.0).collect();
        say(format!("no row slower than {} {slower:?}", engine.name()), slower.is_empty());
    }
    let small = rows.iter().zip(evaluate).filter(|(row, _)| SMALL.contains(&row.0));
    let longest = small.map(|(_, turns)| median(turns[0].clone())).fold(0.0, f64::max);
    let text = format!("a path or a condition in {SMALL_NANOSECONDS_MAX} ns: {longest:.0}");
    say(text, longest <= SMALL_NANOSECONDS_MAX);
    if engines.len() < 2 {
        return;
    }
    let mean = 1.0 / geometric_mean(compile.iter().map(|turns| faster(turns, 1)));
    say(format!("compiling within {COMPILE_GOAL} times core's: {mean:.2}"), mean <= COMPILE_GOAL);
}
