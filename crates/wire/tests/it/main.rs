//! Tests of `wire` through its public boundary.
#![cfg(test)]

mod bad_input;
mod boto3;
mod hanging_up;
mod models;
mod round_trip;
mod sample;
mod signatures;
mod validation;
