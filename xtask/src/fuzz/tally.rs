//! What libFuzzer tells of a run.

use std::fmt;

/// A run in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) runs: u64,
    pub(super) runs_per_s: u64,
    /// Edges of the code that were reached.
    pub(super) coverage: u64,
    /// Inputs in its corpus that differ in what they reach.
    pub(super) inputs: u64,
    pub(super) ended_well: bool,
}

impl Tally {
    /// Reads the last line of the form `#11338 DONE cov: 1986 ft: 6596 corp: 951/178Kb lim: 406 exec/s: 1259 rss: 33Mb`.
    pub(super) fn of(log: &str, ended_well: bool) -> Self {
        let mut lines = log.lines().rev();
        let Some(line) = lines.find(|line| line.starts_with('#') && line.contains(" cov: ")) else {
            return Self {
                ended_well,
                ..Self::default()
            };
        };
        let behind = |mark: &str| {
            line.split_once(mark)
                .map_or(0, |(_, rest)| leading_number(rest))
        };
        Self {
            runs: behind("#"),
            runs_per_s: behind(" exec/s: "),
            coverage: behind(" cov: "),
            inputs: behind(" corp: "),
            ended_well,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            runs,
            runs_per_s,
            coverage,
            inputs,
            ..
        } = self;
        write!(
            f,
            "{runs:>10} runs  {runs_per_s:>7} exec/s  {coverage:>6} edges  {inputs:>5} inputs"
        )
    }
}

fn leading_number(text: &str) -> u64 {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..digits)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn the_last_figures_count() {
        let log = "INFO: Seed: 1\n\
            #2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 27Mb\n\
            #4096\tpulse  cov: 1900 ft: 6000 corp: 900/170Kb lim: 400 exec/s: 2048 rss: 30Mb\n\
            #11338\tDONE   cov: 1986 ft: 6596 corp: 951/178Kb lim: 406 exec/s: 1259 rss: 33Mb\n\
            Done 11338 runs in 9 second(s)\n";
        let tally = Tally::of(log, true);
        let expected = Tally {
            runs: 11_338,
            runs_per_s: 1_259,
            coverage: 1_986,
            inputs: 951,
            ended_well: true,
        };
        assert_eq!(tally, expected);
        assert_eq!(
            tally.to_string(),
            "     11338 runs     1259 exec/s    1986 edges    951 inputs"
        );
        assert_eq!(Tally::of("error: no such file\n", false), Tally::default());
    }
}
