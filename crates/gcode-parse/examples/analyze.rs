//! What a program is made of: `cargo run -p feedhold-gcode-parse --example analyze -- marlin < part.gcode`.

use std::io;

use feedhold_gcode_parse::{Analyzer, Axis, Flavor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flavor = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("grbl")
        .parse::<Flavor>()?;
    let mut analyzer = Analyzer::new(flavor);
    io::copy(&mut io::stdin().lock(), &mut analyzer)?;
    let metadata = analyzer.finish();

    let motions = &metadata.motions;
    println!(
        "{} lines, {} bytes, longest {} bytes",
        metadata.lines, metadata.bytes, metadata.longest_line.bytes
    );
    println!(
        "{} motions, {} of them rapid, {} arcs",
        motions.count, motions.rapids, motions.arcs
    );
    println!(
        "{:.3} mm in all, {:.3} mm at feed, {:.3} mm of filament",
        motions.distance_mm(),
        motions.cutting_mm,
        motions.extruded_mm - motions.retracted_mm,
    );
    println!(
        "{:.1} s at programmed feed, without acceleration",
        motions.programmed_s()
    );
    for axis in [Axis::X, Axis::Y, Axis::Z] {
        if let Some((min, max)) = motions.bounds.range(axis) {
            println!("{axis} from {min:.3} to {max:.3}");
        }
    }
    for used in metadata.codes.as_slice() {
        println!(
            "{}{}: {} times, first in line {}",
            char::from(used.letter),
            used.code,
            used.count,
            used.first_line
        );
    }
    for diagnostic in metadata.diagnostics.as_slice() {
        println!("{}: {diagnostic}", diagnostic.severity);
    }
    let found = metadata.diagnostics.warnings + metadata.diagnostics.errors;
    println!("{found} diagnostics");
    Ok(())
}
