//! One Systems Manager Automation execution as a pure state machine.
