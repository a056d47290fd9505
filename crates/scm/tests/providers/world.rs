//! A provider with what it holds, a generator that asks for it, and what every provider owes.

use std::sync::Arc;

use argosy_facts::Secret;
use argosy_scm::{Credentials, Error, Memory, Problem, Session, pull_requests, repositories};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::fake::{Fake, Fault, Seen};

/// A provider and a generator.
pub(crate) struct World {
    pub(crate) provider: Fake,
    pub(crate) generator: Value,
    pub(crate) credentials: Credentials,
    /// Whether the generator asks for repositories and not for pull requests.
    pub(crate) is_scm: bool,
}

/// What remembers between two questions, and the time.
pub(crate) fn session() -> Session {
    Session {
        memory: Arc::new(Memory::default()),
        now: Timestamp::from_second(1_800_000_000).unwrap(),
    }
}

pub(crate) fn token() -> Credentials {
    Credentials::Token(Secret::new("s3cr3t"))
}

impl World {
    pub(crate) fn scm(provider: Fake, generator: Value) -> Self {
        Self {
            provider,
            generator,
            credentials: token(),
            is_scm: true,
        }
    }

    pub(crate) fn pulls(provider: Fake, generator: Value) -> Self {
        Self {
            is_scm: false,
            ..Self::scm(provider, generator)
        }
    }

    pub(crate) fn with(self, credentials: Credentials) -> Self {
        Self {
            credentials,
            ..self
        }
    }

    /// The answer, a line for each branch or pull request.
    pub(crate) async fn ask(&self, session: &Session) -> Result<Vec<String>, Error> {
        let service = self.provider.clone();
        if self.is_scm {
            let generator = serde_json::from_value(self.generator.clone()).unwrap();
            let found = repositories(service, &generator, &self.credentials, session).await?;
            let line = |one: &argosy_generators::Repository| {
                let paths: Vec<_> = one.paths.iter().filter(|(_, is)| **is).collect();
                format!(
                    "{}/{} {:?} {} {}@{} [{}] {}",
                    one.organization,
                    one.repository,
                    one.repository_id,
                    one.url,
                    one.branch,
                    one.sha,
                    one.labels.join(","),
                    paths.len()
                )
            };
            return Ok(found.iter().map(line).collect());
        }
        let generator = serde_json::from_value(self.generator.clone()).unwrap();
        let found = pull_requests(service, &generator, &self.credentials, session).await?;
        let line = |one: &argosy_generators::PullRequest| {
            format!(
                "{} {:?} {}->{} {} [{}] {}",
                one.number,
                one.title,
                one.branch,
                one.target_branch,
                one.head_sha,
                one.labels.join(","),
                one.author
            )
        };
        Ok(found.iter().map(line).collect())
    }

    /// Checks the answer, and all that every provider owes.
    #[track_caller]
    pub(crate) fn check(&self, expected: &[&str]) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let session = session();
            assert_eq!(self.ask(&session).await.unwrap(), expected);
            self.carries_its_credentials();
            let first = self.provider.seen();
            self.asks_again_for_nothing(&session, expected).await;
            self.fails_as_a_whole(&first).await;
            self.waits_as_it_is_told(expected).await;
        });
    }

    #[track_caller]
    fn carries_its_credentials(&self) {
        let is_anonymous = matches!(self.credentials, Credentials::None);
        for seen in self.provider.seen() {
            let has = ["authorization", "private-token"]
                .iter()
                .any(|name| seen.headers.contains_key(*name));
            assert!(has || is_anonymous, "{}", seen.target);
        }
    }

    /// What did not change is confirmed and not transferred again.
    async fn asks_again_for_nothing(&self, session: &Session, expected: &[&str]) {
        let before = self.provider.seen().len();
        assert_eq!(self.ask(session).await.unwrap(), expected);
        for seen in &self.provider.seen()[before..] {
            let is_get = seen.method == Method::GET;
            assert!(
                !is_get || matches!(seen.status, 204 | 304 | 404),
                "{seen:?}"
            );
        }
    }

    /// Whichever request goes wrong in whichever way, there is no answer instead of a shorter one.
    async fn fails_as_a_whole(&self, asked: &[Seen]) {
        let faults = [
            Fault::Status(401),
            Fault::Status(403),
            Fault::Status(500),
            Fault::Status(502),
            Fault::Html,
            Fault::Html203,
            Fault::Cut,
            Fault::Lost,
        ];
        for (number, seen) in asked.iter().enumerate() {
            let has_body = seen.method != Method::HEAD && seen.status == 200;
            for fault in faults {
                if !has_body && matches!(fault, Fault::Cut) {
                    continue;
                }
                self.provider.fail(number, fault);
                let answer = self.ask(&session()).await;
                let error = answer.expect_err(&format!("{fault:?} at request {number}"));
                let text = error.to_string();
                assert!(!text.contains("s3cr3t") && !text.contains('<'), "{text}");
            }
        }
    }

    /// A provider that wants no requests is left alone until it takes them again.
    async fn waits_as_it_is_told(&self, expected: &[&str]) {
        let mut session = session();
        let until = session.now + SignedDuration::from_secs(30);
        self.provider.limit(true);
        let error = self.ask(&session).await.unwrap_err();
        assert_eq!(error.problem, Problem::RateLimited { until });
        self.provider.limit(false);
        let before = self.provider.seen().len();
        let again = self.ask(&session).await.unwrap_err();
        assert_eq!(again, error, "the text is the same while it lasts");
        assert_eq!(self.provider.seen().len(), before, "nothing is asked");
        session.now = until + SignedDuration::from_secs(1);
        assert_eq!(self.ask(&session).await.unwrap(), expected);
    }
}
