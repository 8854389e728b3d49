use std::fmt::Write as _;

use feedhold::stream_core::dialect::Dialect;
use xtask::gcode::Rng;

/// A random program that changes everything that can be in force, again and again: offsets, coordinate systems, tools, units, feed
/// modes, heaters, limits. A controller takes it without complaint; nobody would mill with it.
#[must_use]
pub fn wild(dialect: Dialect, seed: u64, lines: usize) -> String {
    let mut rng = Rng::new(seed);
    let mut text = String::new();
    text.push_str(match dialect {
        Dialect::Marlin => "G28\nM109 S200\nG1 F1800\n",
        _ => "G21 G90 G17\nF900\nG0 Z5\nX0 Y0\n",
    });
    for _ in 0..lines {
        let line = match dialect {
            Dialect::Marlin => printer(&mut rng),
            _ => mill(&mut rng),
        };
        let _ = writeln!(text, "{line}");
    }
    text
}

fn mill(rng: &mut Rng) -> String {
    let [x, y, z] = place(rng);
    let feed = rng.below(2000) + 100;
    match rng.below(44) {
        0..=3 => format!("G0 X{x} Y{y}"),
        4..=9 => format!("G1 X{x} Y{y} Z{z} F{feed}"),
        10..=13 => format!("G94 G1 F{feed} X{x}"),
        14 => format!("G0 Z{z}"),
        15 => format!("G91 G94 G17 G2 X4 Y0 I2 J0 F{feed}"),
        16 => format!("G91 G94 G18 G3 X0 Z6 K3 I0 F{feed}"),
        17..=19 => "G90".into(),
        20 => "G91".into(),
        21 => rng.pick(&["G20", "G21", "G21"]).into(),
        22 => rng.pick(&["G17", "G18", "G19"]).into(),
        23..=24 => format!("G{}", 54 + rng.below(6)),
        25 => format!("G10 L2 P{} X{x} Z{z}", 1 + rng.below(6)),
        26 => format!("G10 L20 P0 Y{y}"),
        27 => format!("G92 X{x} Y{y}"),
        28 => format!("G92 Z{z}"),
        29..=30 => "G92.1".into(),
        31 => format!("G43.1 Z{z}"),
        32..=33 => "G49".into(),
        34 => format!("T{}", rng.below(20)),
        35 => format!("{} S{}", rng.pick(&["M3", "M4"]), rng.below(12_000)),
        36 => rng.pick(&["M5", "M5", "S4000"]).into(),
        37 => rng.pick(&["M8", "M9"]).into(),
        38 => format!("G93 G1 X{x} F{}", 1 + rng.below(9)),
        39 => format!("G94 F{feed}"),
        40 => rng
            .pick(&["G28.1", "G30.1", "G28 Z0", "G30 X0 Y0", "G28"])
            .into(),
        41 => format!("G53 G0 X{x} Z{z}"),
        42 => rng
            .pick(&["G80", "G61", "G40", "G4 P0.1", "(nothing)", ""])
            .into(),
        _ => rng.pick(&["M0", "M2", "M30 (and on it goes)", "M1"]).into(),
    }
}

fn printer(rng: &mut Rng) -> String {
    let [x, y, z] = place(rng);
    let e = f64::from(rng.below(400) as u32) / 100.0;
    let feed = rng.below(6000) + 300;
    match rng.below(44) {
        0..=3 => format!("G0 X{x} Y{y} F{feed}"),
        4..=10 => format!("G1 X{x} Y{y} E{e}"),
        11 => format!("G1 F{feed}\nG1 Z{z}"),
        12 => format!("G2 X{x} Y{y} Z{z} R90000 F{feed} E0.2"),
        13 => rng.pick(&["G2 I5 J4 K3 E0.1", "G3 I-3 J2 K-1"]).into(),
        14..=15 => "G90".into(),
        16 => "G91".into(),
        17 => "M82".into(),
        18 => "M83".into(),
        19 => "G92 E0".into(),
        20 => format!("G92 X{x} E{e}"),
        21 => format!("G92 Y{y} Z{z}"),
        22 => "G92.1".into(),
        23 => rng.pick(&["G28", "G28 X", "G28 X Y"]).into(),
        24 => rng.pick(&["G20", "G21", "G21"]).into(),
        25 => rng.pick(&["G17", "G18", "G19"]).into(),
        26 => format!("M104 S{}", 180 + rng.below(60)),
        27 => format!("M109 R{}", 180 + rng.below(60)),
        28 => format!("{} S{}", rng.pick(&["M140", "M190"]), 40 + rng.below(60)),
        29 => format!("M106 S{}.{}", rng.below(256), rng.below(10)),
        30 => rng.pick(&["M107", "M106"]).into(),
        31 => rng
            .pick(&["M220 S80", "M220 S120", "M220 B", "M220 R", "M220 S100"])
            .into(),
        32 => format!("M221 S{}", 90 + rng.below(20)),
        33 => format!("M201 X{} Y{}", 500 + rng.below(4000), 500 + rng.below(4000)),
        34 => format!("M203 Z{} E{}", 5 + rng.below(20), 20 + rng.below(60)),
        35 => format!("M204 P{} T{}", 300 + rng.below(3000), 300 + rng.below(3000)),
        36 => format!("M204 S{}", 300 + rng.below(3000)),
        37 => format!("M205 X{} Y{}", 4 + rng.below(9), 4 + rng.below(9)),
        38 => format!("M900 K0.{:02}", rng.below(20)),
        39 => rng.pick(&["M420 S1", "M420 S0", "M420 Z10", "G29"]).into(),
        40 => format!("M290 Z0.{:02}", rng.below(10)),
        41 => rng
            .pick(&[
                "M486 T6", "M486 S1", "M486 P2", "M486 U2", "M486 C", "M486 S-1",
            ])
            .into(),
        42 => rng.pick(&["G10", "G11", "G11"]).into(),
        _ => rng
            .pick(&["M117 G1 X9 (text)", ";LAYER:3", "", "G4 P10", "T0", "M400"])
            .into(),
    }
}

/// A place in a small room, in tenths of a millimetre.
fn place(rng: &mut Rng) -> [f64; 3] {
    let mut coordinate = |most: u64| f64::from(rng.below(most) as u32) / 10.0;
    [coordinate(900), coordinate(900), coordinate(300) - 20.0]
}
