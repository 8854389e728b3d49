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
pub(super) fn room(config: &ChainConfig, number: u64) -> usize {
    let whole = config.max_line.min(window(config));
    match config.dialect {
        Dialect::Grbl => whole,
        Dialect::Marlin => whole.saturating_sub(frame(number)),
    }
}

/// Bytes there are for a line with all its blanks: grbl drops those before it stores, but they pass the receive
/// buffer.
pub(super) fn whole(config: &ChainConfig, number: u64) -> usize {
    match config.dialect {
        Dialect::Grbl => window(config),
        Dialect::Marlin => room(config, number),
    }
}

/// Bytes of a line that fit into the receive buffer with its terminator.
fn window(config: &ChainConfig) -> usize {
    config
        .dialect
        .window_bytes(config.rx_bytes)
        .saturating_sub(1)
}

/// Bytes of `N<number> ` and `*<checksum>` around a Marlin line. Numbers on the wire may run ahead of those of the
/// file by what the session itself sends, so six digits are always kept free.
fn frame(number: u64) -> usize {
    let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
    "N ".len() + digits.max(6) + "*255".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_of_the_dialects() {
        let grbl = ChainConfig::new(Dialect::Grbl);
        assert_eq!(room(&grbl, 1), 79);
        assert_eq!(window(&grbl), 126);
        assert_eq!(room(&grbl.with_rx(40).expect("enough"), 1), 38);
        let marlin = ChainConfig::new(Dialect::Marlin);
        assert_eq!(room(&marlin, 1), 83);
        assert_eq!(room(&marlin, 123_456), 83);
        assert_eq!(room(&marlin, 1_234_567), 82);
        // The frame has to fit into the receive buffer too.
        assert_eq!(room(&marlin.clone().with_rx(64).expect("enough"), 1), 50);
        for number in [1, 999_999, 1_000_000] {
            let framed = format!("N{number} {}*255", "x".repeat(room(&marlin, number)));
            assert!(
                framed.len() <= Dialect::Marlin.max_line(),
                "{}",
                framed.len()
            );
        }
    }

    #[test]
    fn grbl_does_not_store_blanks() {
        assert_eq!(stored(Dialect::Grbl, b"$N0=G54 G20"), 10);
        assert_eq!(stored(Dialect::Marlin, b"M117 a b"), 8);
    }
}
