//! Chunks come out in the order of the file, whatever takes how long.

use std::{
    path::Path,
    sync::{Condvar, Mutex},
};

use feedhold_gcode_parse::Flavor;
use feedhold_stream_core::{
    chunk::{Bounds, ChunkSizer, MemoryRule, Strategy},
    dialect::Dialect,
    wire::{Chain, ChainConfig},
};
use proptest::{prelude::*, strategy::Strategy as _};
use tempfile::TempDir;

use super::*;
use crate::content::ContentHasher;

/// Lets workers finish in an order of its own: three at a time, because no more are at work at once.
struct Gate {
    turn: Mutex<usize>,
    moved: Condvar,
    order: Vec<usize>,
}

impl Gate {
    fn new(order: Vec<usize>) -> Self {
        Self {
            turn: Mutex::new(0),
            moved: Condvar::new(),
            order,
        }
    }

    fn pass(&self, chunk: usize) {
        let rank = self
            .order
            .iter()
            .position(|&it| it == chunk)
            .unwrap_or(usize::MAX);
        let turn = self.turn.lock().expect("no panic inside");
        let mut turn = self
            .moved
            .wait_while(turn, |turn| *turn < rank.min(self.order.len()))
            .expect("no panic inside");
        *turn += 1;
        self.moved.notify_all();
    }
}

/// Lets everybody through at the end, so that a failed test ends too.
struct Open(Arc<Gate>);

impl Drop for Open {
    fn drop(&mut self) {
        if let Ok(mut turn) = self.0.turn.lock() {
            *turn = self.0.order.len();
        }
        self.0.moved.notify_all();
    }
}

fn text(lines: usize) -> String {
    (0..lines)
        .map(|line| format!("G1 X{line}.5 Y{line}\n"))
        .collect()
}

fn source(path: &Path, text: &str, gate: Arc<Gate>) -> Source {
    std::fs::write(path, text).expect("a file");
    let sizer = ChunkSizer::new(Strategy::Fixed(4096), Bounds::CNC, MemoryRule::Cnc);
    let start = Start { line: 1, offset: 0 };
    let file = OpenFile::open(path).expect("the file");
    let mut content = ContentHasher::new();
    content.update(text.as_bytes());
    let content = Arc::new(content.finish());
    let reader = Reader::new(file, start, Flavor::Grbl, sizer, content).expect("line 1");
    let chain = Chain::new(ChainConfig::new(Dialect::Grbl));
    let prepare: Prepare = Arc::new(move |raw| {
        gate.pass(raw.index as usize);
        chain.prepare(raw)
    });
    Source::new(reader, prepare, Budget::cnc())
}

/// An order of the first chunks in which each three neighbours are shuffled; the others follow.
fn orders(chunks: usize) -> impl proptest::strategy::Strategy<Value = Vec<usize>> {
    let group = Just(vec![0_usize, 1, 2]).prop_shuffle();
    prop::collection::vec(group, chunks.div_ceil(3)).prop_map(|groups| {
        let shifted = groups.into_iter().enumerate();
        shifted
            .flat_map(|(at, group)| group.into_iter().map(move |chunk| at * 3 + chunk))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_come_in_order_whoever_is_ready_first(order in orders(6)) {
        let dir = TempDir::new().expect("a directory");
        let text = text(2500);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let gate = Arc::new(Gate::new(order));
            let _open = Open(gate.clone());
            let mut source = source(&dir.path().join("part"), &text, gate);
            let mut next = 1;
            while let Some(chunk) = source.next().await {
                for line in chunk.expect("a clean file").lines() {
                    assert_eq!(line.source_line, next);
                    next += 1;
                }
            }
            assert_eq!(next, 2501);
        });
    }
}

#[tokio::test]
async fn a_source_that_is_dropped_early_leaves_nothing_behind() {
    let dir = TempDir::new().expect("a directory");
    let gate = Arc::new(Gate::new(Vec::new()));
    let watched = Arc::downgrade(&gate);
    let mut source = source(&dir.path().join("part"), &text(20_000), gate);
    assert!(source.next().await.is_some());
    drop(source);
    while watched.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
}
