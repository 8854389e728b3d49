//! What an open makes of every kind of damage: which record, which warnings, or which refusal.

use std::time::{Duration, UNIX_EPOCH};

use feedhold_checkpoint::backend::Memory;
use feedhold_checkpoint::{Config, IMAGE_LEN, Opened, SLOT_LEN, SLOTS, Store, StoreId};

/// The image of a store with records 1 to `commits`; from `fork` on the records are others.
fn image(commits: u64, fork: u64, id: u8) -> Vec<u8> {
    let config = Config::new().store_id(StoreId::from_bytes([id; 16]));
    let mut store = Store::create_on_at(Memory::new(), &config, UNIX_EPOCH).expect("blank");
    for n in 1..=commits {
        let record = if n < fork { n } else { n + 1_000 };
        let now = UNIX_EPOCH + Duration::from_secs(n);
        store.commit_at(&record, now).expect("memory takes it");
    }
    store.into_backend().image().to_vec()
}

const A: usize = 0;
const B: usize = IMAGE_LEN / 2;

/// Where a generation lies in a region.
fn place(region: usize, generation: usize) -> std::ops::Range<usize> {
    let at = region + generation % SLOTS * SLOT_LEN;
    at..at + SLOT_LEN
}

#[derive(Clone, Copy)]
enum Damage<'a> {
    /// A bit flips in the copy of this generation in this region.
    Rot(usize, usize),
    /// The copy is erased.
    Erase(usize, usize),
    /// The copy is what another image has there.
    From(&'a [u8], usize, usize),
    /// The whole region is what another image has there.
    RegionFrom(&'a [u8], usize),
    /// The slot of the first generation is copied over that of the second, in both regions.
    Misplace(usize, usize),
    /// Header bytes are changed at this place and the digest is made right again.
    Forge(usize, usize, usize, &'a [u8]),
    /// The file is cut or extended to this length.
    Length(usize),
}

fn inflict(image: &mut Vec<u8>, damage: Damage<'_>) {
    match damage {
        Damage::Rot(region, generation) => image[place(region, generation).start + 100] ^= 4,
        Damage::Erase(region, generation) => image[place(region, generation)].fill(0),
        Damage::From(other, region, generation) => {
            let place = place(region, generation);
            image[place.clone()].copy_from_slice(&other[place]);
        }
        Damage::RegionFrom(other, region) => {
            let place = region..region + IMAGE_LEN / 2;
            image[place.clone()].copy_from_slice(&other[place]);
        }
        Damage::Misplace(from, to) => {
            for region in [A, B] {
                image.copy_within(place(region, from), place(region, to).start);
            }
        }
        Damage::Forge(region, generation, at, bytes) => {
            let slot = &mut image[place(region, generation)];
            slot[at..at + bytes.len()].copy_from_slice(bytes);
            let digest = blake3::hash(&slot[..SLOT_LEN - 16]);
            slot[SLOT_LEN - 16..].copy_from_slice(&digest.as_bytes()[..16]);
        }
        Damage::Length(len) => image.resize(len, 0),
    }
}

/// Opens the damaged image; gives the newest record and the warnings, or the refusal. After a
/// success a second open must show the same without a warning.
fn outcome(image: &[u8], damages: &[Damage<'_>]) -> String {
    let mut image = image.to_vec();
    damages
        .iter()
        .for_each(|damage| inflict(&mut image, *damage));
    let open = |memory| Store::<u64, Memory>::open_on(memory, &Config::new());
    let Opened { store, warnings } = match open(Memory::from_image(image)) {
        Ok(opened) => opened,
        Err(error) => return error.to_string(),
    };
    let newest = store.latest().copied();
    let again = open(store.into_backend()).expect("repaired");
    assert_eq!(
        (again.store.latest().copied(), again.warnings),
        (newest, vec![]),
        "second open"
    );
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    format!("{} | {}", newest.unwrap_or(0), warnings.join(" | "))
}

fn check(image: &[u8], damages: &[Damage<'_>], expected: &str) {
    assert_eq!(outcome(image, damages), expected);
}

const REFUSED: &str = "Which record is the newest cannot be told, and resuming from an older one \
    could repeat motion; move the file aside and start the job at a line of your choice";

fn refused(image: &[u8], damages: &[Damage<'_>], damage: &str) {
    check(
        image,
        damages,
        &format!("memory is damaged: {damage}. {REFUSED}"),
    );
}

#[test]
fn one_bad_copy_is_replaced_by_its_twin() {
    let image = image(70, 99, 1);
    let was = "was bad and was rewritten from its twin";
    let newest = |region| format!("70 | copy {region} of generation 70 (slot 6) {was}");
    check(&image, &[Damage::Rot(A, 70)], &newest("A"));
    check(&image, &[Damage::Rot(B, 70)], &newest("B"));
    check(&image, &[Damage::Erase(B, 70)], &newest("B"));
    let older = format!("70 | copy A of generation 64 (slot 0) {was}");
    check(&image, &[Damage::Rot(A, 64)], &older);
    let both = format!("{older} | copy B of generation 65 (slot 1) {was}");
    check(&image, &[Damage::Rot(A, 64), Damage::Rot(B, 65)], &both);
}

#[test]
fn a_region_that_missed_the_last_writes_is_brought_up_to_date() {
    let (old, new) = (image(68, 99, 1), image(70, 99, 1));
    let expected = "70 | copy B of generation 69 (slot 5) was bad and was rewritten from its twin \
        | copy B of generation 70 (slot 6) was bad and was rewritten from its twin";
    check(&new, &[Damage::RegionFrom(&old, B)], expected);
}

#[test]
fn both_newest_copies_bad_is_a_torn_write() {
    let image = image(70, 99, 1);
    let torn = "generation 70 (slot 6) was torn by a crash before it was durable; the one before \
        it counts";
    check(
        &image,
        &[Damage::Rot(A, 70), Damage::Rot(B, 70)],
        &format!("69 | {torn}"),
    );
    check(
        &image,
        &[Damage::Rot(A, 70), Damage::Erase(B, 70)],
        &format!("69 | {torn}"),
    );
    let with_twin = format!(
        "69 | copy A of generation 69 (slot 5) was bad and was rewritten from its twin | {torn}"
    );
    let damages = [Damage::Rot(A, 70), Damage::Rot(B, 70), Damage::Rot(A, 69)];
    check(&image, &damages, &with_twin);
    let next = "70 | generation 71 (slot 7) was torn by a crash before it was durable; the one \
        before it counts";
    check(&image, &[Damage::Rot(A, 7)], next);
    check(&image, &[Damage::Rot(A, 7), Damage::Rot(B, 7)], next);
}

#[test]
fn a_write_that_never_reached_the_disk_leaves_no_trace() {
    let (old, new) = (image(69, 99, 1), image(70, 99, 1));
    check(
        &new,
        &[Damage::From(&old, A, 70), Damage::From(&old, B, 70)],
        "69 | ",
    );
    check(&new, &[Damage::Erase(A, 70), Damage::Erase(B, 70)], "69 | ");
}

#[test]
fn more_than_a_crash_explains_is_refused() {
    let image = image(70, 99, 1);
    let rot = |generation| [Damage::Rot(A, generation), Damage::Rot(B, generation)];
    refused(
        &image,
        &rot(60),
        "both copies of generation 60 (slot 60) are bad",
    );
    let two_newest = [rot(70), rot(69)].concat();
    refused(
        &image,
        &two_newest,
        "both copies of generation 6 (slot 6) are bad",
    );
    let all: Vec<_> = (7..71).flat_map(rot).collect();
    refused(&image, &all, "it holds no valid record");
    refused(
        &image,
        &[Damage::Misplace(60, 61)],
        "both copies of generation 61 (slot 61) are bad",
    );
    refused(
        &image,
        &[Damage::Length(0)],
        "it is 0 bytes long instead of 524288",
    );
    refused(
        &image,
        &[Damage::Length(524_289)],
        "it is 524289 bytes long instead of 524288",
    );
}

#[test]
fn data_where_nothing_was_written_is_erased_or_refused() {
    let image = image(3, 99, 1);
    let one = "3 | copy A of slot 20 held data although it was never written; it was erased";
    check(&image, &[Damage::Rot(A, 20)], one);
    let both = "slot 20 was never written and yet both copies hold data";
    refused(&image, &[Damage::Rot(A, 20), Damage::Rot(B, 20)], both);
}

#[test]
fn valid_records_that_do_not_belong_together_are_refused() {
    let (ours, fork, other) = (image(70, 99, 1), image(70, 69, 1), image(70, 99, 2));
    let both = |image, generation| {
        [
            Damage::From(image, A, generation),
            Damage::From(image, B, generation),
        ]
    };
    let differ = "the copies of generation 70 (slot 6) differ although both are valid";
    refused(&ours, &[Damage::From(&fork, B, 70)], differ);
    let broken = "generation 70 does not continue the record before it";
    refused(&ours, &both(&fork, 70), broken);
    let stray = "generation 70 (slot 6) belongs to another store";
    refused(&ours, &both(&other, 70), stray);
}

#[test]
fn other_formats_are_refused_with_what_to_do() {
    let image = image(3, 99, 1);
    let cases: &[(usize, &[u8], &str)] = &[
        (
            8,
            &[2, 0, 2, 0],
            "it has format 2 and needs a reader of format 2, this program reads up to 1; update \
             the program",
        ),
        (
            8,
            &[0, 0],
            "it has format 0, this program reads 1 and later; finish the job with the program that \
             started it",
        ),
        (
            13,
            &[2],
            "a record has kind 1 and flags 0x02, which this program does not know; update the \
             program",
        ),
    ];
    for (at, bytes, reason) in cases {
        let expected = format!("memory cannot be read by this version: {reason}");
        check(&image, &[Damage::Forge(A, 2, *at, bytes)], &expected);
    }
}

#[test]
fn a_format_whose_digest_lies_elsewhere_still_says_that_it_is_newer() {
    let mut image = vec![0; IMAGE_LEN];
    image[..12].copy_from_slice(b"\x89FHCKPT\n\x07\x00\x05\x00");
    let expected = "memory cannot be read by this version: it has format 7 and needs a reader of \
        format 5, this program reads up to 1; update the program";
    check(&image, &[], expected);
}
