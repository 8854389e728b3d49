//! Every point at which the power can go, times every subset of unsynced sectors.
//!
//! A step of the store, or an open, is taken once on a disk that writes down every write and sync. The power then goes after each of
//! them, and after the return. What was written and not synced may survive sector by sector, whatever its neighbours do, which is
//! also every order of writing them; besides, one sector of each copy under way may be torn in its middle or hold garbage.
//!
//! Each image is opened by the real store. Within that open the power goes again at every point, and a third open judges. Two things
//! keep the number of opens finite, and both are equivalences: images with equal bytes (and equal claims) are judged once; and where
//! the subsets of a nested crash are too many, those images are judged once whose copies are pairwise *taken for the same* by
//! [`slot_copy`](feedhold_checkpoint::inspect::slot_copy), because the verdict is computed from these judgements alone. A sample of
//! the latter is opened nevertheless and has to come to the same.

use std::collections::{HashMap, HashSet};

use feedhold_checkpoint::{Config, Opened, SLOTS, Store, backend::Memory};

use super::{
    Broken, Claim, Note, Random, State, Step,
    bugs::{Bug, Doing, Planted},
    disk::{Act, COPIES, ClassNo, Image, Medium, PageNo, Pages, Recorder, offset},
    fates::FateBook,
    open,
    report::Tally,
};

/// Where a store stands before the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// What to call it.
    pub name: &'static str,
    /// Records committed so far.
    pub commits: u64,
    /// Bytes of filler in each.
    pub filler: usize,
}

/// What is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// A step, and every open behind it.
    Step(Step),
    /// An open that has to repair a rotten copy: of the newest record, counted back, in this region (0 or 1).
    Repair {
        /// How many records before the newest.
        back: u64,
        /// 0 for A, 1 for B.
        region: usize,
    },
}

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most subsets of one point that are all opened; above, they are judged by what their copies are taken for.
    pub exact: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Depth {
    /// Crashes inside an open, inside the open after that, …
    nested: u8,
    /// Steps after an open that was not cut, each with all its crashes.
    afterwards: u8,
}

/// Plays one course on one ring.
///
/// # Errors
/// The first way in which the law was broken.
pub fn explore(
    ring: Ring,
    course: Course,
    bug: Option<Bug>,
    limits: Limits,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let mut world = World {
        pages: Pages::default(),
        fates: FateBook::default(),
        judged: HashSet::new(),
        verdicts: HashMap::new(),
        base: Image::new(),
        bug,
        limits,
        random: Random(ring.commits),
        tally,
    };
    let (image, claim) = world.aged(ring);
    world.base.clone_from(&image);
    let depth = Depth {
        nested: 1,
        afterwards: 1,
    };
    match course {
        Course::Step(step) => world.step(&Medium::sound(image), claim, step, depth),
        Course::Repair { back, region } => {
            let slot = (ring.commits - back) as usize % SLOTS;
            let image = world.rotten(&image, region * SLOTS + slot);
            world.recover(&image, claim, depth)
        }
    }
}

/// Copies, and what an open takes them for.
type Kinds = Vec<(usize, ClassNo)>;

struct World<'t> {
    pages: Pages,
    fates: FateBook,
    /// Images that were opened, by their bytes.
    judged: HashSet<(Image, Claim, Depth)>,
    /// What was shown for copies that were taken for these, all others being as in `base`.
    verdicts: HashMap<(Kinds, Claim, Depth), State>,
    base: Image,
    bug: Option<Bug>,
    limits: Limits,
    random: Random,
    tally: &'t mut Tally,
}

impl World<'_> {
    /// A store of that age, made without mistakes: they begin afterwards.
    fn aged(&mut self, ring: Ring) -> (Image, Claim) {
        let mut claim = Claim::default();
        let config = Config::new().store_id(super::report::STORE);
        let mut store = Store::<Note, _>::create_on_at(Memory::new(), &config, super::clock(0))
            .expect("a blank memory takes a store");
        for _ in 0..ring.commits {
            let step = Step::Commit {
                filler: ring.filler,
            };
            assert!(claim.take(&mut store, step), "memory takes every record");
        }
        let memory = store.into_backend();
        let image = (0..COPIES).map(|copy| {
            let page = memory.image()[offset(copy)..].first_chunk();
            self.pages
                .number(page.expect("the copy lies inside the image"))
        });
        (image.collect(), claim)
    }

    /// The image with a flipped bit in one copy.
    fn rotten(&mut self, image: &Image, copy: usize) -> Image {
        let mut page = **self.pages.page(image[copy]);
        page[100] ^= 4;
        let mut rotten = image.clone();
        rotten[copy] = self.pages.number(&page);
        rotten
    }

    /// Opens, takes one step, and cuts the power at each point of the step.
    fn step(
        &mut self,
        before: &Medium,
        claim: Claim,
        step: Step,
        depth: Depth,
    ) -> Result<(), Broken> {
        let mut claim = claim;
        let disk = Planted::new(Recorder::new(before, &self.pages), self.bug);
        disk.doing(Doing::Open);
        let Some(mut store) = open(disk.clone(), &mut claim)? else {
            return Ok(());
        };
        let mut medium = before.clone();
        for act in disk.inner().acts(&mut self.pages) {
            medium.do_it(act);
        }
        disk.doing(Doing::Step);
        let mut attempting = claim;
        let done = attempting.take(&mut store, step);
        let acts = disk.inner().acts(&mut self.pages);
        let cut = Claim {
            attempted: Some(attempting.acknowledged),
            acknowledged: claim.acknowledged,
            issued: attempting.issued,
        };
        let name = |point| format!("{step:?} cut at {point}");
        for point in 0..=acts.len() {
            let returned = done && point == acts.len();
            let claim = if returned { attempting } else { cut };
            self.power_goes(&medium, claim, depth)
                .map_err(|broken| broken.at(&name(point)))?;
            match acts.get(point) {
                Some(act) => medium.do_it(*act),
                None => break,
            }
        }
        self.single_fault(&medium, attempting)
    }

    /// The power goes now: everything that may be left is opened and judged.
    fn power_goes(&mut self, medium: &Medium, claim: Claim, depth: Depth) -> Result<(), Broken> {
        self.tally.points += 1;
        let touched = touched(medium);
        let mut fates = Vec::with_capacity(touched.len());
        for (copy, pending) in &touched {
            let durable = medium.durable[*copy];
            fates.push(self.fates.of(&mut self.pages, *copy, durable, pending));
        }
        let subsets: u64 = fates.iter().map(|f| f.subset_count()).product();
        let contents: u64 = fates.iter().map(|f| f.contents).product();
        self.tally.subsets += contents;
        if subsets <= self.limits.exact && depth.afterwards > 0 {
            for number in 0..subsets {
                let (mut image, mut rest) = (medium.durable.clone(), number);
                for ((copy, _), fates) in touched.iter().zip(&fates) {
                    let versions = fates.subsets(&mut self.pages);
                    image[*copy] = versions[rest as usize % versions.len()];
                    rest /= versions.len() as u64;
                }
                self.recover(&image, claim, depth)
                    .map_err(|broken| broken.at(&format!("subset {number:#b} of {subsets}")))?;
            }
        } else if subsets > self.limits.exact {
            self.tally.by_kind = true;
        }
        // One image of each combination of kinds.
        let others = self.others(medium, &touched);
        let combinations: usize = fates.iter().map(|f| f.kinds.len()).product();
        for number in 0..combinations {
            let (mut examples, mut rest) = (medium.durable.clone(), number);
            let mut witnesses = examples.clone();
            let mut classes = others.clone();
            for ((copy, _), fates) in touched.iter().zip(&fates) {
                let kind = &fates.kinds[rest % fates.kinds.len()];
                rest /= fates.kinds.len();
                examples[*copy] = kind.example;
                witnesses[*copy] = kind.witness;
                classes.push((*copy, kind.class));
            }
            self.kind_of_image(classes, &examples, &witnesses, claim, depth)?;
        }
        Ok(())
    }

    /// Judges one image for all whose copies are taken for the same; now and then another one, to compare.
    fn kind_of_image(
        &mut self,
        mut classes: Vec<(usize, ClassNo)>,
        example: &Image,
        witness: &Image,
        claim: Claim,
        depth: Depth,
    ) -> Result<(), Broken> {
        classes.sort_unstable();
        let key = (classes, claim, depth);
        let known = self.verdicts.get(&key).copied();
        let shown = match known {
            Some(shown) => shown,
            None => {
                self.recover(example, claim, depth)?;
                let shown = self.shown(example)?;
                self.verdicts.insert(key, shown);
                shown
            }
        };
        if known.is_none() || self.random.below(1024) == 0 {
            self.tally.sampled += 1;
            let other = self.shown(witness)?;
            if other != shown {
                return Err(Broken::Wrong(format!(
                    "{other:?} instead of {shown:?} for an image whose copies are taken for the same"
                )));
            }
        }
        Ok(())
    }

    /// Copies that differ from the ring before the course and have nothing pending, with what they are taken for.
    fn others(
        &mut self,
        medium: &Medium,
        touched: &[(usize, Vec<PageNo>)],
    ) -> Vec<(usize, ClassNo)> {
        let mut others = Vec::new();
        for copy in 0..COPIES {
            let page = medium.durable[copy];
            if page != self.base[copy] && !touched.iter().any(|(known, _)| *known == copy) {
                others.push((copy, self.pages.class_of(copy % SLOTS, page)));
            }
        }
        others
    }

    fn shown(&self, image: &Image) -> Result<State, Broken> {
        let recorder = Recorder::new(&Medium::sound(image.clone()), &self.pages);
        let disk = Planted::new(recorder, self.bug);
        disk.doing(Doing::Open);
        let opened = Store::<Note, _>::open_on(disk, &Config::new());
        let Opened { store, .. } =
            opened.map_err(|error| Broken::Lost(format!("refused: {error}")))?;
        State::of(&store)
    }

    /// Opens what a crash left, with the power going at every point of that, and goes on from there.
    fn recover(&mut self, image: &Image, claim: Claim, depth: Depth) -> Result<(), Broken> {
        if !self.judged.insert((image.clone(), claim, depth)) {
            return Ok(());
        }
        self.tally.judged += 1;
        let mut medium = Medium::sound(image.clone());
        let disk = Planted::new(Recorder::new(&medium, &self.pages), self.bug);
        disk.doing(Doing::Open);
        let mut settled = claim;
        if open(disk.clone(), &mut settled)?.is_none() {
            return Ok(());
        }
        let acts = disk.inner().acts(&mut self.pages);
        if depth.nested > 0 {
            self.cut_open(&medium, &acts, claim, depth)?;
        }
        for act in acts {
            medium.do_it(act);
        }
        if depth.afterwards > 0 {
            self.go_on(&medium, settled, depth)?;
        }
        Ok(())
    }

    /// The power goes at every point of an open, before it could show anything.
    fn cut_open(
        &mut self,
        before: &Medium,
        acts: &[Act],
        claim: Claim,
        depth: Depth,
    ) -> Result<(), Broken> {
        let deeper = Depth {
            nested: depth.nested - 1,
            afterwards: 0,
        };
        let mut medium = before.clone();
        for (point, act) in acts.iter().enumerate() {
            medium.do_it(*act);
            self.power_goes(&medium, claim, deeper)
                .map_err(|broken| broken.at(&format!("open cut at {point}")))?;
        }
        Ok(())
    }

    /// Behind an open: the power goes at rest; one copy rots; another step is taken and cut.
    fn go_on(&mut self, medium: &Medium, settled: Claim, depth: Depth) -> Result<(), Broken> {
        let at_rest = Depth {
            nested: 0,
            afterwards: 0,
        };
        if !medium.pending.is_empty() {
            self.power_goes(medium, settled, at_rest)
                .map_err(|broken| broken.at("after the open"))?;
        } else if !self
            .judged
            .insert((medium.durable.clone(), settled, at_rest))
        {
            // The same bytes and the same claim have the same future, which was explored.
            return Ok(());
        }
        self.single_fault(medium, settled)?;
        if settled.acknowledged.finished {
            return Ok(());
        }
        let later = Depth {
            nested: 1,
            afterwards: depth.afterwards - 1,
        };
        self.step(medium, settled, Step::Commit { filler: 20 }, later)
            .map_err(|broken| broken.at("after the open"))
    }

    /// Behind a call that returned, the power goes, everything unsynced is lost, and one copy of the newest record is bad: the other
    /// one has to do.
    fn single_fault(&mut self, medium: &Medium, claim: Claim) -> Result<(), Broken> {
        let newest = self.newest_slot(&medium.durable);
        for copy in [newest, newest + SLOTS] {
            let image = self.rotten(&medium.durable, copy);
            let claim = Claim {
                attempted: None,
                ..claim
            };
            let depth = Depth {
                nested: 0,
                afterwards: 0,
            };
            self.recover(&image, claim, depth)
                .map_err(|broken| broken.at("one copy of the newest record rotted"))?;
        }
        Ok(())
    }

    fn newest_slot(&self, image: &Image) -> usize {
        use feedhold_checkpoint::inspect::{SlotCopy, slot_copy};
        let generation = |copy: usize| match slot_copy(copy % SLOTS, self.pages.page(image[copy])) {
            SlotCopy::Sound(stamp) => Some(stamp.generation),
            _ => None,
        };
        (0..COPIES)
            .max_by_key(|&copy| generation(copy))
            .unwrap_or_default()
            % SLOTS
    }
}

/// Copies with something pending, each with its pending pages.
fn touched(medium: &Medium) -> Vec<(usize, Vec<PageNo>)> {
    let mut touched: Vec<(usize, Vec<PageNo>)> = Vec::new();
    for (copy, page) in &medium.pending {
        match touched.iter_mut().find(|(known, _)| known == copy) {
            Some((_, pages)) => pages.push(*page),
            None => touched.push((*copy, vec![*page])),
        }
    }
    touched
}
