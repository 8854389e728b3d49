//! The creation of a store at the level of names: a directory that loses every change it was not told to keep.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::rc::Rc;

use feedhold_checkpoint::{
    Config, CreateError, IMAGE_LEN, SLOT_LEN, Store,
    backend::{Backend, Directory, Memory, SECTOR_LEN},
};

use super::{
    Broken, Claim, Note, State,
    bugs::{Bug, FINAL_NAME, PlantedDirectory},
    open,
    report::{STORE, Tally},
};

type Page = [u8; SLOT_LEN];

/// Names and files as they are, as they would be after a power cut, and all the ways between.
#[derive(Debug, Clone, Default)]
struct Names {
    visible: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    /// Changes of names that are not durable, oldest first; `None` removes.
    pending: Vec<(String, Option<usize>)>,
    files: Vec<Content>,
}

#[derive(Debug, Clone, Default)]
struct Content {
    visible: Vec<Rc<Page>>,
    durable: Vec<Rc<Page>>,
    is_synced: bool,
}

/// A directory in memory, with a copy of its state after each change, and at most one change that fails.
#[derive(Debug, Clone)]
struct Model {
    now: Rc<RefCell<Names>>,
    after: Rc<RefCell<Vec<Names>>>,
    fails: Option<(usize, i32)>,
}

impl Model {
    fn new(names: Names, fails: Option<(usize, i32)>) -> Self {
        Self {
            now: Rc::new(RefCell::new(names)),
            after: Rc::default(),
            fails,
        }
    }

    /// Does something to the state and keeps a copy of what comes of it.
    fn change<T>(&self, change: impl FnOnce(&mut Names) -> T) -> io::Result<T> {
        let mut after = self.after.borrow_mut();
        if let Some((_, errno)) = self.fails.filter(|(nth, _)| *nth == after.len()) {
            after.push(self.now.borrow().clone());
            return Err(io::Error::from_raw_os_error(errno));
        }
        let done = change(&mut self.now.borrow_mut());
        after.push(self.now.borrow().clone());
        Ok(done)
    }
}

impl Names {
    fn set(&mut self, name: &str, file: Option<usize>) {
        match file {
            Some(file) => self.visible.insert(name.to_owned(), file),
            None => self.visible.remove(name),
        };
        self.pending.push((name.to_owned(), file));
    }

    /// All directories that a power cut may leave: every subset of the pending changes.
    fn fates(&self) -> Vec<BTreeMap<String, usize>> {
        let subset = |number: u32| {
            let mut names = self.durable.clone();
            for (at, (name, file)) in self.pending.iter().enumerate() {
                if number >> at & 1 == 1 {
                    match file {
                        Some(file) => names.insert(name.clone(), *file),
                        None => names.remove(name),
                    };
                }
            }
            names
        };
        (0..1 << self.pending.len()).map(subset).collect()
    }
}

impl Content {
    /// Contents a power cut may leave. A file that was not synced may have any length up to the visible one, and of the sectors that
    /// are not zeros any subset.
    fn fates(&self) -> Vec<Vec<u8>> {
        let bytes = |pages: &[Rc<Page>]| pages.iter().flat_map(|page| **page).collect::<Vec<u8>>();
        if self.is_synced {
            return vec![bytes(&self.durable)];
        }
        let visible = bytes(&self.visible);
        let used: Vec<_> = (0..visible.len() / SECTOR_LEN)
            .filter(|sector| {
                visible[sector * SECTOR_LEN..][..SECTOR_LEN]
                    .iter()
                    .any(|&byte| byte != 0)
            })
            .collect();
        let mut fates = vec![bytes(&self.durable)];
        let lengths = [
            0,
            SECTOR_LEN,
            SLOT_LEN,
            IMAGE_LEN / 2,
            IMAGE_LEN - SLOT_LEN,
            IMAGE_LEN,
        ];
        for length in lengths
            .into_iter()
            .filter(|length| *length <= visible.len())
        {
            for number in 0..1_u32 << used.len().min(8) {
                let mut fate = visible.clone();
                fate.truncate(length);
                for (bit, sector) in used.iter().enumerate() {
                    let lost = number >> bit & 1 == 0;
                    if let Some(bytes) = fate.get_mut(sector * SECTOR_LEN..).filter(|_| lost) {
                        bytes.iter_mut().take(SECTOR_LEN).for_each(|byte| *byte = 0);
                    }
                }
                fates.push(fate);
            }
        }
        fates.sort();
        fates.dedup();
        fates
    }
}

/// An open file of a [`Model`].
#[derive(Debug)]
struct OpenFile {
    model: Model,
    file: usize,
}

impl Directory for Model {
    type File = OpenFile;

    fn exists(&self, name: &str) -> io::Result<bool> {
        Ok(self.now.borrow().visible.contains_key(name))
    }

    fn create(&mut self, name: &str) -> io::Result<OpenFile> {
        let file = self.change(|names| {
            if let Some(&file) = names.visible.get(name) {
                names.files[file].visible.clear();
                names.files[file].is_synced = false;
                return file;
            }
            names.files.push(Content::default());
            let file = names.files.len() - 1;
            names.set(name, Some(file));
            file
        })?;
        Ok(OpenFile {
            model: self.clone(),
            file,
        })
    }

    fn sync_file(&mut self, file: &mut OpenFile) -> io::Result<()> {
        file.sync()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.change(|names| {
            let file = names.visible.get(from).copied();
            names.set(to, file);
            names.set(from, None);
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.change(|names| {
            names.durable = names.visible.clone();
            names.pending.clear();
        })
    }

    fn place(&self, name: &str) -> String {
        format!("model/{name}")
    }
}

impl Backend for OpenFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let names = self.model.now.borrow();
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let page = names.files[self.file].visible.get(offset / SLOT_LEN);
        let rest = page.map_or(&[][..], |page| &page[offset % SLOT_LEN..]);
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let page = Page::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
        let at = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)? / SLOT_LEN;
        self.model.change(|names| {
            let content = &mut names.files[self.file];
            while content.visible.len() <= at {
                content.visible.push(Rc::new([0; SLOT_LEN]));
            }
            content.visible[at] = Rc::new(page);
            content.is_synced = false;
        })?;
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.model.change(|names| {
            let content = &mut names.files[self.file];
            content.durable = content.visible.clone();
            content.is_synced = true;
        })
    }

    fn len(&self) -> io::Result<u64> {
        let names = self.model.now.borrow();
        Ok((names.files[self.file].visible.len() * SLOT_LEN) as u64)
    }

    fn place(&self) -> String {
        "model file".to_owned()
    }
}

/// The power goes at every point of a creation, and again at every point of the creation after that.
///
/// # Errors
/// The first way in which the law was broken.
pub fn explore(bug: Option<Bug>, tally: &mut Tally) -> Result<(), Broken> {
    let mut seen = HashSet::new();
    cut(&Names::default(), bug, 1, &mut seen, tally)
}

fn cut(
    before: &Names,
    bug: Option<Bug>,
    nested: u8,
    seen: &mut HashSet<(bool, bool, u8)>,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let model = Model::new(before.clone(), None);
    create(&model, bug)
        .map_err(|error| Broken::Lost(format!("no store could be made: {error}")))?;
    let after = model.after.take();
    let last = after.len() - 1;
    for (point, names) in after.iter().enumerate() {
        tally.points += 1;
        let at = |broken: Broken| broken.at(&format!("creation cut at {point}"));
        for left in names.fates() {
            let Some(&file) = left.get(FINAL_NAME) else {
                tally.subsets += 1;
                if point == last {
                    return Err(at(Broken::Lost("the new store is not there".to_owned())));
                }
                let is_staged = !left.is_empty();
                if nested > 0 && seen.insert((is_staged, false, nested)) {
                    let mut names = names.clone();
                    names.visible.clone_from(&left);
                    names.durable = left;
                    names.pending.clear();
                    cut(&names, bug, nested - 1, seen, tally).map_err(at)?;
                }
                continue;
            };
            for content in names.files[file].fates() {
                tally.subsets += 1;
                tally.judged += 1;
                whole(content).map_err(at)?;
            }
        }
    }
    Ok(())
}

fn create(model: &Model, bug: Option<Bug>) -> Result<(), CreateError> {
    let mut directory = PlantedDirectory::new(model.clone(), bug);
    let config = Config::new().store_id(STORE);
    Store::<Note, _>::create_in_at(&mut directory, &config, super::clock(0)).map(drop)
}

/// What lies under the store's name is a whole, empty store.
fn whole(content: Vec<u8>) -> Result<(), Broken> {
    let mut claim = Claim::default();
    let store = open(Memory::from_image(content), &mut claim)?;
    match store.map(|store| State::of(&store)) {
        Some(shown) => shown.map(drop),
        None => Err(Broken::Lost("the new store cannot be read".to_owned())),
    }
}

/// Every change that a creation makes fails once with this error: the answer names place and cause, no store is left under the
/// final name unless it is a whole one, and the next creation succeeds.
///
/// # Errors
/// The first way in which the law was broken.
pub fn fail_everywhere(errno: i32, tally: &mut Tally) -> Result<(), Broken> {
    for nth in 0.. {
        let model = Model::new(Names::default(), Some((nth, errno)));
        let Err(error) = create(&model, None) else {
            break;
        };
        tally.points += 1;
        tally.judged += 1;
        let text = error.to_string();
        let CreateError::Io { place, source, .. } = &error else {
            return Err(Broken::Wrong(format!(
                "failure {nth} was answered by: {text}"
            )));
        };
        if source.raw_os_error() != Some(errno)
            || !place.starts_with("model")
            || !text.contains(place)
        {
            return Err(Broken::Wrong(format!(
                "failure {nth} was answered by: {text}"
            )));
        }
        let left = model.now.borrow().clone();
        if let Some(&file) = left.visible.get(FINAL_NAME) {
            let pages = &left.files[file].visible;
            whole(pages.iter().flat_map(|page| **page).collect())?;
        } else {
            create(&Model::new(left, None), None)
                .map_err(|error| Broken::Lost(format!("after failure {nth}: {error}")))?;
        }
    }
    Ok(())
}
