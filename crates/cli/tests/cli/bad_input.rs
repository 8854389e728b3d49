//! What bad input gets: a place, a remedy, an exit code, and not one byte sent.

use std::{fs, net::TcpListener};

use crate::common::{Place, zigzag};

#[test]
fn files_that_cannot_be_used() {
    let place = Place::new();
    place.file("empty.nc", "");
    place.file("blank.nc", "\n\n( nothing )\n; here\n");
    place.file("utf16.nc", b"\xff\xfeG\x000\x00 \x00X\x001\x00\n\x00");
    place.file(
        "binary.nc",
        b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x03\x00\x3e\x00\x01\x00\x00\x00",
    );
    fs::create_dir(place.path("folder.nc")).expect("made");
    for (file, words) in [
        ("missing.nc", &["missing.nc", "check that it exists"][..]),
        (
            "folder.nc",
            &["folder.nc is not a file", "name a G-code file"],
        ),
        ("empty.nc", &["empty.nc holds no line"]),
        ("blank.nc", &["blank.nc holds no line"]),
        ("utf16.nc", &["UTF-16", "save it as UTF-8"]),
        ("binary.nc", &["binary.nc", "not text"]),
    ] {
        for command in ["run", "check"] {
            place.run(&[command, file]).expect(3, words);
        }
    }
}

#[test]
fn lines_that_cannot_be_sent() {
    let place = Place::new();
    let long = format!("G1 X1 (long)\nG1 {}\n", "X1.000000001".repeat(20));
    let endless = vec![b'G'; 2 << 20];
    for (name, content, words) in [
        (
            "nul.nc",
            &b"G0 X1\nG0\0 X2\n"[..],
            &["nul.nc:2:3:", "NUL byte"][..],
        ),
        (
            "number.nc",
            b"G0 X1\nG1 X1.2.3\n",
            &["number.nc:2:4:", "X1.2.3"],
        ),
        ("word.nc", b"G0 X1\nG0 @5\n", &["word.nc:2:4:"]),
        (
            "code.nc",
            b"G21\nG64 P0.1\n",
            &["code.nc:2:1:", "G64", "--skip G64"],
        ),
        (
            "realtime.nc",
            b"G0 X1\nG0 X2 !\n",
            &["realtime.nc:2:7:", "realtime"],
        ),
        (
            "umlaut.nc",
            "G0 X1\nG0 Ä X2\n".as_bytes(),
            &["umlaut.nc:2:4:"],
        ),
        (
            "long.nc",
            long.as_bytes(),
            &["long.nc:2:", "split the line"],
        ),
        ("endless.nc", &endless, &["endless.nc", "line 1"]),
    ] {
        place.file(name, content);
        for command in ["run", "check"] {
            place.run(&[command, name]).expect(4, words);
        }
    }
}

#[test]
fn odd_files_that_are_sound_run() {
    let place = Place::new();
    for (name, content, motions) in [
        ("bom.nc", &b"\xef\xbb\xbfG21\nG0 X1\n"[..], 1),
        ("last.nc", b"G21\nG0 X1\nG0 X2", 2),
        ("crlf.nc", b"G21\r\nG0 X1\r\nG0 X2\r\n", 2),
        ("cr.nc", b"G21\rG0 X1\rG0 X2\r", 2),
        (
            "comment.nc",
            "G21 (Ä ! ~ ?)\nG0 X1 ; \u{e9}?\n".as_bytes(),
            1,
        ),
    ] {
        place.file(name, content);
        let ran = place.run(&[
            "run",
            name,
            "-m",
            "sim:grbl?speed=max",
            "--sim-log",
            "log.jsonl",
        ]);
        ran.expect(0, &["finished"]);
        let log = fs::read_to_string(place.path("log.jsonl")).expect("a log");
        assert_eq!(
            log.lines()
                .filter(|line| line.contains("\"rapid\""))
                .count(),
            motions,
            "{name}: {log}"
        );
    }
}

#[test]
fn machines_that_cannot_be_used() {
    let place = Place::new();
    place.file("a.nc", zigzag(3));
    place.file("plain.txt", "no device");
    let plain = place.path("plain.txt").display().to_string();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = silent.local_addr().expect("bound").to_string();
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("bound").to_string()
    };
    for (machine, words) in [
        ("/dev/ttyNONE7", &["/dev/ttyNONE7", "no such port"][..]),
        (plain.as_str(), &["not a serial device"]),
        (nobody.as_str(), &["connection refused"]),
        ("tcp://no.such.host.invalid:23", &["no.such.host.invalid"]),
        (silent.as_str(), &["no answer from the controller"]),
    ] {
        place.run(&["run", "a.nc", "-m", machine]).expect(5, words);
    }
}

#[test]
fn another_device_that_answers_is_named() {
    let place = Place::new();
    place.file("a.nc", zigzag(3));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        use std::io::Write;
        while let Ok((mut client, _)) = listener.accept() {
            // The client may hang up while it is being greeted.
            while client
                .write_all(b"$GPGGA,092750.000,5321.6802,N\r\n")
                .is_ok()
            {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        }
    });
    place
        .run(&["run", "a.nc", "-m", &address])
        .expect(5, &["not like a grbl controller", "GPGGA"]);
}

#[test]
fn what_is_typed_wrongly() {
    let place = Place::new();
    place.file("a.nc", zigzag(3));
    for (args, words) in [
        (&["run"][..], &["FILE"][..]),
        (&["fly"], &["fly"]),
        (&["run", "a.nc", "-m", "ftp://x"], &["ftp"]),
        (
            &["run", "a.nc", "-m", "sim:smoothie"],
            &["smoothie", "grbl"],
        ),
        (
            &["run", "a.nc", "-m", "sim:grbl?colour=red"],
            &["colour", "speed"],
        ),
        (&["run", "a.nc", "--pack", "tight"], &["tight", "lossless"]),
        (&["run", "a.nc", "--skip", "6"], &["names no word"]),
        (&["run", "a.nc", "--m0", "macro:"], &["macro:FILE"]),
        (&["run", "a.nc", "--m0", "macro:none.nc"], &["none.nc"]),
        (&["run", "a.nc", "--rx", "3"], &["3 bytes is too small"]),
        (&["check", "a.nc", "--wire", "--lines", "9-1"], &["10-20"]),
        (&["sim", "--dialect", "grbl", "speed"], &["KEY=VALUE"]),
    ] {
        place.run(args).expect(2, words);
    }
}

#[test]
fn machines_that_fail_in_mid_job() {
    let place = Place::new();
    place.file("part.nc", zigzag(300));
    place.file("arc.nc", "G21 G90\nG0 X0 Y0\nG2 X10 Y0 R1 F100\nG1 X1\n");
    for (file, machine, code, words) in [
        (
            "part.nc",
            "sim:grbl?speed=max&homing=on",
            5,
            &["in alarm", "$H"][..],
        ),
        (
            "part.nc",
            "sim:grbl?speed=max&fault=reset@line:100",
            6,
            &["has reset itself", "in doubt: lines"],
        ),
        (
            "part.nc",
            "sim:grbl?speed=max&dtr=on&fault=disconnect@byte:2000",
            6,
            &["the link was lost", "in doubt: lines", "has restarted"],
        ),
        ("arc.nc", "sim:grbl?speed=max", 6, &["line 3", "error:34"]),
    ] {
        place.run(&["run", file, "-m", machine]).expect(code, words);
    }
}

#[test]
fn a_machine_that_loses_its_link_and_keeps_its_state_goes_on() {
    let place = Place::new();
    place.file("part.nc", zigzag(300));
    let cut = "sim:grbl?speed=max&fault=disconnect@byte:2000";
    place
        .run(&["run", "part.nc", "-m", cut, "--sim-log", "log.jsonl"])
        .expect(
            0,
            &[
                "reconnecting: ",
                "the controller stands where line",
                "finished",
            ],
        );
    let log = fs::read_to_string(place.path("log.jsonl")).expect("a log");
    let feeds = log.lines().filter(|line| line.contains("\"linear\""));
    assert_eq!(feeds.count(), 300, "each motion once");
    place
        .run(&["run", "part.nc", "-m", cut, "--reconnect", "0"])
        .expect(6, &["the link was lost", "in doubt: lines"]);
}

#[cfg(unix)]
#[test]
fn a_port_in_use_is_busy() {
    let place = Place::new();
    place.file("part.nc", zigzag(3000));
    let link = place.path("tty").display().to_string();
    let _sim = place.start(&["sim", "--pty", "--link", &link, "speed=10"], "ready");
    let _first = place.start(&["run", "part.nc", "-m", &link, "--json"], "\"progress\"");
    place
        .run(&["run", "part.nc", "-m", &link])
        .expect(5, &["another program is using this port"]);
    // Nor does a second one get at the records of the job.
    place
        .run(&["resume", "--yes"])
        .expect(8, &["is locked", "the job is open elsewhere"]);
}
