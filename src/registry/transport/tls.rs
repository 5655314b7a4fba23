//! Whom to trust, and how to prove who we are: certificates from the places where Docker looks for them.
//!
//! | where                                              | what                                                |
//! |----------------------------------------------------|-----------------------------------------------------|
//! | the system's store, or `SSL_CERT_FILE`, `SSL_CERT_DIR` | authorities that are trusted for every registry |
//! | `/etc/docker/certs.d/HOST[:PORT]/*.crt`            | further authorities for this registry               |
//! | `…/NAME.cert` and `…/NAME.key`                     | our own certificate, shown to this registry alone   |
//!
//! `~/.config/docker/certs.d` counts too, before the system's.

use std::fs;
use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// No certificate is larger, nor any bundle of a system's authorities.
const LARGEST: u64 = 4 << 20;

/// How to speak TLS with the registry at `host`, which is `HOST` or `HOST:PORT`. `directories` are the `certs.d`.
pub fn settings(host: &str, directories: &[PathBuf], verify: bool) -> Result<TlsConfig> {
    let mut authorities: Vec<Certificate<'static>> = Vec::new();
    let mut own = None;
    // The name may have come from a server, in a redirect: it must not lead to another directory.
    let is_name = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]_".contains(&b)) && !host.starts_with('.');
    for directory in directories.iter().filter(|_| is_name) {
        let found = HostCertificates::read(&directory.join(host))?;
        authorities.extend(found.authorities);
        own = own.or(found.own);
    }
    if verify {
        // What cannot be read of the system's store is missed when a certificate is not trusted, and said then.
        let system = rustls_native_certs::load_native_certs().certs;
        authorities.extend(system.iter().map(|certificate| Certificate::from_der(certificate).to_owned()));
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&authorities))
        .client_cert(own)
        .disable_verification(!verify)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build())
}

/// What a directory of `certs.d` holds.
#[derive(Default)]
struct HostCertificates {
    authorities: Vec<Certificate<'static>>,
    own: Option<ClientCert>,
}

impl HostCertificates {
    fn read(directory: &Path) -> Result<HostCertificates> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            // What is for the daemon's eyes only adds nobody whom we trust.
            Err(error) if matches!(error.kind(), NotFound | NotADirectory | PermissionDenied) => {
                return Ok(HostCertificates::default());
            }
            Err(error) => return Err(error).with_context(|| format!("read {}", directory.display())),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let mut found = HostCertificates::default();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => found.authorities.extend(certificates(&path)?.iter().map(borrowed)),
                Some("cert") => found.own = Some(own_certificate(&path)?),
                _ => {}
            }
        }
        Ok(found)
    }
}

fn borrowed(certificate: &CertificateDer<'static>) -> Certificate<'static> {
    Certificate::from_der(certificate).to_owned()
}

/// The certificate in `NAME.cert` with the key in `NAME.key`, which must belong together.
fn own_certificate(path: &Path) -> Result<ClientCert> {
    let key_path = path.with_extension("key");
    let chain = certificates(path)?;
    let pem = read(&key_path).context("a certificate of one's own needs its key beside it")?;
    let key = PrivateKeyDer::from_pem_slice(&pem).ok();
    let key = key.with_context(|| format!("read {}: no private key in PEM form in it", key_path.display()))?;
    CertifiedKey::from_der(chain.clone(), key, &ring::default_provider())
        .with_context(|| format!("use {} with {}", path.display(), key_path.display()))?;
    let key = PrivateKey::from_pem(&pem).with_context(|| format!("read {}", key_path.display()))?;
    Ok(ClientCert::new_with_certs(&chain.iter().map(borrowed).collect::<Vec<_>>(), key))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = read(path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default();
    if found.is_empty() {
        bail!("read {}: no certificate in PEM form in it", path.display());
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut content = Vec::new();
        fs::File::open(path)?.take(LARGEST).read_to_end(&mut content)?;
        Ok(content)
    };
    read().with_context(|| format!("read {}", path.display()))
}
