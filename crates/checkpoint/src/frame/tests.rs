use super::*;

fn header(generation: u64) -> Header {
    Header {
        kind: Kind::Record,
        form: Form::Plain,
        record_version: 7,
        generation: Generation(generation),
        store: StoreId::from_bytes([0xab; 16]),
        written_at: Timestamp(1_700_000_000_123),
        previous: Digest([0xcd; 16]),
    }
}

fn sealed(header: &Header, payload: &[u8]) -> Slot {
    let mut slot = EMPTY;
    payload_area(&mut slot)[..payload.len()].copy_from_slice(payload);
    header.seal(payload.len(), &mut slot);
    slot
}

/// Changes bytes and makes the digest right again, as only a program could.
fn forged(slot: &Slot, at: usize, bytes: &[u8]) -> Slot {
    let mut slot = *slot;
    slot[at..at + bytes.len()].copy_from_slice(bytes);
    let digest = digest(&slot);
    slot[DIGEST_AT..].copy_from_slice(&digest.0);
    slot
}

#[test]
fn a_sealed_frame_reads_back() {
    for (generation, payload) in [
        (1, vec![]),
        (63, vec![1, 2, 3]),
        (64 * 5, vec![9; MAX_PAYLOAD]),
    ] {
        let header = header(generation);
        let slot = sealed(&header, &payload);
        let frame = parse(&slot, generation as usize % 64)
            .expect("valid")
            .expect("not empty");
        assert_eq!((frame.header, frame.payload), (header, payload.as_slice()));
    }
    assert_eq!(parse(&EMPTY, 3), Ok(None));
}

#[test]
fn sealing_clears_what_an_earlier_payload_left() {
    let mut slot = sealed(&header(1), &[0xff; 100]);
    header(1).seal(2, &mut slot);
    assert_eq!(slot, sealed(&header(1), &[0xff; 2]));
}

#[test]
fn every_single_flipped_bit_is_noticed() {
    let slot = sealed(&header(5), b"a record");
    for bit in 0..SLOT_LEN * 8 {
        let mut flipped = slot;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(parse(&flipped, 5), Err(FrameFault::Digest), "bit {bit}");
    }
}

#[test]
fn a_right_digest_over_wrong_fields_is_no_frame() {
    let slot = sealed(&header(5), b"a record");
    let (one, two) = (FormatVersion(1), FormatVersion(2));
    let cases: &[(&str, usize, &[u8], FrameFault)] = &[
        ("magic", 0, b"SQLite", FrameFault::Field),
        (
            "format 2, still readable by us",
            8,
            &[2, 0, 1, 0, 9],
            FrameFault::Feature { kind: 9, flags: 0 },
        ),
        (
            "format 2, not readable",
            8,
            &[2, 0, 2, 0],
            FrameFault::Newer {
                version: two,
                reader: two,
            },
        ),
        (
            "needs a newer reader",
            10,
            &[2, 0],
            FrameFault::Newer {
                version: one,
                reader: two,
            },
        ),
        (
            "format 0",
            8,
            &[0, 0],
            FrameFault::Older {
                version: FormatVersion(0),
            },
        ),
        ("kind", 12, &[3], FrameFault::Feature { kind: 3, flags: 0 }),
        ("flag", 13, &[2], FrameFault::Feature { kind: 1, flags: 2 }),
        ("flags", 13, &[3], FrameFault::Feature { kind: 1, flags: 3 }),
        ("another slot", 14, &[6, 0], FrameFault::Field),
        ("too long", 16, &4001_u32.to_le_bytes(), FrameFault::Field),
        (
            "far too long",
            16,
            &u32::MAX.to_le_bytes(),
            FrameFault::Field,
        ),
        ("another generation", 24, &[6], FrameFault::Field),
        (
            "creation with another generation",
            12,
            &[0],
            FrameFault::Field,
        ),
        ("finish with a payload", 12, &[2], FrameFault::Field),
        (
            "last generation",
            24,
            &(u64::MAX - 58).to_le_bytes(),
            FrameFault::Field,
        ),
    ];
    for (name, at, bytes, fault) in cases {
        assert_eq!(parse(&forged(&slot, *at, bytes), 5), Err(*fault), "{name}");
    }
    assert_eq!(
        parse(&slot, 6),
        Err(FrameFault::Field),
        "found in another slot"
    );
}

#[test]
fn a_compressed_payload_is_refused_by_a_reader_that_was_built_without_it() {
    let slot = forged(&sealed(&header(5), b"a record"), 13, &[1]);
    assert_eq!(parse_as(Reader::Plain, &slot, 5), Err(FrameFault::Packed));
    // A damaged one is damaged first of all.
    let mut torn = slot;
    torn[100] ^= 1;
    assert_eq!(parse_as(Reader::Plain, &torn, 5), Err(FrameFault::Digest));
}

#[cfg(feature = "compression")]
#[test]
fn only_a_record_has_a_compressed_payload() {
    let packed = Header {
        form: Form::Packed,
        ..header(5)
    };
    let slot = sealed(&packed, b"packed");
    let frame = parse(&slot, 5).expect("valid").expect("not empty");
    assert_eq!((frame.header, frame.payload), (packed, &b"packed"[..]));
    let finish = Header {
        kind: Kind::Finished,
        ..header(5)
    };
    let slot = forged(&sealed(&finish, b""), 13, &[1]);
    assert_eq!(parse(&slot, 5), Err(FrameFault::Field));
}

#[test]
fn a_newer_format_that_this_reader_may_read_is_read() {
    let slot = forged(&sealed(&header(5), b"a record"), 8, &[9, 0, 1, 0]);
    assert!(
        parse(&slot, 5).is_ok_and(|frame| frame.is_some_and(|frame| frame.payload == b"a record"))
    );
}

#[test]
fn timestamps_outside_the_range_saturate() {
    let before = UNIX_EPOCH - Duration::from_secs(1);
    assert_eq!(Timestamp::from_system(before), Timestamp(0));
    let time = UNIX_EPOCH + Duration::from_millis(1_234);
    assert_eq!(Timestamp::from_system(time).to_system(), time);
    // Whatever the platform makes of it, no panic.
    Timestamp(u64::MAX).to_system();
}
