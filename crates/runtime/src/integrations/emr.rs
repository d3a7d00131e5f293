//! `elasticmapreduce:`: clusters of EMR and their steps, one at a time.
//!
//! Step Functions developer guide, "Create and manage Amazon EMR clusters with Step Functions"
//! (read 2026-11). Requests and answers differ from EMR's own: what is a list there is one thing
//! here.

use asl::{Integration, IntegrationPattern};
use value::Value;

use super::job::Job;
use super::plain::EMR as API;
use super::{Acting, Integrated, Optimized, TaskFailure, jobs, sdk1};
use crate::endpoint::{CallError, SEVERAL_CALLS};

/// `elasticmapreduce:`.
pub(super) struct Emr;

/// What an action's arguments and answer are in EMR's own.
struct Renamed {
    action: &'static str,
    operation: &'static str,
    /// Members of the arguments, by what they are called in the operation's input.
    arguments: &'static [(&'static str, &'static str, Form)],
    /// The same of the answer.
    answer: Option<(&'static str, &'static str, Form)>,
}

/// In which form EMR has what is one thing here.
#[derive(Clone, Copy)]
enum Form {
    One,
    Listed,
}
use Form::{Listed, One};

const RENAMED: &[Renamed] = &[
    Renamed {
        action: "createCluster",
        operation: "RunJobFlow",
        arguments: &[],
        answer: Some(("ClusterId", "JobFlowId", One)),
    },
    Renamed {
        action: "terminateCluster",
        operation: "TerminateJobFlows",
        arguments: &[("ClusterId", "JobFlowIds", Listed)],
        answer: None,
    },
    Renamed {
        action: "setClusterTerminationProtection",
        operation: "SetTerminationProtection",
        arguments: &[("ClusterId", "JobFlowIds", Listed)],
        answer: None,
    },
    Renamed {
        action: "addStep",
        operation: "AddJobFlowSteps",
        arguments: &[("ClusterId", "JobFlowId", One), ("Step", "Steps", Listed)],
        answer: Some(("StepId", "StepIds", Listed)),
    },
    Renamed {
        action: "cancelStep",
        operation: "CancelSteps",
        arguments: &[("StepId", "StepIds", Listed)],
        answer: Some(("CancelStepsInfo", "CancelStepsInfoList", Listed)),
    },
];

impl Optimized for Emr {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        API.patterns(action)
    }

    fn request(&self, integration: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        if let Err(what) = check(&integration.action, arguments) {
            return Integrated::Refused(refusal(&what));
        }
        match renamed(&integration.action) {
            Some(known) => {
                let input = known.arguments.iter().fold(arguments.clone(), |input, names| {
                    rename(&input, (names.0, names.1), |given| match names.2 {
                        One => Some(given),
                        Listed => Some(vec![given].into()),
                    })
                });
                API.call(known.operation, &input)
            }
            // EMR knows fleets and groups by their ids only.
            None => Integrated::Call {
                service: SEVERAL_CALLS.into(),
                operation: super::aws_sdk::pascal(&integration.action),
                input: arguments.clone(),
            },
        }
    }

    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        let Some(known) = renamed(&integration.action) else {
            return Ok(sdk1::response(output, API.headers));
        };
        let shown = API.shown(known.operation, &output);
        let shown = match known.answer {
            Some((here, there, form)) => rename(&shown, (there, here), |given| match form {
                One => Some(given),
                Listed => given.as_array().and_then(|all| all.first()).cloned(),
            }),
            None => shown,
        };
        if integration.pattern == IntegrationPattern::Sync
            && !jobs::is_named(API.service, &integration.action, &shown)
        {
            let error = "States.TaskFailed".into();
            return Err(TaskFailure { error, cause: shown.to_json() });
        }
        Ok(shown)
    }

    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String) {
        if err.code == "States.Runtime" {
            return (err.code.clone(), err.message.clone());
        }
        API.failure(integration, err)
    }

    fn job(&self, action: &str) -> Option<&'static dyn Job> {
        API.job(action)
    }
}

fn renamed(action: &str) -> Option<&'static Renamed> {
    RENAMED.iter().find(|known| known.action == action)
}

/// Refuses what EMR would take and Step Functions does not.
// UNVERIFIED: AWS's words, and that it does not say so when the machine is created.
fn check(action: &str, arguments: &Value) -> Result<(), String> {
    let is_given = |path: &[&str]| arguments.path(path).is_some_and(|found| *found != Value::Null);
    let lives = arguments.path(&["Instances", "KeepJobFlowAliveWhenNoSteps"]);
    let refused: &[(bool, &str)] = match action {
        "createCluster" => &[
            (is_given(&["Steps"]), "Steps is not allowed: addStep adds steps"),
            (
                lives.and_then(Value::as_bool) != Some(true),
                "Instances.KeepJobFlowAliveWhenNoSteps is required and must be true",
            ),
        ],
        "modifyInstanceFleetByName" => &[
            (!is_given(&["InstanceFleetName"]), "InstanceFleetName is required"),
            (
                is_given(&["InstanceFleet", "InstanceFleetId"]),
                "InstanceFleet.InstanceFleetId is not allowed: it is found by InstanceFleetName",
            ),
        ],
        "modifyInstanceGroupByName" => &[
            (!is_given(&["InstanceGroupName"]), "InstanceGroupName is required"),
            (
                is_given(&["InstanceGroup", "InstanceGroupId"]),
                "InstanceGroup.InstanceGroupId is not allowed: it is found by InstanceGroupName",
            ),
        ],
        "addStep" => &[(!is_given(&["Step"]), "Step is required")],
        "cancelStep" => &[(!is_given(&["StepId"]), "StepId is required")],
        _ => &[],
    };
    match refused.iter().find(|(is_wrong, _)| *is_wrong) {
        Some((_, why)) => Err(format!("elasticmapreduce:{action}: {why}")),
        None if action != "createCluster" && !is_given(&["ClusterId"]) => {
            Err(format!("elasticmapreduce:{action}: ClusterId is required"))
        }
        None => Ok(()),
    }
}

fn refusal(what: &str) -> CallError {
    CallError {
        code: "States.Runtime".into(),
        exception: None,
        message: what.to_owned(),
        status: 0,
        request_id: String::new(),
        extended_request_id: None,
        is_passing: false,
    }
}

/// Gives a member another name and, with it, another form; one that comes to nothing is left out.
fn rename(
    object: &Value,
    (from, to): (&str, &str),
    form: impl FnOnce(Value) -> Option<Value>,
) -> Value {
    let Some(given) = object.get(from).cloned() else { return object.clone() };
    sdk1::without(object, from).with_some(to, form(given))
}

#[cfg(test)]
mod tests {
    use value::value;
    use wire::model;

    use super::*;

    /// Every name in the table is one of the model's.
    #[test]
    fn the_table_says_what_the_model_says() {
        let emr = model::service("emr").unwrap();
        for known in RENAMED {
            let operation = emr.operation(known.operation).unwrap();
            for (_, there, _) in known.arguments {
                assert!(operation.input().unwrap().member(there).is_some(), "{there}");
            }
            if let Some((_, there, _)) = known.answer {
                assert!(operation.output().unwrap().member(there).is_some(), "{there}");
            }
            assert!(API.actions.iter().any(|(action, _)| *action == known.action));
        }
    }

    #[test]
    fn what_step_functions_does_not_take_is_refused() {
        let refused = |action, arguments| check(action, &arguments).unwrap_err();
        let kept = value!({"Instances": {"KeepJobFlowAliveWhenNoSteps": true}, "Steps": []});
        assert!(refused("createCluster", kept).contains("Steps is not allowed"));
        let ends = value!({"Instances": {"KeepJobFlowAliveWhenNoSteps": false}});
        assert!(refused("createCluster", ends).contains("must be true"));
        assert!(refused("terminateCluster", value!({})).contains("ClusterId is required"));
        let by_id = value!({"InstanceGroupName": "g", "InstanceGroup": {"InstanceGroupId": "i"}});
        assert!(refused("modifyInstanceGroupByName", by_id).contains("is not allowed"));
        assert_eq!(check("terminateCluster", &value!({"ClusterId": "j-1"})), Ok(()));
    }
}
