//! Random programs that a controller takes without complaint, for laws that hold for every program.
//!
//! The same [`Recipe`] gives the same text. The programs say the same thing in many ways, as real
//! files do: words left out because they are modal, small letters, zeros in front and behind, missing
//! blanks, comments, empty lines, inches, increments, arcs in three planes.

use std::fmt::Write as _;

use feedhold_gcode_parse::Flavor;
use xtask::gcode::Rng;

mod grbl;
mod marlin;

/// Which random program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// The firmware that has to take it; a flavor without a writer of its own gets grbl's.
    pub flavor: Flavor,
    /// Chooses the program.
    pub seed: u64,
    /// Lines after the opening ones.
    pub lines: usize,
}

impl Recipe {
    /// The program, with a line end after every line.
    #[must_use]
    pub fn program(self) -> String {
        let mut text = String::new();
        let rng = Rng::new(self.seed);
        match self.flavor {
            Flavor::Marlin => marlin::Writer::new(rng).write(self.lines, &mut text),
            _ => grbl::Writer::new(rng).write(self.lines, &mut text),
        }
        text
    }
}

/// Edge of the cube in which programs move, in mm: from 0 in X and Y, down from 0 in Z.
const ROOM: f64 = 150.0;

/// A number as text and as what a controller reads in that text.
struct Spelled {
    text: String,
    value: f64,
}

/// Spells `value` with at most `places` decimals, in one of the ways people and programs do.
fn spell(rng: &mut Rng, value: f64, places: usize) -> Spelled {
    let mut text = format!("{value:.places$}");
    if text.contains('.') && rng.one_in(2) {
        text.truncate(text.trim_end_matches('0').len());
        if text.ends_with('.') && rng.one_in(2) {
            text.pop();
        }
    }
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches('-');
    let digits = match digits.strip_prefix("0.") {
        Some(rest) if !rest.is_empty() && rng.one_in(3) => format!(".{rest}"),
        _ if rng.one_in(12) => format!("0{digits}"),
        _ => digits.to_owned(),
    };
    let sign = match negative {
        true => "-",
        false if rng.one_in(20) => "+",
        false => "",
    };
    let text = format!("{sign}{digits}");
    let value = text.parse().unwrap_or(value);
    Spelled { text, value }
}

/// The end of an arc around `center` from `start` (two coordinates of the plane), and its radius.
fn arc_end(rng: &mut Rng, start: [f64; 2], center: [f64; 2]) -> [f64; 2] {
    let radius = (start[0] - center[0]).hypot(start[1] - center[1]);
    let angle = rng.between(0.0, std::f64::consts::TAU);
    [
        center[0] + radius * angle.cos(),
        center[1] + radius * angle.sin(),
    ]
}

/// Appends a word; `text` is what follows the letter.
fn word(line: &mut String, letter: char, text: &str) {
    // Writing to a string cannot fail.
    let _ = write!(line, " {letter}{text}");
}

#[cfg(test)]
mod tests {
    use super::{Recipe, Rng, spell};
    use feedhold_gcode_parse::{Block, Flavor, Interpreter};

    #[test]
    fn the_same_recipe_gives_the_same_program() {
        for flavor in [Flavor::Grbl, Flavor::Marlin] {
            let recipe = Recipe {
                flavor,
                seed: 4,
                lines: 300,
            };
            let program = recipe.program();
            assert_eq!(program, recipe.program());
            assert_ne!(program, Recipe { seed: 5, ..recipe }.program());
            assert!(program.lines().count() >= 300 && program.ends_with('\n'));
        }
    }

    /// Every line of the programs, and of the sample jobs, says something that the interpreter knows.
    #[test]
    fn programs_are_without_findings() {
        let check = |flavor: Flavor, name: &str, program: &str| {
            let mut interpreter = Interpreter::new(flavor);
            let mut motions = 0_usize;
            for (number, line) in (1..).zip(program.lines()) {
                let effect = interpreter.apply(&Block::parse(flavor, line.as_bytes()));
                let finding = effect.findings.at_line(number).next();
                assert!(
                    finding.is_none(),
                    "{name}, line {number}: {line}: {finding:?}"
                );
                motions += usize::from(effect.motion.is_some());
            }
            let lines = program.lines().count();
            assert!(
                motions * 2 > lines,
                "{name}: {motions} motions in {lines} lines"
            );
        };
        check(
            Flavor::Grbl,
            "relief.nc",
            include_str!("../../examples/relief.nc"),
        );
        check(
            Flavor::Marlin,
            "vase.gcode",
            include_str!("../../examples/vase.gcode"),
        );
        for seed in 0..100 {
            for flavor in [Flavor::Grbl, Flavor::Marlin] {
                let recipe = Recipe {
                    flavor,
                    seed,
                    lines: 300,
                };
                check(flavor, &format!("{recipe:?}"), &recipe.program());
            }
        }
    }

    #[test]
    fn lines_fit_into_the_smallest_controller() {
        for seed in 0..50 {
            for flavor in [Flavor::Grbl, Flavor::Marlin] {
                for line in (Recipe {
                    flavor,
                    seed,
                    lines: 200,
                })
                .program()
                .lines()
                {
                    assert!(line.len() <= 79, "{line}");
                }
            }
        }
    }

    #[test]
    fn spelled_numbers_read_back_near_their_value() {
        let mut rng = Rng::new(1);
        for _ in 0..2_000 {
            let value = rng.between(-200.0, 200.0);
            let spelled = spell(&mut rng, value, 3);
            assert!(
                (spelled.value - value).abs() <= 0.000_51,
                "{value} as {}",
                spelled.text
            );
            assert_eq!(
                spelled.text.parse::<f64>().unwrap().to_bits(),
                spelled.value.to_bits()
            );
        }
    }
}
