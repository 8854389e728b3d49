//! The records of a job as `feedhold checkpoints` tells them, on sound and on damaged stores.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::common::{Place, Ran};

const SLOT: usize = 4096;
const REGION: usize = 64 * SLOT;

/// A job that stands at a program stop, and the directory of its records.
fn stopped() -> (Place, PathBuf) {
    let place = Place::new();
    place.file("part.nc", "G21 G90\nG0 X1\nM0\nG0 X2\n");
    place
        .run(&["run", "part.nc", "-m", "sim:grbl?speed=max"])
        .expect(7, &["M0"]);
    let mut dirs = fs::read_dir(place.path("state")).expect("a directory");
    let dir = dirs.next().expect("one job").expect("an entry").path();
    (place, dir)
}

fn json(ran: &Ran) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).expect("one object a line");
    ran.out().lines().map(parse).collect()
}

fn damage(dir: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let path = dir.join("checkpoint.fhc");
    let mut image = fs::read(&path).expect("a store");
    change(&mut image);
    fs::write(path, image).expect("written");
}

/// Bytes and times of all files in a directory.
fn everything(dir: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let changed = fs::metadata(&path).and_then(|data| data.modified());
            (
                path.clone(),
                fs::read(&path).expect("a file"),
                changed.expect("a time"),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn records_are_listed_and_nothing_is_written() {
    let (place, dir) = stopped();
    let before = everything(&dir);
    let ran = place.run(&["checkpoints"]);
    ran.expect(0, &["part.nc on sim:grbl", "start", "executed", "UTC"]);
    let ran = place.run(&["checkpoints", "--verify"]);
    ran.expect(
        0,
        &[
            "64 slots, two copies each",
            "0 with a finding",
            "everything is as it should be",
        ],
    );
    let lines = json(&place.run(&["checkpoints", "--json", "--verify"]));
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
    assert_eq!((of("slot"), of("verdict")), (64, 1));
    let records: Vec<_> = lines
        .iter()
        .filter(|line| line["event"] == "record")
        .collect();
    assert!(records.len() >= 2, "{records:?}");
    let newest = records[0];
    assert!(newest["executed"].as_u64() <= newest["acked"].as_u64());
    assert!(newest["sent"].as_u64() <= newest["ceiling"].as_u64());
    let generation = |line: &Value| line["generation"].as_u64().expect("a number");
    assert!(
        records
            .windows(2)
            .all(|pair| generation(pair[0]) == generation(pair[1]) + 1),
        "newest first, without gaps"
    );
    assert_eq!(
        lines.last().expect("a verdict")["generation"],
        newest["generation"]
    );
    assert_eq!(everything(&dir), before, "something was written");
}

#[test]
fn findings_are_explained_and_only_a_refused_store_fails() {
    let (place, dir) = stopped();
    let lines = json(&place.run(&["checkpoints", "--json"]));
    let newest = lines.last().expect("a verdict")["generation"]
        .as_u64()
        .expect("a number") as usize;
    let sound = fs::read(dir.join("checkpoint.fhc")).expect("a store");
    let restore = |image: &mut Vec<u8>| image.clone_from(&sound);

    damage(&dir, |image| image[newest * SLOT + 100] ^= 4);
    let verify = ["checkpoints", "--verify"];
    place
        .run(&["checkpoints"])
        .expect(0, &["--verify explains"]);
    place.run(&verify).expect(
        0,
        &[
            "copy A of record",
            "is bad, the other copy is good",
            "the newest record is safe",
        ],
    );
    let lines = json(&place.run(&["checkpoints", "--verify", "--json"]));
    let slot = lines
        .iter()
        .find(|line| line["event"] == "slot" && line["slot"] == newest)
        .expect("the slot");
    assert_eq!(
        (&slot["a"], &slot["b"], &slot["finding"]),
        (&"bad".into(), &"sound".into(), &"copy-lost".into())
    );

    damage(&dir, |image| {
        restore(image);
        image[(newest + 1) * SLOT] = 1;
    });
    place
        .run(&verify)
        .expect(0, &["was being written when", "the one before it counts"]);

    damage(&dir, |image| {
        restore(image);
        image[(newest + 7) * SLOT] = 1;
    });
    place
        .run(&verify)
        .expect(0, &["copy A holds data where nothing was written yet"]);

    damage(&dir, |image| {
        restore(image);
        for region in [0, REGION] {
            image[region + (newest - 1) * SLOT + 100] ^= 4;
        }
    });
    place.run(&verify).expect(
        8,
        &[
            "both copies of generation",
            "A crash does not do this",
            "at a line of your choice",
        ],
    );
    let verdict = json(&place.run(&["checkpoints", "--json"]))
        .pop()
        .expect("a verdict");
    assert_eq!(
        (&verdict["exit"], &verdict["event"]),
        (&8.into(), &"verdict".into())
    );

    damage(&dir, |image| {
        image.fill(0);
        image[..12].copy_from_slice(b"\x89FHCKPT\n\x07\x00\x05\x00");
    });
    place
        .run(&verify)
        .expect(8, &["needs a reader of format 5", "update the program"]);

    damage(&dir, |image| image.truncate(1000));
    place
        .run(&verify)
        .expect(8, &["1000 bytes long instead of 524288"]);
}

#[test]
fn damaged_records_are_moved_aside_when_the_operator_agrees() {
    let (place, dir) = stopped();
    let name = dir.file_name().expect("a name").to_string_lossy();
    let quarantine = ["checkpoints", &name, "--quarantine"];
    let store = dir.join("checkpoint.fhc");
    let sound = fs::read(&store).expect("a store");

    place
        .run(&["checkpoints", "--quarantine"])
        .expect(2, &["JOB"]);
    place
        .run(&["checkpoints", &name, "--yes"])
        .expect(2, &["--quarantine"]);
    place
        .answer(&quarantine, "y\n")
        .expect(8, &["are sound: they stay where they are"]);
    damage(&dir, |image| {
        image.fill(0);
        image[..12].copy_from_slice(b"\x89FHCKPT\n\x07\x00\x05\x00");
    });
    place
        .answer(&quarantine, "y\n")
        .expect(8, &["not damaged", "update the program", "they stay"]);
    assert!(store.exists());

    damage(&dir, |image| image.truncate(1000));
    let command = format!("`feedhold checkpoints {name} --quarantine`");
    place.run(&["checkpoints", &name]).expect(8, &[&command]);
    place
        .run(&["checkpoints", &name, "--verify"])
        .expect(8, &[&command, "without deleting it"]);
    let damaged = everything(&dir);
    for answer in ["", "n\n", "\n"] {
        place
            .answer(&quarantine, answer)
            .expect(7, &["Move these records aside?", "nothing was moved"]);
    }
    assert_eq!(everything(&dir), damaged, "nobody agreed");

    let lock = fs::File::open(dir.join("checkpoint.lock")).expect("a lock");
    lock.try_lock().expect("nobody has it");
    place.answer(&quarantine, "y\n").expect(8, &["is locked"]);
    drop(lock);
    assert!(store.exists(), "the job was open elsewhere");

    place.answer(&quarantine, "y\n").expect(
        0,
        &[
            "1000 bytes long instead of 524288",
            "checkpoint.damaged-1.fhc",
            "`feedhold run`",
        ],
    );
    assert!(!store.exists());
    let aside = dir.join("checkpoint.damaged-1.fhc");
    assert_eq!(fs::read(&aside).expect("kept"), store_of(&damaged));
    place
        .run(&quarantine)
        .expect(8, &["no checkpoint at", "they stay"]);

    fs::write(&store, &sound[1..]).expect("written");
    let lines = json(&place.run(&["checkpoints", &name, "--quarantine", "--yes", "--json"]));
    let last = lines.last().expect("what was done");
    assert_eq!(
        (&last["event"], &last["exit"]),
        (&"quarantined".into(), &0.into())
    );
    let path = last["aside"].as_str().expect("a path");
    assert!(path.ends_with("checkpoint.damaged-2.fhc"), "{path}");
    assert_eq!(fs::read(path).expect("kept"), sound[1..]);

    // The file can be run again, in the same place.
    place
        .run(&["run", "part.nc", "-m", "sim:grbl?speed=max"])
        .expect(7, &["M0"]);
    place
        .run(&["checkpoints", &name])
        .expect(0, &["executed", "damaged-2.fhc"]);
}

/// The store among the files of a directory.
fn store_of(files: &[(PathBuf, Vec<u8>, std::time::SystemTime)]) -> Vec<u8> {
    let store = files
        .iter()
        .find(|(path, ..)| path.ends_with("checkpoint.fhc"));
    store.expect("a store").1.clone()
}

#[test]
fn what_lies_beside_a_store_is_told() {
    let (place, dir) = stopped();
    let move_to =
        |name: &str| fs::copy(dir.join("checkpoint.fhc"), dir.join(name)).expect("copied");
    for name in [
        "checkpoint.damaged-2.fhc",
        "checkpoint.damaged-10.fhc",
        "checkpoint.new",
    ] {
        move_to(name);
    }
    place.run(&["checkpoints"]).expect(
        0,
        &[
            "damaged-2.fhc: a damaged store that was moved aside",
            "checkpoint.new: a store whose creation was interrupted",
        ],
    );
    fs::remove_file(dir.join("checkpoint.fhc")).expect("there");
    place
        .run(&["checkpoints", "--verify"])
        .expect(8, &["no job"]);
    let name = dir
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    place.run(&["checkpoints", &name, "--verify"]).expect(
        8,
        &[
            "no checkpoint at",
            "damaged-10.fhc",
            "there are no records here",
        ],
    );
    place
        .run(&["checkpoints", "../state"])
        .expect(8, &["no job"]);
}
