//! A serial device made of software: what a simulator serves and any sender can open.
//!
//! [`Pty`] is the machine's side, an async byte stream. Its [`path`](Pty::path) is the device that a program opens as its serial
//! port, this crate's [`serial`](crate::serial) link among them.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A tty hands over at most this much at once, so asking for more only clears memory for nothing.
const READ_AT_ONCE: usize = 4096;

/// The machine's side of a pty.
///
/// Clients may come and go: the far side is kept open here as well, so a client that closes is not an end of file but silence.
/// What is written while no client is there waits in the kernel (a few KiB) and then makes writing wait.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<OwnedFd>,
    far_side: OwnedFd,
    path: PathBuf,
    symlink: Option<Symlink>,
}

impl Pty {
    /// Opens a new pty in raw mode: no echo, no translation of any byte.
    ///
    /// # Errors
    ///
    /// [`PtyError::Open`] when the system has no pty left or forbids them.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled, as all of tokio's sockets do.
    pub fn open() -> Result<Self, PtyError> {
        let (master, far_side, path) = open_pair().map_err(PtyError::Open)?;
        let master = registered(master).map_err(PtyError::Open)?;
        Ok(Self {
            master,
            far_side,
            path,
            symlink: None,
        })
    }

    /// Also gives the device a lasting name, which is removed again on drop.
    ///
    /// A link left behind at `name` by an earlier pty is replaced; anything else there is left alone.
    ///
    /// # Errors
    ///
    /// [`PtyError::Symlink`] when something else is in the way or the folder cannot be written.
    pub fn with_symlink(mut self, name: impl Into<PathBuf>) -> Result<Self, PtyError> {
        let name = name.into();
        let made = Symlink::make(&name, &self.path);
        self.symlink = Some(made.map_err(|source| PtyError::Symlink { name, source })?);
        Ok(self)
    }

    /// The device that clients open, such as `/dev/pts/3`, or its lasting name where one was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.symlink
            .as_ref()
            .map_or(&self.path, |symlink| &symlink.name)
    }

    /// Lets the next client in.
    ///
    /// A serial program claims its port with a flag that lives as long as anybody holds the device open, and the far side is
    /// held open here: a client that was killed would lock out its successor for good. So the claim is lifted whenever bytes
    /// come in; programs that lock the file instead, as ours do too, still keep each other out.
    fn lift_claim(&self) {
        if let Err(error) = ioctl_tiocnxcl(&self.far_side) {
            tracing::debug!(%error, "the exclusive claim on a pty could not be lifted");
        }
    }
}

impl AsyncRead for Pty {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.master.poll_read_ready(cx))?;
            let wanted = buf.remaining().min(READ_AT_ONCE);
            let space = buf.initialize_unfilled_to(wanted);
            if let Ok(read) = guard.try_io(|master| Ok(rustix::io::read(master, space)?)) {
                buf.advance(read?);
                self.lift_claim();
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Pty {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.master.poll_write_ready(cx))?;
            if let Ok(written) = guard.try_io(|master| Ok(rustix::io::write(master, bytes)?)) {
                return Poll::Ready(written);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Why there is no pty.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PtyError {
    /// The system gave none.
    #[error(
        "could not open a pty ({0}); check that /dev/ptmx and /dev/pts exist and are not exhausted"
    )]
    Open(#[source] io::Error),
    /// The lasting name could not be made.
    #[error("could not name the pty {name} ({source}); choose another name or remove what is there", name = name.display())]
    Symlink {
        /// The name that was asked for.
        name: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A symbolic link that lives as long as this value.
#[derive(Debug)]
struct Symlink {
    name: PathBuf,
    target: PathBuf,
}

impl Symlink {
    fn make(name: &Path, target: &Path) -> io::Result<Self> {
        if fs::read_link(name).is_ok_and(|old| old.parent() == target.parent()) {
            fs::remove_file(name)?;
        }
        std::os::unix::fs::symlink(target, name)?;
        Ok(Self {
            name: name.to_owned(),
            target: target.to_owned(),
        })
    }
}

impl Drop for Symlink {
    fn drop(&mut self) {
        // Somebody else's link by now is none of our business, and a failure to clean up helps nobody.
        if fs::read_link(&self.name).is_ok_and(|target| target == self.target) {
            let _ = fs::remove_file(&self.name);
        }
    }
}

fn open_pair() -> io::Result<(OwnedFd, OwnedFd, PathBuf)> {
    let master = openpt(master_flags())?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = PathBuf::from(std::ffi::OsString::from_vec(
        ptsname(&master, Vec::new())?.into_bytes(),
    ));
    let far_side = rustix::fs::open(
        &path,
        OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    make_raw(far_side.as_fd())?;
    rustix::io::ioctl_fionbio(&master, true)?;
    Ok((master, far_side, path))
}

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd"
))]
fn master_flags() -> OpenptFlags {
    OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd"
)))]
fn master_flags() -> OpenptFlags {
    OpenptFlags::RDWR | OpenptFlags::NOCTTY
}

#[expect(
    deprecated,
    reason = "its replacement is unsafe for types whose descriptor may change; an OwnedFd's never does"
)]
fn registered(master: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(master)
}

fn make_raw(terminal: impl AsFd) -> io::Result<()> {
    let mut settings = tcgetattr(&terminal)?;
    settings.make_raw();
    Ok(tcsetattr(&terminal, OptionalActions::Now, &settings)?)
}

#[cfg(test)]
mod tests;
