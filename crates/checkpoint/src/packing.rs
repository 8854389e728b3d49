//! Compressed payloads: two bytes with the length of what was compressed, then one LZ4 block. The
//! only file that knows which library compresses.

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

use crate::codec::CodecError;
use crate::frame::MAX_PAYLOAD;

/// Longest record in bytes before it is compressed: 16 times what a slot holds. Bounds what reading
/// a record may take, whoever wrote the file.
pub const MAX_UNPACKED: usize = 16 * MAX_PAYLOAD;

/// The length in front of the block.
const PREFIX: usize = 2;

/// Compresses at most [`MAX_UNPACKED`] bytes. What comes out may be longer than what went in.
pub(crate) fn pack(plain: &[u8]) -> Result<Vec<u8>, CodecError> {
    let len = u16::try_from(plain.len()).map_err(|error| CodecError(error.into()))?;
    let mut packed = vec![0; PREFIX + get_maximum_output_size(plain.len())];
    let (prefix, block) = packed.split_at_mut(PREFIX);
    prefix.copy_from_slice(&len.to_le_bytes());
    let used = compress_into(plain, block).map_err(|error| CodecError(error.to_string().into()))?;
    packed.truncate(PREFIX + used);
    Ok(packed)
}

/// Takes at most [`MAX_UNPACKED`] bytes of memory, whatever `payload` is.
pub(crate) fn unpack(payload: &[u8]) -> Result<Vec<u8>, CodecError> {
    let wrong = |what: String| CodecError(format!("its compressed payload {what}").into());
    let (len, block) = payload
        .split_first_chunk::<PREFIX>()
        .ok_or_else(|| wrong("ends too soon".to_owned()))?;
    let len = usize::from(u16::from_le_bytes(*len));
    if len > MAX_UNPACKED {
        let what = format!("claims {len} bytes, {MAX_UNPACKED} are allowed");
        return Err(wrong(what));
    }
    let mut plain = vec![0; len];
    let found = decompress_into(block, &mut plain).map_err(|error| wrong(error.to_string()))?;
    if found != len {
        return Err(wrong(format!("claims {len} bytes and holds {found}")));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand, from the description of the LZ4 block format: four literals, a match of eleven bytes
    /// that begins four bytes back, five literals at the end.
    const BY_HAND: &[u8] = b"\x14\x00\x47abcd\x04\x00\x50vwxyz";

    fn refused(payload: &[u8]) -> String {
        unpack(payload).expect_err("refused").to_string()
    }

    #[test]
    fn a_block_made_by_hand_is_unpacked() {
        let plain = unpack(BY_HAND).expect("a sound block");
        assert_eq!(plain, b"abcdabcdabcdabcvwxyz");
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let mut noise = vec![0; MAX_UNPACKED];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        for len in [0, 1, 12, 13, 64, 4_000, 4_001, MAX_UNPACKED] {
            for plain in [vec![7; len], noise[..len].to_vec()] {
                let packed = pack(&plain).expect("within the limit");
                assert_eq!(unpack(&packed).expect("just packed"), plain, "{len} bytes");
            }
        }
        assert!(pack(&[0; 70_000]).is_err());
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let with_len = |len: u16| [&len.to_le_bytes()[..], &BY_HAND[PREFIX..]].concat();
        assert_eq!(refused(&[]), "its compressed payload ends too soon");
        assert_eq!(refused(&[5]), "its compressed payload ends too soon");
        assert_eq!(
            refused(&with_len(21)),
            "its compressed payload claims 21 bytes and holds 20"
        );
        assert_eq!(
            refused(&with_len(64_001)),
            "its compressed payload claims 64001 bytes, 64000 are allowed"
        );
        assert!(unpack(&with_len(19)).is_err());
    }

    #[test]
    fn no_block_is_unpacked_beyond_what_it_claims() {
        for at in 0..BY_HAND.len() {
            assert!(unpack(&BY_HAND[..at]).is_err(), "cut to {at} bytes");
            for byte in 0..=u8::MAX {
                let mut forged = BY_HAND.to_vec();
                forged[at] = byte;
                let len = usize::from(u16::from_le_bytes([forged[0], forged[1]]));
                if let Ok(plain) = unpack(&forged) {
                    assert_eq!(plain.len(), len, "byte {at} is {byte}");
                }
            }
        }
    }
}
