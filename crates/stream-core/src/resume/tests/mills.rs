use super::*;

const KEPT: Approach = Approach::new().footing(Footing::Kept);

#[test]
fn up_over_on_and_down_before_the_modes_come_back() {
    check_mill(
        "G20 G90 G55\nM3 S8000\nM8\nG0 Z1\nX1 Y2\nG1 Z-0.1 F10\nX3 F20\nG0 Z2\n",
        7,
        Approach::new(),
        &[
            "G21 G90 G94 G17",
            "G55",
            "G0 Z52.8",
            "G0 X76.2 Y50.8",
            "M3 S8000",
            "M8",
            "G4 P3",
            "G1 Z-2.54 F100",
            "G1 F508",
            "G20",
            "G1",
        ],
    );
}

#[test]
fn every_mode_of_the_program_is_in_force_in_the_end() {
    check_mill(
        "G0 Z5\nX1 Y2\nG18 G93 G91 G61\nT3\nM6\nM4 S500\nG1 X1 F2\nG80\nG0 Z1\n",
        8,
        Approach::new().clearance_mm(0.0).expect("in range"),
        &[
            "G21 G90 G94 G17",
            "T3",
            "G54",
            "G0 Z6",
            "G0 X2 Y2",
            "M4 S500",
            "M9",
            "G4 P3",
            "G1 Z5 F100",
            "G18",
            "G91",
            "G80",
            "G93",
        ],
    );
}

#[test]
fn a_machine_safe_height_goes_before_any_other() {
    let program = "G0 Z5\nG0 X1 Y2\nM3 S100\nG1 Z-1 F50\nG1 X3\n";
    let safe = Approach::new().safe_z_machine(-1.5).expect("in range");
    check_mill(
        program,
        5,
        safe,
        &[
            "G21 G90 G94 G17",
            "G53 G0 Z-1.5",
            "G54",
            "G0 X3 Y2",
            "M3 S100",
            "M9",
            "G4 P3",
            "G0 Z7",
            "G1 Z-1 F50",
            "G1",
        ],
    );
    // The program knows one itself.
    let program = format!("G53 G0 Z-2\n{program}");
    let lines = plan(Dialect::Grbl, &program, 6, &Approach::new()).expect("a plan");
    assert_eq!(lines[1], "G53 G0 Z-2");
}

#[test]
fn an_axis_goes_to_its_place_in_the_coordinates_in_which_that_is_known() {
    // Z was placed in G54; what that is in G55, only the controller knows.
    check_mill(
        "G54\nG0 Z5\nG0 X1 Y1\nG1 Z-1 F80\nG0 Z4\nG55\nG0 X7\nG1 Y8\n",
        7,
        Approach::new(),
        &[
            "G21 G90 G94 G17",
            "G54",
            "G0 Z7",
            "G0 Y1",
            "G55",
            "G0 X7",
            "M5",
            "M9",
            "G54",
            "G1 Z4 F80",
            "G55",
            "G0",
        ],
    );
    check_mill(
        "G53 G0 Z-3\nG53 G0 X-10 Y-20\nG0 X1\n",
        2,
        Approach::new(),
        &[
            "G21 G90 G94 G17",
            "G53 G0 Z-3",
            "G53 G0 X-10 Y-20",
            "M5",
            "M9",
            "G54",
            "G0",
        ],
    );
    check_mill(
        "G0 Z5\nG0 X1\nG91 G28 Z0\nG90\nG0 X2\n",
        5,
        Approach::new(),
        &[
            "G21 G90 G94 G17",
            "G91 G28 Z0",
            "G90",
            "G54",
            "G0 X2",
            "M5",
            "M9",
            "G0",
        ],
    );
}

#[test]
fn offsets_are_set_again_where_they_are_lost_and_left_alone_where_they_hold() {
    let program = "G0 Z5\nG0 X10 Y20\nG92 X0 Y0\nG43.1 Z2\nG0 Z6\nG1 X3 F200\nG1 X9\n";
    check_mill(
        program,
        6,
        Approach::new(),
        &[
            "G21 G90 G94 G17",
            "G43.1 Z2",
            "G54",
            "G0 Z8",
            "G0 X13 Y20",
            "M5",
            "M9",
            "G1 Z6 F100",
            "G1 F200",
            "G92 X3 Y0",
            "G1",
        ],
    );
    check_mill(
        program,
        6,
        KEPT,
        &[
            "G21 G90 G94 G17",
            "G43.1 Z2",
            "G54",
            "G0 Z8",
            "G0 X3 Y0",
            "M5",
            "M9",
            "G1 Z6 F100",
            "G1 F200",
            "G1",
        ],
    );
}

#[test]
fn an_offset_at_a_place_that_no_line_names_holds_on_a_controller_that_lives() {
    let program = "G92 X0 Y0 Z0\nG0 Z5\nG1 X3 F200\nG1 X9\n";
    let refusal = plan(Dialect::Grbl, program, 3, &Approach::new()).expect_err("lost");
    assert_eq!(refusal.code(), "not-restorable");
    let lines = plan(Dialect::Grbl, program, 3, &KEPT).expect("kept");
    assert!(lines.contains(&"G0 X3 Y0".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("G92")), "{lines:?}");
}

#[test]
fn a_beam_is_off_until_the_place_and_comes_on_last() {
    let laser = Approach::new().tool(Tool::Laser);
    check_mill(
        "G0 X0 Y0\nM4 S300\nG1 X10 F900\nX20\nX30\n",
        4,
        laser,
        &[
            "M5",
            "G21 G90 G94 G17",
            "G54",
            "G0 X20 Y0",
            "M9",
            "G1 F900",
            "G1",
            "M4 S300",
        ],
    );
    let with_focus = "G0 Z1\nG0 X0 Y0\nM3 S300\nG1 X10 F900\nX20\n";
    let lines = plan(Dialect::Grbl, with_focus, 4, &laser).expect("a plan");
    let plunge = lines.iter().find(|line| line.starts_with("G1 Z"));
    assert_eq!((plunge, lines.last()), (None, Some(&"M3 S300".to_owned())));
    assert!(lines.contains(&"G0 Z1".to_owned()), "{lines:?}");
}

#[test]
fn a_tool_table_is_used_where_there_is_one() {
    let program = "G43 H4\nG0 Z5\nG0 X1 Y1\nG1 X2 F10\n";
    let refusal = plan(Dialect::Grbl, program, 3, &Approach::new()).expect_err("no table");
    assert_eq!(refusal.code(), "tool-length-unknown");
    let way = Approach::new().tool_table(ToolTable::Present);
    let lines = plan(Dialect::Grbl, program, 3, &way).expect("a plan");
    assert_eq!(lines[1], "G43 H4");
}

#[test]
fn axes_that_no_line_has_moved_stay_where_they_are() {
    check_mill(
        "G0 X5\nG1 X6 F10\n",
        1,
        Approach::new(),
        &["G21 G90 G94 G17", "G54", "G0 X5", "M5", "M9", "G0"],
    );
}

#[test]
fn turned_axes_go_to_the_angle_they_were_wound_to() {
    let program = "G0 Z5\nG0 X0 Y0 A0\nG1 A725.5 F400\nG1 A800\n";
    let lines = plan(Dialect::Grbl, program, 3, &Approach::new()).expect("a plan");
    assert!(lines.contains(&"G0 X0 Y0 A725.5".to_owned()), "{lines:?}");
}

#[test]
fn the_last_retract_is_behind_the_last_way_up_over_everything_cut() {
    for (program, expected) in [
        ("G0 Z5\nX1\nG1 Z-1 F1\nX2\nX3\n", Some(1)),
        ("G0 Z5\nX1\nG1 Z-1 F1\nX2\nG0 Z5\nX3\nG1 Z-1\nX4\n", Some(5)),
        // Not high enough: the slot is deeper there, and the rim is in the way.
        ("G0 Z5\nX1\nG1 Z-1 F1\nX2\nZ-3\nX3\nG0 Z-2\nX4\n", Some(1)),
        // Up at feed is up.
        ("G0 Z5\nX1\nG1 Z-1 F1\nX2\nG1 Z3\nX4\n", Some(5)),
        // Nothing goes up: the last time nothing was cut.
        ("G0 X1\nG1 X2 F1\nG0 X3\nG1 X4\n", Some(3)),
        ("G1 X2 F1\n", None),
    ] {
        let (at, _) = read(Dialect::Grbl, program, u64::MAX);
        assert_eq!(at.last_retract(), expected, "{program}");
    }
}

#[test]
fn steps_from_a_known_place_are_no_obstacle() {
    let program = "G0 Z5\nG0 X1 Y1\nG91\nG1 X2 Y3 F100\nX1\n";
    let lines = plan(Dialect::Grbl, program, 4, &Approach::new()).expect("a plan");
    assert!(lines.contains(&"G0 X3 Y4".to_owned()), "{lines:?}");
    assert_eq!(lines[lines.len() - 2..], ["G91", "G1"]);
}
