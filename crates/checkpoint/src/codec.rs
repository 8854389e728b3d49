//! How a record becomes bytes: the only file that knows which serialisation library does it.
//!
//! Everything a reader needs to judge a record (version, length, generation, digests) stands
//! outside the payload, so replacing the library means a new format version and a new file beside
//! this one, nothing else.

use bincode::config;
use bincode::enc::write::SizeWriter;
use bincode::error::EncodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::frame::MAX_PAYLOAD;

/// A record and its bytes do not go together. The source says what the serialiser found.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CodecError(pub(crate) Box<dyn std::error::Error + Send + Sync>);

/// Why a record could not be put into the slot's buffer.
#[derive(Debug)]
pub(crate) enum EncodeFault {
    /// It needs this many bytes.
    TooLarge(usize),
    /// It needs this many bytes before it is compressed, and that is too many.
    #[cfg(feature = "compression")]
    TooLong(usize),
    Codec(CodecError),
}

/// Writes `record` to the front of `buf`; returns how many bytes it took.
pub(crate) fn encode<R: Serialize>(record: &R, buf: &mut [u8]) -> Result<usize, EncodeFault> {
    match bincode::serde::encode_into_slice(record, buf, config()) {
        Ok(n) => Ok(n),
        Err(EncodeError::UnexpectedEnd) => Err(EncodeFault::TooLarge(size(record)?)),
        Err(error) => Err(EncodeFault::Codec(CodecError(error.into()))),
    }
}

/// Reads a record that takes up all of `bytes`, which come from a slot.
pub(crate) fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, CodecError> {
    decode_within::<R, { limit(MAX_PAYLOAD) }>(bytes)
}

/// Reads a record that takes up all of `bytes`, which come from a compressed payload.
#[cfg(feature = "compression")]
pub(crate) fn decode_unpacked<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, CodecError> {
    decode_within::<R, { limit(crate::packing::MAX_UNPACKED) }>(bytes)
}

/// Reads a record. The limit keeps a forged length field from claiming memory.
fn decode_within<R: DeserializeOwned, const LIMIT: usize>(bytes: &[u8]) -> Result<R, CodecError> {
    match bincode::serde::decode_from_slice(bytes, config().with_limit::<LIMIT>()) {
        Ok((record, n)) if n == bytes.len() => Ok(record),
        Ok((_, n)) => Err(CodecError(
            format!("{} bytes are left over after the record", bytes.len() - n).into(),
        )),
        Err(error) => Err(CodecError(error.into())),
    }
}

fn size<R: Serialize>(record: &R) -> Result<usize, EncodeFault> {
    let mut writer = SizeWriter::default();
    bincode::serde::encode_into_writer(record, &mut writer, config())
        .map_err(|error| EncodeFault::Codec(CodecError(error.into())))?;
    Ok(writer.bytes_written)
}

/// Little endian, variable-length integers.
const fn config() -> config::Configuration {
    config::standard()
}

/// What the values of a record of so many bytes may take. They are counted at their size in memory,
/// and the shortest integer takes one byte where a `u128` has 16.
const fn limit(bytes: usize) -> usize {
    16 * (bytes + 16)
}
