//! What the paths read and write, as tables.
#![cfg(test)]

mod filters;
mod paths;
mod reference_paths;
