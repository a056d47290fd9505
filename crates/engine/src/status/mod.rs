//! The status of an Application: what is put into it, and whether writing it would tell anything.
//!
//! A status that differs in nothing that anyone sees must not be written.

mod agreement;
mod conditions;
mod fit;
mod pace;
mod resources;
mod significance;
mod visible;

pub use agreement::{Disagreement, disagreements};
pub use conditions::merge_conditions;
pub use fit::{fit, size_of};
pub use pace::Pace;
pub use resources::{external_urls, images, sort_resources, summary};
pub use significance::significance;
pub use visible::{operation_differs, status_differs};

use argosy_crds::application::AppHealthStatus;
use argosy_crds::codes::HealthStatusCode;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The health of an application; the time of transition moves only when the status does.
pub fn health(
    previous: &AppHealthStatus,
    status: HealthStatusCode,
    message: &str,
    now: Timestamp,
) -> AppHealthStatus {
    let same = previous.status == Some(status) && previous.last_transition_time.is_some();
    AppHealthStatus {
        status: Some(status),
        message: message.to_owned(),
        last_transition_time: if same {
            previous.last_transition_time.clone()
        } else {
            Some(Time(now))
        },
    }
}
