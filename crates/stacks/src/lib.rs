//! One CloudFormation stack operation as a pure state machine.
//!
//! What it is: [`Template`] (YAML or JSON, checked), [`Change`] (a template with parameters and
//! conditions, ready to be applied) and [`apply`], which turns facts about one stack into effects:
//! calls to services, stack events, the end of the operation. What it is not: the CloudFormation
//! API, change sets or storage, which belong to the services; and no macros or transforms.
//!
//! ```
//! use stacks::{apply, Change, Effect, Fact, Identity, OnFailure, Stamp, State, Status, Template};
//! use value::value;
//!
//! let identity = Identity {
//!     stack_name: "demo".into(), stack_id: "arn:aws:cloudformation:…:stack/demo/1".into(),
//!     account: "123456789012".into(), region: "us-east-1".into(), partition: "aws".into(),
//! };
//! let template = Template::parse("
//! Resources:
//!   Admins: {Type: AWS::IAM::Group, Properties: {GroupName: !Sub '${AWS::StackName}-admins'}}
//! ").unwrap();
//! let change = Change::prepare(template, &[], None, Default::default(), &identity).unwrap();
//!
//! let mut stack = State::new(identity);
//! let stamp = Stamp { millis: 0, entropy: [7; 32] };
//! let request = Fact::CreateRequested {
//!     token: "t".into(), change: Box::new(change), on_failure: OnFailure::Rollback,
//! };
//! let effects = apply(&mut stack, request, &stamp);
//! let Some(Effect::Call { id, operation, input, .. }) = effects.last() else { panic!() };
//! assert_eq!((operation.as_str(), input), ("CreateGroup", &value!({"GroupName": "demo-admins"})));
//!
//! let output = value!({"Group": {"Arn": "arn:aws:iam::123456789012:group/demo-admins"}});
//! apply(&mut stack, Fact::CallSucceeded { id: id.clone(), output }, &stamp);
//! assert_eq!(stack.status, Status::CreateComplete);
//! ```
//!
//! May depend on: `value`.

mod change;
mod dynamic_references;
mod error;
mod graph;
mod intrinsics;
mod operation;
mod parameters;
mod preview;
mod resources;
mod rules;
mod state;
mod template;

pub use change::Change;
pub use dynamic_references::{DYNAMIC_REFERENCES_MAX, secure_reference};
pub use error::Error;
pub use intrinsics::Identity;
pub use operation::{Effect, Fact, OnFailure, Stamp, apply, outstanding};
pub use parameters::{
    NamedParameter, Parameter, ParameterInput, ParameterSource, Parameters, Wanted,
    named_parameters,
};
pub use preview::{Action, PropertyChange, Recreation, Replacement, ResourceChange};
pub use state::{Output, ResourceRecord, StackEvent, State, Status};
pub use template::{
    Capability, MAPPINGS_MAX, OUTPUTS_MAX, PARAMETERS_MAX, RESOURCES_MAX, TEMPLATE_BODY_BYTES_MAX,
    TEMPLATE_BYTES_MAX, TEMPLATE_DEPTH_MAX, Template,
};
