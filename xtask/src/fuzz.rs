use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::sh;
use crate::workspace::Workspace;

mod tally;

use tally::Tally;

/// Looks for inputs that break the laws of `feedhold_tests::fuzz`, and keeps what it finds
///
/// Needs the nightly toolchain; cargo-fuzz is installed when it is missing. One line a target tells what was run and found; the exit
/// code is 1 when a law was broken.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Targets to run; all without any.
    targets: Vec<String>,

    /// How long each of them runs.
    #[arg(long, default_value_t = 60)]
    seconds: u64,

    /// Lists the targets.
    #[arg(long)]
    list: bool,

    /// Replaces the committed inputs by the fewest that reach the same code, those found in this and earlier runs included.
    #[arg(long)]
    keep: bool,
}

/// The package of the targets' programs.
const PACKAGE: &str = "tests/fuzz";
/// Longest input that is tried, bytes.
const LONGEST: u32 = 2048;
/// Longest input that is committed, bytes.
const LONGEST_KEPT: u32 = 768;
/// A single input that takes longer is a finding, seconds.
const SLOW: u32 = 25;
/// A run that takes more memory is a finding, MiB.
const MEMORY: u32 = 512;

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let known = known_targets(&workspace.root)?;
    if args.list {
        println!("{}", known.join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    for name in &args.targets {
        ensure!(
            known.contains(name),
            "there is no target `{name}`; `cargo xtask fuzz --list` lists them"
        );
    }
    let chosen = if args.targets.is_empty() {
        &known
    } else {
        &args.targets
    };
    require_tools()?;
    let mut lines = Vec::new();
    let mut good = true;
    for name in chosen {
        let target = Fuzzed::new(&workspace, name);
        target.build()?;
        let tally = target.fuzz(args.seconds)?;
        let findings = target.keep_findings()?;
        good &= findings.is_empty() && tally.ended_well;
        if args.keep && findings.is_empty() {
            target.keep_fewest()?;
        }
        lines.push(format!("{name:<16} {tally}  {} findings", findings.len()));
        for path in &findings {
            lines.push(format!(
                "  cargo run -p feedhold-tests --bin fuzz-replay -- {name} {path}"
            ));
        }
        if findings.is_empty() && !tally.ended_well {
            lines.push(format!(
                "  the fuzzer failed; see {}",
                target.log().display()
            ));
        }
    }
    println!("\n{}", lines.join("\n"));
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The names of the programs.
fn known_targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join(PACKAGE).join("fuzz_targets");
    let mut names = Vec::new();
    for path in files(&folder)? {
        names.extend(
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    Ok(names)
}

fn require_tools() -> Result<()> {
    if !sh::answers("rustup", &["run", "nightly", "cargo", "--version"]) {
        bail!(
            "fuzzing needs the nightly toolchain; install it with `rustup toolchain install nightly`"
        );
    }
    if !sh::answers("rustup", &["run", "nightly", "cargo", "fuzz", "--version"]) {
        println!("cargo-fuzz is missing and gets installed: cargo install cargo-fuzz --locked");
        let installed = sh::run(&mut sh::cargo(["install", "cargo-fuzz", "--locked"]))?;
        ensure!(installed, "cargo-fuzz could not be installed");
    }
    Ok(())
}

/// One target and its places.
struct Fuzzed<'a> {
    name: &'a str,
    root: &'a Path,
    /// Where the fuzzer builds and keeps its own corpus.
    target: PathBuf,
}

impl<'a> Fuzzed<'a> {
    fn new(workspace: &'a Workspace, name: &'a str) -> Self {
        Self {
            name,
            root: &workspace.root,
            target: workspace.target.join("fuzz"),
        }
    }

    /// Inputs that are committed.
    fn committed(&self) -> PathBuf {
        self.root.join(PACKAGE).join("corpus").join(self.name)
    }

    /// Everything that this computer has found so far.
    fn found(&self) -> PathBuf {
        self.target.join("corpus").join(self.name)
    }

    /// Inputs that broke a law in this run.
    fn artifacts(&self) -> PathBuf {
        self.target.join("artifacts").join(self.name)
    }

    fn log(&self) -> PathBuf {
        self.target.join(format!("{}.log", self.name))
    }

    /// `cargo fuzz …` on the nightly toolchain. There is no unsafe code here for a sanitizer to watch.
    fn cargo_fuzz(&self, what: &str) -> Command {
        let mut command = Command::new("rustup");
        command
            .args([
                "run",
                "nightly",
                "cargo",
                "fuzz",
                what,
                "--sanitizer",
                "none",
            ])
            .arg("--fuzz-dir")
            .arg(self.root.join(PACKAGE))
            .arg("--target-dir")
            .arg(&self.target)
            .arg(self.name)
            .current_dir(self.root)
            // Looking up the names of a backtrace takes so long that the fuzzer loses patience with its own report.
            .env("RUST_BACKTRACE", "0");
        command
    }

    fn build(&self) -> Result<()> {
        let mut command = self.cargo_fuzz("build");
        ensure!(
            sh::run(&mut command)?,
            "the target {} does not build",
            self.name
        );
        Ok(())
    }

    /// Runs the fuzzer with its output in a file; true when it ended well.
    fn logged(&self, command: &mut Command, log: &Path) -> Result<bool> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdout(Stdio::null()).stderr(file);
        sh::run(command)
    }

    fn fuzz(&self, seconds: u64) -> Result<Tally> {
        for folder in [self.found(), self.committed()] {
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        // What an earlier run has left there was kept already.
        let _ = fs::remove_dir_all(self.artifacts());
        fs::create_dir_all(self.artifacts())?;
        println!(
            "== {} for {seconds} s; the fuzzer talks to {} ==",
            self.name,
            self.log().display()
        );
        let mut command = self.cargo_fuzz("run");
        command.args([self.found(), self.committed()]).arg("--");
        command.args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={LONGEST}"),
            format!("-timeout={SLOW}"),
            format!("-rss_limit_mb={MEMORY}"),
            format!("-artifact_prefix={}/", self.artifacts().display()),
        ]);
        let words = self.root.join(PACKAGE).join("words.dict");
        command.arg(format!("-dict={}", words.display()));
        let ended_well = self.logged(&mut command, &self.log())?;
        let log = fs::read(self.log()).unwrap_or_default();
        Ok(Tally::of(&String::from_utf8_lossy(&log), ended_well))
    }

    /// Makes what was found as small as possible and puts it beside the committed inputs. Paths are told from the root.
    fn keep_findings(&self) -> Result<Vec<String>> {
        let folder = self.committed().join("findings");
        let mut kept = Vec::new();
        for found in files(&self.artifacts())? {
            let name = found
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            fs::create_dir_all(&folder)?;
            let small = self.artifacts().join(format!("small-{name}"));
            if name.starts_with("crash-") {
                let mut command = self.cargo_fuzz("run");
                command
                    .arg(&found)
                    .arg("--")
                    .args(["-minimize_crash=1", "-max_total_time=30"]);
                command.arg(format!("-exact_artifact_path={}", small.display()));
                // Whatever it says, a smaller input lies there or it does not.
                let _ = self.logged(&mut command, &self.log().with_extension("minimize.log"))?;
            }
            let best = if small.exists() { small } else { found };
            let place = folder.join(&name);
            fs::copy(&best, &place).with_context(|| format!("cannot write {}", place.display()))?;
            kept.push(
                place
                    .strip_prefix(self.root)
                    .unwrap_or(&place)
                    .display()
                    .to_string(),
            );
        }
        Ok(kept)
    }

    /// The fewest inputs that reach all edges of the code that any input reaches.
    fn keep_fewest(&self) -> Result<()> {
        let fewest = self.target.join("fewest").join(self.name);
        let _ = fs::remove_dir_all(&fewest);
        fs::create_dir_all(&fewest)?;
        let mut command = self.cargo_fuzz("run");
        command
            .args([&fewest, &self.found(), &self.committed()])
            .arg("--");
        command.args(["-set_cover_merge=1", "-use_counters=0"]);
        command.arg(format!("-max_len={LONGEST_KEPT}"));
        let log = self.log().with_extension("merge.log");
        ensure!(
            self.logged(&mut command, &log)?,
            "the inputs could not be merged; see {}",
            log.display()
        );
        for old in files(&self.committed())? {
            fs::remove_file(&old)?;
        }
        for new in files(&fewest)? {
            let name = new.file_name().unwrap_or_default().to_string_lossy();
            // A short name says as much as a long one.
            let short = name.get(..12).unwrap_or(&name);
            fs::copy(&new, self.committed().join(short))?;
        }
        Ok(())
    }
}

/// The files right in a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || format!("cannot list {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(list)? {
        let path = entry.with_context(list)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
