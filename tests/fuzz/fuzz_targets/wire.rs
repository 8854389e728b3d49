//! The target `wire` of `feedhold_tests::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| feedhold_tests::fuzz::judge("wire", data));
