use std::fmt;

/// Which program ran the tests, and so what its closing lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    /// `cargo nextest run`: one summary.
    Nextest,
    /// `cargo test`: one closing line a test program.
    Libtest,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Tally {
    pub(super) const fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Adds what a line of the runner's output counts, if it is a closing line.
    pub(super) fn read(&mut self, runner: Runner, line: &str) {
        let counts = match runner {
            // Summary [   0.004s] 3 tests run: 2 passed (1 slow), 1 failed, 0 skipped
            Runner::Nextest => {
                let summary = line.trim_start().strip_prefix("Summary [");
                summary
                    .and_then(|rest| rest.split_once(" run: "))
                    .map(|(_, counts)| counts)
            }
            // test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; …
            Runner::Libtest => {
                let result = line.strip_prefix("test result: ");
                result
                    .and_then(|rest| rest.split_once(". "))
                    .map(|(_, counts)| counts)
            }
        };
        for count in counts
            .into_iter()
            .flat_map(|counts| counts.split([',', ';']))
        {
            self.take(count.trim());
        }
    }

    /// `12 passed (3 slow)`, `1 failed`, `2 timed out`, …
    fn take(&mut self, count: &str) {
        let Some((number, what)) = count.split_once(' ') else {
            return;
        };
        let Ok(number) = number.parse::<u64>() else {
            return;
        };
        if what.starts_with("passed") {
            self.passed += number;
        } else if ["failed", "timed out", "exec failed"]
            .iter()
            .any(|bad| what.starts_with(bad))
        {
            self.failed += number;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Runner, Tally};

    #[test]
    fn closing_lines_are_counted_and_others_are_not() {
        use Runner::{Libtest, Nextest};
        for (runner, line, passed, failed) in [
            (
                Nextest,
                "     Summary [   0.004s] 3 tests run: 3 passed, 0 skipped",
                3,
                0,
            ),
            (
                Nextest,
                "     Summary [   1.2s] 1 test run: 0 passed, 1 failed, 7 skipped",
                0,
                1,
            ),
            (
                Nextest,
                "     Summary [  61s] 9/12 tests run: 6 passed (1 slow, 1 leaky), 2 failed, 1 timed out",
                6,
                3,
            ),
            (
                Nextest,
                "     Summary [   0.1s] 2 tests run: 1 passed, 1 exec failed, 0 skipped",
                1,
                1,
            ),
            (
                Nextest,
                "test result: FAILED. 0 passed; 1 failed; 0 ignored",
                0,
                0,
            ),
            (
                Nextest,
                "        PASS [   0.004s] crate module::a_test",
                0,
                0,
            ),
            (
                Libtest,
                "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
                5,
                0,
            ),
            (
                Libtest,
                "test result: FAILED. 4 passed; 2 failed; 0 ignored; finished in 0.01s",
                4,
                2,
            ),
            (Libtest, "test some::test ... ok", 0, 0),
        ] {
            let mut tally = Tally::default();
            tally.read(runner, line);
            assert_eq!(tally, Tally { passed, failed }, "{line}");
        }
    }
}
