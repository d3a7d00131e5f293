//! A change of a stack, checked and ready: template, parameters, conditions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use value::Value;

use crate::dynamic_references::{self, Found};
use crate::intrinsics::{self, Identity, Scope};
use crate::parameters::{self, ParameterInput, Parameters};
use crate::template::references::Conditions;
use crate::template::scalar_text;
use crate::{Error, Output, ResourceRecord, State, Template, graph, rules};

/// What a creation or an update is to bring about; it can only be made by [`Change::prepare`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The template.
    pub template: Template,
    /// The values of its parameters.
    pub parameters: Parameters,
    pub(crate) conditions: Conditions,
    pub(crate) imports: BTreeMap<String, String>,
    /// What Parameter Store holds by the names of dynamic references.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) held: BTreeMap<String, String>,
}

impl Change {
    /// Brings a template, the parameters of a request and the exports of other stacks together.
    ///
    /// `deployed` is what the stack has now: its values serve `UsePreviousValue`.
    ///
    /// ```
    /// use stacks::{Change, Error, Identity, Template};
    ///
    /// let template = Template::parse(r#"{
    ///     "Parameters": {"Name": {"Type": "String"}},
    ///     "Resources": {"Group": {"Type": "AWS::IAM::Group"}}
    /// }"#).unwrap();
    /// let identity = Identity {
    ///     stack_name: "s".into(), stack_id: "arn:…".into(), account: "123456789012".into(),
    ///     region: "us-east-1".into(), partition: "aws".into(),
    /// };
    /// let err = Change::prepare(template, &[], None, Default::default(), &identity).unwrap_err();
    /// assert_eq!(err.to_string(), "Parameters: [Name] must have values");
    /// ```
    pub fn prepare(
        template: Template,
        inputs: &[ParameterInput],
        deployed: Option<&Change>,
        imports: BTreeMap<String, String>,
        identity: &Identity,
    ) -> Result<Change, Error> {
        let none = Parameters::new();
        let previous = deployed.map_or(&none, |change| &change.parameters);
        let parameters = parameters::resolve(&template, inputs, previous)?;
        let (conditions, held) = (Conditions::new(), BTreeMap::new());
        let mut change = Change { template, parameters, conditions, imports, held };
        change.conditions =
            intrinsics::conditions(&change.scope(identity, &[])).map_err(Error::Parameters)?;
        rules::check(&change.scope(identity, &[]))?;
        graph::order(&change.template, &change.conditions)?;
        Ok(change)
    }

    /// Returns the parameters of Parameter Store that resources and outputs refer to, `name` or
    /// `name:version`: what is to be looked up and given to [`Change::with_held`].
    ///
    /// # Errors
    /// When a dynamic reference is wrong, or stands where it must not.
    pub fn dynamic_references(&self, identity: &Identity) -> Result<Vec<String>, Error> {
        let scope = self.scope(identity, &[]);
        let mut found = Found::default();
        for (name, resource) in self.template.section("Resources") {
            let properties = self.template.resource(name).and_then(|it| it.get("Properties"));
            if let (Some(properties), true) =
                (properties, graph::is_active(resource, &self.conditions))
            {
                let kind = resource.get("Type").map(scalar_text).unwrap_or_default();
                found.collect(&scope, properties, &format!("{kind}/Properties"))?;
            }
        }
        for (name, output) in self.template.section("Outputs") {
            if let (Some(value), true) =
                (output.get("Value"), graph::is_active(output, &self.conditions))
            {
                found.collect(&scope, value, &format!("Outputs/{name}/Value"))?;
            }
        }
        Ok(found.names.into_iter().collect())
    }

    /// Returns the change with what Parameter Store holds now by the names that
    /// [`Change::dynamic_references`] returned.
    #[must_use]
    pub fn with_held(self, held: BTreeMap<String, String>) -> Change {
        Change { held, ..self }
    }

    pub(crate) fn scope<'a>(
        &'a self,
        identity: &'a Identity,
        resources: &'a [ResourceRecord],
    ) -> Scope<'a> {
        Scope {
            template: &self.template,
            identity,
            parameters: &self.parameters,
            conditions: &self.conditions,
            imports: &self.imports,
            held: &self.held,
            resources,
        }
    }

    /// Returns the parameters with the values of `NoEcho` ones masked, for what is shown.
    pub(crate) fn masked_parameters(&self) -> Parameters {
        let mut parameters = self.parameters.clone();
        for parameter in parameters.values_mut().filter(|parameter| parameter.no_echo) {
            parameter.value = Value::from("****");
        }
        parameters
    }

    /// Checks that applying this change to `state` would do anything, and that it may.
    pub fn check_update(&self, state: &State) -> Result<(), Error> {
        let mut changed_types = Vec::new();
        let mut changes = false;
        let order = graph::order(&self.template, &self.conditions)?;
        let scope = self.scope(&state.identity, &state.resources);
        for (name, _) in &order {
            let declared = self.template.resource(name);
            let kind = declared.and_then(|resource| resource.get("Type")).map(scalar_text);
            let Some(record) = state.resource(name) else {
                changes = true;
                continue;
            };
            if kind.as_ref() != Some(&record.resource_type) {
                changed_types.push(name.clone());
            }
            changes |= evaluate_properties(&scope, name).as_ref() != Ok(&record.properties);
        }
        if !changed_types.is_empty() {
            return Err(Error::Parameters(format!(
                "Update of resource type is not permitted. The new template modifies resource \
                 type of the following resources: [{}]",
                changed_types.join(", ")
            )));
        }
        changes |= state.resources.iter().any(|record| {
            record.status != crate::Status::DeleteComplete
                && !order.iter().any(|(name, _)| *name == record.logical_id)
        });
        changes |= outputs(&scope).as_ref() != Ok(&state.outputs);
        if changes { Ok(()) } else { Err(Error::NoUpdates) }
    }
}

/// Evaluates the properties of a resource.
pub(crate) fn evaluate_properties(scope: &Scope<'_>, logical_id: &str) -> Result<Value, String> {
    let declared = scope.template.resource(logical_id);
    match declared.and_then(|resource| resource.get("Properties")) {
        None | Some(Value::Null) => Ok(Value::object()),
        Some(properties) => {
            let evaluated = scope.evaluate(properties)?.unwrap_or_else(Value::object);
            dynamic_references::settle(evaluated, scope.held)
        }
    }
}

/// Evaluates the outputs whose conditions hold.
pub(crate) fn outputs(scope: &Scope<'_>) -> Result<Vec<Output>, String> {
    let mut outputs = Vec::new();
    for (key, output) in scope.template.section("Outputs") {
        if !graph::is_active(output, scope.conditions) {
            continue;
        }
        // UNVERIFIED: AWS looks references in outputs up; that the values stand there is believed.
        let value = scope.evaluate(output.get("Value").unwrap_or(&Value::Null))?;
        let value = value.map(|value| dynamic_references::settle(value, scope.held)).transpose()?;
        let value = match value {
            Some(Value::Array(_) | Value::Object(_) | Value::Null) | None => {
                return Err(format!(
                    "Template format error: Output {key} is malformed. The Value field of every \
                     Outputs member must evaluate to a String."
                ));
            }
            Some(scalar) => scalar_text(&scalar),
        };
        let export = output.path(&["Export", "Name"]);
        let export = export.map(|name| scope.evaluate(name)).transpose()?.flatten();
        outputs.push(Output {
            key: key.to_string(),
            value,
            description: output.get("Description").map(scalar_text),
            export_name: export.as_ref().map(scalar_text),
        });
    }
    Ok(outputs)
}
