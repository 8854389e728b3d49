//! Machines behind a raw TCP socket: Wi-Fi bridges, FluidNC's telnet port, a simulator on another computer.
//!
//! Bytes go through unchanged; telnet options are neither offered nor answered, and no firmware known to us needs them. Nagle's
//! algorithm is off, since a realtime command must not wait for company.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::{Connect, ConnectError, Link, Stream, TcpAddress};

/// How long an attempt lasts by default, name lookup included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens TCP links to one host and port.
#[derive(Clone, Debug)]
pub struct Tcp {
    address: TcpAddress,
    timeout: Duration,
}

impl Tcp {
    /// Will connect to `address` within [`CONNECT_TIMEOUT`].
    #[must_use]
    pub fn new(address: TcpAddress) -> Self {
        Self {
            address,
            timeout: CONNECT_TIMEOUT,
        }
    }

    /// Gives up after `timeout` instead.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    async fn in_time<T>(
        &self,
        attempt: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let expired = |_| ConnectError::Timeout {
            address: self.address(),
            after: self.timeout,
        };
        timeout(self.timeout, attempt).await.map_err(expired)?
    }

    async fn open(&self) -> Result<TcpStream, ConnectError> {
        let candidates = lookup_host((self.address.host(), self.address.port()))
            .await
            .map_err(|source| ConnectError::HostNotFound {
                address: self.address(),
                host: self.address.host().to_owned(),
                source,
            })?;
        let mut last = None;
        for candidate in candidates {
            match TcpStream::connect(candidate).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(self.explain(last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())))
    }

    fn explain(&self, source: io::Error) -> ConnectError {
        use io::ErrorKind as Kind;
        let address = self.address();
        match source.kind() {
            Kind::ConnectionRefused => ConnectError::Refused { address },
            Kind::TimedOut => ConnectError::Timeout {
                address,
                after: self.timeout,
            },
            Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::AddrNotAvailable => ConnectError::Unreachable { address, source },
            _ => ConnectError::Failed { address, source },
        }
    }
}

#[async_trait]
impl Connect for Tcp {
    async fn connect(&mut self) -> Result<Box<dyn Link>, ConnectError> {
        let stream = self.in_time(self.open()).await?;
        stream
            .set_nodelay(true)
            .map_err(|source| self.explain(source))?;
        Ok(Box::new(Stream::new(stream, self.address())))
    }

    fn address(&self) -> String {
        self.address.to_string()
    }
}

#[cfg(test)]
mod tests;
