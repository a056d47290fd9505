//! The flags of a hub that is one of several.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::time::time;
use crate::diagnostic::Diagnostic;
use crate::leader::{Candidate, Times};

#[derive(clap::Args)]
pub(super) struct LeaderArgs {
    /// Work only while this hub holds the Lease `argosy` in its namespace: of several hubs one works,
    /// and the others stand by.
    #[arg(long, env = "ARGOSY_LEADER_ELECT")]
    leader_elect: bool,
    /// How long the Lease must have stood still before another hub takes it; whole seconds.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = time)]
    leader_elect_lease_duration: Duration,
    /// How long the hub that leads works on after it could last renew the Lease; less than its
    /// duration.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = time)]
    leader_elect_renew_deadline: Duration,
    /// How often the Lease is renewed, or looked at; less than the deadline.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = time)]
    leader_elect_retry_period: Duration,
    /// Where the other hubs reach this one, to hand webhooks on to it [default: the address it
    /// listens on, unless that is all of them].
    #[arg(long, value_name = "IP", env = "ARGOSY_ADVERTISE_ADDRESS")]
    advertise_address: Option<IpAddr>,
}

impl LeaderArgs {
    /// The hub's part among several, if it is one of several.
    pub(super) fn candidate(&self) -> Result<Option<Candidate>, Diagnostic> {
        let times = Times {
            lease: self.leader_elect_lease_duration,
            renew: self.leader_elect_renew_deadline,
            retry: self.leader_elect_retry_period,
        };
        if !times.are_in_order() {
            let what = "the times of the leader election are not in order";
            return Err(Diagnostic::user("LeaderElectionTimes", what).fix(
                "--leader-elect-retry-period has to be less than --leader-elect-renew-deadline, and \
                 that less than the whole seconds of --leader-elect-lease-duration",
            ));
        }
        let identity = identity();
        Ok(self.leader_elect.then_some(Candidate { identity, times }))
    }

    /// Where other hubs reach one that listens on `listens`.
    pub(super) fn reached_at(&self, listens: SocketAddr) -> Option<SocketAddr> {
        let own = Some(listens.ip()).filter(|ip| !ip.is_unspecified());
        let ip = self.advertise_address.or(own)?;
        Some(SocketAddr::new(ip, listens.port()))
    }
}

/// The name of the pod, and what tells it from an earlier one of the same name.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "hub".to_owned());
    format!("{host}_{:016x}", rand::random::<u64>())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        leader: LeaderArgs,
    }

    fn args(flags: &[&str]) -> LeaderArgs {
        let flags = std::iter::once("hub").chain(flags.iter().copied());
        Command::try_parse_from(flags).unwrap().leader
    }

    #[test]
    fn a_hub_is_one_of_several_only_if_it_is_told_so() {
        assert!(args(&[]).candidate().unwrap().is_none());
        let one = args(&["--leader-elect"]).candidate().unwrap().unwrap();
        let other = args(&["--leader-elect"]).candidate().unwrap().unwrap();
        assert_ne!(one.identity, other.identity);
    }

    #[test]
    fn times_out_of_order_are_refused() {
        for (flag, value) in [
            ("--leader-elect-lease-duration", "10s"),
            ("--leader-elect-renew-deadline", "2s"),
            ("--leader-elect-retry-period", "0s"),
        ] {
            assert!(args(&["--leader-elect", flag, value]).candidate().is_err());
        }
    }

    #[test]
    fn what_listens_everywhere_is_reached_where_it_says() {
        let everywhere = "0.0.0.0:8082".parse().unwrap();
        assert_eq!(args(&[]).reached_at(everywhere), None);
        let said = args(&["--advertise-address", "fd00::1"]).reached_at(everywhere);
        assert_eq!(said.unwrap().to_string(), "[fd00::1]:8082");
        let one = "127.0.0.1:8082".parse().unwrap();
        assert_eq!(args(&[]).reached_at(one), Some(one));
    }
}
