use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use super::*;

/// One exchange as far as it goes without waiting; `None` means that the script waits for the host.
fn exchange(
    link: &mut MockLink,
    out: &[u8],
    inbox: &mut BytesMut,
) -> Option<Result<Exchanged, LinkError>> {
    match link
        .exchange(out, inbox)
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(moved) => Some(moved),
        Poll::Pending => None,
    }
}

/// Offers `out` until the script takes no more, and returns all that the machine said.
fn play(script: Script, out: &[u8]) -> (Vec<u8>, Result<(), Mismatch>) {
    let (mut link, watch) = script.watched();
    let (mut sent, mut inbox) = (0, BytesMut::new());
    while let Some(Ok(moved)) = exchange(&mut link, &out[sent..], &mut inbox) {
        sent += moved.written;
    }
    (inbox.to_vec(), watch.finish())
}

#[test]
fn a_followed_script_is_silent() {
    let script = Script::new()
        .reply("Grbl 1.1h ['$' for help]\r\n")
        .expect("G0 X1\n")
        .reply("ok\r\n")
        .expect("M5\n")
        .silence()
        .reply("ok\r\n")
        .close();
    let (said, verdict) = play(script, b"G0 X1\nM5\n");
    assert_eq!(said, b"Grbl 1.1h ['$' for help]\r\nok\r\nok\r\n");
    assert_eq!(verdict, Ok(()));
}

#[test]
fn an_expectation_may_be_met_in_pieces() {
    let mut link = Script::new().expect("G0 X1\n").reply("ok\r\n").link();
    let mut inbox = BytesMut::new();
    for (piece, written) in [("G", 1), ("0 X", 3)] {
        assert_eq!(
            exchange(&mut link, piece.as_bytes(), &mut inbox)
                .unwrap()
                .unwrap()
                .written,
            written
        );
        assert!(
            exchange(&mut link, b"", &mut inbox).is_none(),
            "the script waits for the rest"
        );
    }
    let last = exchange(&mut link, b"1\n", &mut inbox).unwrap().unwrap();
    assert_eq!(
        (last, &inbox[..]),
        (
            Exchanged {
                written: 2,
                read: 4
            },
            &b"ok\r\n"[..]
        )
    );
}

#[test]
fn polls_may_be_ignored_wherever_they_come() {
    let script = Script::new()
        .ignoring("?")
        .expect("G0?\n")
        .reply("ok\r\n")
        .silence();
    assert_eq!(play(script, b"??G0?\n?").1, Ok(()));
}

#[test]
fn nothing_comes_after_a_close() {
    let (mut link, watch) = Script::new().close().reply("too late").watched();
    for _ in 0..3 {
        let lost = exchange(&mut link, b"G0\n", &mut BytesMut::new())
            .unwrap()
            .unwrap_err();
        assert!(matches!(lost, LinkError::Closed { .. }), "{lost}");
    }
    assert!(watch.finish().is_err());
}

#[test]
fn a_departure_is_shown_where_it_happened() {
    let check = |script: Script, out: &[u8], picture: &str| {
        let verdict = play(script, out).1.expect_err(picture);
        assert_eq!(verdict.to_string(), picture);
    };
    check(
        Script::new()
            .expect("G0 X1\n")
            .reply("ok\r\n")
            .expect("G1 X2\n")
            .reply("ok\r\n"),
        b"G0 X1\nG1 Y2\n",
        r#"mock link: the host left the script at step 3 of 4
  done > "G0 X1\n"
  done < "ok\r\n"
> here > "G1 X2\n"
   got > "G1 Y2\n"
             ^ byte 4 is not what the script says
  left < "ok\r\n""#,
    );
    check(
        Script::new().expect("!").silence(),
        b"!G0\n",
        r#"mock link: the host left the script at step 2 of 2
  done > "!"
> here > (silence)
   got > "G0\n"
          ^ byte 1 is not what the script says"#,
    );
    check(
        Script::new().expect("?"),
        b"?\x18",
        r#"mock link: the host left the script at step 2 of 1
  done > "?"
> here the script is over
   got > "\x18"
          ^ byte 1 is not what the script says"#,
    );
    check(
        Script::new().expect("G0 X1\n").close(),
        b"G0",
        r#"mock link: the link ended before the script did at step 1 of 2
> here > "G0 X1\n"
   got > "G0" and then nothing more
  left < (close)"#,
    );
}

#[test]
fn a_link_that_is_dropped_early_fails_the_test() {
    let caught = catch_unwind(|| drop(Script::new().expect("G0\n").link())).unwrap_err();
    let text = caught.downcast_ref::<String>().unwrap();
    assert!(
        text.contains("the link ended before the script did"),
        "{text}"
    );

    let caught = catch_unwind(|| drop(Script::new().expect("G0\n").watched())).unwrap_err();
    assert!(caught.downcast_ref::<String>().is_some());
}

#[test]
fn a_test_that_fails_already_keeps_its_own_reason() {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _link = Script::new().expect("G0\n").link();
        let _watched = Script::new().expect("G0\n").watched();
        panic!("the real reason");
    }));
    assert_eq!(
        caught.unwrap_err().downcast_ref::<&str>(),
        Some(&"the real reason")
    );
}

#[test]
fn text_and_calls_make_the_same_script() {
    let text = r"
        # a job of one line
        raw< Grbl 1.1h\r\n
        ignore ?
        > G0 X1
        silence
        < ok
        raw> \x18\\\t
        close
    ";
    let calls = Script::new()
        .reply("Grbl 1.1h\r\n")
        .ignoring("?")
        .expect("G0 X1\n")
        .silence()
        .reply("ok\r\n")
        .expect(b"\x18\\\t")
        .close();
    assert_eq!(text.parse(), Ok(calls));
}

#[test]
fn a_broken_script_names_its_line() {
    let check = |text: &str, message: &str| {
        assert_eq!(text.parse::<Script>().unwrap_err().to_string(), message);
    };
    check(
        "> G0\nreply ok",
        "script line 2: `reply` is no step; begin with >, <, raw>, raw<, ignore, silence, close or #",
    );
    check(
        "> \\q",
        "script line 1: `\\q` is no escape; use \\n \\r \\t \\\\ or \\x18",
    );
    check(
        "> \\x1",
        "script line 1: `\\x1` is no escape; use \\n \\r \\t \\\\ or \\x18",
    );
    check(
        "> \\x+1",
        "script line 1: `\\x+1` is no escape; use \\n \\r \\t \\\\ or \\x18",
    );
    check(
        "> \\xé1",
        "script line 1: `\\xé1` is no escape; use \\n \\r \\t \\\\ or \\x18",
    );
}
