//! Parameters and their constraints.

use std::collections::BTreeMap;

use stacks::{Change, ParameterInput, ParameterSource, Parameters, Template, named_parameters};
use value::value;

use crate::fake::{change, given, identity};

fn resolve(declaration: &str, inputs: &[ParameterInput]) -> Result<String, String> {
    let text = format!(
        "Parameters: {{P: {declaration}}}\nResources: {{G: {{Type: 'AWS::IAM::Group'}}}}\n"
    );
    let template = Template::parse(&text).unwrap_or_else(|err| panic!("{declaration}: {err}"));
    Change::prepare(template, inputs, None, BTreeMap::new(), &identity())
        .map(|change| change.parameters["P"].value.to_string())
        .map_err(|err| err.to_string())
}

#[test]
fn values_come_from_the_request_or_the_default() {
    let table = [
        ("{Type: String, Default: 役割}", None, r#""役割""#),
        ("{Type: String, Default: a}", Some("b"), r#""b""#),
        ("{Type: Number, Default: 5}", None, r#""5""#),
        ("{Type: CommaDelimitedList}", Some("a, b"), r#"["a","b"]"#),
        ("{Type: List<Number>}", Some("1,2"), r#"["1","2"]"#),
        ("{Type: String, AllowedPattern: '[a-z]+'}", Some("abc"), r#""abc""#),
        ("{Type: String, Default: 012345678901}", None, r#""012345678901""#),
    ];
    for (declaration, value, expected) in table {
        let inputs: Vec<_> = value.map(|value| given("P", value)).into_iter().collect();
        assert_eq!(resolve(declaration, &inputs), Ok(expected.to_owned()), "{declaration}");
    }
}

#[test]
fn constraints_are_refused_in_the_words_of_aws() {
    let table = [
        ("{Type: String}", None, "Parameters: [P] must have values"),
        (
            "{Type: String, AllowedValues: [a, b]}",
            Some("c"),
            "Parameter 'P' must be one of AllowedValues",
        ),
        ("{Type: Number}", Some("x"), "Parameter 'P' must be a number."),
        (
            "{Type: String}",
            Some("a {{resolve:ssm:name}}"),
            "Template error: parameter P should not contain ssm versionless resolver",
        ),
        (
            "{Type: 'AWS::SSM::Parameter::Name'}",
            Some("/a"),
            "Parameter validation failed: parameter value /a for parameter name P does not exist.",
        ),
        (
            "{Type: String, AllowedPattern: '[a-z]+'}",
            Some("abc1"),
            "Parameter 'P' must match pattern [a-z]+",
        ),
        (
            "{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: letters}",
            Some("1"),
            "Parameter 'P' failed to satisfy constraint: letters",
        ),
        (
            "{Type: String, MinLength: 3}",
            Some("ab"),
            "Parameter 'P' must contain at least 3 characters",
        ),
        (
            "{Type: String, MaxLength: '1'}",
            Some("ab"),
            "Parameter 'P' must contain at most 1 characters",
        ),
        (
            "{Type: Number, MinValue: 3}",
            Some("2"),
            "Parameter 'P' must be a number not less than 3",
        ),
        (
            "{Type: Number, MaxValue: 3}",
            Some("4"),
            "Parameter 'P' must be a number not greater than 3",
        ),
    ];
    for (declaration, value, expected) in table {
        let inputs: Vec<_> = value.map(|value| given("P", value)).into_iter().collect();
        assert_eq!(resolve(declaration, &inputs), Err(expected.to_owned()), "{declaration}");
    }
    assert_eq!(
        resolve("{Type: String, Default: a}", &[given("X", "1"), given("Y", "1")]),
        Err("Parameters: [X, Y] do not exist in the template".to_owned())
    );
}

#[test]
fn parameters_that_name_others_need_what_those_hold() {
    let declaration = "{Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}";
    assert_eq!(
        resolve(declaration, &[]),
        Err("Unable to fetch parameters [/a/b] from parameter store for this account.".to_owned())
    );
    let resolved = ParameterInput { resolved: Some("21".into()), ..given("P", "/c") };
    assert_eq!(resolve(declaration, std::slice::from_ref(&resolved)), Ok(r#""21""#.to_owned()));
    let template = Template::parse(&format!(
        "Parameters: {{P: {declaration}, Q: {{Type: String}}}}\n\
         Resources: {{G: {{Type: 'AWS::IAM::Group'}}}}"
    ));
    let template = template.unwrap();
    let named = |input: &[ParameterInput], before: &Parameters| {
        let found = named_parameters(&template, input, before);
        assert!(found.iter().all(|named| named.key == "P"), "{found:?}");
        found.into_iter().map(|named| named.name).collect::<Vec<String>>()
    };
    let before = change(
        &format!("Parameters: {{P: {declaration}}}\nResources: {{G: {{Type: 'AWS::IAM::Group'}}}}"),
        std::slice::from_ref(&resolved),
    );
    assert_eq!(named(&[], &Parameters::new()), ["/a/b"]);
    assert_eq!(named(&[resolved], &Parameters::new()), ["/c"]);
    // The name that is kept is looked up again, and what it held before does not serve.
    let kept = ParameterInput { key: "P".into(), value: ParameterSource::Previous, resolved: None };
    assert_eq!(named(std::slice::from_ref(&kept), &Parameters::new()), [""; 0]);
    assert_eq!(named(std::slice::from_ref(&kept), &before.parameters), ["/c"]);
    let again = given("Q", "q");
    let after = Change::prepare(
        template.clone(),
        &[kept, again],
        Some(&before),
        BTreeMap::new(),
        &identity(),
    );
    assert_eq!(
        after.unwrap_err().to_string(),
        "Unable to fetch parameters [/c] from parameter store for this account."
    );
}

#[test]
fn previous_values_are_taken_from_what_is_deployed() {
    let text = "Parameters: {P: {Type: String}}\nResources: {G: {Type: 'AWS::IAM::Group'}}\n";
    let before = change(text, &[given("P", "old")]);
    let input =
        ParameterInput { key: "P".into(), value: ParameterSource::Previous, resolved: None };
    let template = Template::parse(text).unwrap();
    let after =
        Change::prepare(template, &[input], Some(&before), BTreeMap::new(), &identity()).unwrap();
    assert_eq!(after.parameters["P"].value, value!("old"));
}

#[test]
fn summaries_describe_the_parameters() {
    let template = Template::parse(
        "Parameters: {P: {Type: String, Default: a, Description: d, NoEcho: true}}\n\
         Resources: {G: {Type: 'AWS::IAM::Group'}}\n",
    );
    assert_eq!(
        template.unwrap().parameter_summaries(),
        value!([{"ParameterKey": "P", "DefaultValue": "a", "NoEcho": true, "Description": "d"}])
    );
}

#[test]
fn rules_are_checked_before_anything_is_done() {
    let text = "
Parameters: {Version: {Type: String, Default: '21'}, Names: {Type: CommaDelimitedList, Default: 'a,b'}}
Rules:
  CheckBootstrapVersion:
    Assertions:
      - Assert: {'Fn::Not': [{'Fn::Contains': [['1', '2'], !Ref Version]}]}
        AssertDescription: version 6 is needed
  Names:
    RuleCondition: !Equals [!Ref Version, '21']
    Assertions: [{Assert: {'Fn::EachMemberIn': [!Ref Names, [a, b, c]]}}]
Resources: {G: {Type: 'AWS::IAM::Group'}}
";
    let prepare = |inputs: &[ParameterInput]| {
        let template = Template::parse(text).unwrap();
        Change::prepare(template, inputs, None, BTreeMap::new(), &identity())
            .map(|_| ())
            .map_err(|err| err.to_string())
    };
    assert_eq!(prepare(&[]), Ok(()));
    assert_eq!(prepare(&[given("Version", "2")]), Err("version 6 is needed".to_owned()));
    assert_eq!(prepare(&[given("Names", "a,z")]), Err("Rule Names failed".to_owned()));
    assert_eq!(prepare(&[given("Names", "a,z"), given("Version", "22")]), Ok(()));
}
