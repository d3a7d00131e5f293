//! The JSONPath dialect of Step Functions and Systems Manager.
