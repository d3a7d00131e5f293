//! One CloudFormation stack operation as a pure state machine.
