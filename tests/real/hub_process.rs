//! A hub as a process of its own, as users start it.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A hub that is ended with the test.
pub(crate) struct HubProcess(Child);

impl HubProcess {
    /// Starts one in a namespace of the cluster of a kubeconfig, its caches in `data`.
    pub(crate) fn start(kubeconfig: &Path, namespace: &str, data: &Path, flags: &[&str]) -> Self {
        let mut hub = Command::new(env!("CARGO_BIN_EXE_argosy"));
        hub.args(["hub", "--listen", "127.0.0.1:0", "--namespace", namespace])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .arg("--data")
            .arg(data)
            .args(flags)
            .stdout(Stdio::null());
        Self(hub.spawn().unwrap())
    }

    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.0.id());
        let sent = Command::new("sh").arg("-c").arg(kill).status().unwrap();
        assert!(sent.success());
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
