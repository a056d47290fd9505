//! CronJobs: judged by their last finished run, once there has been one.

use super::Health;
use super::typed::{Error, Typed};

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    if object.object("spec")?.flag("suspend")? {
        return Ok(Health::healthy("CronJob is Suspended"));
    }
    let status = object.object("status")?;
    if !status.is_set() {
        return Ok(Health::progressing("Waiting for CronJob"));
    }
    let (scheduled, succeeded) = (
        status.text("lastScheduleTime")?,
        status.text("lastSuccessfulTime")?,
    );
    let active = !status.list("active")?.is_empty();
    Ok(if scheduled.is_empty() {
        Health::healthy("CronJob has not been scheduled yet")
    } else if succeeded.is_empty() && !active {
        Health::healthy("The CronJob never completed successfully. It may not be healthy")
    } else if active {
        Health::healthy("The job is running")
    } else if succeeded < scheduled {
        // Both are RFC 3339 in UTC, so text order is time order.
        Health::degraded("CronJob has not completed its last execution successfully")
    } else {
        Health::healthy("CronJob has completed its last execution successfully")
    })
}
