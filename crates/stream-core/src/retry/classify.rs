//! What a failure calls for.

use std::io;

/// What a failure calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Trying again may help and cannot do harm.
    Retry,
    /// Stop sending, keep everything, ask the operator.
    Hold,
    /// The job cannot go on from here.
    Abort,
}

/// Failures that know what they call for.
pub trait Classify {
    /// What this failure calls for.
    fn disposition(&self) -> Disposition;
}

impl<T: Classify + ?Sized> Classify for &T {
    fn disposition(&self) -> Disposition {
        (**self).disposition()
    }
}

impl Classify for io::Error {
    /// By kind, never by message. "Too many open files" has no kind of its own and is told by its
    /// number, which is the same on all Unix systems.
    fn disposition(&self) -> Disposition {
        const ENFILE: i32 = 23;
        const EMFILE: i32 = 24;
        match self.raw_os_error() {
            Some(ENFILE | EMFILE) if cfg!(unix) => Disposition::Retry,
            _ => self.kind().disposition(),
        }
    }
}

impl Classify for io::ErrorKind {
    /// A link or file that is busy or gone for a moment may come back; missing or full things need
    /// somebody's hand; wrong data, rights and addresses do not change by waiting.
    fn disposition(&self) -> Disposition {
        match self {
            Self::ConnectionReset
            | Self::ConnectionAborted
            | Self::ConnectionRefused
            | Self::NotConnected
            | Self::BrokenPipe
            | Self::TimedOut
            | Self::Interrupted
            | Self::WouldBlock
            | Self::ResourceBusy
            | Self::HostUnreachable
            | Self::NetworkUnreachable
            | Self::NetworkDown => Disposition::Retry,
            Self::PermissionDenied
            | Self::InvalidInput
            | Self::InvalidData
            | Self::InvalidFilename
            | Self::UnexpectedEof
            | Self::IsADirectory
            | Self::NotADirectory
            | Self::AddrNotAvailable
            | Self::Unsupported => Disposition::Abort,
            _ => Disposition::Hold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Disposition::{Abort, Hold, Retry};
    use super::*;

    #[test]
    fn kinds_of_io_errors() {
        use io::ErrorKind as K;
        let table = [
            (K::ConnectionReset, Retry),
            (K::ConnectionRefused, Retry),
            (K::BrokenPipe, Retry),
            (K::TimedOut, Retry),
            (K::ResourceBusy, Retry),
            (K::Interrupted, Retry),
            (K::NotFound, Hold),
            (K::StorageFull, Hold),
            (K::ReadOnlyFilesystem, Hold),
            (K::Other, Hold),
            (K::PermissionDenied, Abort),
            (K::InvalidData, Abort),
            (K::UnexpectedEof, Abort),
        ];
        for (kind, want) in table {
            assert_eq!(kind.disposition(), want, "{kind:?}");
            assert_eq!(
                io::Error::from(kind).disposition(),
                want,
                "{kind:?} as error"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn numbers_without_a_kind_of_their_own() {
        for (number, want) in [(24, Retry), (23, Retry), (16, Retry), (13, Abort)] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(error.disposition(), want, "{error}");
        }
    }

    #[test]
    fn the_message_does_not_matter() {
        let lying = io::Error::new(io::ErrorKind::PermissionDenied, "ECONNRESET, please retry");
        assert_eq!(lying.disposition(), Abort);
    }
}
