//! A record as the payload of a slot, and back: as it was serialised, or compressed where that was
//! asked for and helps.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, CodecError, EncodeFault};
use crate::frame::Form;
#[cfg(feature = "compression")]
use crate::packing;

/// Writes `record` to the front of `area`; returns the form it has there and how many bytes it took.
pub(crate) fn write<R: Serialize>(
    record: &R,
    wanted: Form,
    area: &mut [u8],
) -> Result<(Form, usize), EncodeFault> {
    match wanted {
        Form::Plain => Ok((Form::Plain, codec::encode(record, area)?)),
        #[cfg(feature = "compression")]
        Form::Packed => packed(record, area),
    }
}

/// Reads the record that takes up all of `payload`.
pub(crate) fn read<R: DeserializeOwned>(form: Form, payload: &[u8]) -> Result<R, CodecError> {
    match form {
        Form::Plain => codec::decode(payload),
        #[cfg(feature = "compression")]
        Form::Packed => codec::decode_unpacked(&packing::unpack(payload)?),
    }
}

#[cfg(feature = "compression")]
fn packed<R: Serialize>(record: &R, area: &mut [u8]) -> Result<(Form, usize), EncodeFault> {
    let mut plain = vec![0; packing::MAX_UNPACKED];
    let len = codec::encode(record, &mut plain).map_err(|fault| match fault {
        EncodeFault::TooLarge(needed) => EncodeFault::TooLong(needed),
        other => other,
    })?;
    plain.truncate(len);
    let packed = packing::pack(&plain).map_err(EncodeFault::Codec)?;
    let (form, bytes) = if packed.len() < len {
        (Form::Packed, packed)
    } else {
        (Form::Plain, plain)
    };
    let room = area.get_mut(..bytes.len());
    room.ok_or(EncodeFault::TooLarge(bytes.len()))?
        .copy_from_slice(&bytes);
    Ok((form, bytes.len()))
}
