//! Tasks of state machines that take several calls, one after the other: `bedrock:invokeModel` with
//! its bytes in S3, and what EMR finds by a name.
//!
//! Each call is made, asked for and noted like any other of the machine's role. After a crash the
//! last that had begun decides: one that may not be made twice fails the task as being in doubt.

use std::sync::Arc;

use runtime::{AwsEndpoint as _, Call as Asked, CallError};
use value::{Value, value};

use crate::endpoint::Endpoint;
use crate::{Error, Input as _, Services, outward};

/// How many pages of fleets or groups are read; each has some dozens.
const PAGES_MAX: usize = 100;

/// How EMR has what is found by its name.
struct Named {
    /// The argument that has the name.
    name: &'static str,
    /// The argument that has the changes.
    changes: &'static str,
    /// Which member of the changes is the id.
    id: &'static str,
    /// What lists them, and the member of its answer that does.
    list: (&'static str, &'static str),
    /// What changes one.
    modify: &'static str,
}

const FLEET: Named = Named {
    name: "InstanceFleetName",
    changes: "InstanceFleet",
    id: "InstanceFleetId",
    list: ("ListInstanceFleets", "InstanceFleets"),
    modify: "ModifyInstanceFleet",
};
const GROUP: Named = Named {
    name: "InstanceGroupName",
    changes: "InstanceGroup",
    id: "InstanceGroupId",
    list: ("ListInstanceGroups", "InstanceGroups"),
    modify: "ModifyInstanceGroups",
};

impl Services {
    /// Makes the calls of a task.
    ///
    /// # Errors
    /// What the call says that failed.
    pub(crate) async fn call_several(
        self: &Arc<Services>,
        asked: Asked,
    ) -> Result<Value, CallError> {
        match &*asked.operation {
            "InvokeModel" => self.invoke_model(&asked).await,
            "ModifyInstanceFleetByName" => self.modify_named(&asked, &FLEET).await,
            "ModifyInstanceGroupByName" => self.modify_named(&asked, &GROUP).await,
            other => {
                let err =
                    Error::new("NotImplemented", format!("no task makes the calls `{other}`"));
                Err(outward::passing(&err))
            }
        }
    }

    /// Makes one of the calls.
    async fn one(
        self: &Arc<Services>,
        asked: &Asked,
        (service, operation): (&str, &str),
        input: Value,
    ) -> Result<Value, CallError> {
        let call = Asked {
            effect_id: asked.effect_id.as_ref().map(|id| format!("{id}/{operation}")),
            tells_http: asked.tells_http && service == "emr" && operation.starts_with("Modify"),
            service: service.to_owned(),
            operation: operation.to_owned(),
            input,
            ..asked.clone()
        };
        Endpoint::new(self.clone()).call(call).await
    }

    /// Reads what a model is asked from S3, asks it, writes what it says to S3: each if so wanted.
    async fn invoke_model(self: &Arc<Services>, asked: &Asked) -> Result<Value, CallError> {
        let text = |member: &str| asked.input.get(member).and_then(Value::as_str);
        let from = text("Input").map(object).transpose()?;
        let to = text("Output").map(object).transpose()?;
        let mut request = asked.input.get("Request").cloned().unwrap_or_default();
        if let Some(from) = from {
            let found = self.one(asked, ("s3", "GetObject"), from).await;
            let found = found.map_err(|err| of_s3(&err))?;
            request.set("body", found.get("Body").cloned().unwrap_or_default());
            if request.get("contentType").is_none() {
                let kind = found.maybe_text("ContentType").unwrap_or("application/json");
                request.set("contentType", kind);
            }
        }
        let mut said = self.one(asked, ("bedrock-runtime", "InvokeModel"), request).await?;
        if let Some(to) = to {
            let put = to.with("Body", said.get("body").cloned().unwrap_or_default());
            let written = self.one(asked, ("s3", "PutObject"), put).await;
            written.map_err(|err| of_s3(&err))?;
            said.set("body", text("Output").unwrap_or_default());
        }
        Ok(said)
    }

    /// Changes a fleet or a group that is known by its name.
    async fn modify_named(
        self: &Arc<Services>,
        asked: &Asked,
        named: &Named,
    ) -> Result<Value, CallError> {
        let cluster = asked.input.get("ClusterId").cloned().unwrap_or_default();
        let id = self.id_of(asked, named, &cluster).await?;
        let changes = asked.input.get(named.changes).cloned().unwrap_or_else(Value::object);
        let changes = changes.with(named.id, id);
        let input = value!({ "ClusterId": (cluster) });
        let input = match named.modify {
            "ModifyInstanceGroups" => input.with("InstanceGroups", Value::from(vec![changes])),
            _ => input.with(named.changes, changes),
        };
        self.one(asked, ("emr", named.modify), input).await
    }

    async fn id_of(
        self: &Arc<Services>,
        asked: &Asked,
        named: &Named,
        cluster: &Value,
    ) -> Result<Value, CallError> {
        let wanted = asked.input.get(named.name).and_then(Value::as_str).unwrap_or_default();
        let mut input = value!({ "ClusterId": (cluster.clone()) });
        for _ in 0..PAGES_MAX {
            let page = self.one(asked, ("emr", named.list.0), input.clone()).await?;
            let all = page.get(named.list.1).and_then(Value::as_array).unwrap_or_default();
            let mut all = all.iter();
            if let Some(found) = all.find(|one| one.maybe_text("Name") == Some(wanted)) {
                return Ok(found.get("Id").cloned().unwrap_or_default());
            }
            match page.maybe_text("Marker") {
                Some(marker) if !marker.is_empty() => drop(input.set("Marker", marker)),
                Some(_) | None => break,
            }
        }
        // UNVERIFIED: the error and its words.
        let cluster = cluster.as_str().unwrap_or_default();
        let text = format!("{} '{wanted}' was not found in the cluster {cluster}", named.name);
        Err(outward::passing(&Error::new("InvalidRequestException", text)))
    }
}

/// Returns the object that an URI names: `s3://bucket/key`.
fn object(uri: &str) -> Result<Value, CallError> {
    let found = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    match found {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok(value!({ "Bucket": bucket, "Key": key }))
        }
        _ => {
            let text = format!("bedrock:invokeModel: `{uri}` is not s3://BUCKET/KEY");
            Err(outward::passing(&Error::new("States.Runtime", text)))
        }
    }
}

/// Returns an error of S3 as it reads among those of Bedrock.
// UNVERIFIED: the name, and that the cause tells of S3.
fn of_s3(err: &CallError) -> CallError {
    let CallError { message, status, request_id, .. } = err;
    if *status == 0 {
        return err.clone();
    }
    let name = match &err.exception {
        Some(exception) if exception.ends_with("Exception") => exception.clone(),
        Some(exception) => format!("{exception}Exception"),
        None => "S3Exception".into(),
    };
    let text = format!(
        "{message} (Service: S3, Status Code: {status}, Request ID: {request_id}) \
         (SDK Attempt Count: 1)"
    );
    CallError { is_passing: err.is_passing, ..outward::passing(&Error::new(name, text)) }
}
