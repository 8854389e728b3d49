//! Byte links to machines.
//!
//! A machine is a stream of bytes each way that can vanish at any moment. This crate says that once, as the object-safe trait
//! [`Link`], and offers it over a [`serial`] port, a [`tcp`] socket, a [`memory`] cable and a [`mock`] script. [`Connect`] opens
//! a link and opens it again after it was lost; [`Address`] is the one form in which users name a machine.
//!
//! Nothing here knows a protocol: no lines, no acknowledgements, no retries. A link has exactly one operation,
//! [`Link::exchange`], which moves bytes both ways until something has happened. That shape is what lets one task own a machine:
//! there is no reader half and no writer half to keep in step, and dropping the future loses nothing.
//!
//! ```
//! use bytes::BytesMut;
//! use feedhold_transport::{Link, memory};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut link, mut machine) = memory::duplex(64);
//!
//! let sent = link.exchange(b"$I\n", &mut BytesMut::new()).await?;
//! assert_eq!(sent.written, 3);
//! let mut command = [0; 3];
//! machine.read_exact(&mut command).await?;
//! machine.write_all(b"ok\r\n").await?;
//!
//! let mut inbox = BytesMut::new();
//! link.exchange(b"", &mut inbox).await?;
//! assert_eq!(&inbox[..], b"ok\r\n");
//! # Ok(())
//! # }
//! ```

mod address;
mod connect;
mod link;
pub mod memory;
pub mod mock;
mod ports;
#[cfg(unix)]
pub mod pty;
pub mod serial;
mod stream;
pub mod tcp;
mod traced;

pub use address::{
    Address, AddressError, DEFAULT_BAUD, Dtr, SerialAddress, SimAddress, TcpAddress,
};
pub use connect::{Connect, ConnectError, Sequence};
pub use link::{Exchanged, Link, LinkError};
pub use ports::{PortInfo, PortKind, UsbPort, ports};
pub use stream::{READ_LIMIT, Stream};
pub use traced::{Traced, WIRE};

/// Keeps the README's example compiling.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
