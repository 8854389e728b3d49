//! The state of an interpreter as bytes: laws over random programs.

mod common;

use common::{code_like, flavors};
use feedhold_gcode_parse::{
    AxisOnlyLines, Block, BytesError, Flavor, Interpreter, LineReader, Position, Reference,
};
use proptest::prelude::*;

/// Lines that reach every field of the state.
fn modal_lines() -> impl Strategy<Value = String> {
    let code = prop_oneof![
        4 => "G(0|1|2|3|5|5.1|33|76|38.[2-5]|8[0-9]|73)",
        4 => "G(17|18|19|17.1|18.1|19.1|20|21|40|41|42|41.1|42.1|43|43.1|43.2|49)",
        4 => "G(5[4-9]|59.[123]|61|61.1|64|90|91|90.1|91.1|93|94|95|96|97|98|99)",
        2 => "G(10 L2 P[1-9]|10 L20 P[0-9]|92|92.1|92.2|92.3|28.1|30.1|28|30|10|11)",
        2 => "M(3|4|5|6|7|8|9|48|49|82|83|104|106|107|109|140|190|220|221)",
        3 => "[XYZABCUVWE]-?[0-9]{1,3}(\\.[0-9]{1,3})?",
        2 => "[FSTIJKRPLH][0-9]{1,3}",
    ];
    proptest::collection::vec(code, 1..5).prop_map(|codes| codes.join(" "))
}

fn machines() -> impl Strategy<Value = Interpreter> {
    let modal = proptest::collection::vec(modal_lines(), 0..40)
        .prop_map(|lines| lines.join("\n").into_bytes());
    let repeats = any::<bool>();
    (
        flavors(),
        prop_oneof![3 => modal, 1 => code_like()],
        repeats,
    )
        .prop_map(|(flavor, program, repeats)| {
            let mut machine = Interpreter::new(flavor);
            if repeats {
                machine = machine.with_axis_only_lines(AxisOnlyLines::RepeatMotion);
            }
            let mut reader = <LineReader>::new();
            let mut input = program.as_slice();
            while let Some(line) = reader.next(&mut input) {
                machine.apply(&Block::parse(flavor, line.text));
            }
            if let Some(line) = reader.finish() {
                machine.apply(&Block::parse(flavor, line.text));
            }
            machine
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_state_comes_back_to_the_last_bit(machine in machines()) {
        let bytes = machine.to_bytes();
        let read = Interpreter::from_bytes(&bytes);
        prop_assert!(read.is_ok_and(|read| read.same_bits(&machine)), "{:?}", bytes);
    }

    #[test]
    fn a_state_that_came_back_goes_on_alike(machine in machines(), lines in proptest::collection::vec(modal_lines(), 1..10)) {
        let mut read = Interpreter::from_bytes(&machine.to_bytes()).expect("just written");
        let mut machine = machine;
        for line in &lines {
            let block = Block::parse(machine.flavor(), line.as_bytes());
            let (a, b) = (machine.apply(&block), read.apply(&block));
            prop_assert_eq!(a, b);
            prop_assert!(machine.same_bits(&read));
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed(machine in machines()) {
        let bytes = machine.to_bytes().to_vec();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Interpreter::from_bytes(&damaged).is_err(), "bit {}", bit);
        }
        for len in 0..bytes.len() {
            prop_assert!(Interpreter::from_bytes(&bytes[..len]).is_err(), "{} bytes", len);
        }
    }

    /// What is taken is exactly what would be written: no two spellings of a state.
    #[test]
    fn arbitrary_bytes_are_refused_or_exact(machine in machines(), at in any::<prop::sample::Index>(), byte in any::<u8>(), extra in 0_usize..3) {
        let mut bytes = machine.to_bytes().to_vec();
        bytes.truncate(bytes.len() - 4);
        bytes.resize(bytes.len() + extra, 0);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.extend(crc32(&bytes).to_le_bytes());
        match Interpreter::from_bytes(&bytes) {
            Ok(read) => prop_assert_eq!(&*read.to_bytes(), bytes.as_slice()),
            Err(BytesError::Version(version)) => prop_assert!(at == 0 && version == byte),
            Err(_) => {}
        }
    }
}

#[test]
fn what_the_controller_reported_comes_back_too() {
    let mut machine = Interpreter::new(Flavor::Grbl);
    let place = |value| Position([value; 10]);
    machine.set_position(place(-1.25));
    machine.set_g92_offset(place(1e-300));
    machine.set_tool_offset(place(0.1));
    machine.set_reference(Reference::G30, place(5e11));
    for system in feedhold_gcode_parse::CoordinateSystem::ALL {
        machine.set_system_origin(system, place(f64::from(system as u8) / 3.0));
    }
    let read = Interpreter::from_bytes(&machine.to_bytes()).expect("just written");
    assert!(read.same_bits(&machine));
    assert_eq!(read.offset(), machine.offset());
}

/// Of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
