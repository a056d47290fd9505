//! Durations of flags.

use std::time::Duration;

use argosy_engine::duration;

/// Reads a duration as Go writes it.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let parsed = duration::parse(text).map_err(|error| error.to_string())?;
    Duration::try_from(parsed).map_err(|_| "a time cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_go_writes_durations() {
        assert_eq!(time("1m30s"), Ok(Duration::from_secs(90)));
        assert!(time("-1s").is_err());
        assert!(time("60").is_err());
    }
}
