//! The languages of EventBridge, as tables.
#![cfg(test)]

mod patterns;
mod schedules;
mod transformers;
