//! The IAM policy language: documents, conditions, decisions with reasons.
