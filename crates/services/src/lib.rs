//! The AWS APIs that Stepwell serves.
