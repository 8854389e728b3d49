//! What several test files need.
#![allow(dead_code, reason = "every test file uses its own part")]

use feedhold_gcode_parse::Flavor;
use proptest::prelude::*;

/// Cuts the input at the given places, in any order and beyond its end; pieces may be empty.
pub(crate) fn pieces<'a>(input: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| (*cut).min(input.len())).collect();
    cuts.sort_unstable();
    cuts.push(input.len());
    let mut start = 0;
    cuts.into_iter()
        .map(|end| {
            let piece = &input[start..end];
            start = end;
            piece
        })
        .collect()
}

pub(crate) fn flavors() -> impl Strategy<Value = Flavor> {
    proptest::sample::select(&Flavor::ALL[..])
}

/// Bytes that look like G-code often enough to reach every corner of the lexer.
pub(crate) fn code_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => "[GMXYZIJKEFSTPRNLHDO][-+]?[0-9]{0,4}(\\.[0-9]{0,4})?",
        2 => "G[0-9]{1,2}(\\.[0-9])?",
        2 => "M(0|1|3|30|98|104|117|600) ?",
        2 => "[ \t]{1,2}",
        1 => "[(;][a-zA-Z0-9 ]{0,6}[)]?",
        1 => "#[0-9<\\[][a-z0-9>\\]=]{0,5}",
        1 => "\\[[0-9+*#\\[ ]{0,5}\\]?",
        1 => "[oO][0-9<][a-z> ]{0,8}",
        1 => "\\*[0-9]{0,4}",
        1 => "[/%$\"!?~@^{}.+-]{1,2}",
    ]
    .prop_map(String::into_bytes);
    let noise = proptest::collection::vec(any::<u8>(), 1..4);
    let end = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec())
    ];
    proptest::collection::vec(prop_oneof![12 => piece, 1 => noise, 3 => end], 0..40)
        .prop_map(|pieces| pieces.concat())
}
