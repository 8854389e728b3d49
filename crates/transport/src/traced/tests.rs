use std::fmt::Write;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::*;
use crate::mock::Script;
use crate::{Sequence, memory};

/// Writes each event of the wire as one line of `field=value`.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == WIRE
    }

    fn event(&self, event: &Event<'_>) {
        assert_eq!(*event.metadata().level(), Level::TRACE);
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0.trim_end().to_owned());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn every_byte_that_moved_is_told_once() {
    let lines = Lines::default();
    let _listening = tracing::subscriber::set_default(lines.clone());

    let script = Script::new()
        .expect("\x18")
        .reply("\r\nGrbl 1.1h\r\n")
        .expect("G0\n")
        .close();
    let mut way = Traced::new(Sequence::once(script.link()));
    let mut link = way.connect().await.unwrap();
    let mut inbox = BytesMut::from("kept");
    let _ = link.exchange(b"\x18G0\n", &mut inbox).await.unwrap();
    let _ = link.exchange(b"G0\n", &mut inbox).await.unwrap();
    link.exchange(b"", &mut inbox).await.unwrap_err();

    assert_eq!(
        *lines.0.lock().unwrap(),
        [
            r#"message=connected link="mock" direction="--""#,
            r#"link="mock" direction="->" bytes=1 text=\x18"#,
            r#"link="mock" direction="<-" bytes=13 text=\r\nGrbl 1.1h\r\n"#,
            r#"link="mock" direction="->" bytes=3 text=G0\n"#,
            r#"link="mock" direction="--" error=mock: the other end closed the link; check power and cable, then connect again"#,
        ]
    );
}

#[tokio::test]
async fn a_sequence_ends_with_an_absent_port() {
    let (link, _machine) = memory::duplex(8);
    let mut way = Traced::new(Sequence::once(link));
    assert_eq!(way.address(), "memory");
    assert_eq!(way.connect().await.unwrap().describe(), "memory");
    let error = way.connect().await.err().unwrap();
    assert!(matches!(error, ConnectError::Absent { .. }), "{error}");
}
