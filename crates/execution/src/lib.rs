//! One state-machine execution as a pure state machine.
