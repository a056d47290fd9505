//! Who the hub is at AWS, by the environment that AWS' own tools read.
//!
//! Of their ways the instance metadata service is left out: a generator's author must not be able
//! to make the hub act as the node that it runs on.

use std::path::Path;

use argosy_facts::Secret;
use argosy_scm::{AwsCredentials, AwsIdentity, AwsKeys};

use crate::surroundings::Surroundings;

/// Reads the environment in the order of AWS' tools: a key, a service account's role, an agent.
pub(super) fn credentials(surroundings: &Surroundings) -> Result<AwsCredentials, String> {
    let variable = |name: &str| surroundings.variable(name);
    let token = |file: &str| {
        let text = surroundings.file(Path::new(file))?;
        Ok::<_, String>(Secret::new(text.trim()))
    };
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let identity = if let (Some(id), Some(secret)) = (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    ) {
        AwsIdentity::Keys(AwsKeys {
            id,
            secret: Secret::new(secret),
            session: variable("AWS_SESSION_TOKEN").map(Secret::new),
        })
    } else if let (Some(file), Some(role)) = (
        variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
        variable("AWS_ROLE_ARN"),
    ) {
        let token = token(&file)?;
        AwsIdentity::WebIdentity { role, token }
    } else if let Some(uri) = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        let file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        let token = match file {
            Some(file) => Some(token(&file)?),
            None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Secret::new),
        };
        AwsIdentity::Container { uri, token }
    } else {
        return Err(
            "the hub has no identity at AWS: give its service account a role, or set \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                .to_owned(),
        );
    };
    Ok(AwsCredentials { identity, region })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_wins_over_a_role() {
        let environment = [
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"),
        ];
        let read = |known: &[(&'static str, &'static str)]| {
            let known = known.to_vec();
            credentials(&Surroundings::from_fns(
                move |name| {
                    let found = known.iter().find(|(key, _)| *key == name);
                    found.map(|(_, value)| (*value).to_owned())
                },
                |_| Err(std::io::ErrorKind::NotFound.into()),
            ))
        };
        let found = read(&environment).unwrap();
        assert!(matches!(found.identity, AwsIdentity::Keys(keys) if keys.id == "AKID"));
        assert_eq!(found.region.as_deref(), Some("eu-central-1"));
        assert!(
            read(&environment[2..])
                .unwrap_err()
                .contains("service account")
        );
    }
}
