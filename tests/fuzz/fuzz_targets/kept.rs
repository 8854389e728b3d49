//! The target `kept` of `feedhold_tests::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| feedhold_tests::fuzz::judge("kept", data));
