//! Each provider with its documented answers: what is made of them, and what is never made of
//! anything else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod azure_devops;
mod bitbucket;
mod code_commit;
mod fake;
mod gitea;
mod github;
mod gitlab;
mod plugin;
mod world;
