//! The machine, and what people do to it by hand.

use std::time::Duration;

use feedhold_gcode_parse::{Block, Code};
use feedhold_simulator::{Config, ControllerKind, LogMode, Simulator, State};
use feedhold_stream_core::dialect::Dialect;
use xtask::gcode::Rng;

/// Most time that something done by hand may take.
const BY_HAND: Duration = Duration::from_secs(300);

/// A machine as somebody has set it up in the morning: homed, standing at the origin of its program. Its owner has given it a name,
/// where the firmware keeps one.
pub(super) fn switched_on(dialect: Dialect, note: &str, rng: &mut Rng) -> Simulator {
    let switch = |rng: &mut Rng, times: u64| if rng.one_in(times) { "on" } else { "off" };
    let (homing, buffers) = (switch(rng, 2), switch(rng, 2));
    let (emergency, advanced) = (switch(rng, 2), switch(rng, 2));
    let mill = [
        ("controller", "grbl"),
        ("homing", homing),
        ("bf", buffers),
        ("rate", "9000"),
        ("accel", "2000"),
    ];
    let printer = [
        ("controller", "marlin"),
        ("emergency_parser", emergency),
        ("advanced_ok", advanced),
        ("heat", "instant"),
        ("user", "continue"),
    ];
    let params = match dialect {
        Dialect::Marlin => &printer,
        _ => &mill,
    };
    let config = Config::from_params(params.iter().copied())
        .expect("the parameters are known")
        .with_seed(rng.bits())
        .with_log(LogMode::Keep { limit: 4096 });
    let mut machine = Simulator::new(config);
    let mut now = Duration::ZERO;
    if dialect == Dialect::Grbl {
        by_hand(&mut machine, &mut now, &format!("$I={note}"));
    }
    for line in set_up(dialect, homing == "on") {
        by_hand(&mut machine, &mut now, line);
    }
    machine
}

/// What a person sends to a machine to set it up for the program.
pub(super) fn set_up(dialect: Dialect, homing: bool) -> &'static [&'static str] {
    match (dialect, homing) {
        (Dialect::Marlin, _) => &["G28", "G90", "G92 E0"],
        (_, true) => &["$H", "G21 G90 G0 X0 Y0 Z0"],
        (_, false) => &["$X", "G21 G90 G0 X0 Y0 Z0"],
    }
}

/// One line by hand, on a printer at its own panel; then waits until the machine stands. What it makes of it is nobody's program, and
/// is forgotten.
pub(super) fn by_hand(machine: &mut Simulator, now: &mut Duration, line: &str) {
    come_to_rest(machine, now);
    machine.log_mut().take_entries();
    match machine.config().controller() {
        ControllerKind::Marlin => machine.panel(*now, line),
        _ => {
            let _ = machine.receive(*now, format!("{line}\n").as_bytes());
        }
    }
    come_to_rest(machine, now);
    machine.log_mut().take_entries();
}

/// Lets the machine finish what it has, unless it waits for a person. Nobody hears what it says.
pub(super) fn come_to_rest(machine: &mut Simulator, now: &mut Duration) {
    let until = *now + BY_HAND;
    let mut answers = Vec::new();
    while let Some(next) = machine.next_event().filter(|_| machine.is_working()) {
        let stands = matches!(
            machine.snapshot().state,
            State::Hold { complete: true } | State::WaitingForUser | State::Halted
        );
        if stands || *now > until {
            break;
        }
        *now = next.max(*now);
        machine.transmit(*now, &mut answers);
        answers.clear();
    }
}

/// The first line among these bytes that moves a machine.
pub(super) fn moving_line(dialect: Dialect, bytes: &[u8]) -> Option<String> {
    let moves = |line: &&[u8]| {
        let text = match dialect {
            // The number and the checksum are not part of what the line says.
            Dialect::Marlin => line
                .iter()
                .position(|byte| !matches!(byte, b'N' | b'0'..=b'9'))
                .and_then(|at| line.get(at..))
                .unwrap_or_default(),
            _ => line,
        };
        let text = text.split(|byte| *byte == b'*').next().unwrap_or_default();
        let block = Block::parse(dialect.flavor(), text);
        let sets = [Code::new(92), Code::new(10)]
            .into_iter()
            .any(|code| block.has_g(code));
        let places = b"XYZEABC"
            .iter()
            .any(|letter| block.word(*letter).is_some());
        let names_m = block.word(b'M').is_some() && block.word(b'G').is_none();
        let homes = block.has_g(Code::new(28)) || block.has_g(Code::new(30));
        homes || (places && !sets && !names_m)
    };
    let line = bytes.split(|byte| *byte == b'\n').find(moves)?;
    Some(String::from_utf8_lossy(line).into_owned())
}
