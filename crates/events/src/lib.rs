//! EventBridge patterns, input transformers and schedules.
