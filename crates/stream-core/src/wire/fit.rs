//! Step 6: the length that a controller can take.

use super::ChainConfig;
use crate::dialect::Dialect;

/// Bytes that a spaces-packed line takes in the controller.
pub(super) fn stored(dialect: Dialect, line: &[u8]) -> usize {
    match dialect {
        // grbl drops blanks before it counts; only `$` lines can still hold some here.
        Dialect::Grbl => line
            .iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .count(),
        Dialect::Marlin => line.len(),
    }
}

/// Bytes there are for a line.
pub(super) fn room(config: &ChainConfig) -> usize {
    let whole = config.max_line.min(window(config));
    match config.dialect {
        Dialect::Grbl => whole,
        Dialect::Marlin => whole.saturating_sub(FRAME),
    }
}

/// Bytes there are for a line with all its blanks: grbl drops those before it stores, but they pass the receive
/// buffer.
pub(super) fn whole(config: &ChainConfig) -> usize {
    match config.dialect {
        Dialect::Grbl => window(config),
        Dialect::Marlin => room(config),
    }
}

/// Bytes of a line that fit into the receive buffer with its terminator.
fn window(config: &ChainConfig) -> usize {
    config
        .dialect
        .window_bytes(config.rx_bytes)
        .saturating_sub(1)
}

/// Bytes of `N<number> ` and `*<checksum>` around a Marlin line. Numbers on the wire go on from job to job and have 32 bits with a
/// sign, so that many digits are kept free.
const FRAME: usize = "N 2147483647*255".len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_of_the_dialects() {
        let grbl = ChainConfig::new(Dialect::Grbl);
        assert_eq!(room(&grbl), 79);
        assert_eq!(window(&grbl), 126);
        assert_eq!(room(&grbl.with_rx(40).expect("enough")), 38);
        let marlin = ChainConfig::new(Dialect::Marlin);
        assert_eq!(room(&marlin), 79);
        // The frame has to fit into the receive buffer too.
        assert_eq!(room(&marlin.clone().with_rx(64).expect("enough")), 46);
        let framed = format!("N{} {}*255", i32::MAX, "x".repeat(room(&marlin)));
        assert!(framed.len() <= Dialect::Marlin.max_line());
    }

    #[test]
    fn grbl_does_not_store_blanks() {
        assert_eq!(stored(Dialect::Grbl, b"$N0=G54 G20"), 10);
        assert_eq!(stored(Dialect::Marlin, b"M117 a b"), 8);
    }
}
