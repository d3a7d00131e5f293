//! Shards, clock, timers and the outbox: facts in, effects out.
