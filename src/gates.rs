//! Asks the gates of projects over HTTP.
//!
//! What a project names may lead anywhere, so that nothing near the hub is reached, redirects are
//! not followed, and no credential is sent. What an answer means is not decided here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argosy_engine::addresses::Addresses;
use argosy_engine::gate::{Answer, Gate};
use http::Response;
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use serde_json::Value;
use tower_service::Service as _;

use crate::http::{Body, Http, Network, Proxy, Reach, Redirects, Terms, Tls};

/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How much of an answer is read.
const READ: usize = 4096;

/// Asks gates.
pub struct Gates {
    network: Network,
    /// Connections to what is allowed now.
    http: Mutex<Option<(Addresses, Http)>>,
}

impl Gates {
    /// Gates on `network`.
    pub fn new(network: Network) -> Self {
        Self {
            network,
            http: Mutex::default(),
        }
    }

    /// Sends a gate its question, and waits no longer than `left` for the answer.
    pub async fn ask(
        &self,
        gate: &Gate,
        question: &Value,
        addresses: &Addresses,
        left: Duration,
    ) -> Answer {
        let asking = self.post(gate, question, addresses);
        match tokio::time::timeout(left.min(LIMIT), asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(why)) => Answer::Nothing { why },
            Err(_) => Answer::Nothing {
                why: "it takes too long".to_owned(),
            },
        }
    }

    async fn post(
        &self,
        gate: &Gate,
        question: &Value,
        addresses: &Addresses,
    ) -> Result<Answer, String> {
        let request = http::Request::post(gate.url.as_str())
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(question.to_string().into())
            .map_err(|error| error.to_string())?;
        let answer = self.http(addresses)?.call(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(Answer::Status {
            code: answer.status().as_u16(),
            retry_after: retry_after(&answer),
            text: beginning(answer.into_body()).await,
        })
    }

    fn http(&self, addresses: &Addresses) -> Result<Http, String> {
        let mut http = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, open)) = http.as_ref().filter(|(of, _)| of == addresses) {
            return Ok(open.clone());
        }
        let open = self.network.open(&Terms {
            tls: Tls::default(),
            // A proxy would resolve the names, and nobody would look at the addresses.
            proxy: Proxy::None,
            redirects: Redirects::Nowhere,
            reach: Reach::Within(addresses.clone()),
            limit: LIMIT,
        })?;
        *http = Some((addresses.clone(), open.clone()));
        Ok(open)
    }
}

fn retry_after(answer: &Response<Body>) -> Option<SignedDuration> {
    let header = answer.headers().get(http::header::RETRY_AFTER)?;
    let seconds: u32 = header.to_str().ok()?.trim().parse().ok()?;
    Some(SignedDuration::from_secs(seconds.into()))
}

async fn beginning(mut body: Body) -> String {
    let mut bytes = Vec::new();
    // A body that breaks off has said enough.
    while let Some(Ok(frame)) = body.frame().await {
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref()));
        if bytes.len() >= READ {
            bytes.truncate(READ);
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use argosy_crds::application::GateStage;
    use serde_json::json;

    use super::*;

    async fn asked(host: &str, permitted: &str) -> String {
        // A second test in the process finds it installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(here) = listener.local_addr().unwrap() else {
            panic!("bound to IPv4")
        };
        drop(listener);
        let gate = Gate {
            name: "here".to_owned(),
            stage: GateStage::Before,
            url: format!("http://{host}:{}", here.port()).parse().unwrap(),
            timeout: SignedDuration::from_secs(60),
        };
        let addresses = Addresses::of_gates(permitted);
        let (gates, question) = (Gates::new(Network::system()), json!({}));
        match gates.ask(&gate, &question, &addresses, LIMIT).await {
            Answer::Nothing { why } => why,
            Answer::Status { code, .. } => panic!("nobody listens, but {code}"),
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_to_this_machine_by_address_or_name() {
        for host in ["127.0.0.1", "0x7f.1", "[::1]", "localhost"] {
            let why = asked(host, "").await;
            assert!(
                why.contains("argosy.gates.allowed-addresses"),
                "{host}: {why}"
            );
        }
        let why = asked("127.0.0.1", "127.0.0.0/8").await;
        assert!(
            why.contains("refused") && !why.contains("argosy.gates"),
            "{why}"
        );
    }
}
