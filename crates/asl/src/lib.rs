//! The Amazon States Language: definitions, validation, data flow.
