//! Which service is called where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wire::client::Client;
use wire::model;

use crate::dispatch;

/// Where calls of a service go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To the services in this process.
    Embedded,
    /// To AWS, in the server's region.
    Aws,
    /// To this address, whichever the region: `http://127.0.0.1:9001`.
    Endpoint(String),
    /// To the files of this directory; S3 only.
    Directory(PathBuf),
}

/// Which service is called where.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    /// Whether services without a destination of their own are called on AWS.
    is_aws: bool,
    /// By botocore's name.
    of: BTreeMap<String, Destination>,
    /// Where the operations of an embedded service are that are not served here.
    unserved: BTreeMap<String, Destination>,
    /// Which commands Lambda functions are, by their names.
    commands: BTreeMap<String, String>,
}

impl Destinations {
    /// Returns destinations with which every service but Step Functions is called on AWS.
    pub fn on_aws() -> Destinations {
        Destinations { is_aws: true, ..Destinations::default() }
    }

    /// Takes `SERVICE=URL`, `SERVICE=aws` or `SERVICE=embedded`; `SERVICE/unserved=URL` or `…=aws`
    /// for what an embedded service does not serve.
    ///
    /// # Errors
    /// Why that says nothing.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let Some((service, destination)) = text.split_once('=') else {
            return Err(format!("`{text}` is not SERVICE=URL"));
        };
        let (service, is_rest) = match service.strip_suffix("/unserved") {
            Some(service) => (service, true),
            None => (service, false),
        };
        let name = match model::service(service) {
            Some(known) => known.name(),
            None => return Err(format!("AWS has no service `{service}`")),
        };
        let is_embedded = crate::SERVICE_NAMES.contains(&name);
        let destination = match destination {
            _ if !is_embedded && (is_rest || destination == "embedded") => {
                return Err(format!("`{service}` is not among the embedded services"));
            }
            "embedded" if is_rest => {
                return Err(format!("what `{service}` does not serve cannot be embedded"));
            }
            "embedded" => Destination::Embedded,
            "aws" => Destination::Aws,
            address => {
                Client::new(address, "", None).map_err(|err| err.to_string())?;
                Destination::Endpoint(address.trim_end_matches('/').to_owned())
            }
        };
        let said = if is_rest { &mut self.unserved } else { &mut self.of };
        said.insert(name.to_owned(), destination);
        Ok(())
    }

    /// Takes the directory that the objects of S3 are in, a folder for each bucket.
    ///
    /// # Errors
    /// When it is none, or S3 is elsewhere already.
    pub fn set_objects(&mut self, directory: &Path) -> Result<(), String> {
        if !directory.is_dir() {
            return Err(format!("`{}` is no directory", directory.display()));
        }
        if self.of.contains_key("s3") {
            return Err("--endpoint says already where s3 is".into());
        }
        self.of.insert("s3".into(), Destination::Directory(directory.to_owned()));
        Ok(())
    }

    /// Takes `NAME=COMMAND`: a Lambda function that is a command of this machine.
    ///
    /// # Errors
    /// Why that says nothing.
    pub fn set_command(&mut self, text: &str) -> Result<(), String> {
        let Some((name, command)) = text.split_once('=') else {
            return Err(format!("`{text}` is not NAME=COMMAND"));
        };
        let in_name = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if name.is_empty() || !name.chars().all(in_name) {
            return Err(format!("`{name}` is no function's name"));
        }
        self.commands.insert(name.to_owned(), command.to_owned());
        Ok(())
    }

    /// Returns the command that a Lambda function is.
    pub fn command(&self, function: &str) -> Option<&str> {
        self.commands.get(function).map(String::as_str)
    }

    /// Returns where calls of a service go; `None` when nobody has said.
    pub fn of(&self, service: &str) -> Option<&Destination> {
        if let Some(said) = self.of.get(service) {
            return Some(said);
        }
        let is_embedded = crate::SERVICE_NAMES.contains(&service);
        // The machines themselves stay here, so nested executions do too.
        match service {
            "stepfunctions" => Some(&Destination::Embedded),
            _ if self.is_aws => Some(&Destination::Aws),
            _ if is_embedded => Some(&Destination::Embedded),
            _ => None,
        }
    }

    /// Returns where an operation is called: what an embedded service does not serve may be
    /// elsewhere.
    pub fn of_operation(&self, service: &str, operation: &str) -> Option<&Destination> {
        match self.of(service) {
            Some(Destination::Embedded)
                if dispatch::operations(service).all(|served| served.name != operation) =>
            {
                self.unserved.get(service).or(Some(&Destination::Embedded))
            }
            said => said,
        }
    }

    /// Returns whether calls can go to AWS itself, which needs credentials.
    pub fn reaches_aws(&self) -> bool {
        let mut said = self.of.values().chain(self.unserved.values());
        self.is_aws || said.any(|destination| *destination == Destination::Aws)
    }
}

#[cfg(test)]
mod tests {
    use super::{Destination, Destinations};

    #[test]
    fn services_have_a_destination_each() {
        let mut destinations = Destinations::default();
        destinations.set("lambda=http://127.0.0.1:9001/").unwrap();
        destinations.set("eventbridge=aws").unwrap();
        let endpoint = Destination::Endpoint("http://127.0.0.1:9001".into());
        assert_eq!(destinations.of("lambda"), Some(&endpoint));
        assert_eq!(destinations.of("events"), Some(&Destination::Aws));
        assert_eq!(destinations.of("iam"), Some(&Destination::Embedded));
        assert_eq!(destinations.of("sqs"), None);
        assert!(destinations.reaches_aws());
    }

    #[test]
    fn on_aws_everything_is_there_but_the_machines() {
        let mut destinations = Destinations::on_aws();
        destinations.set("iam=embedded").unwrap();
        assert_eq!(destinations.of("sqs"), Some(&Destination::Aws));
        assert_eq!(destinations.of("ssm"), Some(&Destination::Aws));
        assert_eq!(destinations.of("iam"), Some(&Destination::Embedded));
        assert_eq!(destinations.of("stepfunctions"), Some(&Destination::Embedded));
    }

    #[test]
    fn what_an_embedded_service_does_not_serve_may_be_elsewhere() {
        let mut destinations = Destinations::default();
        destinations.set("ssm/unserved=http://127.0.0.1:9001").unwrap();
        let endpoint = Destination::Endpoint("http://127.0.0.1:9001".into());
        assert_eq!(destinations.of_operation("ssm", "SendCommand"), Some(&endpoint));
        let here = Some(&Destination::Embedded);
        assert_eq!(destinations.of_operation("ssm", "GetDocument"), here);
        assert_eq!(destinations.of_operation("iam", "NoSuchOperation"), here);
        assert_eq!(destinations.of_operation("sqs", "SendMessage"), None);
        assert!(!destinations.reaches_aws());
        destinations.set("iam/unserved=aws").unwrap();
        assert!(destinations.reaches_aws());
    }

    #[test]
    fn functions_are_commands() {
        let mut destinations = Destinations::default();
        destinations.set_command("f=python3 f.py --mode=x").unwrap();
        assert_eq!(destinations.command("f"), Some("python3 f.py --mode=x"));
        assert_eq!(destinations.command("g"), None);
        let err = destinations.set_command("a:b=true").unwrap_err();
        assert_eq!(err, "`a:b` is no function's name");
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let refused = |text: &str| Destinations::default().set(text).unwrap_err();
        assert_eq!(refused("lambda"), "`lambda` is not SERVICE=URL");
        assert_eq!(refused("lamda=aws"), "AWS has no service `lamda`");
        assert_eq!(refused("sqs=embedded"), "`sqs` is not among the embedded services");
        assert_eq!(refused("sqs/unserved=http://h"), "`sqs` is not among the embedded services");
        assert_eq!(
            refused("ssm/unserved=embedded"),
            "what `ssm` does not serve cannot be embedded"
        );
        assert!(refused("sqs=127.0.0.1").contains("can not be called"), "{}", refused("sqs=x"));
    }
}
