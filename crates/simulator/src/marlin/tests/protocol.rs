use super::*;

#[test]
fn it_greets_at_power_up_and_after_a_reset() {
    let mut printer = printer("");
    let mut said = Vec::new();
    printer.transmit(Duration::ZERO, &mut said);
    let first = String::from_utf8(said.clone()).unwrap();
    assert!(first.starts_with("start\necho:Marlin 2.1"), "{first}");
    printer.power_cycle(Duration::ZERO);
    said.clear();
    printer.transmit(Duration::ZERO, &mut said);
    assert_eq!(String::from_utf8(said).unwrap(), first);
}

#[test]
fn every_command_gets_one_ok_and_silence_gets_none() {
    check(
        "",
        "> G21
         < ok
         >
         > ; a comment
         >> G90\\r
         < ok
         >> \\n
         >> G90\\nM82\\n
         < ok
         < ok
         >> \\s\\s\\n
         < echo:Unknown command: \"\"
         < ok
         > M862.6 P\"Input shaper\" ; FW feature check
         < echo:Unknown command: \"M862.6 P\"Input shaper\"\"
         < ok
         > g1 X5
         < echo:Unknown command: \"g1 X5\"
         < ok
         > T1
         < echo:T1 Invalid extruder
         < ok
         > M117 Hello
         < ok
         > M118 A1 E0 action:notification hi
         < //action:notification hi
         < ok",
    );
}

#[test]
fn the_panel_leaves_the_line_alone_and_gets_no_ok() {
    check(
        "",
        ">> G92\\sX
         # panel G92 X3 Y4
         > 7
         < ok
         > M114
         < X:7.00 Y:4.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0
         < ok",
    );
}

#[test]
fn the_resend_grammar() {
    check(
        "",
        "> N1 G21*1
         < Error:checksum mismatch, Last Line: 0
         < Resend: 1
         < ok
         > N1 G21*?
         < ok
         > N2 G90
         < Error:No Checksum with line number, Last Line: 1
         < Resend: 2
         < ok
         > N3 G90*?
         < Error:Line Number is not Last Line Number+1, Last Line: 1
         < Resend: 2
         < ok
         > N2 G90*?
         < ok
         > N2 G90*?
         > N1 G21*?
         > N0 G90*?
         < Error:Line Number is not Last Line Number+1, Last Line: 2
         < Resend: 3
         < ok
         > N100 M110*?
         < ok
         > N101 G90*?
         < ok
         > M110 N7
         < ok
         > N8 G90*?
         < ok",
    );
}

#[test]
fn a_refusal_empties_the_receive_buffer() {
    // The queue holds one command, so the lines behind it wait in the ring when the gap is found.
    check(
        "queue=1",
        "> G4 S1
         >> N1 G21*27\\nN3 G90*19\\nN4 G90*20\\nG91\\n
         @ 1
         < ok
         < ok
         < Error:Line Number is not Last Line Number+1, Last Line: 1
         < Resend: 2
         < ok
         > N2 G90*?
         < ok",
    );
}

#[test]
fn a_long_line_is_cut_and_executed() {
    let text = "x".repeat(200);
    let cut = &text[..95 - "M118 ".len()];
    check(
        "",
        &format!("> M118 {text}\n< {cut}\n< ok\n> M118 b\n< b\n< ok"),
    );
}

#[test]
fn the_receive_ring_loses_what_it_cannot_hold() {
    let mut printer = printer("motion=instant");
    // Four commands in the queue, then 128 bytes in the ring; the rest is gone, in silence.
    send(&mut printer, Duration::ZERO, b"G4 S10\nG90\nG90\nG90\n");
    send(&mut printer, Duration::ZERO, &b"G91\n".repeat(100));
    let mut said = Vec::new();
    printer.transmit(Duration::ZERO, &mut said);
    said.clear();
    settle(&mut printer);
    let stats = printer.rx_stats();
    assert_eq!(
        (stats.capacity, stats.high_water, stats.overflows),
        (128, 128, 272)
    );
    assert_eq!(printer.snapshot().lines, 4 + 32);
}

#[test]
fn advanced_ok_tells_number_and_room() {
    check(
        "advanced_ok=on",
        "> N1 G28 Z*?
         @ 60
         < echo:busy: processing
         < echo:busy: processing
         < X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0
         < ok N1 P15 B3
         > G1 X1 F600
         < ok P14 B3
         > N2 G1 X2*?
         < ok N2 P13 B3
         > M105
         < ok T:20.00 /0.00 B:20.00 /0.00 @:0 B@:0",
    );
}

#[test]
fn ok_of_a_move_waits_for_a_place_in_the_planner() {
    let mut printer = printer("planner=4");
    let moves = b"G1 X10 F600\nG1 X20\nG1 X30\nG1 X40\nG1 X50\nM400\n";
    send(&mut printer, Duration::ZERO, moves);
    let mut oks = Vec::new();
    while printer.is_working() {
        let now = printer.next_event().unwrap();
        let mut said = Vec::new();
        printer.transmit(now, &mut said);
        let count = said.windows(3).filter(|bytes| *bytes == b"ok\n").count();
        oks.extend(std::iter::repeat_n(now.as_secs_f64().round(), count));
    }
    assert_eq!(oks, [0.0, 0.0, 0.0, 1.0, 2.0, 5.0]);
}

#[test]
fn busy_every_two_seconds_while_a_command_runs() {
    check(
        "",
        "> G4 S5
         @ 1.9
         @ 0.2
         < echo:busy: processing
         @ 2
         < echo:busy: processing
         @ 1
         < ok
         > M113 S1
         < ok
         > M113
         < echo:M113 S1
         < ok
         > G4 P1500
         @ 2
         < echo:busy: processing
         < ok
         > M113 S0
         < ok
         > G4 S60
         @ 61
         < ok",
    );
}

#[test]
fn waiting_for_a_person() {
    check(
        "",
        "> M0 Change the nozzle
         < echo:Change the nozzle
         @ 4.5
         < echo:busy: paused for user
         < echo:busy: paused for user
         > G21
         > M108
         < ok
         < ok
         < ok
         > M1 S1
         @ 1
         < ok
         > M600
         # press
         < ok
         # press
         < //action:resume",
    );
    check("user=continue", "> M0\n< ok\n> M600\n< ok");
}

#[test]
fn urgent_commands_without_an_emergency_parser_wait_for_room_in_the_queue() {
    check(
        "",
        ">> M0\\nG21\\nG21\\nG21\\n
         > M108
         @ 1
         # press
         < ok
         < ok
         < ok
         < ok
         < ok",
    );
    // With a line number in front they wait for their turn.
    check(
        "",
        "> G4 S1
         > N1 M112*?
         @ 0.5
         @ 0.5
         < ok
         < Error:Printer halted. kill() called!",
    );
    check(
        "",
        "> G4 S1
         > M112
         < Error:Printer halted. kill() called!
         > M105
         @ 100
         # reset
         < start
         < echo:Marlin 2.1.2.5
         < echo: Last Updated: 2025-01-12 | Author: (simulated)
         < echo: Free Memory: 4096  PlannerBufferBytes: 1344
         < echo:Hardcoded Default Settings Loaded
         > G21
         < ok",
    );
}

#[test]
fn an_emergency_parser_acts_at_once() {
    check(
        "emergency_parser=on",
        ">> M0\\nG21\\nG21\\nG21\\n
         > M108
         < ok
         < ok
         < ok
         < ok
         < ok
         > M0
         > N1 M108*?
         < ok
         < ok
         > G4 S10
         >> ;M112\\nM118 M112\\nG21\\n
         @ 10
         < echo:busy: processing
         < echo:busy: processing
         < echo:busy: processing
         < echo:busy: processing
         < echo:busy: processing
         < ok
         < M112
         < ok
         < ok
         > M112
         < Error:Printer halted. kill() called!",
    );
}

#[test]
fn heating_and_reports() {
    check(
        "",
        "> M104 S50
         < ok
         @ 1
         > M105
         < ok T:23.78 /50.00 B:20.00 /0.00 @:127 B@:0
         > M109 S50
         @ 1
         <  T:27.52 /50.00 B:20.00 /0.00 @:127 B@:0 W:?
         @ 6
         < echo:busy: processing
         <  T:31.23 /50.00 B:20.00 /0.00 @:127 B@:0 W:?
         <  T:34.90 /50.00 B:20.00 /0.00 @:127 B@:0 W:?
         < echo:busy: processing
         <  T:38.53 /50.00 B:20.00 /0.00 @:127 B@:0 W:?
         <  T:42.13 /50.00 B:20.00 /0.00 @:127 B@:0 W:?
         < echo:busy: processing
         <  T:45.69 /50.00 B:20.00 /0.00 @:127 B@:0 W:?
         <  T:49.22 /50.00 B:20.00 /0.00 @:127 B@:0 W:10
         > M108
         < ok
         < ok
         > M140 S20.5
         < ok
         > M155 S2
         < ok
         @ 4
         <  T:50.00 /50.00 B:20.50 /20.50 @:10 B@:0
         <  T:50.00 /50.00 B:20.50 /20.50 @:10 B@:0
         > M155 S0
         < ok
         > M104 T1 S9
         < echo:M104 Invalid extruder 1
         < ok
         @ 60",
    );
    check(
        "heat=instant",
        "> M109 S200
         < ok
         > M190 R60
         < ok
         > M105
         < ok T:200.00 /200.00 B:60.00 /60.00 @:60 B@:36",
    );
}

#[test]
fn an_idle_printer_may_say_wait() {
    check(
        "wait=on",
        "@ 0.9\n@ 0.2\n< wait\n> G21\n< ok\n@ 2.5\n< wait\n< wait",
    );
}

#[test]
fn scripted_events() {
    check(
        "script=action:pause@1.5,maxtemp@3",
        "@ 1
         @ 1
         < //action:pause
         @ 1
         < Error:MAXTEMP triggered, system stopped! Heater_ID: 0
         < Error:Printer halted. kill() called!
         > G21
         @ 9",
    );
}

#[test]
fn settings_are_kept_over_a_reset_when_saved() {
    check(
        "",
        "> M92 X160
         < ok
         > M205 X7
         < ok
         > M500
         < echo:Settings Stored (612 bytes; crc 30423)
         < ok
         > M502
         < echo:Hardcoded Default Settings Loaded
         < ok
         > M501
         < echo:V88 stored settings retrieved (612 bytes; crc 30423)
         < ok
         > M503
         < echo:; Steps per unit:
         < echo: M92 X160.00 Y80.00 Z400.00 E500.00
         < echo:; Max feedrates (units/s):
         < echo: M203 X300.00 Y300.00 Z5.00 E25.00
         < echo:; Max Acceleration (units/s2):
         < echo: M201 X3000.00 Y3000.00 Z100.00 E10000.00
         < echo:; Advanced (units/s): jerk:
         < echo: M205 X7.00 Y10.00 Z0.30 E5.00
         < echo:; Acceleration (units/s2) (P<print> R<retract> T<travel>):
         < echo: M204 P3000.00 R3000.00 T3000.00
         < ok
         > M220 S50
         < ok
         > M220
         < FR:50%
         < ok
         > M302
         < echo:Cold extrudes are disabled (min temp 170C)
         < ok",
    );
}

#[test]
fn it_says_what_it_can_do() {
    for (params, cap) in [
        ("", "Cap:EMERGENCY_PARSER:0"),
        ("emergency_parser=on", "Cap:EMERGENCY_PARSER:1"),
    ] {
        let said = ping_pong(&mut printer(params), "M115");
        assert!(
            said.contains("FIRMWARE_NAME:Marlin") && said.contains(cap),
            "{said}"
        );
        assert!(said.contains("Cap:AUTOREPORT_TEMP:1"), "{said}");
    }
}
