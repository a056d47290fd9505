//! The way in over the network: HTTPS on a local address with a certificate made at the start, and
//! a bearer token. It adds nothing to what the service answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use argosy_facts::Secret;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::cluster::SimCluster;

/// How soon what failed at the network is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// How a cluster is served.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The administrator's bearer token. Tokens of service accounts are accepted besides it.
    pub token: Secret,
}

/// Why a cluster cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("cannot listen on {addr}; choose another port, or 0 for any")]
    Listen {
        /// The wanted address.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make the server's certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificate was not usable for TLS.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
}

/// Serves clusters over HTTPS.
pub struct SimServer;

/// A cluster being served. Dropping it ends the serving.
pub struct RunningServer {
    /// Where it listens; the port is the real one where 0 was asked for.
    pub addr: SocketAddr,
    /// The authority that signed the server's certificate, in PEM.
    pub ca_pem: String,
    cluster: SimCluster,
    token: Secret,
    stop: watch::Sender<bool>,
}

impl RunningServer {
    /// `https://` and the address.
    pub fn url(&self) -> String {
        format!("https://{}", self.addr)
    }

    /// The administrator's kubeconfig. It contains the token.
    pub fn kubeconfig(&self) -> String {
        self.cluster
            .kubeconfig(&self.url(), &self.ca_pem, self.token.expose())
    }

    /// Stops listening and breaks the open connections.
    pub fn shutdown(&self) {
        self.stop.send_replace(true);
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl SimServer {
    /// Listens on `addr` (a local one: the certificate names only 127.0.0.1, ::1 and localhost)
    /// and serves `cluster` until the answer is dropped.
    pub async fn serve(
        cluster: SimCluster,
        addr: SocketAddr,
        options: ServeOptions,
    ) -> Result<RunningServer, ServeError> {
        let listen = |source| ServeError::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let (ca_pem, tls) = certificate(cluster.name())?;
        let (stop, stopped) = watch::channel(false);
        let token = options.token.clone();
        tokio::spawn(accept(
            listener,
            TlsAcceptor::from(tls),
            cluster.clone(),
            options,
            stopped,
        ));
        Ok(RunningServer {
            addr,
            ca_pem,
            cluster,
            token,
            stop,
        })
    }
}

fn certificate(name: &str) -> Result<(String, Arc<rustls::ServerConfig>), ServeError> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    ca.distinguished_name
        .push(DnType::CommonName, format!("{name} ca"));
    let ca_certificate = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);

    let key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1", "::1", "kubernetes.default.svc"];
    let mut leaf = CertificateParams::new(names.map(str::to_owned))?;
    leaf.distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    leaf.use_authority_key_identifier_extension = true;
    let certificate = leaf.signed_by(&key, &issuer)?;

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((ca_certificate.pem(), Arc::new(config)))
}

async fn accept(
    mut listener: TcpListener,
    tls: TlsAcceptor,
    cluster: SimCluster,
    options: ServeOptions,
    stopped: watch::Receiver<bool>,
) {
    let mut ended = stopped.clone();
    let mut fault = cluster.faults().stopped();
    loop {
        tokio::select! {
            biased;
            () = raised(&mut ended) => return,
            () = raised(&mut fault) => {
                let Ok(addr) = listener.local_addr() else { return };
                // A machine that is gone has no port: who connects is refused, not reset.
                drop(listener);
                tokio::select! {
                    biased;
                    () = raised(&mut ended) => return,
                    again = listen_again(addr, &mut fault) => listener = again,
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection =
                        connection(stream, tls.clone(), cluster.clone(), options.clone());
                    tokio::spawn(until_stopped(connection, cluster.clone(), stopped.clone()));
                }
                Err(error) => {
                    tracing::debug!(cluster.name = cluster.name(), %error, "cannot accept a connection");
                    tokio::time::sleep(RETRY).await;
                }
            },
        }
    }
}

/// Listens on `addr` once the cluster is started again, and once nobody else uses the port.
async fn listen_again(addr: SocketAddr, fault: &mut watch::Receiver<bool>) -> TcpListener {
    let _ = fault.wait_for(|stopped| !*stopped).await;
    loop {
        match TcpListener::bind(addr).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// Waits until the flag is up, or nobody can raise it any more.
async fn raised(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|up| *up).await;
}

async fn until_stopped(
    connection: impl Future<Output = ()>,
    cluster: SimCluster,
    mut stopped: watch::Receiver<bool>,
) {
    let mut fault = cluster.faults().stopped();
    tokio::select! {
        biased;
        () = raised(&mut stopped) => {}
        () = raised(&mut fault) => {}
        () = connection => {}
    }
}

async fn connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    cluster: SimCluster,
    options: ServeOptions,
) {
    let _ = stream.set_nodelay(true);
    let name = cluster.name().to_owned();
    let stream = match tls.accept(stream).await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(cluster.name = name, %error, "TLS handshake failed");
            return;
        }
    };
    let service = TowerToHyperService::new(cluster.service().with_token(options.token));
    let builder = auto::Builder::new(TokioExecutor::new());
    let io = TokioIo::new(stream);
    if let Err(error) = builder.serve_connection_with_upgrades(io, service).await {
        tracing::debug!(cluster.name = name, error, "connection ended");
    }
}
