//! What the paths read and write, as tables.
#![cfg(test)]

mod filters;
mod mutants;
mod paths;
mod reference_paths;
