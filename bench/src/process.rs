//! What a process used: processor time and memory, from /proc.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

/// Linux counts in hundredths of a second for programs, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// The processor time that a process had used at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    /// Of the whole process, ended threads too, in hundredths of a second.
    tick_seconds: f64,
    /// Of each living thread, in nanoseconds.
    thread_nanos: BTreeMap<String, u64>,
}

impl Usage {
    /// Reads it.
    pub(crate) fn of(pid: u32) -> Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("reading its stat")?;
        // The name in brackets may hold blanks; the times are the 14th and 15th field.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|text| text.parse::<f64>().ok()).sum();
        let mut thread_nanos = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?;
            // A thread may end in between.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
            let nanos = text.split(' ').next().and_then(|text| text.parse().ok());
            let name = task.file_name().to_string_lossy().into_owned();
            thread_nanos.insert(name, nanos.unwrap_or_default());
        }
        Ok(Usage { tick_seconds: ticks / TICKS_PER_SECOND, thread_nanos })
    }

    /// Returns the seconds used since `before`: exact by thread, or by ticks where a thread that
    /// ended took its share with it.
    pub(crate) fn seconds_since(&self, before: &Usage) -> f64 {
        let earlier = |thread: &String| before.thread_nanos.get(thread).copied();
        let nanos: u64 = self
            .thread_nanos
            .iter()
            .map(|(thread, nanos)| nanos.saturating_sub(earlier(thread).unwrap_or_default()))
            .sum();
        let exact = nanos as f64 / 1e9;
        let by_ticks = self.tick_seconds - before.tick_seconds;
        if exact + 2.0 / TICKS_PER_SECOND < by_ticks { by_ticks } else { exact }
    }
}

/// Returns the memory that a process holds, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<f64> {
    status_bytes(pid, "VmRSS:")
}

/// Returns the most memory that a process has held at once, in bytes.
pub(crate) fn peak_resident_bytes(pid: u32) -> Result<f64> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, name: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("reading its status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.with_context(|| format!("its status has no {name}"))? * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_thread_is_counted_by_ticks() {
        let usage = |tick_seconds: f64, threads: &[(&str, u64)]| Usage {
            tick_seconds,
            thread_nanos: threads
                .iter()
                .map(|(name, nanos)| ((*name).to_owned(), *nanos))
                .collect(),
        };
        let before = usage(1.0, &[("1", 400_000_000), ("2", 600_000_000)]);
        let exact = usage(1.5, &[("1", 500_000_000), ("2", 1_001_000_000)]).seconds_since(&before);
        assert!((exact - 0.501).abs() < 1e-9);
        let ended = usage(1.5, &[("1", 500_000_000)]).seconds_since(&before);
        assert!((ended - 0.5).abs() < 1e-9);
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let pid = std::process::id();
        let resident = resident_bytes(pid).unwrap();
        assert!(0.0 < resident && resident <= peak_resident_bytes(pid).unwrap());
        assert!(!Usage::of(pid).unwrap().thread_nanos.is_empty());
    }
}
