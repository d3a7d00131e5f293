//! Where calls go that tasks make: the options of `stepwell up` and of whatever else runs machines.

use std::path::PathBuf;

use anyhow::Result;
use services::{Destinations, Outward};

use super::hint;
use crate::credentials;

/// Where calls of services go.
#[derive(clap::Args)]
pub(super) struct Reach {
    /// Where tasks call services: `embedded` knows those served here, `aws` calls all of them on
    /// AWS but Step Functions itself
    #[arg(long, value_enum, default_value = "embedded", env = "STEPWELL_TARGET")]
    pub(super) target: Target,
    /// Call a service there: SERVICE=http://HOST:PORT, SERVICE=aws or SERVICE=embedded;
    /// SERVICE/unserved=… for what an embedded one does not serve
    #[arg(
        long = "endpoint",
        value_name = "SERVICE=URL",
        env = "STEPWELL_ENDPOINTS",
        value_delimiter = ','
    )]
    pub(super) endpoints: Vec<String>,
    /// A Lambda function is this command: it reads the event and prints the answer, both JSON
    #[arg(long = "lambda", value_name = "NAME=COMMAND")]
    pub(super) lambdas: Vec<String>,
    /// The objects of S3 are the files of this directory, with a folder for each bucket
    #[arg(long = "objects", value_name = "DIR", env = "STEPWELL_OBJECTS")]
    pub(super) objects: Option<PathBuf>,
}

/// Where services are that no option speaks of.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Target {
    Embedded,
    Aws,
}

impl Reach {
    /// Returns the way out of a server in this region and partition.
    ///
    /// # Errors
    /// What is wrong with an option, or that nobody can be on AWS.
    pub(super) fn outward(&self, region: &str, partition: &str) -> Result<Outward> {
        let mut destinations = match self.target {
            Target::Embedded => Destinations::default(),
            Target::Aws => Destinations::on_aws(),
        };
        for text in &self.endpoints {
            let set = destinations.set(text).map_err(|what| anyhow::anyhow!("--endpoint: {what}"));
            set.map_err(|err| hint(err, "for example `--endpoint lambda=http://127.0.0.1:9001`"))?;
        }
        for text in &self.lambdas {
            let set = destinations.set_command(text);
            let set = set.map_err(|what| anyhow::anyhow!("--lambda: {what}"));
            set.map_err(|err| hint(err, "for example `--lambda greet='python3 greet.py'`"))?;
        }
        if let Some(directory) = &self.objects {
            let set = destinations.set_objects(directory);
            set.map_err(|what| anyhow::anyhow!("--objects: {what}"))?;
        }
        let found = credentials::find()?;
        if destinations.reaches_aws() && found.is_none() {
            return Err(hint(
                anyhow::anyhow!("services are to be called on AWS, but there are no credentials"),
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile with \
                 keys in ~/.aws/credentials; \
                 `eval \"$(aws configure export-credentials --format env)\"` does so for others",
            ));
        }
        Ok(Outward::new(destinations, region, partition, found))
    }
}
