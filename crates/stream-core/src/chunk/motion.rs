//! Measures how long the lines of a chunk will move the machine.

use core::time::Duration;

use feedhold_gcode_parse::{Block, Flavor, Interpreter};

use super::RAPID_MM_PER_MIN;

/// Adds up motion at the programmed feed, without acceleration, and dwells.
#[derive(Debug)]
pub(super) struct MotionClock {
    flavor: Flavor,
    interpreter: Interpreter,
    seconds: f64,
}

impl MotionClock {
    pub(super) fn new(flavor: Flavor) -> Self {
        Self {
            flavor,
            interpreter: Interpreter::new(flavor),
            seconds: 0.0,
        }
    }

    /// Takes the next line, terminator or not, and gives the motion since the last restart.
    pub(super) fn read(&mut self, line: &[u8]) -> Duration {
        let line = line.trim_ascii();
        let effect = self.interpreter.apply(&Block::parse(self.flavor, line));
        if let Some(motion) = effect.motion {
            let minutes = motion
                .minutes()
                .unwrap_or(motion.length() / RAPID_MM_PER_MIN);
            self.seconds += minutes * 60.0;
        }
        self.seconds += effect.dwell_s.unwrap_or(0.0);
        Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::MAX)
    }

    /// Begins a new chunk where the machine is.
    pub(super) fn restart(&mut self) {
        self.seconds = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motion_and_dwell_add_up() {
        let mut clock = MotionClock::new(Flavor::Grbl);
        let mut read = |line: &str| clock.read(line.as_bytes()).as_secs_f64();
        assert_eq!(read("G21 G90 G94\n"), 0.0);
        assert_eq!(read("G1 X10 F600\n"), 1.0);
        assert_eq!(read("X20\r\n"), 2.0);
        assert_eq!(read("G0 X70"), 3.0);
        assert_eq!(read("G4 P2"), 5.0);
        clock.restart();
        assert_eq!(clock.read(b"G1 X80").as_secs_f64(), 1.0);
    }

    #[test]
    fn absurd_motion_is_no_panic() {
        let mut clock = MotionClock::new(Flavor::Grbl);
        assert!(clock.read(b"G1 X999999 F0.0000000001") > Duration::from_secs(1 << 40));
        clock.read(format!("G1 X{} F0", "9".repeat(60)).as_bytes());
    }
}
