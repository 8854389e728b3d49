use super::*;

const PROGRAM: &str = "G28\nM140 S60\nM104 S205\nM83\nG92 E0\nM106 S128\nG1 X10 Y20 Z0.3 F1200\nG1 X20 E0.5\nG1 X30 E0.5\n";

#[test]
fn heat_comes_first_and_the_filament_is_where_it_was() {
    check_print(
        PROGRAM,
        8,
        Approach::new(),
        &[
            "M140 S60",
            "M104 S205",
            "M190 S60",
            "M109 S205",
            "G21",
            "G90",
            "G0 Z5.3 F600",
            "G0 X20 Y20 F3000",
            "G1 Z0.3 F600",
            "G92 E0.5",
            "M106 S128",
            "G1 F1200",
            "M83",
        ],
    );
}

#[test]
fn everything_a_printer_was_told_is_told_again() {
    let program = "M140 S70\nM141 S40\nM104 T0 S210\nM104 T1 S190\nT1\nG28\nM420 S1 Z10\nM201 X500 Y600\nM201 Y700\nM203 E50\n\
                   M204 P800 T900\nM204 S1000\nM205 X8 J0.02\nM900 K0.05\nM900 T1 K0.1\nM220 S90\nM221 S95\nM106 P1 S80\nM106 S255\n\
                   M486 T3\nM486 S1\nM486 P2\nM290 Z0.05\nM290 Z0.02\nG1 X1 Y2 Z0.2 F1800\nG1 X5 E1\nG1 X6 E2\n";
    check_print(
        program,
        26,
        Approach::new(),
        &[
            "M140 S70",
            "M141 S40",
            "M104 T0 S210",
            "M104 T1 S190",
            "M190 S70",
            "M191 S40",
            "M109 T0 S210",
            "M109 T1 S190",
            "G21",
            "G90",
            "G0 Z5.2 F600",
            "T1",
            "G0 X5 Y2 F3000",
            "G1 Z0.2 F600",
            "G92 E1",
            "M106 P1 S80",
            "M106 S255",
            "M220 S90",
            "M221 S95",
            "M201 X500 Y700",
            "M203 E50",
            "M204 S1000",
            "M205 X8 J0.02",
            "M420 S1 Z10",
            "M900 K0.05",
            "M900 T1 K0.1",
            "M486 T3",
            "M486 P2",
            "M486 S1",
            "M290 Z0.07",
            "G1 F1800",
            "M82",
        ],
    );
    // Babysteps hold on a printer that lives, and would be made twice.
    let kept = Approach::new().footing(Footing::Kept);
    let lines = plan(Dialect::Marlin, program, 26, &kept).expect("a plan");
    assert!(
        !lines.iter().any(|line| line.starts_with("M290")),
        "{lines:?}"
    );
}

#[test]
fn priming_happens_beside_the_print_and_homing_never_over_it() {
    let way = Approach::new()
        .homing(Homing::XandY)
        .prime_mm(8.0)
        .expect("in range");
    let lines = plan(Dialect::Marlin, PROGRAM, 8, &way).expect("a plan");
    let from = lines.iter().position(|line| line == "G90").expect("there");
    assert_eq!(
        lines[from..from + 11],
        [
            "G90",
            "G92 Z0.3",
            "G91",
            "G0 Z5 F600",
            "G90",
            "G28 X Y",
            "G0 Z5.3 F600",
            "G0 X5 F3000",
            "M83",
            "G1 E8 F300",
            "G0 X20 Y20 F3000",
        ]
    );
}

#[test]
fn no_axis_homes_by_itself() {
    for done in 0..9 {
        let lines = plan(Dialect::Marlin, PROGRAM, done, &Approach::new()).expect("a plan");
        assert!(
            !lines.iter().any(|line| line.starts_with("G28")),
            "{lines:?}"
        );
    }
}

#[test]
fn the_way_back_goes_over_everything_printed_so_far() {
    // The second object is begun beside the first, which is 30 mm high.
    let program = "G28\nG1 X1 Y1 Z30 F1200\nG1 X5 E1\nG1 X80 Y1\nG1 Z0.2\nG1 X90 E2\nG1 X91 E3\n";
    let lines = plan(Dialect::Marlin, program, 6, &Approach::new()).expect("a plan");
    assert!(lines.contains(&"G0 Z35 F600".to_owned()), "{lines:?}");
}

#[test]
fn a_filament_drawn_back_by_the_firmware_is_so_still_where_the_printer_lives() {
    let program = "G28\nG1 X1 Y1 Z1 F1200\nG10\nG1 X2\n";
    let refusal = plan(Dialect::Marlin, program, 3, &Approach::new()).expect_err("lost");
    assert_eq!(refusal.code(), "retracted");
    let kept = Approach::new().footing(Footing::Kept);
    assert!(plan(Dialect::Marlin, program, 3, &kept).is_ok());
}

#[test]
fn the_last_retract_of_a_print_is_its_last_travel_or_its_last_layer() {
    for (program, expected) in [
        (
            "G1 Z0.2 F600\nG1 X1 E1\nG1 X2 E2\nG1 X9\nG1 X10 E3\n",
            Some(4),
        ),
        (
            "G1 Z0.2 F600\nG1 X1 E1\nG1 X9\nG1 X10 E2\nG1 Z0.4\nG1 X11 E3\n",
            Some(5),
        ),
    ] {
        let (at, _) = read(Dialect::Marlin, program, u64::MAX);
        assert_eq!(at.last_retract(), expected, "{program}");
    }
}
