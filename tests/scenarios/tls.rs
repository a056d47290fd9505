//! TLS for servers in tests: authorities of their own, and connections that they vouch for.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Vouches for servers and clients.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, PEM.
pub(crate) struct Certified {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    /// One that nobody trusts yet.
    pub(crate) fn new() -> Self {
        // A second test in the process finds it installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "an authority of tests");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// What to trust.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// The certificate of a server on this machine.
    pub(crate) fn server(&self) -> Certified {
        let names = ["127.0.0.1".to_owned()];
        self.certify(&names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// The certificate of a client.
    pub(crate) fn client(&self) -> Certified {
        self.certify(&[], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn certify(&self, names: &[String], usage: ExtendedKeyUsagePurpose) -> Certified {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Certified {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Accepts connections as a server on this machine; with `clients`, of whom that vouches for.
    pub(crate) fn acceptor(&self, clients: Option<&Self>) -> TlsAcceptor {
        let server = self.server();
        let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).unwrap();
        let certificate =
            rustls::pki_types::CertificateDer::from_pem_slice(server.certificate.as_bytes());
        let config = match clients {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
                ServerConfig::builder().with_client_cert_verifier(verifier.unwrap())
            }
        };
        let config = config.with_single_cert(vec![certificate.unwrap()], key);
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}

/// Serves on this machine, over TLS if there is an acceptor, until the task is aborted.
pub(crate) async fn serve(
    router: Router,
    acceptor: Option<TlsAcceptor>,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        match acceptor {
            Some(acceptor) => axum::serve(Tls { listener, acceptor }, router).await,
            None => axum::serve(listener, router).await,
        }
        .unwrap();
    });
    (address, task)
}

/// Connections over TLS; those that do not come about are nobody's.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
